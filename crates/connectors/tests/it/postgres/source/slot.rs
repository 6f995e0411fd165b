//! The slot, in the hands of others and of a server that has too little room.

use super::super::rig::{Database, until};
use super::rig::{
    Came, Reader, blind, followed, followed_within, limits, lost, missed, refused, server, table,
};
use instep_connectors::postgres::{Lsn, SourceLimits, detach};
use model::Code;
use testkit::postgres::Server;

const TABLE: &str = "create table public.t (id int primary key, v text)";

const SLOT: &str =
    "(select slot_name from pg_replication_slots where database = current_database())";

/// Fills the server's log.
async fn fill(database: &Database, megabytes: u32) {
    for _ in 0..megabytes {
        database.run("select pg_logical_emit_message(false, 'filler', repeat('x', 1000000))").await;
    }
}

/// What somebody may do to a slot that nobody reads. The log ends behind what we have, so that a new
/// slot does not stand where the old one stood.
const DONE: [(&str, &str); 4] = [
    ("select pg_drop_replication_slot(SLOT)", "is gone"),
    // PS7.
    (
        "select pg_drop_replication_slot(SLOT);
         select pg_create_logical_replication_slot(SLOT, 'pgoutput')",
        "by somebody else",
    ),
    // PS6.
    ("select pg_replication_slot_advance(SLOT, pg_current_wal_insert_lsn())", "by somebody else"),
    (
        "select pg_drop_replication_slot(SLOT);
         select pg_create_physical_replication_slot(SLOT, true)",
        "of no use",
    ),
];

#[tokio::test]
async fn a_slot_that_lost_its_place_is_lost_history() {
    for (done, word) in DONE {
        for writes in [true, false] {
            if !writes && done.contains("advance") {
                // Nothing was passed over.
                continue;
            }
            let Some((database, mut reader)) = table(TABLE).await else { return };
            let service = followed(&database, &["public.t"]);
            database.run("insert into public.t values (1, 'a')").await;
            assert_eq!(reader.shown().await, "+t 1,a");
            reader.catch_up(&database).await;
            reader.confirm();
            let resume = reader.resume.clone();
            drop(reader);
            database.released().await;
            if writes {
                database.run("insert into public.t values (2, 'b')").await;
            }
            let slot = database.one(&format!("select quote_literal({SLOT})")).await;
            database.each(&done.replace("SLOT", &slot)).await;
            let (why, is_same, now) = lost(&service, &resume).await;
            assert!(is_same && why.contains(word), "{done}: {why}");
            let mut reader = Reader::resumed(&service, &now).await;
            database.run("insert into public.t values (3, 'c')").await;
            assert_eq!(reader.shown().await, "+t 3,c", "{done}");
        }
    }
}

/// PS19.
#[tokio::test]
async fn a_slot_that_somebody_reads_is_refused_with_the_number_of_his_process() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    let service = followed(&database, &["public.t"]);
    let fault = refused(&service, Some(&reader.resume)).await;
    let pid = database
        .one("select active_pid from pg_replication_slots where database = current_database()")
        .await;
    assert_eq!(fault.code, Code::PostgresSlot);
    assert!(fault.what.contains(&format!("by process {pid}")), "{fault}");
    let fault = refused(&service, None).await;
    assert_eq!(fault.code, Code::PostgresSlot);
    let fault = detach(&database.access, "test").await.expect_err("it is read");
    assert!(fault.what.contains(&pid), "{fault}");
    // He is not disturbed.
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");
    drop(reader);
    database.released().await;
    assert!(detach(&database.access, "test").await.unwrap());
    assert!(!detach(&database.access, "test").await.unwrap());
}

/// A server that keeps little for slots.
fn small() -> Option<Server> {
    server(&[
        "max_slot_wal_keep_size = 2MB",
        "min_wal_size = 32MB",
        "max_wal_size = 32MB",
        "wal_keep_size = 0",
    ])
}

/// PS8.
#[tokio::test]
async fn a_slot_that_the_server_let_go_is_lost_history() {
    let Some(server) = small() else { return };
    let database = Database::of(&server).await.expect("a database");
    database.run(TABLE).await;
    let service = followed(&database, &["public.t"]);
    let reader = Reader::fresh(&service).await;
    let resume = reader.resume.clone();
    drop(reader);
    database.released().await;
    until("the slot is lost", async || {
        fill(&database, 17).await;
        database.run("select pg_switch_wal()").await;
        database.run("checkpoint").await;
        database.one("select wal_status from pg_replication_slots").await == "lost"
    })
    .await;
    let (why, is_same, now) = lost(&service, &resume).await;
    assert!(is_same && why.contains("of no use"), "{why}");
    let mut reader = Reader::resumed(&service, &now).await;
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");
}

