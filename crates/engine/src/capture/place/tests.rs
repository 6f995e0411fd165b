//! What placing promises: a row is placed only as the source has it at the head.

use super::super::touched::Touched;
use super::*;
use model::inspect::Sees;
use model::{Cell, Incarnation, Placement, Purpose, Stretch, TableName, TransactionId, Value};

#[test]
fn an_answer_waits_until_the_lane_has_passed_it() {
    let mut rig = Rig::new();
    rig.placing.take(found(keys(&[1]), reading(1, 12, 3, [row(1, "a")])));
    assert_eq!(rig.settle(11), []);
    assert_eq!(rig.placing.waits_for(), Some(&Position::from_number(12)));
    assert_eq!(rig.placed(12), vec![insert(1, "a")]);
    assert_eq!(rig.placing.waits_for(), None);
}

#[test]
fn an_answer_waits_for_what_its_target_has_already() {
    let mut rig = Rig::new();
    let ask = Ask { behind: Some(at(20)), ..keys(&[1]) };
    rig.placing.take(found(ask, reading(1, 12, 3, [row(1, "a")])));
    assert_eq!(rig.settle(19), []);
    assert_eq!(rig.placed(20).len(), 1);
}

#[test]
fn a_key_that_the_source_lacks_is_placed_as_a_delete() {
    let mut rig = Rig::new();
    rig.placing.take(found(keys(&[1, 2]), reading(1, 10, 3, [row(2, "b")])));
    assert_eq!(rig.placed(10), vec![delete(1), insert(2, "b")]);
}

/// BF3: what was delivered before it could be seen.
#[test]
fn a_key_touched_by_what_the_reading_does_not_see_is_read_again() {
    let mut rig = Rig::new();
    rig.log(11, 3, [insert(1, "new")]);
    rig.placing.take(found(keys(&[1, 2]), reading(1, 11, 3, [row(1, "old")])));
    let [Verdict::SendBack(sent_back)] = &rig.settle(11)[..] else { panic!("sent back") };
    assert_eq!(sent_back.keys, [key(1)].into());
    assert_eq!(rig.settle(11), [], "it is with the reader");
    let again = reading(2, 11, 4, [row(1, "new")]);
    rig.placing.take(Answer::Again(sent_back.number, sent_back.keys.clone(), again));
    assert_eq!(rig.placed(11), vec![insert(1, "new"), delete(2)]);
}

#[test]
fn a_row_that_was_gone_when_it_was_read_again_is_gone() {
    let mut rig = Rig::new();
    rig.log(11, 3, [delete(1)]);
    rig.placing.take(found(keys(&[1]), reading(1, 11, 3, [row(1, "old")])));
    let [Verdict::SendBack(sent_back)] = &rig.settle(11)[..] else { panic!("sent back") };
    let again = Answer::Again(sent_back.number, sent_back.keys.clone(), reading(2, 11, 4, []));
    rig.placing.take(again);
    assert_eq!(rig.placed(11), vec![delete(1)]);
}

#[test]
fn what_a_key_touched_too_often_missed_is_laid_over_it() {
    let mut rig = Rig::new();
    rig.placing = Placing::new(&Limits { reread_max: 0, ..Limits::default() });
    let patch = Row(vec![Cell::from(1), Cell::Unchanged]);
    rig.log(11, 3, [Change { op: Op::Update { before: key(1), row: patch }, ..insert(1, "x") }]);
    rig.log(12, 4, [insert(2, "new"), delete(3)]);
    let rows = [row(1, "kept"), row(3, "gone")];
    rig.placing.take(found(keys(&[1, 2, 3]), reading(1, 12, 3, rows)));
    assert_eq!(rig.placed(12), vec![insert(1, "kept"), insert(2, "new"), delete(3)]);
}

#[test]
fn what_was_missed_and_not_kept_is_read_again_and_never_guessed() {
    let mut rig = Rig::new();
    rig.placing = Placing::new(&Limits { reread_max: 0, ..Limits::default() });
    rig.log_touched(11, 3, &[insert(1, "new")]);
    rig.placing.take(found(keys(&[1]), reading(1, 11, 3, [row(1, "old")])));
    assert!(matches!(rig.settle(11)[..], [Verdict::SendBack(_)]));
    assert!(rig.placing.watches(&table()), "the next time it will have been kept");
}

