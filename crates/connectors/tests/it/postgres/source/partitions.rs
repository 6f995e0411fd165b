//! Partitioned tables (PC8): rows of every partition are those of the root, and what moves rows
//! without a word in the stream is lost history.

use super::super::rig::Database;
use super::rig::{Reader, blind, followed, followed_within, limits, lost, missed};
use instep_connectors::postgres::SourceLimits;
use model::Code;
use std::time::Duration;
use tokio::time::sleep;

const TABLE: &str =
    "create table public.t (a int, b text, v text, primary key (a, b)) partition by range (a);
    create table public.low partition of public.t for values from (0) to (10);
    create table public.high partition of public.t for values from (10) to (100)
        partition by list (b);
    create table public.high_x partition of public.high for values in ('x');
    create table public.odd (v text, gone int, b text not null, a int not null, primary key (a, b));
    alter table public.odd drop gone;
    alter table public.high attach partition public.odd for values in ('y')";

async fn partitioned(limits: SourceLimits) -> Option<(Database, Reader)> {
    let database = Database::new().await?;
    database.run(TABLE).await;
    let reader = Reader::fresh(&followed_within(&database, &["public.t"], limits)).await;
    Some((database, reader))
}

#[tokio::test]
async fn rows_of_partitions_are_rows_of_the_root_wherever_they_move() {
    let Some((database, mut reader)) = partitioned(limits()).await else { return };
    database.run("insert into public.t values (1, 'x', 'p'), (11, 'x', 'q'), (12, 'y', 'r')").await;
    assert_eq!(reader.shown().await, "+t 1,x,p; +t 11,x,q; +t 12,y,r");
    database.run("update public.t set v = v || '!'").await;
    assert_eq!(reader.shown().await, "~t 1,x > 1,x,p!; ~t 11,x > 11,x,q!; ~t 12,y > 12,y,r!");
    database
        .each("update public.t set a = 13 where a = 1; update public.odd set a = 14 where a = 12")
        .await;
    assert_eq!(reader.shown().await, "-t 1,x; +t 13,x,p!");
    assert_eq!(reader.shown().await, "~t 12,y > 14,y,r!");
    database
        .each(
            "update public.t set b = 'y' where a = 13; insert into public.low values (2, 'l', 's')",
        )
        .await;
    assert_eq!(reader.shown().await, "-t 13,x; +t 13,y,p!");
    assert_eq!(reader.shown().await, "+t 2,l,s");
    database
        .each("alter table public.odd replica identity full; delete from public.t where a = 13")
        .await;
    assert_eq!(reader.shown().await, "-t 13,y");
    reader.equals(&database, "public.t").await;
    let mut reader = reader.again(&followed(&database, &["public.t"])).await;
    database.run("delete from public.t").await;
    reader.equals(&database, "public.t").await;
}

#[tokio::test]
async fn a_new_partition_is_no_gap_and_its_rows_come() {
    let Some((database, mut reader)) = partitioned(limits()).await else { return };
    let service = followed(&database, &["public.t"]);
    let noted = reader.resume.place.witness.clone();
    database
        .run(
            "create table public.more partition of public.t for values from (100) to (200);
             insert into public.t values (100, 'x', 'p')",
        )
        .await;
    assert_eq!(reader.shown().await, "+t 100,x,p");
    while reader.resume.place.witness == noted {
        reader.step().await.unwrap();
    }
    database.run("create table public.most partition of public.t default").await;
    let mut reader = reader.again(&service).await;
    database.run("insert into public.t values (1000, 'x', 'q')").await;
    assert_eq!(reader.shown().await, "+t 1000,x,q");
    reader.equals(&database, "public.t").await;
}

/// What moves rows of which the stream says nothing.
const MOVES: [&str; 6] = [
    "truncate public.low",
    "alter table public.t detach partition public.low",
    "drop table public.high_x",
    "create table public.came (a int, b text, v text, primary key (a, b)); insert into public.came values (200, '');
     alter table public.t attach partition public.came for values from (200) to (300)",
    "alter table public.t detach partition public.low; insert into public.low values (3, 'z', 'z');
     alter table public.t attach partition public.low for values from (0) to (10)",
    "alter table public.high detach partition public.odd; insert into public.odd (a, b) values (13, 'y');
     alter table public.high attach partition public.odd for values in ('y')",
];