/// P10: what we cost the server is bounded, whether we read or not.
#[tokio::test]
async fn a_slot_that_costs_too_much_is_dropped() {
    // What others write to a server that is shared would be kept for us, too.
    let Some(server) = server(&[]) else { return };
    let database = Database::of(&server).await.expect("a database");
    database.run(TABLE).await;
    let limits = SourceLimits { slot_wal_bytes_max: 4 << 20, ..limits() };
    let service = followed_within(&database, &["public.t"], limits);
    let mut reader = Reader::fresh(&service).await;
    // Nothing is confirmed.
    fill(&database, 6).await;
    let why = reader.gap().await;
    assert!(why.contains("slot_wal_bytes_max"), "{why}");
    let (why, reader) = missed(&service, reader).await;
    assert!(why.contains("is gone") || why.contains("slot_wal_bytes_max"), "{why}");
    let resume = reader.resume.clone();
    drop(reader);
    fill(&database, 6).await;
    let (why, is_same, now) = lost(&service, &resume).await;
    assert!(is_same && why.contains("slot_wal_bytes_max"), "{why}");
    let mut reader = Reader::resumed(&service, &now).await;
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");
}

/// PS24.
#[tokio::test]
async fn a_server_that_has_no_room_for_us_says_what_is_missing() {
    for (line, code) in [
        ("wal_level = replica", Code::PostgresWalLevel),
        ("max_wal_senders = 0", Code::PostgresSlot),
        ("max_replication_slots = 0", Code::PostgresSlot),
    ] {
        let Some(server) = server(&[line]) else { return };
        let database = Database::of(&server).await.expect("a database");
        database.run(TABLE).await;
        let fault = refused(&followed(&database, &["public.t"]), None).await;
        assert_eq!((fault.fate, fault.code), (model::Fate::Retry, code), "{line}: {fault}");
    }
}

/// PS22: what is open already is waited for within a bound, and named.
#[tokio::test]
async fn a_slot_waits_for_open_transactions_and_says_for_which() {
    let Some(database) = Database::new().await else { return };
    database.run(&format!("{TABLE}; create table public.u (id int primary key)")).await;
    database.run("begin; insert into public.u values (1); prepare transaction 'long_one'").await;
    let limits = SourceLimits { slot_patience: std::time::Duration::from_secs(2), ..limits() };
    let service = followed_within(&database, &["public.t"], limits);
    let fault = refused(&service, None).await;
    assert_eq!((fault.fate, fault.code), (model::Fate::Retry, Code::PostgresSlot), "{fault}");
    assert!(fault.what.contains("prepared transaction 'long_one'"), "{fault}");
    database.run("commit prepared 'long_one'").await;
    let mut reader = Reader::fresh(&service).await;
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");
}

/// PS3, PS2: an idle database of a busy server.
#[tokio::test]
async fn an_idle_database_does_not_keep_the_log_of_a_busy_server() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    let other = Database::new().await.expect("a database");
    other.run("create table public.busy (id int primary key)").await;
    reader.catch_up(&database).await;
    let confirmed =
        "select confirmed_flush_lsn from pg_replication_slots where database = current_database()";
    other.run("insert into public.busy select generate_series(1, 1000)").await;
    let end = database.one("select pg_current_wal_insert_lsn()").await;
    while reader.resume.place.position.to_number() < Some(end.parse::<Lsn>().unwrap().0) {
        reader.step().await.unwrap();
        reader.confirm();
    }
    let reached = format!(
        "select confirmed_flush_lsn >= '{end}' from pg_replication_slots where database = current_database()"
    );
    until("it is confirmed", async || database.one(&reached).await == "t").await;
    assert!(!database.one(confirmed).await.is_empty());
}

/// The record of a commit is no longer than this.
const COMMIT_BYTES_MAX: u64 = 500;

/// Decision 14: the last transaction stays at the server, also over starts that bring nothing new.
#[tokio::test]
async fn the_last_transaction_is_not_forgotten_however_often_we_begin() {
    let Some(database) = Database::new().await else { return };
    database.run(TABLE).await;
    // Nobody looks, asks or marks.
    let limits = SourceLimits { idle_pause: std::time::Duration::from_secs(600), ..blind() };
    let service = followed_within(&database, &["public.t"], limits);
    let mut reader = Reader::fresh(&service).await;
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");
    let last = reader.resume.clone();
    let end = Lsn(last.place.position.to_number().unwrap());
    for _ in 0..3 {
        reader.confirm();
        let kept = format!(
            "select confirmed_flush_lsn < '{}' and confirmed_flush_lsn > '{}' from pg_replication_slots
             where database = current_database()",
            end, Lsn(end.0 - COMMIT_BYTES_MAX)
        );
        until("it is confirmed up to its commit", async || database.one(&kept).await == "t").await;
        drop(reader);
        reader = Reader::resumed(&service, &last).await;
        while !matches!(reader.step().await.unwrap(), Came::Progress) {
            reader.resume = last.clone();
        }
        reader.resume = last.clone();
    }
}
