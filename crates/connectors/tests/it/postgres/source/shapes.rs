//! Tables that change their shape while they are followed, and while they are not.

use super::super::rig::Database;
use super::rig::{Reader, blind, followed, followed_within, lost, missed, server, table};
use model::{Change, Kind, Op};
use std::collections::BTreeSet;

const TABLE: &str = "create table public.t (id int primary key, v text)";

/// The names of a change's columns.
fn columns(change: &Change) -> String {
    change.table.columns.iter().map(|it| &*it.name).collect::<Vec<_>>().join(",")
}

/// Changes of the table's shape, with a row after each.
const SHAPES: [(&str, &str); 7] = [
    ("alter table public.t add n int default 7", "id,v,n"),
    ("alter table public.t rename v to w", "id,w,n"),
    ("alter table public.t alter n type bigint", "id,w,n"),
    ("alter table public.t rename w to x", "id,x,n"),
    ("alter table public.t drop x", "id,n"),
    ("alter table public.t add v text", "id,n,v"),
    (
        "alter table public.t rename v to swap; alter table public.t rename n to v; alter table public.t rename swap to n",
        "id,v,n",
    ),
];

/// PC9, decision 15: one transaction each.
#[tokio::test]
async fn each_row_comes_in_the_shape_that_the_table_had_then() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    database.run("insert into public.t values (0)").await;
    let mut versions = BTreeSet::new();
    let first = reader.changes().await.remove(0);
    versions.insert(first.table.version);
    for (id, (statements, expected)) in SHAPES.into_iter().enumerate() {
        database.run(&format!("{statements}; insert into public.t (id) values ({})", id + 1)).await;
        let change = reader.changes().await.remove(0);
        assert_eq!(columns(&change), expected);
        assert!(versions.insert(change.table.version), "{statements}: a version of its own");
    }
    let last = reader.changes();
    database.run("update public.t set n = 'x' where id = 7").await;
    let Op::Update { row, .. } = &last.await[0].op else { panic!("an update") };
    assert_eq!(row.0.len(), 3);
}

/// PC9: what the catalog says is ahead of what is read.
#[tokio::test]
async fn rows_of_before_a_change_of_the_shape_come_as_they_were_when_it_was_made_while_we_were_away()
 {
    let Some((database, reader)) = table(TABLE).await else { return };
    let service = followed(&database, &["public.t"]);
    let resume = reader.resume.clone();
    drop(reader);
    database.run("insert into public.t values (0, 'a')").await;
    for (id, (statements, _)) in SHAPES.into_iter().enumerate() {
        database.run(&format!("{statements}; insert into public.t (id) values ({})", id + 1)).await;
    }
    let mut reader = Reader::resumed(&service, &resume).await;
    let mut versions = BTreeSet::new();
    for expected in std::iter::once("id,v").chain(SHAPES.map(|(_, expected)| expected)) {
        let change = reader.changes().await.remove(0);
        assert_eq!(columns(&change), expected);
        assert!(versions.insert(change.table.version), "{expected}: a version of its own");
    }
    // From then on it is what the catalog says.
    database.run("insert into public.t values (100, 5, 'x')").await;
    let change = reader.changes().await.remove(0);
    assert_eq!(change.table.columns[1].kind, Kind::Int);
    assert_eq!(&*change.table.columns[1].declared, "bigint");
}

/// PC9: several changes of the shape in one transaction, which comes while it is open.
#[tokio::test]
async fn a_transaction_may_change_the_shape_between_its_own_rows() {
    let Some(server) = server(&["logical_decoding_work_mem = 64kB"]) else { return };
    for rows in [1, 3_000] {
        let database = Database::of(&server).await.expect("a database");
        database.run(TABLE).await;
        let service = followed(&database, &["public.t"]);
        let mut reader = Reader::fresh(&service).await;
        let other = database.another().await;
        let fill = |from: usize, n: &str| {
            let to = from + rows - 1;
            format!("insert into public.t select i{n} from generate_series({from}, {to}) i")
        };
        let statements = format!(
            "begin; {}; alter table public.t add n int; {}; alter table public.t drop v; {}; savepoint a;
             alter table public.t add gone bigint; {}; rollback to a; {}",
            fill(1, ", 'x'"),
            fill(10_000, ", 'x', 1"),
            fill(20_000, ", 2"),
            fill(30_000, ", 3, 3"),
            fill(40_000, ", 4")
        );
        other.query(&statements).await.unwrap();
        database.run("select pg_logical_emit_message(true, 'other', '')").await;
        reader.catch_up(&database).await;
        assert_eq!(reader.open.len(), usize::from(rows > 1), "it came while it was open");
        other.query("commit").await.unwrap();
        let changes = reader.changes().await;
        let shapes: Vec<_> =
            changes.iter().step_by(rows).map(|it| (columns(it), it.table.version)).collect();
        let names: Vec<_> = shapes.iter().map(|(names, _)| names.as_str()).collect();
        assert_eq!(names, ["id,v", "id,v,n", "id,n", "id,n"]);
        assert_eq!(changes.len(), rows * 4);
        // What comes then is as the catalog has it, not as it was guessed.
        database.run("insert into public.t values (0, 0)").await;
        let change = reader.changes().await.remove(0);
        assert_eq!(
            (columns(&change), &*change.table.columns[1].declared),
            ("id,n".into(), "integer")
        );
        let mut again = reader.again(&service).await;
        database.run("insert into public.t values (100000, 0)").await;
        assert_eq!(again.changes().await[0].table, change.table);
    }
}

