//! Files that are restored, replaced and tampered with, restarts, and what is kept of confirmed
//! changes.

use super::rig::{Reader, Rig, open};
use instep_connectors::sqlite::{SourceLimits, detach};
use model::{Code, Fate, Key, Position, Service, Started};
use std::fs;
use std::path::Path;
use std::time::Duration;

const TABLE: &str = "create table t (id integer primary key, a int);";

/// Copies a file with everything that is committed in it.
fn backup(rig: &Rig, to: &Path) {
    let _ = fs::remove_file(to);
    rig.open().execute("vacuum into ?1", [to.to_str().expect("it works")]).expect("it works");
}

/// Moves another file to where the source is.
fn swap(rig: &Rig, from: &Path) {
    for beside in ["source.db-wal", "source.db-shm"] {
        let _ = fs::remove_file(rig.beside(beside));
    }
    fs::rename(from, rig.path()).expect("it works");
}

async fn followed_and_backed_up() -> (Rig, Reader) {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (1, 1)");
    reader.catch_up(&rig).await;
    backup(&rig, &rig.beside("backup.db"));
    rig.write("insert into t values (2, 2); insert into t values (3, 3)");
    reader.catch_up(&rig).await;
    (rig, reader)
}

#[tokio::test]
async fn a_restored_file_is_another_history() {
    for after in ["", "insert into t values (5, 5)", "insert into t values (5, 5), (6, 6), (7, 7)"]
    {
        let (rig, mut reader) = followed_and_backed_up().await;
        swap(&rig, &rig.beside("backup.db"));
        rig.write(after);
        let why = reader.lose(&rig.service(&["t"]), false).await;
        assert!(why.contains("restored"), "{why}");
        rig.write("insert into t values (9, 9)");
        reader.catch_up(&rig).await;
        assert!(reader.rows("t").contains_key(&Key::new([9])));
    }
}

#[tokio::test]
async fn a_file_is_known_as_restored_even_if_it_has_the_last_transaction_that_a_reader_has() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (1, 1)");
    reader.catch_up(&rig).await;
    backup(&rig, &rig.beside("backup.db"));
    for _ in 0..2 {
        reader.source.mark();
        reader.step().await;
    }
    swap(&rig, &rig.beside("backup.db"));
    // These took the numbers of the markers.
    rig.write("insert into t values (5, 5), (6, 6), (7, 7)");
    reader.lose(&rig.service(&["t"]), false).await;
}

#[tokio::test]
async fn time_does_not_go_back_when_the_clock_does() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write(
        "begin; insert into t values (1, 1); update instep_changes set at = at + 3600000000
         where seq = (select max(seq) from instep_changes); commit",
    );
    reader.catch_up(&rig).await;
    let ahead = reader.last.as_ref().map(|last| last.committed_at);
    rig.write("insert into t values (2, 2)");
    reader.catch_up(&rig).await;
    assert_eq!(reader.last.as_ref().map(|last| last.committed_at), ahead);
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_followed_is_noticed() {
    let (rig, mut reader) = followed_and_backed_up().await;
    swap(&rig, &rig.beside("backup.db"));
    let fault = reader.fault().await;
    assert_eq!((fault.code, fault.fate), (Code::SourceUnavailable, Fate::Retry), "{fault}");
    reader.lose(&rig.service(&["t"]), false).await;
}

#[tokio::test]
async fn a_file_that_is_overwritten_while_it_is_followed_is_noticed() {
    let (rig, mut reader) = followed_and_backed_up().await;
    let mut old = open(&rig.beside("backup.db"));
    old.execute_batch("insert into t values (5, 5), (6, 6), (7, 7)").unwrap();
    let mut new = rig.open();
    rusqlite_backup(&mut old, &mut new);
    let fault = reader.fault().await;
    assert_eq!((fault.code, fault.fate), (Code::SourceHistoryLost, Fate::Retry), "{fault}");
    reader.lose(&rig.service(&["t"]), false).await;
}

/// Overwrites one file with the tables of another, in place.
fn rusqlite_backup(from: &mut rusqlite::Connection, to: &mut rusqlite::Connection) {
    let path = from.path().expect("it works").to_owned();
    to.execute("attach ?1 as old", [path]).expect("it works");
    to.execute_batch(
        "begin immediate; delete from t; delete from instep_changes; delete from sqlite_sequence;
         insert into t select * from old.t; delete from instep_changes;
         insert into instep_changes select * from old.instep_changes;
         delete from sqlite_sequence; insert into sqlite_sequence select * from old.sqlite_sequence;
         commit",
    )
    .expect("it works");
}

#[tokio::test]
async fn a_file_without_our_identity_is_another_server() {
    let (rig, mut reader) = followed_and_backed_up().await;
    let new = rig.beside("new.db");
    open(&new).execute_batch(TABLE).unwrap();
    swap(&rig, &new);
    reader.fault().await;
    let mut source = rig.service(&["t"]).connect().await.unwrap();
    let fault = source.start(Some(&reader.resume())).await.unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::SourceChanged, Fate::Lost));
    let Started::Fresh(place) = source.start(None).await.unwrap() else { panic!("it is new") };
    assert_ne!(place.identity, reader.place.identity);
}

