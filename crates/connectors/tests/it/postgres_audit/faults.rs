//! Who may look, what is in the way, and what is left of a call that came to nothing.

use super::asks::{audit, between, everything, key, look};
use crate::postgres::rig::{Database, PATIENCE, until};
use instep_connectors::postgres::PostgresAudit;
use model::{Ask, Code, Fate, Selection, Service};
use std::time::Duration;
use tokio::time::timeout;

/// Somebody who may do no more than these statements let him.
async fn reader(database: &Database, granted: &str) -> Database {
    let role = format!("reader_of_{}", database.name);
    database.run(&format!("create role {role} login; {}", granted.replace("ROLE", &role))).await;
    let mut access = database.access.clone();
    access.user = role;
    let session = database.another().await;
    Database { name: database.name.clone(), access, session }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_read_what_is_asked_for_is_enough() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, a text, secret text);
             create table public.whole (id int primary key);
             insert into public.t values (1, 'x', 'y'); insert into public.whole values (1)",
        )
        .await;
    let reader = reader(
        &database,
        "grant select (id, a) on public.t to ROLE; grant select on public.whole to ROLE",
    )
    .await;
    let mut audit = audit(&reader).await;
    let looked = look(&mut audit, "public.t").await;
    let unreadable: Vec<_> = looked.columns.iter().map(|it| it.unreadable.is_some()).collect();
    assert_eq!(unreadable, [false, false, true]);
    let whole = everything(&mut audit, "public.t", &["id"]).await;
    let ask = Ask { columns: whole.columns[..1].to_vec(), ..whole.clone() };
    audit.admit(&ask).await.unwrap();
    assert_eq!(audit.cut(&ask, None, 1).await.unwrap(), Some(key([1])));
    assert_eq!(audit.sum(&ask, &Selection::ALL).await.unwrap().rows, 1);
    assert_eq!(audit.marks(&ask, &Selection::ALL, 9).await.unwrap().found.len(), 1);
    assert_eq!(audit.rows(&ask, &Selection::ALL, 9).await.unwrap().found.len(), 1);
    assert_eq!(audit.find(&ask, &[key([1])]).await.unwrap()[&key([1])].version, 0);
    assert_eq!(audit.flaw(&ask, &Selection::ALL).await.unwrap(), None);
    let fault = audit.admit(&whole).await.unwrap_err();
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::PostgresPrivilege), "{fault}");
    let ask = everything(&mut audit, "public.whole", &["id"]).await;
    assert_ne!(audit.find(&ask, &[key([1])]).await.unwrap()[&key([1])].version, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_hides_rows_is_an_error_and_not_rows_that_are_gone() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key); insert into public.t values (1), (2);
             alter table public.t enable row level security;
             create policy p on public.t using (id = 1)",
        )
        .await;
    let reader = reader(&database, "grant select on public.t to ROLE").await;
    let mut audit = audit(&reader).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    for fault in [
        audit.admit(&ask).await.unwrap_err(),
        audit.sum(&ask, &Selection::ALL).await.unwrap_err(),
        audit.find(&ask, &[key([2])]).await.unwrap_err(),
    ] {
        assert_eq!(fault.code, Code::PostgresPrivilege, "{fault}");
        assert!(fault.what.contains("row-level security"), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_let_in_is_told_why() {
    let Some(database) = Database::new().await else { return };
    let mut access = database.access.clone();
    access.database = "nowhere".to_owned();
    let fault = PostgresAudit::new(access).connect().await.err().unwrap();
    assert_eq!(fault.code, Code::PostgresLogin, "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_or_cut_off_leaves_nothing_and_the_next_connects_again() {
    let Some(database) = Database::new().await else { return };
    database
        .run("create table public.t (id int primary key); insert into public.t values (1)")
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let slow = Ask { condition: Some("pg_sleep(600) is null".into()), ..ask.clone() };
    let sleeping = "select count(*) from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and query like '%pg_sleep(600)%' and state = 'active'";
    let given_up = timeout(Duration::from_secs(1), audit.sum(&slow, &Selection::ALL)).await;
    assert!(given_up.is_err());
    assert_eq!(audit.sum(&ask, &Selection::ALL).await.unwrap().rows, 1);
    until("nothing of it is left", async || {
        database.run(&sleeping.replace("count(*)", "pg_terminate_backend(pid)")).await;
        database.one(sleeping).await == "0"
    })
    .await;
    let others = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    database.run(others).await;
    let again = async {
        // It may not have heard yet that its connection is gone.
        loop {
            match audit.sum(&ask, &Selection::ALL).await {
                Ok(sum) => break sum,
                Err(fault) => assert_eq!(fault.fate, Fate::Retry, "{fault}"),
            }
        }
    };
    assert_eq!(timeout(PATIENCE, again).await.unwrap().rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_open_and_nothing_is_left_behind() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, body text);
             insert into public.t select i, repeat('x', 200000) from generate_series(1, 60) i",
        )
        .await;
    let state =
        "select (select string_agg(c.oid || ' ' || c.xmin, ',' order by c.oid) from pg_class c)
        || (select string_agg(slot_name, ',') is null from pg_replication_slots
            where database = current_database())";
    let before = database.one(state).await;
    let written = database.one("select pg_current_xact_id()").await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let idle = "select count(*) from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and (state like 'idle in%' or backend_xid is not null)";
    for of in [Selection::ALL, between(Some(key([3])), None), Selection::Keys(vec![key([4])])] {
        audit.sum(&ask, &of).await.unwrap();
        audit.marks(&ask, &of, 5).await.unwrap();
        audit.rows(&ask, &of, 70).await.unwrap();
        audit.find(&ask, &[key([1])]).await.unwrap();
        assert_eq!(database.one(idle).await, "0");
    }
    assert_eq!(database.one(state).await, before);
    assert!(!written.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_not_waited_for_for_ever() {
    let Some(database) = Database::new().await else { return };
    database.run("create table public.t (id int primary key)").await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    database.run("begin; lock table public.t in access exclusive mode").await;
    let fault = timeout(PATIENCE, audit.sum(&ask, &Selection::ALL)).await.unwrap().unwrap_err();
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::SourceUnavailable), "{fault}");
    database.run("rollback").await;
    assert_eq!(audit.sum(&ask, &Selection::ALL).await.unwrap().rows, 0);
}