#[test]
fn after_a_truncate_that_a_reading_does_not_see_all_of_it_is_read_again() {
    let mut rig = Rig::new();
    rig.log(11, 3, [Change { op: Op::Truncate, ..insert(1, "x") }]);
    rig.placing.take(found(keys(&[1]), reading(7, 11, 3, [row(1, "old")])));
    let [Verdict::Drop(asks, tickets)] = &rig.settle(11)[..] else { panic!("dropped") };
    assert_eq!((asks.len(), &tickets[..]), (1, &[7][..]));
}

#[test]
fn a_reading_that_does_not_see_all_of_before_is_no_use() {
    let mut rig = Rig::new();
    let mut first = reading(1, 11, 9, []);
    first.placement.sees = Sees::Snapshot { xmin: 4, xmax: 9, running: vec![4] };
    rig.placing.take(found(keys(&[1]), first));
    assert!(matches!(rig.settle(11)[..], [Verdict::Drop(..)]));
    rig.placing.take(found(keys(&[1]), reading(2, 11, 9, [])));
    assert_eq!(rig.placed(11), vec![delete(1)]);
}

#[test]
fn a_stretch_places_what_differs_and_deletes_what_the_source_lacks() {
    let mut rig = Rig::new();
    let there = [row(1, "same"), row(2, "old"), row(3, "gone")];
    let rows = [row(1, "same"), row(2, "new"), row(4, "more")];
    rig.placing.take(found(stretch(None, Some(9), there), reading(1, 10, 3, rows)));
    assert_eq!(rig.placed(10), vec![delete(3), insert(2, "new"), insert(4, "more")]);
}

#[test]
fn stretches_of_a_pass_are_placed_in_their_order() {
    let mut rig = Rig::new();
    rig.placing.take(found(stretch(None, Some(5), []), reading(1, 15, 3, [row(1, "a")])));
    rig.placing.take(found(stretch(Some(5), None, []), reading(2, 10, 3, [row(7, "b")])));
    assert_eq!(rig.settle(10), [], "the first is not passed yet");
    let verdicts = rig.settle(15);
    let tickets = |verdict: &Verdict| match verdict {
        Verdict::Place(_, _, tickets) => tickets.clone(),
        _ => panic!("placed"),
    };
    assert_eq!(verdicts.iter().map(tickets).collect::<Vec<_>>(), [[1], [2]]);
}

#[test]
fn a_stretch_that_is_dropped_takes_those_behind_it_along() {
    let mut rig = Rig::new();
    rig.log(11, 3, [Change { op: Op::Truncate, ..insert(1, "x") }]);
    rig.placing.take(found(stretch(None, Some(5), []), reading(1, 10, 3, [])));
    rig.placing.take(found(stretch(Some(5), None, []), reading(2, 10, 4, [])));
    let verdicts = rig.settle(11);
    let [Verdict::Drop(asks, tickets)] = &verdicts[..] else { panic!("{verdicts:?}") };
    assert_eq!((asks.len(), &tickets[..]), (2, &[1, 2][..]));
}

#[test]
fn what_nobody_wants_any_more_is_dropped_with_its_tickets() {
    let mut rig = Rig::new();
    rig.placing.take(found(keys(&[1]), reading(7, 10, 3, [])));
    let dropped = rig.placing.drop_unwanted(|_| false);
    assert_eq!(dropped.iter().map(|(_, tickets)| tickets.clone()).collect::<Vec<_>>(), [[7]]);
    assert_eq!(rig.settle(10), []);
}

