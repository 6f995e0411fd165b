//! What planning promises about batches, watermarks and holds.

use super::*;
use crate::group::{Copy, Group, WhenFull};
use async_trait::async_trait;
use model::{
    Cell, Commit, CommittedPart, Effect, Hold, Incarnation, Pass, Placed, Position, Progress,
    Purpose, Row, Service, Standing, Table, Target, TransactionId, Value,
};
use std::sync::Arc;

#[test]
fn what_is_at_or_below_the_watermark_is_no_redelivery_but_a_broken_log() {
    let mut plan = plan_at(Claim::Transactional, at(2));
    for number in [1, 2] {
        let fault = plan.push(transaction(number, [insert(1)])).expect_err("it was seen");
        assert_eq!(fault.code, Code::Broken);
    }
    push(&mut plan, transaction(3, [insert(1)]));
    assert_eq!(only(&mut plan).watermark, at(3));
}

#[test]
fn a_missing_part_is_a_fault() {
    let part = |first, last| {
        let commit = Commit { offset: at(1), transaction: TransactionId(1), committed_at: 0 };
        Entry::Part(CommittedPart { commit, first, changes: vec![insert(1)], last })
    };
    let mut plan = plan(Claim::Transactional, 100);
    assert!(plan.push(part(1, true)).is_err(), "it does not begin at its beginning");
    push(&mut plan, part(0, false));
    assert!(plan.push(part(2, true)).is_err(), "one is missing between them");
    assert!(plan.push(transaction(2, [insert(2)])).is_err(), "the rest is missing");
    push(&mut plan, part(1, true));
    assert_eq!(only(&mut plan).watermark, at(1));
}

#[test]
fn placed_rows_of_one_offset_are_never_divided_where_there_are_no_transactions() {
    let offset = Offset { epoch: Epoch(1), ordinal: 0, ..at(1) };
    let changes = vec![insert(1), insert(2), insert(3)];
    let (targets, purpose) = (vec![TargetName::from("group")], Purpose::Repair);
    let placed = Placed { offset: offset.clone(), targets, purpose, stretch: None, changes };
    let mut plan = plan(Claim::Versioned, 2);
    push(&mut plan, Entry::Placed(placed));
    let batch = next(&mut plan).batch;
    assert_eq!((batch.writes.len(), batch.watermark), (3, offset));
}

/// The answer about the first of the two changes decides what may be written of the second.
#[test]
fn row_by_row_a_key_is_touched_once_in_a_batch_even_if_placed_among_others() {
    let offset = Offset { epoch: Epoch(1), ordinal: 0, ..at(1) };
    let (targets, purpose) = (vec![TargetName::from("group")], Purpose::Repair);
    let changes = vec![insert(1), insert(2)];
    let placed = Placed { offset: offset.clone(), targets, purpose, stretch: None, changes };
    for claim in [Claim::Transactional, Claim::Versioned] {
        let mut plan = plan(claim, 100).careful_until(Some(offset.clone()));
        push(&mut plan, transaction(1, [insert(2)]));
        push(&mut plan, Entry::Placed(placed.clone()));
        let batches = [next(&mut plan).batch, next(&mut plan).batch];
        let shapes = batches.map(|batch| (batch.writes.len(), batch.watermark));
        assert_eq!(shapes, [(1, at(1)), (2, offset.clone())]);
    }
}

#[test]
fn a_batch_ends_where_a_source_transaction_ends() {
    let mut plan = plan(Claim::Transactional, 5);
    for number in 1..=3 {
        push(&mut plan, transaction(number, [insert(1), insert(2), insert(3)]));
    }
    for number in 1..=3 {
        let batch = next(&mut plan).batch;
        assert_eq!((batch.writes.len(), batch.watermark, batch.last), (3, at(number), true));
    }
}

#[test]
fn small_transactions_share_a_batch() {
    let mut plan = plan(Claim::Transactional, 100);
    for number in 1..=3 {
        push(&mut plan, transaction(number, [insert(i64::try_from(number).expect("small"))]));
    }
    let batch = only(&mut plan);
    assert_eq!((batch.writes.len(), batch.watermark), (3, at(3)));
}

#[test]
fn a_transaction_over_the_limit_stays_one_target_transaction() {
    let mut plan = plan(Claim::Transactional, 2);
    push(&mut plan, transaction(1, [insert(1), insert(2), insert(3), insert(4), insert(5)]));
    let shapes = shapes(&mut plan);
    assert_eq!(shapes, [(2, false), (2, false), (1, true)]);
}

/// One of them may refer to the other, so that it can not be emptied first.
#[test]
fn tables_that_are_emptied_together_are_never_divided() {
    let empty = || Change { table: table("t"), op: Op::Truncate };
    let all = || transaction(1, [insert(1), empty(), empty(), insert(2)]);
    for claim in [Claim::Transactional, Claim::Versioned] {
        let mut whole = plan(claim, 1);
        push(&mut whole, all());
        assert_eq!(shapes(&mut whole).len(), 3);
        let mut careful = plan(claim, 100).careful_until(Some(at(1)));
        push(&mut careful, all());
        let writes: Vec<_> = shapes(&mut careful).into_iter().map(|(writes, _)| writes).collect();
        assert_eq!(writes, [1, 2, 1]);
    }
}

