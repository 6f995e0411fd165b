//! The publication, in the hands of others.

use super::super::rig::{Database, until};
use super::rig::{Reader, followed, lost, missed, refused, server, table};
use instep_connectors::postgres::{Access, PostgresSource};
use model::Code;

const TABLE: &str = "create table public.t (id int primary key, v text)";

/// What somebody may do to our publication, and in the end every row has to come or be declared lost.
const DONE: [&str; 8] = [
    "drop publication instep_test",
    "alter publication instep_test drop table public.t",
    "alter publication instep_test drop table public.t; alter publication instep_test add table public.t",
    "alter publication instep_test set table public.t where (id > 100)",
    "alter publication instep_test set table public.t (id)",
    "alter publication instep_test set (publish = 'insert')",
    "alter publication instep_test set (publish = 'delete'); insert into public.t values (7);
     alter publication instep_test set (publish = 'insert, update, delete, truncate')",
    "drop publication instep_test; create publication instep_test for table public.t",
];

/// PS12, PS13, PC17.
#[tokio::test]
async fn a_publication_that_was_changed_is_lost_history_and_is_made_whole() {
    for done in DONE {
        let Some((database, mut reader)) = table(TABLE).await else { return };
        let service = followed(&database, &["public.t"]);
        database.each(done).await;
        reader.gap().await;
        let (_, mut reader) = missed(&service, reader).await;
        let rows =
            "begin; insert into public.t values (1, 'a'); update public.t set v = 'b' where id = 1;
             delete from public.t where id = 1; truncate public.t; commit";
        database.run(rows).await;
        assert_eq!(reader.shown().await, "+t 1,a; ~t 1 > 1,b; -t 1; !t", "{done}");

        let resume = reader.resume.clone();
        drop(reader);
        database.each(done).await;
        let (why, is_same, now) = lost(&service, &resume).await;
        assert!(is_same && why.contains("publication"), "{done}: {why}");
        let mut reader = Reader::resumed(&service, &now).await;
        database.run(rows).await;
        assert_eq!(reader.shown().await, "+t 1,a; ~t 1 > 1,b; -t 1; !t", "{done}");
    }
}

/// PS12: what the server would read first was written when there was no publication.
#[tokio::test]
async fn a_slot_from_before_the_publication_is_not_begun_with() {
    let Some((database, reader)) = table(TABLE).await else { return };
    let service = followed(&database, &["public.t"]);
    drop(reader);
    database.run("drop publication instep_test; insert into public.t values (1, 'a')").await;
    let mut reader = Reader::fresh(&service).await;
    database.run("insert into public.t values (2, 'b')").await;
    assert_eq!(reader.shown().await, "+t 2,b");
}

/// What an admin may have made under our name.
#[tokio::test]
async fn a_publication_of_an_admin_serves_if_it_has_the_tables() {
    for (made, names) in [
        ("create publication instep_test for all tables", 0),
        ("create publication instep_test for tables in schema other", 1),
        ("create publication instep_test for tables in schema public", 1),
        ("create publication instep_test for table public.t", 1),
        ("create publication instep_test", 1),
    ] {
        let Some(database) = Database::new().await else { return };
        database
            .run(&format!(
                "{TABLE}; create schema other; create table other.o (id int primary key)"
            ))
            .await;
        if database.session.query(made).await.is_err() {
            assert!(made.contains("in schema"), "{made}: only older versions have no schemas here");
            continue;
        }
        let service = followed(&database, &["public.t"]);
        let mut reader = Reader::fresh(&service).await;
        database.run("insert into other.o values (1); insert into public.t values (1, 'a')").await;
        assert_eq!(reader.shown().await, "+t 1,a", "{made}");
        let named = "select count(*) from pg_publication_rel";
        assert_eq!(database.one(named).await, names.to_string(), "{made}");
        let mut reader = reader.again(&service).await;
        database.run("delete from public.t").await;
        assert_eq!(reader.shown().await, "-t 1", "{made}");
    }
}

