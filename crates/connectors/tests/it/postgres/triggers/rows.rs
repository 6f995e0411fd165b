//! What comes of which statement, and of what no trigger sees.

use super::super::reader::{Left, Reader, apply};
use super::super::rig::{Database, until};
use instep_connectors::postgres::{
    Access, PostgresRows, PostgresTriggers, Session, SourceLimits, detach_triggers,
};
use model::{Code, Op, Row, Selection, Service, Started, Value};
use std::time::Duration;

fn followed(access: &Access, tables: &[&str]) -> PostgresTriggers {
    let tables = tables.iter().map(|&table| table.into()).collect();
    let look_pause = Duration::from_millis(100);
    let limits = SourceLimits { look_pause, ..SourceLimits::default() };
    PostgresTriggers::new(access.clone(), tables, "test", limits)
}

/// The rows of a table as a query gives them.
async fn rows_of(database: &Database, name: &str) -> Left {
    let mut rows = PostgresRows::new(database.access.clone()).connect().await.unwrap();
    let table = rows.table(&name.into()).await.unwrap().expect("a table");
    let (mut left, mut after) = (Left::new(), None);
    loop {
        let selection = Selection::Range { after, upto: None };
        let found = rows.rows(&table, &selection, 1_000).await.unwrap().found;
        left.extend(found.rows.into_iter().map(|(key, row, _)| (key, row)));
        match found.upto {
            Some(upto) => after = Some(upto),
            None => return left,
        }
    }
}

/// A sequence gives numbers before anybody has committed, so numbers that rise miss who commits late.
/// (OB1, OB2, OB3)
#[tokio::test]
async fn a_transaction_that_commits_late_is_not_passed_over() {
    let Some(database) = Database::new().await else { return };
    database.run("create table public.t (id int primary key, n int)").await;
    let mut reader = Reader::fresh(&followed(&database.access, &["public.t"])).await;
    let late = Session::connect(&database.access).await.unwrap();
    late.query("begin; insert into public.t values (1, 1)").await.unwrap();
    database.run("insert into public.t values (2, 2)").await;
    assert_eq!(reader.changes().await.len(), 1);
    late.query("insert into public.t values (3, 3); commit").await.unwrap();
    let mut left = Left::new();
    apply(&mut left, &reader.changes().await);
    let ids: Vec<_> = left.keys().map(|key| key.values()[0].clone()).collect();
    assert_eq!(ids, [Value::Int(1), Value::Int(3)]);
}

#[tokio::test]
async fn each_statement_comes_as_what_it_left() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (at timestamptz, name text, n int, primary key (at, name));
             insert into public.t values ('2020-01-01 12:00+02', 'it''s', 1)",
        )
        .await;
    let mut reader = Reader::fresh(&followed(&database.access, &["public.t"])).await;
    // Settings of the writer are none of ours.
    let writer = Session::connect(&database.access).await.unwrap();
    writer.query("set timezone = 'Asia/Tokyo'; set datestyle = 'German'").await.unwrap();
    for statement in [
        "insert into public.t values ('infinity', 'a,\"b\\', 2), ('0044-03-15 BC', 'c', 3)",
        "update public.t set n = n + 1 where name = 'c'",
        "update public.t set name = name || ' more' where n < 3",
        "delete from public.t where at = 'infinity'",
        "begin; truncate public.t; insert into public.t values (now(), 'new', 7); commit",
        "insert into public.t values (now(), 'new', 8) on conflict do nothing",
    ] {
        let mut left = rows_of(&database, "public.t").await;
        writer.query(statement).await.unwrap();
        apply(&mut left, &reader.changes().await);
        assert_eq!(left, rows_of(&database, "public.t").await, "{statement}");
    }
}

