//! Servers that crash, are restored, or are taken over by their standby.

use super::super::rig::{Database, until};
use super::rig::{Reader, connect, followed, lost, refused, server, started};
use instep_connectors::postgres::{Access, PostgresSource, Session};
use model::{Code, Fate, Position, Resume, Started};
use std::thread;
use testkit::postgres::Server;

const TABLE: &str = "create table public.t (id int primary key, v text)";

/// A server of one's own, with a followed table.
async fn own() -> Option<(Server, Database, PostgresSource, Reader)> {
    let server = server(&[])?;
    let database = Database::of(&server).await?;
    database.run(TABLE).await;
    let service = followed(&database, &["public.t"]);
    let reader = Reader::fresh(&service).await;
    Some((server, database, service, reader))
}

async fn reconnect(database: &mut Database) {
    database.session = Session::connect(&database.access).await.unwrap();
}

fn fill(from: u32, to: u32) -> String {
    format!("insert into public.t select i, 'x' from generate_series({from}, {to}) i")
}

/// PS5.
#[tokio::test]
async fn a_server_that_crashed_sends_again_what_it_forgot_was_confirmed_and_nothing_comes_twice() {
    let Some((server, mut database, service, mut reader)) = own().await else { return };
    for id in 0..20 {
        database.run(&fill(id * 10, id * 10 + 9)).await;
        reader.changes().await;
        if id % 2 == 0 {
            reader.confirm();
        }
        if id == 10 {
            // It keeps what is confirmed no better than this.
            database.run("checkpoint").await;
        }
    }
    reader.confirm();
    database.run(&fill(1_000, 1_009)).await;
    server.crash();
    assert!(reader.fault().await.fate == Fate::Retry);
    reconnect(&mut database).await;
    database.run(&fill(2_000, 2_009)).await;
    let mut reader = reader.again(&service).await;
    reader.equals(&database, "public.t").await;
    reader.confirm();
    server.crash();
    reconnect(&mut database).await;
    let mut reader = reader.again(&service).await;
    reader.equals(&database, "public.t").await;
}

/// It waits for whoever reads its log to confirm the end of it, and a last transaction never is.
#[tokio::test]
async fn a_server_that_shuts_down_in_order_is_not_held_up() {
    let Some((server, mut database, service, mut reader)) = own().await else { return };
    database.run(&fill(1, 5)).await;
    reader.catch_up(&database).await;
    reader.confirm();
    database.run(&fill(6, 10)).await;
    reader.changes().await;
    reader.confirm();
    let stopping = thread::spawn(move || {
        server.stop();
        server
    });
    let fault = reader.fault().await;
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::SourceUnavailable), "{}", fault.what);
    let resume = reader.resume.clone();
    drop(reader);
    until("it stops", async || stopping.is_finished()).await;
    let server = stopping.join().expect("it stops");
    server.start_again();
    reconnect(&mut database).await;
    database.run(&fill(11, 20)).await;
    let mut reader = Reader::resumed(&service, &resume).await;
    reader.changes().await;
    assert_eq!(reader.copies["public.t"].len(), 10, "what was confirmed does not come again");
}

/// PS18, decision 14: a restored server gives the same positions a second time, for something else.
#[tokio::test]
async fn a_server_that_was_restored_is_another_history_however_long_it_has_become() {
    for (ours, theirs, is_idle) in
        [(50_u32, 1_u32, false), (1, 2_000, false), (1, 2_000, true), (50, 1, true)]
    {
        let Some((server, mut database, service, mut reader)) = own().await else { return };
        database.run(&fill(1, 10)).await;
        reader.catch_up(&database).await;
        reader.confirm();
        let resume = reader.resume.clone();
        drop(reader);
        // We are behind when the backup is made.
        database.run(&fill(11, 20)).await;
        database.released().await;
        server.stop();
        server.save();
        server.start_again();
        reconnect(&mut database).await;
        reader = Reader::resumed(&service, &resume).await;
        reader.changes().await;
        for id in 0..ours {
            database.run(&fill(1_000 + id * 10, 1_009 + id * 10)).await;
            reader.changes().await;
            reader.confirm();
        }
        if is_idle {
            reader.catch_up(&database).await;
            reader.confirm();
        }
        let resume = reader.resume.clone();
        drop(reader);
        database.released().await;
        server.stop();
        server.put_back();
        server.start_again();
        reconnect(&mut database).await;
        database.run(&fill(100_000, 100_000 + theirs)).await;
        database.run(&fill(200_000, 200_000 + theirs)).await;
        let (why, now) = restored(&service, &resume).await;
        assert!(why.contains("restored"), "{why}");
        let mut reader = Reader::resumed(&service, &now).await;
        database.run("insert into public.t values (0, 'after')").await;
        assert_eq!(reader.shown().await, "+t 0,after");
    }
}