/// PC11.
#[tokio::test]
async fn new_types_and_new_labels_are_good_at_once() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    database
        .run(
            "create type public.mood as enum ('sad'); create domain public.age as int;
             alter table public.t add mood public.mood, add age public.age;
             insert into public.t values (1, 'a', 'sad', 7)",
        )
        .await;
    assert_eq!(reader.shown().await, "+t 1,a,sad,7");
    database.run("alter type public.mood add value 'fine'").await;
    database.run("insert into public.t values (2, 'b', 'fine', 8)").await;
    assert_eq!(reader.shown().await, "+t 2,b,fine,8");
    reader.equals(&database, "public.t").await;
}

/// PC4: which rows were meant is said by another key from then on.
#[tokio::test]
async fn another_key_is_taken_from_where_the_table_has_it() {
    let made = "create table public.t (id int primary key, n int not null);
        create unique index by_n on public.t (n)";
    let Some((database, mut reader)) = table(made).await else { return };
    database
        .run("insert into public.t values (1, 10), (2, 20); delete from public.t where id = 1")
        .await;
    assert_eq!(reader.shown().await, "+t 1,10; +t 2,20; -t 1");
    database
        .run("alter table public.t replica identity using index by_n; delete from public.t")
        .await;
    assert_eq!(reader.shown().await, "-t 20");
    // What is said of the rows of before is not what would tell them apart now.
    let (service, resume) = (followed(&database, &["public.t"]), reader.resume.clone());
    drop(reader);
    database
        .each(
            "insert into public.t values (3, 30); delete from public.t;
             alter table public.t replica identity default",
        )
        .await;
    let mut reader = Reader::resumed(&service, &resume).await;
    let why = reader.gap().await;
    assert!(why.contains("key"), "{why}");
    let (_, mut reader) = missed(&service, reader).await;
    database.each("insert into public.t values (4, 40); delete from public.t").await;
    assert_eq!(reader.shown().await, "+t 4,40");
    assert_eq!(reader.shown().await, "-t 4");
}

/// PC9: the key's column has another name.
#[tokio::test]
async fn a_column_of_the_key_may_be_renamed() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    database.run("insert into public.t values (1, 'a')").await;
    database.each("alter table public.t rename id to number; update public.t set v = 'b'").await;
    assert_eq!(reader.shown().await, "+t 1,a");
    assert_eq!(reader.shown().await, "~t 1 > 1,b");
    reader.equals(&database, "public.t").await;
    let (service, resume) = (followed(&database, &["public.t"]), reader.resume.clone());
    drop(reader);
    database
        .run("insert into public.t values (2, 'c'); alter table public.t rename number to id")
        .await;
    let mut reader = Reader::resumed(&service, &resume).await;
    reader.gap().await;
    let (_, mut reader) = missed(&service, reader).await;
    database.run("insert into public.t values (3, 'd')").await;
    assert_eq!(reader.shown().await, "+t 3,d");
}

/// PC10.
#[tokio::test]
async fn a_table_that_is_made_anew_is_lost_history_while_we_look_and_while_we_are_away() {
    let anew = format!("drop table public.t; {TABLE}; insert into public.t values (7, 'new')");
    let Some((database, mut reader)) = table(TABLE).await else { return };
    let service = followed(&database, &["public.t"]);
    database.run("insert into public.t values (1, 'old')").await;
    assert_eq!(reader.shown().await, "+t 1,old");
    database.run(&anew).await;
    reader.gap().await;
    let (why, reader) = missed(&service, reader).await;
    assert!(why.contains("public.t: the table was made anew"), "{why}");
    let resume = reader.resume.clone();
    drop(reader);
    database.run(&anew).await;
    let (why, is_same, now) = lost(&service, &resume).await;
    assert!(is_same && why.contains("public.t: the table was made anew"), "{why}");
    let mut reader = Reader::resumed(&service, &now).await;
    database.run("insert into public.t values (8, 'after')").await;
    assert_eq!(reader.shown().await, "+t 8,after");
}

/// PC10.
#[tokio::test]
async fn a_table_put_in_the_place_of_another_is_lost_history() {
    let Some((database, mut reader)) = table(TABLE).await else { return };
    let service = followed(&database, &["public.t"]);
    database
        .run(
            "create table public.new (like public.t including all); insert into public.new values (1, 'x');
             begin; alter table public.t rename to old; alter table public.new rename to t; commit",
        )
        .await;
    reader.gap().await;
    let (why, mut reader) = missed(&service, reader).await;
    assert!(why.contains("made anew"), "{why}");
    database
        .run("insert into public.old values (2, 'old'); insert into public.t values (3, 'y')")
        .await;
    assert_eq!(reader.shown().await, "+t 3,y");
}

/// PC10: nobody looks while it has the other name.
#[tokio::test]
async fn a_table_stays_the_same_under_another_name() {
    let Some(database) = Database::new().await else { return };
    database.run(&format!("{TABLE}; create schema other")).await;
    let service = followed_within(&database, &["public.t"], blind());
    let mut reader = Reader::fresh(&service).await;
    database
        .each(
            "insert into public.t values (1, 'a'); alter table public.t rename to u;
             insert into public.u values (2, 'b'); alter table public.u set schema other;
             insert into other.u values (3, 'c'); alter table other.u rename to t;
             alter table other.t set schema public; insert into public.t values (4, 'd')",
        )
        .await;
    for shown in ["+t 1,a", "+t 2,b", "+t 3,c", "+t 4,d"] {
        assert_eq!(reader.shown().await, shown);
    }
    let resume = reader.resume.clone();
    drop(reader);
    database
        .each(
            "alter table public.t rename to u; insert into public.u values (5, 'e');
             alter table public.u rename to t",
        )
        .await;
    let mut reader = Reader::resumed(&service, &resume).await;
    assert_eq!(reader.shown().await, "+t 5,e");
}
