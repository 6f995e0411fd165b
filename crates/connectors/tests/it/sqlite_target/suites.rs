//! The suites of the target and inspect ports.

use super::rig::{OWNED, Rig, TABLE};
use instep_connectors::CopyTo;
use model::Claim;
use std::sync::{Arc, Mutex};
use testkit::conformance::rows::{row, table};
use testkit::conformance::{inspect, target};

#[tokio::test]
async fn a_sqlite_file_keeps_the_promises_of_a_transactional_target() {
    suite(|| Rig::new(&in_wal(TABLE))).await;
}

#[tokio::test]
async fn a_file_without_a_log_keeps_them_as_well() {
    suite(|| Rig::new(TABLE)).await;
}

#[tokio::test]
async fn a_table_that_several_lanes_feed_keeps_them_as_well() {
    suite(|| Rig::owned(&in_wal(OWNED))).await;
}

#[tokio::test]
async fn a_table_whose_key_is_a_unique_index_keeps_them_as_well() {
    let table = "create table questions_copy (topic int, body text check (body <> 'refused'),
        id bigint not null, extra default 7, unique (id))";
    suite(|| Rig::new(&in_wal(table))).await;
}

#[tokio::test]
async fn a_table_that_is_made_keeps_them_but_for_refusals() {
    let copy = CopyTo { create: true, ..CopyTo::new("copy", "questions_copy") };
    let rigs = Mutex::new(Vec::new());
    target::suite(async || {
        let rig = Rig::without_file(copy.clone(), table("questions"));
        let subject = target::Subject { refused: None, ..subject(&rig) };
        // The suite reads back before it writes, from a file that a connection makes.
        drop(rig.connect().await.expect("a connection"));
        rigs.lock().expect("no test broke off").push(rig);
        subject
    })
    .await;
}

#[tokio::test]
async fn a_copy_keeps_the_promises_of_inspection() {
    for table in [
        TABLE,
        "create table questions_copy (id text primary key not null, topic int, body text) strict",
        "create table questions_copy (id primary key, topic, body) without rowid",
    ] {
        let rigs = Mutex::new(Vec::new());
        inspect::suite(async || {
            let rig = Rig::new(table);
            let rows = inspect::filled().into_iter().map(|row| rig.put(row)).collect();
            assert_eq!(rig.lead().await.together(1, rows).await, None);
            let (service, table) = (rig.inspect(), rig.table.clone());
            rigs.lock().expect("no test broke off").push(rig);
            inspect::Subject { service, table, is_source: false }
        })
        .await;
    }
}

async fn suite(make: impl Fn() -> Rig) {
    let rigs = Mutex::new(Vec::new());
    target::suite(async || {
        let rig = make();
        let subject = subject(&rig);
        rigs.lock().expect("no test broke off").push(rig);
        subject
    })
    .await;
}

fn in_wal(statements: &str) -> String {
    format!("pragma journal_mode = wal; {statements}")
}

fn subject(rig: &Rig) -> target::Subject {
    target::Subject {
        service: Arc::new(rig.target.clone()),
        inspect: rig.inspect(),
        copy: rig.copy.name.clone(),
        table: rig.table.clone(),
        lane: "lane".into(),
        claim: Claim::Transactional,
        refused: Some(row(13, 7, "refused")),
        owned: rig.copy.shard_column.is_some(),
    }
}