#[test]
fn without_transactions_the_watermark_says_that_it_is_inside() {
    let mut plan = plan(Claim::Versioned, 2);
    push(&mut plan, transaction(1, [insert(1), insert(2), insert(3)]));
    let first = next(&mut plan).batch;
    assert!(first.last && first.watermark.is_inside());
    assert_eq!(first.watermark, at(1).change(1));
    let rest = next(&mut plan).batch;
    assert_eq!((rest.writes.len(), rest.watermark), (1, at(1)));
}

#[test]
fn a_watermark_inside_resumes_with_the_next_change() {
    let mut plan = plan_at(Claim::Versioned, at(1).change(1));
    push(&mut plan, transaction(1, [insert(1), insert(2), insert(3)]));
    let batch = only(&mut plan);
    assert_eq!(batch.writes[0].version, at(1).change(2));
    assert_eq!(batch.writes.len(), 1);
}

#[test]
fn tables_without_a_copy_only_move_the_watermark() {
    let mut plan = plan(Claim::Transactional, 100);
    let change = Change { table: table("elsewhere"), op: Op::Truncate };
    push(&mut plan, transaction(1, [change]));
    let progress = Progress { offset: at(2), source_time: 0 };
    push(&mut plan, Entry::Progress(progress));
    let batch = only(&mut plan);
    assert_eq!((batch.writes.len(), batch.watermark), (0, at(2)));
}

#[test]
fn placed_rows_reach_the_targets_that_they_name_and_no_other() {
    let placed = |ordinal, target: &str, id| {
        let offset = Offset { epoch: Epoch(1), ordinal, ..at(1) };
        let targets = vec![TargetName::from(target)];
        let (purpose, changes) = (Purpose::Repair, vec![insert(id)]);
        Entry::Placed(Placed { offset, targets, purpose, stretch: None, changes })
    };
    let mut plan = plan(Claim::Transactional, 100);
    push(&mut plan, transaction(1, [insert(1)]));
    push(&mut plan, placed(0, "another", 2));
    push(&mut plan, placed(1, "group", 3));
    let batch = only(&mut plan);
    let keys: Vec<_> = batch.writes.iter().flat_map(|write| write.effect.keys()).collect();
    assert_eq!(keys, [&key(1), &key(3)]);
    let placed_at = Offset { epoch: Epoch(1), ordinal: 1, ..at(1) };
    assert_eq!((&batch.writes[1].version, &batch.watermark), (&placed_at, &placed_at));
}

#[test]
fn a_key_change_with_all_its_cells_is_a_delete_and_a_put() {
    let mut plan = plan(Claim::Transactional, 100);
    push(&mut plan, transaction(1, [update(1, row(2))]));
    let effects: Vec<_> = only(&mut plan).writes.iter().map(|write| write.effect.clone()).collect();
    assert_eq!(effects[0], Effect::Delete(key(1)));
    assert_eq!(effects[1], Effect::Put { key: key(2), row: row(2), new: false });
}

#[test]
fn after_a_refusal_rows_go_one_by_one_until_the_refused_batch_is_passed() {
    let mut plan = plan(Claim::Transactional, 100).careful_until(Some(at(1)));
    push(&mut plan, transaction(1, [insert(1), update(1, row(1)), insert(2)]));
    let Planned { batch: first, mode, .. } = next(&mut plan);
    // The second change of key 1 waits for the answer to the first.
    assert_eq!((first.writes.len(), first.last, mode), (1, false, Mode::RowByRow));
    plan.written(&first, &[Refusal { write: 0, reason: "no".into() }]).expect("held");
    let Planned { batch: rest, mode, .. } = next(&mut plan);
    assert_eq!((mode, rest.last), (Mode::RowByRow, true));
    assert_eq!(rest.writes.len(), 1, "the held key is passed over: {:?}", rest.writes);
    push(&mut plan, transaction(2, [insert(3)]));
    let Planned { batch: next, mode, .. } = next(&mut plan);
    assert_eq!((next.writes.len(), mode), (1, Mode::Together));
}

#[test]
fn a_held_key_is_passed_over_until_its_row_is_gone() {
    let mut plan = held(&[1]);
    push(&mut plan, transaction(1, [update(1, row(1))]));
    assert_eq!(*only(&mut plan).writes, []);
    assert_eq!(plan.copies().held_keys(), 1);
    let delete = Change { table: table("t"), op: Op::Delete(key(1)) };
    push(&mut plan, transaction(2, [delete, insert(1)]));
    assert_eq!(shapes(&mut plan), [(1, true)], "folded: the row comes after all");
    assert_eq!(plan.copies().held_keys(), 0);
}

