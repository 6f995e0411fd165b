//! Rows read back from a real server, whole and as they are, and what must not be taken for them.

use super::asking::{open, paged, read, table};
use super::rig::{Database, PATIENCE, until};
use instep_connectors::postgres::{PostgresRows, Session};
use model::{At, Code, Selection, Service, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::conformance::inspect;
use testkit::conformance::rows::table as suite_table;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_keeps_the_promises_of_inspection() {
    if testkit::postgres::shared().is_none() {
        return;
    }
    inspect::suite(async || {
        let database = Database::new().await.expect("a database");
        database
            .run("create table public.questions (id bigint primary key, topic bigint, body text)")
            .await;
        for row in inspect::filled() {
            let cells = row.0.iter().map(|cell| match cell {
                model::Cell::Value(Value::Int(int)) => int.to_string(),
                model::Cell::Value(Value::Text(text)) => format!("'{text}'"),
                other => panic!("not in these rows: {other:?}"),
            });
            let cells = cells.collect::<Vec<_>>().join(", ");
            database.run(&format!("insert into public.questions values ({cells})")).await;
        }
        let service = Arc::new(PostgresRows::new(database.access.clone()));
        inspect::Subject { service, table: suite_table("public.questions"), is_source: true }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_with_its_partitions_and_without_its_heirs() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.p (id int primary key) partition by range (id);
             create table public.p1 partition of public.p for values from (0) to (5);
             create table public.p2 partition of public.p default;
             insert into public.p select generate_series(1, 9);
             create table public.t (id int primary key);
             create table public.heir () inherits (public.t);
             insert into public.t values (1); insert into public.heir values (1), (2)",
        )
        .await;
    let mut rows = open(&database).await;
    for (name, count) in [("public.p", 9), ("public.t", 1)] {
        let table = table(&mut rows, name).await;
        assert_eq!(paged(&mut rows, &table, 4).await.len(), count, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_hides_rows_is_an_error_and_not_rows_that_are_gone() {
    let Some(database) = Database::new().await else { return };
    let role = format!("reader_of_{}", database.name);
    let made = format!(
        "create role {role} login; create table public.t (id int primary key);
         insert into public.t values (1), (2); grant select on public.t to {role};
         alter table public.t enable row level security;
         create policy p on public.t using (id = 1)"
    );
    database.run(&made).await;
    let mut access = database.access.clone();
    access.user = role.clone();
    let mut rows = PostgresRows::new(access).connect().await.unwrap();
    let table = table(&mut rows, "public.t").await;
    let fault = read(&mut rows, &table, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::PostgresPrivilege, "{fault}");
    assert!(fault.what.contains("row-level security"), "{fault}");
    database.run(&format!("alter role {role} bypassrls")).await;
    assert_eq!(paged(&mut rows, &table, 9).await.len(), 2);
    database.run(&format!("revoke select on public.t from {role}")).await;
    let fault = read(&mut rows, &table, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::PostgresPrivilege, "{fault}");
    database.run(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_is_not_read_as_what_it_was() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text, w text);
             insert into public.t select n, 'v', 'w' from generate_series(1, 50) n",
        )
        .await;
    let mut rows = open(&database).await;
    let before = table(&mut rows, "public.t").await;
    database.run("alter table public.t drop w, add x int").await;
    let fault = read(&mut rows, &before, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::SourceUnavailable, "{fault}");
    let now = table(&mut rows, "public.t").await;
    assert!(now.version > before.version);
    assert_eq!(paged(&mut rows, &now, 20).await.len(), 50);

    // What rewrites a table leaves it empty for snapshots that are older.
    let other = Session::connect(&database.access).await.unwrap();
    other.query("begin; alter table public.t alter id type bigint").await.unwrap();
    let reading = tokio::spawn(async move { paged(&mut rows, &now, 100).await });
    until("the reader waits for its lock", async || {
        let waits = "select count(*) from pg_locks where not granted
            and relation = 'public.t'::regclass";
        other.query(waits).await.unwrap()[0][0].as_deref() == Some("1")
    })
    .await;
    other.query("commit").await.unwrap();
    assert_eq!(reading.await.unwrap().len(), 50);

    let mut rows = open(&database).await;
    let last = table(&mut rows, "public.t").await;
    database.run("drop table public.t").await;
    let fault = read(&mut rows, &last, &Selection::ALL, 9).await.unwrap_err();
    assert_eq!(fault.code, Code::TableMissing, "{fault}");
    assert_eq!(rows.table(&"public.t".into()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_takes_no_more_memory_than_it_may() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text);
             alter table public.t alter v set storage external;
             insert into public.t select n, repeat('x', 300000) from generate_series(1, 40) n",
        )
        .await;
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let (mut after, mut ids) = (None, BTreeSet::new());
    loop {
        let selection = Selection::Range { after: after.clone(), upto: None };
        let found = read(&mut rows, &table, &selection, 1_000).await.unwrap().found;
        let bytes: usize = found.rows.iter().map(|(_, row, _)| row.bytes()).sum();
        assert!(bytes < 3 << 20, "{bytes}");
        ids.extend(found.rows.into_iter().map(|(key, ..)| key));
        match found.upto {
            Some(upto) => after = Some(upto),
            None => break,
        }
    }
    assert_eq!(ids.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_dropped_half_way_leaves_nothing_behind() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text);
             insert into public.t select n, repeat('x', 100) from generate_series(1, 20000) n",
        )
        .await;
    let mut rows = open(&database).await;
    let table = table(&mut rows, "public.t").await;
    let all = paged(&mut rows, &table, 10_000).await;
    assert_eq!(all.len(), 20_000);
    // Dropped at its first, second, … time to wait: in each statement, and between them. How
    // often it waits is up to the server, which may have answered before it was asked again.
    let mut dropped = 0;
    for waits in (1..60).cycle().take(600) {
        let answer = rows.rows(&table, &Selection::ALL, 100);
        let mut answer = std::pin::pin!(answer);
        let mut left = waits;
        let polled = std::future::poll_fn(|context| {
            left -= 1;
            match answer.as_mut().poll(context) {
                std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                other => std::task::Poll::Ready(other.is_ready()),
            }
        });
        let is_whole = timeout(PATIENCE, polled).await.expect("it moves on");
        dropped += u32::from(!is_whole);
        if dropped == 30 {
            break;
        }
    }
    assert_eq!(dropped, 30, "an answer waits for its server");
    let found = read(&mut rows, &table, &Selection::ALL, 100).await.unwrap().found;
    assert_eq!(found.rows.iter().map(|(key, ..)| key).collect::<Vec<_>>(), {
        all.iter().take(100).collect::<Vec<_>>()
    });
    until("the server has ended what was given up", async || {
        let left = "select count(*) from pg_stat_activity where datname = current_database()
            and state <> 'idle' and pid <> pg_backend_pid()";
        database.one(left).await == "0"
    })
    .await;
    assert!(matches!(
        read(&mut rows, &table, &Selection::Nothing, 0).await.unwrap().at,
        At::Source(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_about_how_many_rows_a_table_has() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key) with (autovacuum_enabled = off);
             create table public.p (id int primary key) partition by range (id);
             create table public.p1 partition of public.p for values from (0) to (300)
                 with (autovacuum_enabled = off);
             create table public.p2 partition of public.p default with (autovacuum_enabled = off)",
        )
        .await;
    let mut rows = open(&database).await;
    let (t, p) = (table(&mut rows, "public.t").await, table(&mut rows, "public.p").await);
    assert_eq!(rows.estimate(&t).await.unwrap(), Some(0), "it takes no room");
    database.run("insert into public.t select generate_series(1, 1000)").await;
    assert_eq!(rows.estimate(&t).await.unwrap(), None, "nobody has looked");
    database.run("insert into public.p select generate_series(1, 1000)").await;
    database.run("analyze public.t, public.p").await;
    assert_eq!(rows.estimate(&t).await.unwrap(), Some(1_000));
    assert_eq!(rows.estimate(&p).await.unwrap(), Some(1_000));
    database.run("insert into public.t select generate_series(1001, 10000)").await;
    let grown = rows.estimate(&t).await.unwrap().unwrap();
    assert!((8_000..12_000).contains(&grown), "{grown}");
}

/// Every way to look at it in another way, seen at once by a connection that knows the table.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_described_as_it_is_however_often_it_was_before() {
    let Some(database) = Database::new().await else { return };
    database
        .run("create table public.t (id int primary key, b int not null, v varchar(5), w text)")
        .await;
    let mut rows = open(&database).await;
    for statements in [
        "alter table public.t alter v type varchar(9)",
        "alter table public.t alter v type int using 1",
        "alter table public.t rename v to u",
        "alter table public.t add x int",
        "alter table public.t drop w",
        "alter table public.t alter u set not null",
        "alter table public.t drop constraint t_pkey, add primary key (b)",
        "create unique index i on public.t (id, b)",
        "alter table public.t replica identity using index i",
        "begin; alter table public.t add y int; alter table public.t alter y type text; commit",
        "alter table public.t rename to s; create table public.t (k text primary key)",
        "drop table public.t; alter table public.s rename to t",
        "truncate public.t",
        "vacuum full public.t",
    ] {
        let before = table(&mut rows, "public.t").await;
        assert_eq!(table(&mut rows, "public.t").await, before);
        database.run(statements).await;
        let found = table(&mut rows, "public.t").await;
        let anew = table(&mut open(&database).await, "public.t").await;
        assert_eq!(found, anew, "{statements}");
        let is_as_before = ["create unique", "truncate", "vacuum"];
        let is_as_before = is_as_before.iter().any(|begin| statements.starts_with(begin));
        assert_eq!(found == before, is_as_before, "{statements}");
    }
    database.run("alter table public.t replica identity nothing").await;
    assert_eq!(rows.table(&"public.t".into()).await.unwrap_err().code, Code::TableNoKey);
}
