//! The suite of the port.

use super::super::rig::Database;
use super::rig::followed;
use async_trait::async_trait;
use instep_connectors::postgres::Session;
use model::{Cell, Change, Key, Op, Row, Table, Value};
use std::sync::Arc;
use testkit::conformance::rows::table;
use testkit::conformance::source;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_keeps_the_promises_of_a_source() {
    if testkit::postgres::shared().is_none() {
        return;
    }
    source::suite(async || {
        let database = Database::new().await.expect("there is a server");
        // The large value is kept beside the row, and is not written again if it stays.
        database
            .run(
                "create table public.questions (id bigint primary key, topic bigint, body text);
                 alter table public.questions alter body set storage external",
            )
            .await;
        let service = Arc::new(followed(&database, &["public.questions"]));
        source::Subject {
            service,
            hand: Box::new(Hand(database)),
            table: as_the_server_has_it(),
            tells_unchanged: false,
            tells: source::Tells::EachChange,
        }
    })
    .await;
}

/// The table of the suite, as the server describes it.
fn as_the_server_has_it() -> Arc<Table> {
    let mut table = Table::clone(&table("public.questions"));
    table.version = 3;
    Arc::new(table)
}

struct Hand(Database);

impl Hand {
    async fn write(&self, changes: Vec<Change>, end: &str) {
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

#[async_trait]
impl source::Hand for Hand {
    async fn transact(&self, changes: Vec<Change>) {
        self.write(changes, "commit").await;
    }

    async fn roll_back(&self, changes: Vec<Change>) {
        self.write(changes, "rollback").await;
    }

    async fn forget_all(&self) -> bool {
        let session = Session::connect(&self.0.access).await.expect("a session");
        let drop = "select pg_terminate_backend(active_pid) from pg_replication_slots \
                    where database = current_database() and active_pid is not null";
        session.query(drop).await.expect("it works");
        let drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
                    where database = current_database()";
        while session.query(drop).await.is_err() {
            tokio::task::yield_now().await;
        }
        true
    }
}