#[test]
fn a_move_from_a_held_key_holds_both_keys_by_name() {
    let mut plan = held(&[1]);
    let mut unknown = row(2);
    unknown.0[1] = Cell::Unchanged;
    push(&mut plan, transaction(1, [update(1, unknown)]));
    let batch = only(&mut plan);
    assert_eq!(*batch.writes, []);
    let held: Vec<_> = batch.holds.iter().map(|hold| (hold.key.clone(), &hold.offset)).collect();
    assert_eq!(held, [(key(2), &at(1).change(0))]);
    assert_eq!(plan.copies().held_keys(), 2);
}

#[test]
fn more_held_keys_than_allowed_stop_the_group() {
    let limits = Limits { held_keys_max: 1, ..Limits::default() };
    let copies = Copies::new(&group(), standing(None, &[]), &limits, 0);
    let leads = (Epoch(1), Claim::Transactional);
    let plan = Plan::new(&"lane".into(), &"group".into(), leads, &limits, copies, None);
    let mut plan = plan.careful_until(Some(at(1)));
    push(&mut plan, transaction(1, [insert(1), insert(2)]));
    let batch = next(&mut plan).batch;
    let refused = [0, 1].map(|write| Refusal { write, reason: "no".into() });
    let fault = plan.written(&batch, &refused).expect_err("too many");
    assert_eq!(fault.code, Code::TargetRefused);
}

#[test]
fn a_change_without_a_key_stops_instead_of_writing_to_every_row() {
    let mut plan = plan(Claim::Transactional, 100);
    let row = Row(vec![Cell::Unchanged, Cell::from(1)]);
    let change = Change { table: table("t"), op: Op::Insert(row) };
    push(&mut plan, transaction(1, [change]));
    assert_eq!(plan.next_batch().expect_err("no key").code, Code::Broken);
}

fn plan(claim: Claim, batch_changes_max: usize) -> Plan {
    let limits = Limits { batch_changes_max, ..Limits::default() };
    of(claim, &limits, standing(None, &[]))
}

fn plan_at(claim: Claim, watermark: Watermark) -> Plan {
    of(claim, &Limits::default(), standing(Some(watermark), &[]))
}

fn held(ids: &[i64]) -> Plan {
    of(Claim::Transactional, &Limits::default(), standing(None, ids))
}

fn of(claim: Claim, limits: &Limits, standing: Standing) -> Plan {
    let watermark = standing.watermark.clone();
    let copies = Copies::new(&group(), standing, limits, 0);
    Plan::new(&"lane".into(), &"group".into(), (Epoch(1), claim), limits, copies, watermark)
}

/// The copy is filled, and these keys of it are held.
fn standing(watermark: Option<Watermark>, held: &[i64]) -> Standing {
    let hold = |&id| Hold {
        copy: "copy".into(),
        key: key(id),
        offset: at(0),
        reason: "no".into(),
        since: 0,
    };
    let passes = [("copy".into(), Pass::Done)].into();
    Standing { watermark, holds: held.iter().map(hold).collect(), passes, ..Standing::default() }
}

fn next(plan: &mut Plan) -> Planned {
    plan.next_batch().expect("planned").expect("a batch")
}

fn push(plan: &mut Plan, entry: Entry) {
    plan.push(entry).expect("pushed");
}

fn only(plan: &mut Plan) -> Batch {
    let Planned { batch, mode, .. } = next(plan);
    assert_eq!(mode, Mode::Together);
    assert!(plan.next_batch().expect("planned").is_none(), "only one batch");
    batch
}

fn shapes(plan: &mut Plan) -> Vec<(usize, bool)> {
    std::iter::from_fn(|| plan.next_batch().expect("planned"))
        .map(|planned| (planned.batch.writes.len(), planned.batch.last))
        .collect()
}

fn transaction<const N: usize>(number: u64, changes: [Change; N]) -> Entry {
    let commit = Commit { offset: at(number), transaction: TransactionId(number), committed_at: 0 };
    Entry::Part(CommittedPart { commit, first: 0, changes: changes.into(), last: true })
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

fn insert(id: i64) -> Change {
    Change { table: table("t"), op: Op::Insert(row(id)) }
}

fn update(before: i64, row: Row) -> Change {
    Change { table: table("t"), op: Op::Update { before: key(before), row } }
}

fn row(id: i64) -> Row {
    Row::new([Value::Int(id), Value::from("body")])
}

fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}

fn table(name: &str) -> Arc<Table> {
    Arc::new(Table { name: name.into(), version: 1, columns: vec![], key: vec![0] })
}

fn group() -> Group {
    let copies = vec![Copy { name: "copy".into(), of: "t".into(), inspect: None, keeps: false }];
    Group { name: "group".into(), service: Arc::new(Nowhere), copies, when_full: WhenFull::Detach }
}

struct Nowhere;

#[async_trait]
impl Service<dyn Target> for Nowhere {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        Err(Fault::retry(Code::TargetUnavailable, "planning needs no connection"))
    }
}