#[tokio::test]
async fn a_file_that_is_gone_is_waited_for() {
    let (rig, mut reader) = followed_and_backed_up().await;
    let away = rig.beside("away.db");
    rig.open().execute_batch("pragma wal_checkpoint(truncate)").unwrap();
    fs::rename(rig.path(), &away).unwrap();
    let service = rig.service(&["t"]);
    let fault = reader.fault().await;
    assert_eq!((fault.code, fault.fate), (Code::SourceUnavailable, Fate::Retry));
    let fault = service.connect().await.map(drop).unwrap_err();
    assert_eq!((fault.code, fault.fate), (Code::SourceUnavailable, Fate::Retry));
    assert!(!rig.path().exists(), "none is made in its place");
    reader.source = Rig::new(TABLE).service(&["t"]).connect().await.unwrap();
    fs::rename(&away, rig.path()).unwrap();
    reader.go_on(&service).await;
}

#[tokio::test]
async fn recorded_changes_that_are_deleted_unread_are_missed() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    let service = rig.service(&["t"]);
    rig.write("insert into t values (1, 1)");
    reader.catch_up(&rig).await;
    rig.write(
        "begin; insert into t values (2, 2), (3, 3), (4, 4);
         delete from instep_changes where k1 = 3; commit",
    );
    assert_eq!(reader.fault().await.code, Code::SourceHistoryLost);
    reader.lose(&service, true).await;
    // Numbers that were never given out could have been changes, too.
    rig.write("update sqlite_sequence set seq = seq + 10; insert into t values (5, 5)");
    assert_eq!(reader.fault().await.code, Code::SourceHistoryLost);
    reader.lose(&service, true).await;
}

#[tokio::test]
async fn numbers_go_on_rising_when_the_sequence_is_deleted() {
    let rig = Rig::new(TABLE);
    let mut reader = rig.follow(&["t"]).await;
    rig.write("insert into t values (1, 1)");
    reader.catch_up(&rig).await;
    reader.source.confirm(&reader.place.position);
    rig.write("delete from sqlite_sequence; insert into t values (2, 2)");
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
}

#[tokio::test]
async fn a_reader_goes_on_wherever_it_stopped() {
    let rig = Rig::new(TABLE);
    let service = rig.service(&["t"]);
    let mut reader = Reader::begin(&service).await;
    reader.go_on(&service).await;
    for round in 0..4 {
        reader.source.mark();
        reader.step().await;
        reader.go_on(&service).await;
        rig.write(&format!("insert into t values ({round}, 1)"));
        reader.catch_up(&rig).await;
        reader.source.confirm(&reader.place.position);
        rig.write("update t set a = a + 1");
        reader.go_on(&service).await;
        reader.source.confirm(&reader.place.position);
        reader.catch_up(&rig).await;
        assert_eq!(reader.rows("t"), rig.rows("t").await);
    }
}

#[tokio::test]
async fn confirmed_changes_are_deleted_but_for_those_by_which_the_file_is_known() {
    let rig = Rig::new(TABLE);
    let limits = SourceLimits {
        trim_rows_max: 10,
        trim_pause_max: Duration::from_millis(1),
        ..SourceLimits::default()
    };
    let service = rig.service_with(&["t"], limits);
    let mut reader = Reader::begin(&service).await;
    let kept = || rig.number("select count(*) from instep_changes");
    for id in 0..50 {
        rig.write(&format!("insert into t values ({id}, 1)"));
    }
    reader.catch_up(&rig).await;
    assert!(kept() > 50, "nothing is confirmed yet");
    let last = reader.place.position.clone();
    reader.source.mark();
    reader.step().await;
    reader.source.confirm(&reader.place.position);
    let trimmed = async {
        while kept() > 2 {
            let wait = Duration::from_millis(5);
            assert!(tokio::time::timeout(wait, reader.source.next()).await.is_err());
        }
    };
    tokio::time::timeout(Duration::from_secs(30), trimmed).await.expect("they are deleted");
    // The last transaction stays, and the marker behind it.
    let is_kept = format!("select count(*) from instep_changes where seq >= {last:?}");
    assert_eq!(rig.number(&is_kept), 2);
    reader.go_on(&service).await;
    // What is older than that is gone.
    let mut early = reader.resume();
    (early.last, early.place.position) = (None, Position::from_number(3));
    let started = reader.source.start(Some(&early)).await.unwrap();
    assert!(matches!(started, Started::Lost { .. }), "{started:?}");
}

#[tokio::test]
async fn trimming_and_marking_leave_no_trace_in_the_copy() {
    let rig = Rig::new(TABLE);
    let limits =
        SourceLimits { trim_pause_max: Duration::from_millis(1), ..SourceLimits::default() };
    let mut reader = Reader::begin(&rig.service_with(&["t"], limits)).await;
    for id in 0..30 {
        rig.write(&format!("insert or replace into t values ({}, {id})", id % 7));
        reader.source.mark();
        reader.step().await;
        reader.source.confirm(&reader.place.position);
    }
    reader.catch_up(&rig).await;
    assert_eq!(reader.rows("t"), rig.rows("t").await);
}

#[tokio::test]
async fn detaching_leaves_nothing_of_ours_and_begins_another_history() {
    let rig = Rig::new(TABLE);
    let service = rig.service(&["t"]);
    let mut reader = Reader::begin(&service).await;
    rig.write("insert into t values (1, 1)");
    reader.catch_up(&rig).await;
    let resume = reader.resume();
    drop(reader);
    assert!(detach(&rig.file(), None).await.unwrap());
    assert!(!detach(&rig.file(), None).await.unwrap(), "there is nothing left to do");
    assert_eq!(rig.number("select count(*) from sqlite_master where name like '%instep%'"), 0);
    assert_eq!(rig.number("select count(*) from sqlite_sequence"), 0);
    let mut source = service.connect().await.unwrap();
    assert_eq!(source.start(Some(&resume)).await.unwrap_err().code, Code::SourceChanged);
}
