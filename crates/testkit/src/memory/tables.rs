//! Rows of tables in memory, and what a change does to them.

use model::{Change, Key, Op, Row, Table, TableName};
use std::collections::BTreeMap;

/// The rows of each table.
pub(super) type Tables = BTreeMap<TableName, BTreeMap<Key, Row>>;

/// Does a change to the tables; unchanged cells keep what they have.
pub fn put(tables: &mut BTreeMap<TableName, BTreeMap<Key, Row>>, change: &Change) {
    let rows = tables.entry(change.table.name.clone()).or_default();
    match &change.op {
        Op::Insert(row) => {
            rows.insert(key_of(&change.table, row), row.clone());
        }
        Op::Update { before, row } => {
            let mut row = row.clone();
            if let Some(earlier) = rows.remove(before) {
                row.fill_unchanged_from(&earlier);
            }
            rows.insert(key_of(&change.table, &row), row);
        }
        Op::Delete(key) => {
            rows.remove(key);
        }
        Op::Truncate => rows.clear(),
    }
}

fn key_of(table: &Table, row: &Row) -> Key {
    table.key_of(row).expect("BUG: a row of the source has no key")
}

/// The rows that a change locks; a truncate locks them all.
pub(super) fn names(change: &Change) -> Vec<(TableName, Option<Key>)> {
    let table = &change.table.name;
    match change.keys() {
        (None, None) => vec![(table.clone(), None)],
        (first, second) => {
            [first, second].into_iter().flatten().map(|key| (table.clone(), Some(key))).collect()
        }
    }
}
