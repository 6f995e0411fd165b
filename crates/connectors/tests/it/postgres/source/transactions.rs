//! Transactions: whole, in the order of their commits, and only those that were committed.

use super::super::rig::Database;
use super::rig::{Came, Reader, followed, followed_within, limits, server, table};
use instep_connectors::postgres::SourceLimits;

const TABLE: &str = "create table public.t (id int primary key, v text)";

/// PC23.
#[tokio::test]
async fn transactions_come_in_the_order_of_their_commits() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    let first = database.another().await;
    first.query("begin; insert into public.t values (1, 'began first')").await.unwrap();
    let second = database.another().await;
    second.query("begin; insert into public.t values (2, 'began second')").await.unwrap();
    database.run("insert into public.t values (3, 'at once')").await;
    second.query("commit").await.unwrap();
    first.query("insert into public.t values (4, 'late'); commit").await.unwrap();
    assert_eq!(reader.shown().await, "+t 3,at once");
    assert_eq!(reader.shown().await, "+t 2,began second");
    assert_eq!(reader.shown().await, "+t 1,began first; +t 4,late");
}

#[tokio::test]
async fn what_is_rolled_back_to_a_savepoint_never_comes() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    database
        .run(
            "begin; insert into public.t values (1, 'a'); savepoint one; insert into public.t values (2, 'b');
             savepoint two; insert into public.t values (3, 'c'); rollback to two;
             insert into public.t values (4, 'd'); release one; insert into public.t values (5, 'e');
             savepoint three; delete from public.t; rollback to three; commit",
        )
        .await;
    assert_eq!(reader.shown().await, "+t 1,a; +t 2,b; +t 4,d; +t 5,e");
    reader.equals(&database, "public.t").await;
}

/// PC18, PS2, P10: large transactions come while they are open, and take no more memory than a part.
#[tokio::test]
async fn large_transactions_come_in_parts_while_they_are_open() {
    let Some(server) = server(&["logical_decoding_work_mem = 64kB"]) else { return };
    let database = Database::of(&server).await.expect("a database");
    database.run(TABLE).await;
    let limits = SourceLimits { part_bytes_max: 8 << 10, ..limits() };
    let service = followed_within(&database, &["public.t"], limits.clone());
    let mut reader = Reader::fresh(&service).await;
    let fill = |from: u32, to: u32| {
        format!(
            "insert into public.t select i, repeat('x', 100) from generate_series({from}, {to}) i"
        )
    };
    let kept = database.another().await;
    kept.query(&format!("begin; {}; savepoint a; {}", fill(1, 3_000), fill(10_000, 13_000)))
        .await
        .unwrap();
    let dropped = database.another().await;
    dropped.query(&format!("begin; {}", fill(20_000, 23_000))).await.unwrap();
    database.run("insert into public.t values (50000, 'small')").await;
    assert_eq!(reader.shown().await, "+t 50000,small");
    // It is idle now, and two transactions are open: what is confirmed forgets neither (PS2).
    while !matches!(reader.step().await.unwrap(), Came::Progress) {}
    reader.confirm();
    assert_eq!(reader.open.len(), 2, "both came in parts");
    kept.query(&format!("rollback to a; {}; savepoint b", fill(30_000, 31_000))).await.unwrap();
    kept.query(&format!("{}; rollback to b", fill(40_000, 42_000))).await.unwrap();
    dropped.query("rollback").await.unwrap();
    database.run("update public.t set v = 'small again' where id = 50000").await;
    assert_eq!(reader.shown().await, "~t 50000 > 50000,small again");
    reader.confirm();
    // Killed with the transaction half read: it comes again from its beginning.
    let mut reader = reader.again(&service).await;
    kept.query(&format!("{}; commit", fill(60_000, 60_100))).await.unwrap();
    assert_eq!(reader.changes().await.len(), 3_000 + 1_001 + 101);
    reader.equals(&database, "public.t").await;
    assert!(reader.largest <= limits.part_bytes_max, "{}", reader.largest);
    assert!(reader.aborts > 0 && reader.open.is_empty(), "{}", reader.aborts);

    // Without a confirmation it comes again, whole, and is dropped again.
    let before = reader.copies.clone();
    let mut reader = reader.again(&service).await;
    reader.equals(&database, "public.t").await;
    assert_eq!(reader.copies, before);
}

/// PC19.
#[tokio::test]
async fn a_prepared_transaction_comes_when_it_is_committed_and_not_before() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    database
        .run("begin; insert into public.t values (1, 'kept'); prepare transaction 'kept_a'")
        .await;
    database
        .run("begin; insert into public.t values (2, 'not'); prepare transaction 'not_a'")
        .await;
    database.run("insert into public.t values (3, 'between')").await;
    assert_eq!(reader.shown().await, "+t 3,between");
    reader.catch_up(&database).await;
    reader.confirm();
    let service = followed(&database, &["public.t"]);
    let mut reader = reader.again(&service).await;
    database.run("rollback prepared 'not_a'").await;
    database.run("commit prepared 'kept_a'").await;
    assert_eq!(reader.shown().await, "+t 1,kept");
    reader.equals(&database, "public.t").await;
}

/// PC7.
#[tokio::test]
async fn a_truncate_stands_where_it_was_done() {
    let made = "create table public.t (id serial primary key, v text);
        create table public.u (id int primary key references public.t);
        create table public.other (id int primary key references public.u)";
    let Some(database) = Database::new().await else { return };
    database.run(made).await;
    let mut reader = Reader::fresh(&followed(&database, &["public.t", "public.u"])).await;
    database
        .run(
            "begin; insert into public.t (v) values ('a'); insert into public.u values (1);
             truncate public.t, public.u restart identity cascade;
             insert into public.t (v) values ('b'); commit",
        )
        .await;
    let shown = reader.shown().await;
    assert!(
        ["+t 1,a; +u 1; !t; !u; +t 1,b", "+t 1,a; +u 1; !u; !t; +t 1,b"].contains(&&*shown),
        "{shown}"
    );
    database.run("truncate public.t cascade").await;
    let shown = reader.shown().await;
    assert!(["!t; !u", "!u; !t"].contains(&&*shown), "{shown}");
    database.run("begin; insert into public.t values (7, 'c'); savepoint a; truncate public.t cascade; rollback to a; commit").await;
    assert_eq!(reader.shown().await, "+t 7,c");
    reader.equals(&database, "public.t").await;
    reader.equals(&database, "public.u").await;
}

/// PS4.
#[tokio::test]
async fn messages_of_others_and_transactions_without_our_tables_are_progress() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    database.run("create table public.other (id int primary key)").await;
    let before = reader.resume.place.position.clone();
    database.run("insert into public.other values (1)").await;
    reader.catch_up(&database).await;
    assert!(reader.resume.place.position > before && reader.resume.last.is_none());
    database
        .run(
            "select pg_logical_emit_message(false, 'other', 'now');
             begin; select pg_logical_emit_message(true, 'other', 'a');
             insert into public.t values (1, 'x'); select pg_logical_emit_message(false, 'other', 'b');
             select pg_logical_emit_message(true, 'other', 'c'); insert into public.t values (2, 'y'); commit",
        )
        .await;
    assert_eq!(reader.shown().await, "+t 1,x; +t 2,y");
    reader.confirm();
    let mut reader = reader.again(&followed(&database, &["public.t"])).await;
    database.run("insert into public.t values (3, 'z')").await;
    assert_eq!(reader.shown().await, "+t 3,z");
    reader.equals(&database, "public.t").await;
}
