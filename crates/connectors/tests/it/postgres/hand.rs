//! Somebody who writes the rows of the suites.

use super::rig::Database;
use model::{Cell, Change, Key, Op, Row, Table, Value};
use std::sync::Arc;
use testkit::conformance::rows::table;

/// A database with the table of the suites.
pub(crate) async fn with_questions() -> Database {
    let database = Database::new().await.expect("there is a server");
    database
        .run("create table public.questions (id bigint primary key, topic bigint, body text)")
        .await;
    database
}

/// The table of the suites, as the server describes it.
pub(crate) async fn questions(database: &Database) -> Arc<Table> {
    let mut table = Table::clone(&table("public.questions"));
    table.version = database.described("public.questions").await.table.version;
    Arc::new(table)
}

/// Somebody who writes to it.
pub(crate) struct Hand(pub(crate) Database);

impl Hand {
    /// Does these changes, and ends so.
    pub(crate) async fn write(&self, changes: Vec<Change>, end: &str) {
        let statements = changes.iter().map(|change| match &change.op {
            Op::Insert(row) => format!("insert into public.questions values ({})", cells(row)),
            Op::Update { before, row } => format!(
                "update public.questions set (id, topic, body) = (select {}) where id = {}",
                cells(row),
                id(before)
            ),
            Op::Delete(key) => format!("delete from public.questions where id = {}", id(key)),
            Op::Truncate => "truncate public.questions".to_owned(),
        });
        let statements: Vec<_> = statements.collect();
        self.0.run(&format!("begin; {}; {end}", statements.join("; "))).await;
    }
}

fn cells(row: &Row) -> String {
    let names = ["id", "topic", "body"];
    let cell = |(cell, name): (&Cell, &str)| match cell {
        Cell::Value(Value::Int(int)) => int.to_string(),
        Cell::Value(Value::Text(text)) => format!("'{text}'"),
        Cell::Unchanged => name.to_owned(),
        other => panic!("not in these rows: {other:?}"),
    };
    row.0.iter().zip(names).map(cell).collect::<Vec<_>>().join(", ")
}

fn id(key: &Key) -> i64 {
    let [Value::Int(id)] = key.values() else { panic!("no such key: {key:?}") };
    *id
}
