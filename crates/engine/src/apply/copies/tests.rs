//! What a change means for a copy under a pass, and past keys that are held.

use super::*;
use crate::group::{Copy, WhenFull};
use async_trait::async_trait;
use model::{Cell, Epoch, Incarnation, Position, Purpose, Row, Service, Table, Target, Value};
use std::sync::Arc;

#[test]
fn changes_count_only_where_the_pass_has_come_to() {
    let mut copies = copies(under(Some(5)), &[]);
    for (id, written) in [(5, 1), (6, 0)] {
        for op in [Op::Insert(row(id)), Op::Delete(key(id)), update(id, row(id)), patch(id, id)] {
            assert_eq!(live(&mut copies, op).writes.len(), written, "key {id}");
        }
    }
}

#[test]
fn before_its_first_stretch_a_copy_takes_no_row() {
    let mut copies = copies(under(None), &[]);
    assert_eq!(live(&mut copies, Op::Insert(row(1))).writes, []);
}

/// The pass may come to its key when the source has it no more.
#[test]
fn a_copy_that_keeps_what_the_source_has_no_more_takes_every_change() {
    for upto in [None, Some(5)] {
        let mut copies = Copies::new(&keeping(), standing(under(upto), &[]), &Limits::default(), 0);
        let inserted = effects_of(live(&mut copies, Op::Insert(row(8))));
        assert_eq!(inserted, [Effect::Put { key: key(8), row: row(8), new: true }]);
        let mut draft = Draft::default();
        copies.placed(change(Op::Insert(row(9))), &placed_at(), &mut draft).expect("written");
        assert_eq!(draft.writes.len(), 1);
    }
}

#[test]
fn a_held_key_of_such_a_copy_stays_held_where_the_source_has_it_no_more() {
    let held = standing(Pass::Done, &[1, 2]);
    let mut copies = Copies::new(&keeping(), held, &Limits::default(), 0);
    let mut draft = Draft::default();
    copies.reread(change(Op::Delete(key(1))), &placed_at(), &mut draft).expect("passed by");
    assert_eq!((draft.writes.len(), copies.held_keys()), (0, 2));
    copies.reread(change(Op::Insert(row(2))), &placed_at(), &mut draft).expect("written");
    assert_eq!((draft.writes.len(), copies.held_keys()), (1, 1));
}

/// BF4: a row that moves over the place where the pass stands.
#[test]
fn a_key_change_over_the_place_of_the_pass_goes_or_comes() {
    let mut copies = copies(under(Some(5)), &[]);
    let mut effects = |op| effects_of(live(&mut copies, op));
    assert_eq!(effects(update(3, row(8))), [Effect::Delete(key(3))]);
    assert_eq!(effects(update(8, row(3))), [put(3)]);
    assert_eq!(effects(patch(3, 8)), [Effect::Delete(key(3))]);
    assert_eq!(effects(patch(8, 3)), [Effect::Patch(key(3), unknown(3))], "it will be read again");
    assert_eq!(effects(patch(8, 9)), []);
}

/// BF6: a truncate beside a pass.
#[test]
fn a_truncate_begins_the_pass_again() {
    let mut copies = copies(under(Some(5)), &[]);
    let draft = live(&mut copies, Op::Truncate);
    assert_eq!(draft.writes[0].effect, Effect::Truncate);
    let began = at(9).change(0);
    let again = Pass::Under { purpose: Purpose::Fill, began, upto: None, deleted: 0 };
    assert_eq!(draft.passes, [("copy".into(), again)].into());
    assert_eq!(live(&mut copies, Op::Insert(row(1))).writes, [], "the pass will find it");
}

#[test]
fn a_truncate_of_a_copy_that_is_filled_begins_nothing() {
    let draft = live(&mut copies(Pass::Done, &[]), Op::Truncate);
    assert!(draft.passes.is_empty());
}

#[test]
fn a_stretch_moves_its_own_pass_only() {
    let copies = copies(under(Some(5)), &[]);
    let takes = |stretch: Stretch| copies.takes(&stretch, 0).expect("not guarded");
    assert_eq!(takes(stretch(Some(5), Some(9))), Some(under(Some(9))));
    assert_eq!(takes(stretch(Some(5), None)), Some(Pass::Done));
    assert_eq!(takes(stretch(Some(7), Some(9))), None, "it does not begin where the pass stands");
    assert_eq!(takes(Stretch { began: at(2), ..stretch(Some(5), Some(9)) }), None);
    assert_eq!(takes(Stretch { copy: "other".into(), ..stretch(Some(5), Some(9)) }), None);
}