/// PS26: the role may replicate and no more.
#[tokio::test]
async fn a_role_without_rights_is_told_the_statements_that_heal_it() {
    let Some(server) = server(&[]) else { return };
    server.sql("postgres", "create role follower login replication");
    let database = Database::of(&server).await.expect("a database");
    database.run(&format!("{TABLE}; create table public.u (id int primary key)")).await;
    let url = format!("postgres://follower@127.0.0.1:{}/{}", server.port(), database.name);
    let access = Access::parse(&url).unwrap();
    let service = |tables: &[&str]| {
        let tables = tables.iter().map(|&table| table.into()).collect();
        PostgresSource::new(access.clone(), tables, "test", super::rig::limits())
    };
    let statement = |fault: &model::Fault| {
        assert_eq!(fault.code, Code::PostgresPublication, "{fault}");
        fault.what.split_once("run: ").unwrap_or_else(|| panic!("{fault}")).1.to_owned()
    };
    let fault = refused(&service(&["public.t"]), None).await;
    database.run(&statement(&fault)).await;
    let mut reader = Reader::fresh(&service(&["public.t"])).await;
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");

    let resume = reader.resume.clone();
    drop(reader);
    let both = service(&["public.t", "public.u"]);
    let fault = refused(&both, Some(&resume)).await;
    database.run(&statement(&fault)).await;
    let mut reader = Reader::resumed(&both, &resume).await;
    database.run("insert into public.u values (1)").await;
    assert_eq!(reader.shown().await, "+u 1");

    // A filter takes two statements, and what it left out is declared.
    let resume = reader.resume.clone();
    drop(reader);
    database.run("alter publication instep_test set table public.t where (id > 5), public.u").await;
    for _ in 0..2 {
        let fault = refused(&both, Some(&resume)).await;
        database.run(&statement(&fault)).await;
    }
    let (_, is_same, now) = lost(&both, &resume).await;
    assert!(is_same);
    let mut reader = Reader::resumed(&both, &now).await;
    database.run("alter publication instep_test set (publish = 'insert')").await;
    reader.gap().await;
    let resume = reader.resume.clone();
    drop(reader);
    let fault = refused(&both, Some(&resume)).await;
    database.run(&statement(&fault)).await;
    let (_, is_same, now) = lost(&both, &resume).await;
    assert!(is_same);
    let mut reader = Reader::resumed(&both, &now).await;
    database.run("delete from public.t").await;
    assert_eq!(reader.shown().await, "-t 1");
}

/// PS11.
#[tokio::test]
async fn a_table_is_added_only_while_nobody_is_writing_to_it() {
    let Some((database, reader)) = table(TABLE).await else { return };
    database.run("create table public.u (id int primary key)").await;
    let both = followed(&database, &["public.t", "public.u"]);
    let resume = reader.resume.clone();
    drop(reader);
    let other = database.another().await;
    other.query("begin; insert into public.u values (1)").await.unwrap();
    let fault = refused(&both, Some(&resume)).await;
    assert_eq!(fault.code, Code::PostgresPublication, "{fault}");
    assert!(fault.what.contains("somebody is writing to the table"), "{fault}");
    // While it waits others may still read; once the writer is done it goes on.
    let begun = tokio::spawn(async move { Reader::resumed(&both, &resume).await });
    until("it waits", async || {
        let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
        database.one(waits).await == "1"
    })
    .await;
    other.query("insert into public.u values (2); commit").await.unwrap();
    let mut reader = begun.await.unwrap();
    database.each("insert into public.u values (3); insert into public.t values (4, 'a')").await;
    assert_eq!(reader.shown().await, "+u 3");
    assert_eq!(reader.shown().await, "+t 4,a");
}

/// PS13.
#[tokio::test]
async fn a_table_that_was_not_followed_for_a_while_has_lost_history() {
    let Some(database) = Database::new().await else { return };
    database.run(&format!("{TABLE}; create table public.u (id int primary key)")).await;
    let both = followed(&database, &["public.t", "public.u"]);
    let one = followed(&database, &["public.t"]);
    let mut reader = Reader::fresh(&both).await;
    database.run("insert into public.u values (1)").await;
    assert_eq!(reader.shown().await, "+u 1");
    // The last transaction that we have is of the table that goes.
    let mut reader = reader.again(&one).await;
    database.run("insert into public.u values (2); insert into public.t values (3, 'a')").await;
    assert_eq!(reader.shown().await, "+t 3,a");
    assert_eq!(database.one("select count(*) from pg_publication_rel").await, "1");
    let resume = reader.resume.clone();
    drop(reader);
    let (why, is_same, now) = lost(&both, &resume).await;
    assert!(is_same && why.contains("public.u: the table was not followed"), "{why}");
    let mut reader = Reader::resumed(&both, &now).await;
    database.run("insert into public.u values (4)").await;
    assert_eq!(reader.shown().await, "+u 4");
}