#[tokio::test]
async fn rows_of_a_partition_come_as_those_of_their_table_and_an_emptied_one_is_lost_history() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, n int) partition by range (id);
             create table public.low partition of public.t for values from (0) to (10)",
        )
        .await;
    let service = followed(&database.access, &["public.t"]);
    let mut reader = Reader::fresh(&service).await;
    database
        .run(
            "create table public.high partition of public.t for values from (10) to (20);
             insert into public.t values (1, 1); insert into public.high values (11, 1)",
        )
        .await;
    let mut left = Left::new();
    while left.len() < 2 {
        apply(&mut left, &reader.changes().await);
    }
    database.run("update public.t set id = 12 where id = 1").await;
    apply(&mut left, &reader.changes().await);
    assert_eq!(left, rows_of(&database, "public.t").await);
    database.run("truncate public.low").await;
    let fault = loop {
        if let Err(fault) = reader.came().await {
            break fault;
        }
    };
    assert_eq!(fault.code, Code::SourceHistoryLost, "{fault}");
    let mut source = service.connect().await.unwrap();
    let started = source.start(Some(&reader.resume)).await.unwrap();
    assert!(matches!(started, Started::Lost { same_history: true, .. }), "{started:?}");
}

#[tokio::test]
async fn what_is_confirmed_is_deleted() {
    let Some(database) = Database::new().await else { return };
    database.run("create table public.t (id int primary key)").await;
    let service = followed(&database.access, &["public.t"]);
    let mut reader = Reader::fresh(&service).await;
    for id in 0..3 {
        database.run(&format!("insert into public.t values ({id})")).await;
        reader.changes().await;
    }
    assert_eq!(database.one("select count(*) from instep_test.changes").await, "3");
    reader.confirm();
    let count = "select (select count(*) from instep_test.changes)
        + (select count(*) from instep_test.readings)";
    until("the last reading alone is left", async || database.one(count).await == "1").await;
    let resume = reader.resume.clone();
    drop(reader);
    database.run("insert into public.t values (7)").await;
    let mut again = Reader::resumed(&service, &resume).await;
    let Op::Update { row, .. } = &again.changes().await[0].op else { panic!("a row") };
    assert_eq!(*row, Row::new([Value::Int(7)]));
}

/// (SE11)
#[tokio::test]
async fn a_role_that_may_not_replicate_follows_and_writers_need_no_right_of_ours() {
    let Some(database) = Database::new().await else { return };
    let (reader, writer) = (format!("r_{}", database.name), format!("w_{}", database.name));
    let name = &database.name;
    database
        .run(&format!(
            "create role {reader} login; create role {writer} login;
             create table public.t (id int primary key);
             grant usage on schema public to {reader}, {writer};
             grant insert, select on public.t to {writer}"
        ))
        .await;
    let access = |user: &str| Access { user: user.to_owned(), ..database.access.clone() };
    let service = followed(&access(&reader), &["public.t"]);
    let mut source = service.connect().await.unwrap();
    let denied = source.start(None).await.unwrap_err();
    assert_eq!(denied.code, Code::PostgresPrivilege, "{denied}");
    assert!(denied.what.contains("grant"), "{denied}");
    database
        .run(&format!(
            "grant create on database {name} to {reader};
             grant select, trigger on public.t to {reader}"
        ))
        .await;
    let mut followed = Reader::fresh(&service).await;
    let writing = Session::connect(&access(&writer)).await.unwrap();
    writing.query("insert into public.t values (1)").await.unwrap();
    assert_eq!(followed.changes().await.len(), 1);
    let direct = writing.query("insert into instep_test.changes (tbl) values (1)").await;
    assert_eq!(direct.unwrap_err().refused().unwrap().sqlstate, "42501");

    drop(followed);
    assert!(detach_triggers(&access(&reader), "test").await.unwrap());
    assert!(!detach_triggers(&access(&reader), "test").await.unwrap());
    writing.query("insert into public.t values (2)").await.unwrap();
}

/// What happened while nothing was recorded is not passed over in silence.
#[tokio::test]
async fn a_trigger_that_was_off_for_a_while_is_lost_history() {
    let Some(database) = Database::new().await else { return };
    database.run("create table public.t (id int primary key)").await;
    let service = followed(&database.access, &["public.t"]);
    let mut reader = Reader::fresh(&service).await;
    database.run("insert into public.t values (1)").await;
    reader.changes().await;
    let resume = reader.resume.clone();
    drop(reader);
    database.run("drop trigger instep_test on public.t; insert into public.t values (2)").await;
    let mut source = service.connect().await.unwrap();
    let started = source.start(Some(&resume)).await.unwrap();
    assert!(matches!(started, Started::Lost { same_history: true, .. }), "{started:?}");
}