#[test]
fn a_stretch_that_was_placed_twice_does_not_move_its_pass_back() {
    let copies = copies(under(Some(5)), &[]);
    let moved = copies.takes(&stretch(None, Some(4)), 0).expect("not guarded");
    assert_eq!(moved, Some(under(Some(5))));
}

#[test]
fn an_empty_source_never_empties_a_copy_without_a_word() {
    let empty = Stretch { source_is_empty: true, ..stretch(None, None) };
    let fault = copies(under(None), &[]).takes(&empty, 1).expect_err("guarded");
    assert_eq!(fault.code, Code::DeletesGuarded);
    let taken = copies(under(None), &[]).takes(&empty, 0).expect("nothing to delete");
    assert_eq!(taken, Some(Pass::Done));
    let allowed = Copies::new(&group(), standing(under(None), &[]), &Limits::default(), 1);
    assert_eq!(allowed.takes(&empty, 1).expect("allowed"), Some(Pass::Done));
}

#[test]
fn deletes_of_all_stretches_of_a_pass_count_together() {
    let limits = Limits { bridge_deletes_max: 10, ..Limits::default() };
    let mut copies = Copies::new(&group(), standing(under(None), &[]), &limits, 0);
    let first = copies.takes(&stretch(None, Some(5)), 10).expect("just allowed").expect("taken");
    copies.move_pass(&"copy".into(), first, &mut Draft::default());
    let fault = copies.takes(&stretch(Some(5), None), 1).expect_err("one more");
    assert_eq!(fault.code, Code::DeletesGuarded);
}

/// The pass has perhaps looked at the copy already when the row is written, and would leave it there
/// though the source loses it before the pass has read it.
#[test]
fn a_row_that_is_read_again_is_left_to_a_pass_that_is_yet_to_come_to_it() {
    let mut copies = copies(under(Some(5)), &[5, 6]);
    let mut draft = Draft::default();
    for id in [5, 6] {
        copies.reread(change(Op::Insert(row(id))), &placed_at(), &mut draft).expect("taken");
    }
    assert_eq!(effects_of(draft), [put(5)]);
    assert_eq!(copies.held_keys(), 1, "it stays held, and is read again");
}

#[test]
fn a_placed_row_is_written_over_a_hold_and_releases_it() {
    let mut copies = copies(Pass::Done, &[1]);
    let mut draft = Draft::default();
    copies.placed(change(Op::Insert(row(1))), &placed_at(), &mut draft).expect("written");
    assert_eq!(draft.news, [News::Released("t".into(), key(1))]);
    assert_eq!((draft.writes.len(), copies.held_keys()), (1, 0));
}

/// A batch that is no transaction was written up to here, and its watermark was not.
#[test]
fn a_placed_row_that_was_refused_already_leaves_its_key_held() {
    let mut holds = standing(Pass::Done, &[1]);
    holds.holds[0].offset = placed_at();
    let mut copies = Copies::new(&group(), holds, &Limits::default(), 0);
    let mut draft = Draft::default();
    copies.placed(change(Op::Insert(row(1))), &placed_at(), &mut draft).expect("passed by");
    assert_eq!((draft.writes, draft.news, copies.held_keys()), (vec![], vec![], 1));
    let (mut draft, later) = (Draft::default(), Offset { ordinal: 1, ..placed_at() });
    copies.placed(change(Op::Insert(row(1))), &later, &mut draft).expect("written");
    assert_eq!((draft.writes.len(), copies.held_keys()), (1, 0));
}

#[test]
fn a_row_that_was_read_again_is_nothing_once_its_hold_was_discarded() {
    let mut copies = copies(Pass::Done, &[1, 2]);
    assert!(copies.discard(&"copy".into(), &"t".into(), &key(1)));
    let mut draft = Draft::default();
    for id in [1, 2] {
        copies.reread(change(Op::Insert(row(id))), &placed_at(), &mut draft).expect("written");
    }
    assert_eq!(draft.news, [News::Released("t".into(), key(2))]);
    assert_eq!((draft.writes.len(), copies.held_keys()), (1, 0));
}

#[test]
fn a_placed_row_that_the_pass_has_not_come_to_is_left_to_the_pass() {
    let mut copies = copies(under(Some(5)), &[]);
    let mut draft = Draft::default();
    copies.placed(change(Op::Insert(row(6))), &placed_at(), &mut draft).expect("passed by");
    assert_eq!(draft.writes, []);
}

#[test]
fn a_change_of_a_held_key_asks_for_it_again() {
    let mut copies = copies(Pass::Done, &[1]);
    let draft = live(&mut copies, update(1, row(1)));
    assert_eq!((draft.writes.len(), &draft.news[..]), (0, &[News::Held("t".into(), key(1))][..]));
}

