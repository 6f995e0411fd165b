//! What the gathering of transactions promises.

use super::*;
use model::{Incarnation, Row, Table, Value};
use std::sync::Arc;

#[test]
fn transactions_leave_in_commit_order_each_whole() {
    let mut gather = gather(1 << 20);
    step(&mut gather, part(1, 1, 1));
    step(&mut gather, part(2, 2, 1));
    step(&mut gather, part(1, 1, 1));
    step(&mut gather, commit(2, 10));
    step(&mut gather, commit(1, 11));
    assert_eq!(shape(&gather.ready()), [(10, Some(1)), (11, Some(2))]);
}

#[test]
fn what_the_log_has_already_is_left_out() {
    let mut gather = gather(1 << 20);
    for (transaction, position) in [(1, 4), (2, 5), (3, 6)] {
        step(&mut gather, part(transaction, transaction, 1));
        step(&mut gather, commit(transaction, position));
    }
    assert_eq!(shape(&gather.ready()), [(6, Some(1))]);
}

#[test]
fn a_commit_below_one_that_came_after_the_start_is_a_fault() {
    let mut gather = gather(1 << 20);
    step(&mut gather, part(1, 1, 1));
    step(&mut gather, commit(1, 10));
    step(&mut gather, part(2, 2, 1));
    let fault = gather.take(commit(2, 9)).expect_err("positions rise");
    assert_eq!(fault.code, Code::OutOfOrder);
}

#[test]
fn a_large_transaction_is_staged_as_it_comes_and_adopted_at_its_commit() {
    let mut gather = gather(400);
    let mut staged = 0;
    for _ in 0..20 {
        for staging in gather.take(part(1, 1, 1)).expect("taken") {
            let Staging::Keep(part) = staging else { panic!("{staging:?}") };
            staged += part.changes.len();
        }
        assert!(gather.open_bytes <= 400 + 1_000, "memory stays bounded");
    }
    assert_eq!(staged, 20);
    step(&mut gather, commit(1, 10));
    assert_eq!(shape(&gather.ready()), [(10, None)]);
}

#[test]
fn many_open_transactions_together_stay_within_their_bound() {
    let mut gather = Gather::new(
        last(),
        &Limits { inline_bytes_max: 1 << 20, open_bytes_max: 2_000, ..Limits::default() },
    );
    let mut staged = 0;
    for transaction in 1..200 {
        staged += gather.take(part(transaction, transaction, 1)).expect("taken").len();
        assert!(gather.open_bytes <= 2_000 + 1_000);
    }
    assert!(staged > 100);
}

#[test]
fn a_rolled_back_sub_transaction_is_left_out() {
    let mut gather = gather(1 << 20);
    step(&mut gather, part(1, 1, 2));
    step(&mut gather, part(1, 7, 3));
    step(&mut gather, Step::Abort { transaction: TransactionId(1), sub: TransactionId(7) });
    step(&mut gather, part(1, 1, 1));
    step(&mut gather, commit(1, 10));
    assert_eq!(shape(&gather.ready()), [(10, Some(3))]);
    assert_eq!(gather.open_bytes, 0);
}

#[test]
fn a_rolled_back_transaction_is_forgotten_and_its_staged_parts_dropped() {
    let mut gather = gather(1);
    step(&mut gather, part(1, 1, 1));
    let whole = TransactionId(1);
    let dropped = gather.take(Step::Abort { transaction: whole, sub: whole }).expect("taken");
    assert_eq!(dropped, [Staging::Drop { transaction: whole, sub: whole }]);
    assert!(gather.open.is_empty());
}

#[test]
fn progress_never_goes_back_and_only_the_last_of_a_row_is_kept() {
    let mut gather = gather(1 << 20);
    for position in [3, 7, 9, 8] {
        let position = Position::from_number(position);
        step(&mut gather, Step::Progress { position, source_time: 0 });
    }
    assert_eq!(shape(&gather.ready()), [(9, Some(0))]);
}

#[test]
fn a_transaction_without_a_change_for_us_is_progress() {
    let mut gather = gather(1 << 20);
    step(&mut gather, commit(1, 10));
    let ready = gather.ready();
    assert!(matches!(ready[..], [Append::Progress(_)]), "{ready:?}");
}

/// A source may leave such a transaction out when it delivers again; as the log's last one it would
/// then be missed.
#[test]
fn a_staged_transaction_of_which_nothing_is_left_is_progress() {
    let mut gather = gather(1);
    let (whole, sub) = (TransactionId(1), TransactionId(7));
    step(&mut gather, part(1, 7, 3));
    step(&mut gather, Step::Abort { transaction: whole, sub });
    let dropped = gather.take(commit(1, 10)).expect("taken");
    assert_eq!(dropped, [Staging::Drop { transaction: whole, sub: whole }]);
    assert_eq!(shape(&gather.ready()), [(10, Some(0))]);
    assert!(gather.counted().is_empty());
}

#[test]
fn a_staged_transaction_of_which_something_is_left_is_adopted() {
    let mut gather = gather(1);
    step(&mut gather, part(1, 7, 3));
    step(&mut gather, part(1, 1, 2));
    step(&mut gather, Step::Abort { transaction: TransactionId(1), sub: TransactionId(7) });
    assert_eq!(gather.take(commit(1, 10)).expect("taken"), []);
    assert_eq!(shape(&gather.ready()), [(10, None)]);
    assert_eq!(gather.counted(), BTreeMap::from([(TransactionId(1), 2)]));
}

fn gather(inline_bytes_max: usize) -> Gather {
    Gather::new(last(), &Limits { inline_bytes_max, ..Limits::default() })
}

/// The log ends at position 5.
fn last() -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(5))
}

fn step(gather: &mut Gather, step: Step) {
    gather.take(step).expect("taken");
}

fn part(transaction: u64, sub: u64, changes: usize) -> Step {
    let table = Arc::new(Table { name: "t".into(), version: 1, columns: vec![], key: vec![0] });
    let change = Change { table, op: model::Op::Insert(Row::new([Value::Int(1)])) };
    Step::Part {
        transaction: TransactionId(transaction),
        sub: TransactionId(sub),
        changes: vec![change; changes],
    }
}

fn commit(transaction: u64, position: u64) -> Step {
    Step::Commit {
        transaction: TransactionId(transaction),
        position: Position::from_number(position),
        committed_at: 0,
    }
}

/// Where each entry stands, and how many changes it carries itself.
fn shape(entries: &[Append]) -> Vec<(u64, Option<usize>)> {
    let number = |offset: &Offset| offset.position.to_number().expect("a number");
    entries
        .iter()
        .map(|entry| match entry {
            Append::Commit(commit, Changes::Inline(changes)) => {
                (number(&commit.offset), Some(changes.len()))
            }
            Append::Commit(commit, Changes::Staged) => (number(&commit.offset), None),
            Append::Progress(progress) => (number(&progress.offset), Some(0)),
            Append::Placed(placed) => panic!("nobody placed {placed:?}"),
        })
        .collect()
}
