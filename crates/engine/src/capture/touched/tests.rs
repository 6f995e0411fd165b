//! What the memory of touched keys promises.

use super::*;
use model::{Row, Table, Value};
use std::sync::Arc;

#[test]
fn a_transaction_is_remembered_until_a_snapshot_has_seen_it() {
    let mut memory = memory(10);
    log(&mut memory, 7, &[1]);
    memory.look(&sees(7, 7, &[]), 5);
    memory.forget(None);
    assert!(!memory.is_empty(), "the snapshot does not see it");
    memory.look(&sees(8, 8, &[]), 6);
    memory.forget(None);
    assert!(memory.is_empty());
}

#[test]
fn a_transaction_is_remembered_while_an_older_reading_is_on_its_way() {
    let mut memory = memory(10);
    log(&mut memory, 7, &[1]);
    memory.look(&sees(8, 8, &[]), 6);
    memory.forget(Some(5));
    assert!(!memory.is_empty(), "ticket 5 may not see it");
    memory.forget(Some(6));
    assert!(memory.is_empty(), "ticket 6 was drawn after it was seen");
}

#[test]
fn a_transaction_that_was_running_in_a_snapshot_is_not_seen_by_it() {
    let mut memory = memory(10);
    log(&mut memory, 7, &[1]);
    memory.look(&sees(6, 9, &[6, 7]), 2);
    memory.forget(None);
    assert!(!memory.is_empty());
}

#[test]
fn only_snapshots_that_see_all_that_was_logged_before_count() {
    let mut numbers = memory(10);
    assert!(!numbers.reaches_back(&sees(6, 9, &[6])), "6 may have been logged before");
    assert!(!numbers.reaches_back(&sees(8, 12, &[8])));
    assert!(numbers.reaches_back(&sees(9, 12, &[9])), "8 was the last that can have been");
    let mut positions = memory(10);
    assert!(!positions.reaches_back(&Sees::Upto(Position::from_number(4))));
    assert!(positions.reaches_back(&Sees::Upto(Position::from_number(5))));
}

#[test]
fn beyond_so_many_keys_whole_tables_count() {
    let mut memory = memory(3);
    log(&mut memory, 7, &[1, 2]);
    log(&mut memory, 8, &[3, 4]);
    for logged in memory.logged() {
        assert_eq!(logged.touched.keys, []);
        assert_eq!(logged.touched.tables, ["t".into()].into());
        assert!(logged.changes.is_empty(), "nothing can be laid over by keys that are not known");
    }
    log(&mut memory, 9, &[5]);
    assert_eq!(memory.logged().last().expect("it was logged").touched.keys.len(), 1);
}

#[test]
fn one_transaction_alone_remembers_no_more_keys_than_allowed() {
    let mut touched = Touched::default();
    for id in 0..100 {
        touched.add(&change(Op::Insert(row(id))), 10);
        assert!(touched.keys.len() <= 10);
    }
    assert_eq!(touched.tables, ["t".into()].into());
}

#[test]
fn a_key_change_touches_both_keys_and_a_truncate_the_table() {
    let mut touched = Touched::default();
    touched.add(&change(Op::Update { before: key(1), row: row(2) }), 10);
    assert_eq!(touched.keys.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>().len(), 2);
    assert!(touched.tables.is_empty());
    touched.add(&change(Op::Truncate), 10);
    assert_eq!(touched.tables, ["t".into()].into());
}

/// The log ends at position 5.
fn memory(touched_max: usize) -> Memory {
    Memory::new(Position::from_number(5), &Limits { touched_max, ..Limits::default() })
}

fn log(memory: &mut Memory, number: u64, ids: &[i64]) {
    let keys = ids.iter().map(|id| ("t".into(), key(*id))).collect();
    let touched = Touched { keys, tables: BTreeSet::new() };
    let kept = [(TableName::from("t"), Vec::new())].into();
    memory.log(Position::from_number(number), TransactionId(number), touched, kept);
}

fn sees(xmin: u64, xmax: u64, running: &[u64]) -> Sees {
    Sees::Snapshot { xmin, xmax, running: running.to_vec() }
}

fn change(op: Op) -> Change {
    let table = Table { name: "t".into(), version: 1, columns: vec![], key: vec![0] };
    Change { table: Arc::new(table), op }
}

fn row(id: i64) -> Row {
    Row::new([Value::Int(id)])
}

fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}