#[test]
fn a_move_from_a_held_key_holds_both_and_asks_for_both() {
    let mut copies = copies(Pass::Done, &[1]);
    let draft = live(&mut copies, patch(1, 2));
    assert_eq!(draft.holds.iter().map(|hold| hold.key.clone()).collect::<Vec<_>>(), [key(2)]);
    assert_eq!(draft.news, [1, 2].map(|id| News::Held("t".into(), key(id))));
    let draft = live(&mut copies, Op::Insert(row(1)));
    assert_eq!((draft.writes.len(), draft.news.len()), (0, 1), "it is asked for, not lost");
}

#[test]
fn a_delete_and_a_truncate_release_what_is_held() {
    let mut copies = copies(Pass::Done, &[1, 2, 3]);
    assert_eq!(live(&mut copies, Op::Delete(key(1))).news, [News::Released("t".into(), key(1))]);
    assert_eq!(live(&mut copies, Op::Truncate).news.len(), 2);
    assert_eq!(copies.held_keys(), 0);
}

#[test]
fn a_key_that_another_copy_holds_is_still_asked_for() {
    let mut two = group();
    two.copies.push(Copy { name: "second".into(), of: "t".into(), inspect: None, keeps: false });
    let hold = |copy: &str| Hold {
        copy: copy.into(),
        key: key(1),
        offset: at(1),
        reason: "no".into(),
        since: 0,
    };
    let passes = ["copy", "second"].map(|copy| (copy.into(), Pass::Done)).into();
    let holds = vec![hold("copy"), hold("second")];
    let standing = Standing { watermark: None, holds, passes, ..Standing::default() };
    let mut copies = Copies::new(&two, standing, &Limits::default(), 0);
    let mut draft = Draft::default();
    copies
        .stretch_row(&"copy".into(), change(Op::Insert(row(1))), &placed_at(), &mut draft)
        .expect("written");
    assert_eq!((draft.news.len(), copies.held_keys()), (0, 1));
}

fn live(copies: &mut Copies, op: Op) -> Draft {
    let mut draft = Draft::default();
    copies.live(change(op), &at(9).change(0), &mut draft).expect("sound");
    draft
}

fn effects_of(draft: Draft) -> Vec<Effect> {
    draft.writes.into_iter().map(|write| write.effect).collect()
}

fn copies(pass: Pass, held: &[i64]) -> Copies {
    Copies::new(&group(), standing(pass, held), &Limits::default(), 0)
}

fn keeping() -> Group {
    let mut group = group();
    group.copies.iter_mut().for_each(|copy| copy.keeps = true);
    group
}

fn standing(pass: Pass, held: &[i64]) -> Standing {
    let hold = |&id| Hold {
        copy: "copy".into(),
        key: key(id),
        offset: at(1),
        reason: "no".into(),
        since: 0,
    };
    let (holds, passes) = (held.iter().map(hold).collect(), [("copy".into(), pass)].into());
    Standing { watermark: None, holds, passes, ..Standing::default() }
}

fn under(upto: Option<i64>) -> Pass {
    let upto = upto.map(key);
    Pass::Under { purpose: Purpose::Fill, began: at(1), upto, deleted: 0 }
}

fn stretch(after: Option<i64>, upto: Option<i64>) -> Stretch {
    let (after, upto) = (after.map(key), upto.map(key));
    Stretch { copy: "copy".into(), began: at(1), after, upto, source_is_empty: false }
}

fn change(op: Op) -> Change {
    let table = Table { name: "t".into(), version: 1, columns: vec![], key: vec![0] };
    Change { table: Arc::new(table), op }
}

fn update(before: i64, row: Row) -> Op {
    Op::Update { before: key(before), row }
}

fn patch(before: i64, id: i64) -> Op {
    update(before, unknown(id))
}

fn put(id: i64) -> Effect {
    Effect::Put { key: key(id), row: row(id), new: false }
}

fn row(id: i64) -> Row {
    Row::new([Value::Int(id), Value::from("body")])
}

fn unknown(id: i64) -> Row {
    Row(vec![Cell::from(id), Cell::Unchanged])
}

fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

fn placed_at() -> Offset {
    Offset { epoch: Epoch(1), ordinal: 0, ..at(9) }
}

fn group() -> Group {
    let copies = vec![Copy { name: "copy".into(), of: "t".into(), inspect: None, keeps: false }];
    let service = Arc::new(Nowhere);
    Group { name: "group".into(), service, copies, when_full: WhenFull::Detach }
}

struct Nowhere;

#[async_trait]
impl Service<dyn Target> for Nowhere {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        Err(Fault::retry(Code::TargetUnavailable, "nothing connects here"))
    }
}
