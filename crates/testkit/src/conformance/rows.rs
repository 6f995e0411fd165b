//! The table and the rows that the suites write, and ways to read them back.

use model::{Cell, Change, Column, Inspect, Key, Kind, Op, Row, Selection, Service, Table, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `id` (key), `topic` and `body`. An implementation has a table like it ready, and empty.
pub fn table(name: &str) -> Arc<Table> {
    let column = |name: &str, kind, declared: &str| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable: name != "id",
        compares: model::Compares::default(),
    };
    Arc::new(Table {
        name: name.into(),
        version: 1,
        columns: vec![
            column("id", Kind::Int, "bigint"),
            column("topic", Kind::Int, "bigint"),
            column("body", Kind::Text, "text"),
        ],
        key: vec![0],
    })
}

/// A key.
pub fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}

/// A row.
pub fn row(id: i64, topic: i64, body: &str) -> Row {
    Row::new([Value::Int(id), Value::Int(topic), Value::from(body)])
}

/// A row whose body is as it was.
pub fn row_with_same_body(id: i64, topic: i64) -> Row {
    Row(vec![Cell::from(id), Cell::from(topic), Cell::Unchanged])
}

/// An insert.
pub fn insert(table: &Arc<Table>, row: Row) -> Change {
    Change { table: table.clone(), op: Op::Insert(row) }
}

/// An update of the row that has this key.
pub fn update(table: &Arc<Table>, before: i64, row: Row) -> Change {
    Change { table: table.clone(), op: Op::Update { before: key(before), row } }
}

/// A delete.
pub fn delete(table: &Arc<Table>, id: i64) -> Change {
    Change { table: table.clone(), op: Op::Delete(key(id)) }
}

/// A truncate.
pub fn truncate(table: &Arc<Table>) -> Change {
    Change { table: table.clone(), op: Op::Truncate }
}

/// Every row of a table, through its inspection.
pub async fn all(service: &dyn Service<dyn Inspect>, table: &Arc<Table>) -> BTreeMap<Key, Row> {
    let mut inspect = service.connect().await.expect("it can be inspected");
    let answer =
        inspect.rows(table, &Selection::ALL, usize::MAX - 1).await.expect("it can be read");
    answer.found.rows.into_iter().map(|(key, row, _)| (key, row)).collect()
}

/// These rows by their keys.
pub fn rows(rows: impl IntoIterator<Item = Row>) -> BTreeMap<Key, Row> {
    let table = table("any");
    rows.into_iter().map(|row| (table.key_of(&row).expect("a key"), row)).collect()
}