#[tokio::test]
async fn what_moves_rows_without_a_word_is_lost_history_while_we_look_and_while_we_are_away() {
    for moves in MOVES {
        let Some((database, mut reader)) = partitioned(limits()).await else { return };
        let service = followed(&database, &["public.t"]);
        database.run("insert into public.t values (1, 'x', 'p'), (11, 'x', 'q')").await;
        reader.shown().await;
        database.run(moves).await;
        reader.gap().await;
        let (_, mut reader) = missed(&service, reader).await;
        database.run("insert into public.t values (12, 'y', 'r')").await;
        assert_eq!(reader.shown().await, "+t 12,y,r", "{moves}");

        let Some((database, reader)) = partitioned(blind()).await else { return };
        let service = followed(&database, &["public.t"]);
        let resume = reader.resume.clone();
        drop(reader);
        database.run(moves).await;
        let (why, is_same, _) = lost(&service, &resume).await;
        assert!(is_same && why.contains("public.t: "), "{moves}: {why}");
    }
}

#[tokio::test]
async fn a_truncate_of_the_root_comes_and_one_of_a_partition_behind_it_is_lost_history() {
    let Some((database, mut reader)) = partitioned(limits()).await else { return };
    database.run("insert into public.t values (1, 'x', 'p'), (11, 'x', 'q')").await;
    assert_eq!(reader.shown().await, "+t 1,x,p; +t 11,x,q");
    let noted = reader.resume.place.witness.clone();
    database
        .run("begin; truncate public.t; insert into public.t values (2, 'x', 'r'); commit")
        .await;
    // However long the stream takes to say so.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(reader.shown().await, "!t; +t 2,x,r");
    reader.equals(&database, "public.t").await;
    while reader.resume.place.witness == noted {
        reader.step().await.unwrap();
    }
    let service = followed(&database, &["public.t"]);
    let mut reader = reader.again(&service).await;
    database.run("truncate public.low").await;
    reader.gap().await;
    let (why, _) = missed(&service, reader).await;
    assert!(why.contains("emptied"), "{why}");
}

#[tokio::test]
async fn a_partition_whose_rows_cannot_be_told_apart_is_refused() {
    let Some((database, reader)) = partitioned(limits()).await else { return };
    let (service, resume) = (followed(&database, &["public.t"]), reader.resume.clone());
    drop(reader);
    database.run("alter table public.odd replica identity nothing").await;
    let fault = super::rig::refused(&service, Some(&resume)).await;
    assert_eq!(fault.code, Code::TableNoKey, "{fault}");
    assert!(fault.what.contains("public.odd"), "{fault}");
}

/// Tables that inherit have rows and keys of their own: they are neither followed nor hindered.
#[tokio::test]
async fn a_table_that_others_inherit_from_is_followed_without_them() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, v text);
             create table public.below (w text) inherits (public.t)",
        )
        .await;
    let service = followed(&database, &["public.t"]);
    let mut reader = Reader::fresh(&service).await;
    // Without a key it could not be changed if it were published.
    database
        .run("insert into public.below values (1, 'a', 'b'); update public.t set v = 'c'")
        .await;
    database.run("insert into public.t values (2, 'd'); truncate public.below").await;
    assert_eq!(reader.shown().await, "+t 2,d");
    database.run("create table public.new () inherits (public.t)").await;
    let other = followed(&database, &["public.t", "public.u"]);
    database.run("create table public.u (id int primary key); create table public.v () inherits (public.u)").await;
    let mut reader = reader.again(&other).await;
    database.run("insert into public.v values (1); delete from public.v; insert into public.u values (3)").await;
    assert_eq!(reader.shown().await, "+u 3");
    reader.equals(&database, "public.t").await;
}
