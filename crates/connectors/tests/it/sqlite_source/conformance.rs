//! The suites of the ports.

use super::rig::{Rig, open};
use async_trait::async_trait;
use instep_connectors::sqlite::SqliteRows;
use model::{Cell, Change, Key, Op, Row, Service, Source, Value};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use testkit::conformance::rows::table;
use testkit::conformance::{inspect, source};

const TABLES: [&str; 2] = [
    "create table questions (id integer primary key, topic bigint, body text);",
    "create table questions (id bigint not null primary key, topic bigint, body text) without rowid;",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_keeps_the_promises_of_a_source() {
    for tables in TABLES {
        let rigs = std::sync::Mutex::new(Vec::new());
        source::suite(async || {
            let rig = Rig::new(tables);
            let subject = source::Subject {
                service: Arc::new(rig.service(&["questions"])),
                hand: Box::new(Hand(rig.path())),
                table: table("questions"),
                tells_unchanged: false,
                tells: source::Tells::RowsAsTheyAre,
            };
            rigs.lock().unwrap().push(rig);
            subject
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_keeps_the_promises_of_inspection() {
    for tables in TABLES {
        let rigs = std::sync::Mutex::new(Vec::new());
        inspect::suite(async || {
            let rig = Rig::new(tables);
            let connection = rig.open();
            for row in inspect::filled() {
                put(&connection, &row);
            }
            let service = rig.service(&["questions"]);
            let mut source = Service::<dyn Source>::connect(&service).await.unwrap();
            source.start(None).await.unwrap();
            let service = Arc::new(SqliteRows::new(rig.file()));
            rigs.lock().unwrap().push(rig);
            inspect::Subject { service, table: table("questions"), is_source: true }
        })
        .await;
    }
}

struct Hand(PathBuf);

impl Hand {
    fn write(&self, changes: &[Change], end: &str) {
        let connection = open(&self.0);
        connection.execute_batch("begin immediate").expect("it works");
        for change in changes {
            match &change.op {
                Op::Insert(row) => put(&connection, row),
                Op::Update { before, row } => {
                    delete(&connection, before);
                    put(&connection, row);
                }
                Op::Delete(key) => delete(&connection, key),
                Op::Truncate => {
                    connection.execute("delete from questions", []).expect("it works");
                }
            }
        }
        connection.execute_batch(end).expect("it works");
    }
}

fn put(connection: &Connection, row: &Row) {
    let cells = row.0.iter().map(|cell| match cell {
        Cell::Value(Value::Int(int)) => rusqlite::types::Value::Integer(*int),
        Cell::Value(Value::Text(text)) => rusqlite::types::Value::Text(text.to_string()),
        other => panic!("not in these rows: {other:?}"),
    });
    let put = "insert into questions (id, topic, body) values (?1, ?2, ?3)";
    connection.execute(put, rusqlite::params_from_iter(cells)).expect("it works");
}

fn delete(connection: &Connection, key: &Key) {
    let [Value::Int(id)] = key.values() else { panic!("no such key: {key:?}") };
    connection.execute("delete from questions where id = ?1", [id]).expect("it works");
}

#[async_trait]
impl source::Hand for Hand {
    async fn transact(&self, changes: Vec<Change>) {
        self.write(&changes, "commit");
    }

    async fn roll_back(&self, changes: Vec<Change>) {
        self.write(&changes, "rollback");
    }

    async fn forget_all(&self) -> bool {
        open(&self.0).execute_batch("delete from instep_changes").expect("it works");
        true
    }
}