/// Goes on until it is found that the history is another one; nothing new may come before.
async fn restored(service: &PostgresSource, resume: &Resume) -> (String, Resume) {
    for _ in 0..2 {
        let mut source = connect(service).await;
        match started(source.as_mut(), resume).await {
            Started::Lost { why, same_history, now } => {
                assert!(!same_history, "{why}");
                return (why, Resume { place: now, last: None });
            }
            Started::Resumed => loop {
                use model::Step::{Abort, Commit, Part, Progress};
                match source.next().await {
                    Ok(Commit { position, .. } | Progress { position, .. }) => {
                        assert!(position <= resume.place.position, "it is of another history");
                    }
                    Ok(Part { .. } | Abort { .. }) => {}
                    Err(fault) => {
                        assert_eq!(fault.code, Code::SourceHistoryLost, "{fault}");
                        break;
                    }
                }
            },
            Started::Fresh(place) => panic!("{place:?}"),
        }
    }
    panic!("the history is another one, and was not found to be");
}

/// Where the server's log ends and how far the standby has come.
async fn follows(standby: &Database, database: &Database) {
    let end = database.one("select pg_current_wal_insert_lsn()").await;
    let there = format!("select coalesce(pg_last_wal_replay_lsn() >= '{end}', false)");
    until("the standby has everything", async || standby.one(&there).await == "t").await;
}

/// The database of the standby of this one.
async fn on(standby: &Server, database: &Database) -> Database {
    let access = Access::parse(&standby.url(&database.name)).unwrap();
    let session = Session::connect(&access).await.unwrap();
    Database { name: database.name.clone(), access, session }
}

/// PS14, PS15, PS16: standbys that take over, with and without everything that we have.
#[tokio::test]
async fn a_promoted_standby_goes_on_where_it_has_what_we_have_and_the_old_primary_is_refused() {
    for has_all in [true, false] {
        let Some((server, mut database, service, mut reader)) = own().await else { return };
        database.run(&fill(1, 10)).await;
        reader.catch_up(&database).await;
        reader.confirm();
        let resume = reader.resume.clone();
        drop(reader);
        database.released().await;
        server.stop();
        let standby = server.standby();
        reconnect(&mut database).await;
        let mut on_standby = on(&standby, &database).await;
        let taken_over = followed(&on_standby, &["public.t"]);
        let fault = refused(&taken_over, Some(&resume)).await;
        assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::PostgresStandby), "{fault}");

        let mut reader = Reader::resumed(&service, &resume).await;
        database.run(&fill(11, 20)).await;
        reader.catch_up(&database).await;
        follows(&on_standby, &database).await;
        if !has_all {
            standby.stop();
            database.run(&fill(21, 30)).await;
            reader.catch_up(&database).await;
        }
        let resume = reader.resume.clone();
        drop(reader);
        database.released().await;
        server.stop();
        if !has_all {
            standby.start_again();
            reconnect(&mut on_standby).await;
        }
        standby.promote();
        on_standby.run(&fill(100, 200)).await;
        // Slots are not taken over before version 17, so something is missing in any case.
        let (why, is_same, now) = lost(&taken_over, &resume).await;
        assert_eq!(is_same, has_all, "{why}");
        assert_eq!(why.contains("promoted"), !has_all, "{why}");
        let mut reader = Reader::resumed(&taken_over, &now).await;
        on_standby.run("insert into public.t values (0, 'after')").await;
        assert_eq!(reader.shown().await, "+t 0,after");

        server.start_again();
        let fault = refused(&service, Some(&reader.resume)).await;
        assert_eq!((fault.fate, fault.code), (Fate::Lost, Code::SourceChanged), "{fault}");
        assert!(fault.what.contains("timeline"), "{fault}");
    }
}

/// PS17.
#[tokio::test]
async fn another_server_and_another_database_are_refused() {
    let Some((_server, database, _service, reader)) = own().await else { return };
    let other = Database::new().await.expect("a database");
    other.run(TABLE).await;
    let fault = refused(&followed(&other, &["public.t"]), Some(&reader.resume)).await;
    assert_eq!((fault.fate, fault.code), (Fate::Lost, Code::SourceChanged), "{fault}");
    let mut beside = other;
    beside.access = database.access.clone();
    beside.access.database = "postgres".into();
    beside.session = Session::connect(&beside.access).await.unwrap();
    beside.run(TABLE).await;
    let fault = refused(&followed(&beside, &["public.t"]), Some(&reader.resume)).await;
    assert_eq!((fault.fate, fault.code), (Fate::Lost, Code::SourceChanged), "{fault}");
    let made = beside.one("select count(*) from pg_publication").await;
    assert_eq!(made, "0", "nothing was made there");
    let zero = Resume {
        place: model::Place { position: Position::from_number(0), ..reader.resume.place.clone() },
        last: None,
    };
    drop(reader);
    let (why, ..) = lost(&followed(&database, &["public.t"]), &zero).await;
    assert!(why.contains("by somebody else"), "{why}");
}