/// A reader that took long brings keys of an ask that capture has forgotten when it began anew.
#[test]
fn what_was_sent_back_before_capture_began_anew_is_no_answer_to_another_ask() {
    let mut before = Rig::new();
    before.log(11, 3, [insert(1, "new")]);
    before.placing.take(found(keys(&[1]), reading(1, 11, 3, [])));
    let [Verdict::SendBack(sent_back)] = &before.settle(11)[..] else { panic!("sent back") };
    let mut anew = Rig::new();
    anew.placing.take(found(keys(&[2]), reading(2, 11, 9, [row(2, "b")])));
    let late = Answer::Again(sent_back.number, sent_back.keys.clone(), reading(3, 11, 9, []));
    assert_eq!(anew.placing.take(late), Some(3));
    assert_eq!(anew.placed(11), vec![insert(2, "b")]);
}

struct Rig {
    placing: Placing,
    memory: Memory,
}

impl Rig {
    fn new() -> Self {
        let limits = Limits::default();
        let memory = Memory::new(Position::from_number(5), &limits);
        Self { placing: Placing::new(&limits), memory }
    }

    /// A transaction of this number is logged, with its changes.
    fn log<const N: usize>(&mut self, position: u64, number: u64, changes: [Change; N]) {
        let touched = touched(&changes);
        let (position, number) = (Position::from_number(position), TransactionId(number));
        let mut kept: BTreeMap<TableName, Vec<Change>> = BTreeMap::new();
        for change in changes {
            kept.entry(change.table.name.clone()).or_default().push(change);
        }
        self.memory.log(position, number, touched, kept);
    }

    /// A transaction is logged of which only the keys are kept.
    fn log_touched<const N: usize>(&mut self, position: u64, number: u64, changes: &[Change; N]) {
        let (position, number) = (Position::from_number(position), TransactionId(number));
        self.memory.log(position, number, touched(changes), BTreeMap::new());
    }

    fn settle(&mut self, head: u64) -> Vec<Verdict> {
        self.placing.settle(&at(head), &mut self.memory)
    }

    /// What the only answer is placed as.
    fn placed(&mut self, head: u64) -> Vec<Change> {
        match self.settle(head).pop() {
            Some(Verdict::Place(_, changes, _)) => changes,
            other => panic!("not placed: {other:?}"),
        }
    }
}

fn touched(changes: &[Change]) -> Touched {
    let mut touched = Touched::default();
    changes.iter().for_each(|change| touched.add(change, 100));
    touched
}

/// A reading that sees every transaction with a number below this.
fn reading<const N: usize>(ticket: u64, reached: u64, xmax: u64, rows: [Row; N]) -> Reading {
    let sees = Sees::Snapshot { xmin: xmax, xmax, running: vec![] };
    let placement = Placement { reached: Position::from_number(reached), sees };
    Reading { ticket, placement, rows: by_key(rows) }
}

fn by_key<const N: usize>(rows: [Row; N]) -> BTreeMap<Key, Row> {
    rows.into_iter().map(|row| (table().key_of(&row).expect("a key"), row)).collect()
}

fn keys(ids: &[i64]) -> Ask {
    let wanted = Wanted::Keys(ids.iter().copied().map(key).collect());
    Ask { target: "group".into(), purpose: Purpose::Reread, table: table(), wanted, behind: None }
}

fn stretch<const N: usize>(after: Option<i64>, upto: Option<i64>, there: [Row; N]) -> Ask {
    let (after, upto) = (after.map(key), upto.map(key));
    let stretch =
        Stretch { copy: "copy".into(), began: at(5), after, upto, source_is_empty: false };
    Ask { wanted: Wanted::Stretch(stretch, by_key(there)), purpose: Purpose::Fill, ..keys(&[]) }
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

fn insert(id: i64, body: &str) -> Change {
    Change { table: table(), op: Op::Insert(row(id, body)) }
}

fn delete(id: i64) -> Change {
    Change { table: table(), op: Op::Delete(key(id)) }
}

fn row(id: i64, body: &str) -> Row {
    Row::new([Value::Int(id), Value::from(body)])
}

fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}

fn table() -> Arc<Table> {
    Arc::new(Table { name: "t".into(), version: 1, columns: vec![], key: vec![0] })
}

fn found(ask: Ask, reading: Reading) -> Answer {
    Answer::First(Box::new(ask), reading)
}
