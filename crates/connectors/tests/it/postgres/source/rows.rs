//! What the stream says of rows, and what becomes of it.

use super::super::rig::Database;
use super::super::types::{MADE, SAMPLES};
use super::rig::{Reader, followed, table};

/// A table with a large value that is kept beside the row.
const LARGE: &str = "create table public.t (id int primary key, n int, large text);
    alter table public.t alter large set storage external";

const FILL: &str = "insert into public.t values (1, 1, repeat('x', 20000))";

/// PC1, PC2, PC3, PC4: under each identity.
#[tokio::test]
async fn a_large_value_that_stays_is_unchanged_and_nothing_else_is() {
    for (identity, shown) in [
        ("default", "~t 1 > 1,2,-; ~t 1 > 1,null,-; ~t 1 > 3,null,-; ~t 3 > 3,null,-; -t 3"),
        ("using index by_n", "~t 1 > 1,2,-; ~t 2 > 1,7,-; ~t 7 > 3,7,-; ~t 7 > 3,7,-; -t 7"),
        (
            "full",
            "~t 1 > 1,2,xxxx…20000; ~t 1 > 1,null,xxxx…20000; ~t 1 > 3,null,xxxx…20000; \
             ~t 3 > 3,null,xxxx…20000; -t 3",
        ),
    ] {
        let index = if identity.contains("index") {
            "alter table public.t alter n set not null; create unique index by_n on public.t (n);"
        } else {
            ""
        };
        let made = format!("{LARGE}; {index} alter table public.t replica identity {identity}");
        let Some((database, mut reader)) = table(&made).await else { return };
        database.run(FILL).await;
        assert_eq!(reader.shown().await, "+t 1,1,xxxx…20000");
        let second = if index.is_empty() { "null" } else { "7" };
        database
            .run(&format!(
                "begin; update public.t set n = 2; update public.t set n = {second};
                 update public.t set id = 3; update public.t set large = large;
                 delete from public.t; commit"
            ))
            .await;
        assert_eq!(reader.shown().await, shown, "{identity}");
        reader.equals(&database, "public.t").await;
    }
}

/// PC4: without a primary key.
#[tokio::test]
async fn rows_without_a_primary_key_are_known_by_a_unique_index_where_they_come_whole() {
    let made = "create table public.t (a int not null unique, b text);
        alter table public.t replica identity full";
    let Some((database, mut reader)) = table(made).await else { return };
    database
        .run(
            "begin; insert into public.t values (1, null), (2, 'y'); update public.t set b = 'z' where a = 1;
             update public.t set a = 5 where a = 2; delete from public.t where a = 1; commit",
        )
        .await;
    let shown = "+t 1,null; +t 2,y; ~t 1 > 1,z; ~t 2 > 5,y; -t 1";
    assert_eq!(reader.shown().await, shown);
    reader.equals(&database, "public.t").await;
}

/// PC5, PC6.
#[tokio::test]
async fn a_change_of_one_column_of_a_key_carries_both_keys_and_what_stays_is_unchanged() {
    let made = "create table public.t (a int, large text, b text, primary key (b, a));
        alter table public.t alter large set storage external";
    let Some((database, mut reader)) = table(made).await else { return };
    database.run("insert into public.t values (1, repeat('x', 20000), 'k')").await;
    database.run("update public.t set a = 2").await;
    database.run("begin; update public.t set b = 'l'; update public.t set a = 3; commit").await;
    assert_eq!(reader.shown().await, "+t 1,xxxx…20000,k");
    assert_eq!(reader.shown().await, "~t k,1 > 2,-,k");
    assert_eq!(reader.shown().await, "~t k,2 > 2,-,l; ~t l,2 > 3,-,l");
    reader.equals(&database, "public.t").await;
}

/// PC1, PC5: the key itself is kept beside the row. An index takes so much only of what packs well.
#[tokio::test]
async fn a_key_that_is_large_comes_whole_when_it_stays_and_when_it_changes() {
    for identity in ["default", "full"] {
        let made = format!(
            "create table public.t (k text primary key, n int, large text);
             alter table public.t alter large set storage external;
             alter table public.t alter k set storage extended;
             alter table public.t replica identity {identity}"
        );
        let Some((database, mut reader)) = table(&made).await else { return };
        // Packed it is still too much for the row beside the other columns, and not for the index.
        let key = "(select string_agg(md5(i::text), '') from generate_series(1, 75) i)";
        database.run(&format!("insert into public.t values ({key}, 1, repeat('x', 9000))")).await;
        reader.changes().await;
        let kept = "select pg_column_size(k) from public.t";
        assert!(database.one(kept).await.parse::<u32>().unwrap() > 2_000);
        database.run("update public.t set n = 2").await;
        database.run("update public.t set k = 'y' || substr(k, 1, 2300), n = 3").await;
        database.run("update public.t set large = 'short'").await;
        for _ in 0..3 {
            reader.changes().await;
        }
        reader.equals(&database, "public.t").await;
        database.run("delete from public.t").await;
        reader.changes().await;
        reader.equals(&database, "public.t").await;
    }
}

/// PC3: what is not in the identity is not NULL.
#[tokio::test]
async fn nulls_come_as_nulls_and_generated_columns_not_at_all() {
    let made = "create table public.t (gone int, id int primary key, n int,
            twice int generated always as (n * 2) stored, s text);
        alter table public.t drop gone";
    let Some((database, mut reader)) = table(made).await else { return };
    database.run("insert into public.t (id, n, s) values (1, null, ''), (2, 7, null)").await;
    assert_eq!(reader.shown().await, "+t 1,null,; +t 2,7,null");
    database.run("update public.t set n = coalesce(n, 0) + 1, s = null").await;
    assert_eq!(reader.shown().await, "~t 1 > 1,1,null; ~t 2 > 2,8,null");
    reader.equals(&database, "public.t").await;
}

#[tokio::test]
async fn names_are_told_apart_however_they_are_written() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create schema \"Sch\"\"ema\"; create schema other;
             create table \"Sch\"\"ema\".\"T.1 \"\"x\" (\"I d\" int primary key, \"sel.ect\" text);
             create table public.\"T\" (id int primary key); create table public.t (id int primary key);
             create table other.t (id int primary key)",
        )
        .await;
    let odd = "Sch\"ema.T.1 \"x";
    let service = followed(&database, &["public.t", odd, "public.T"]);
    let mut reader = Reader::fresh(&service).await;
    database
        .run(
            "begin; insert into \"Sch\"\"ema\".\"T.1 \"\"x\" values (1, 'a'); insert into public.\"T\" values (2);
             insert into public.t values (3); insert into other.t values (4); commit",
        )
        .await;
    assert_eq!(reader.shown().await, format!("+{odd} 1,a; +T 2; +t 3"));
    for table in [odd, "public.T", "public.t"] {
        reader.equals(&database, table).await;
    }
    let both = followed(&database, &["public.t", "other.t"]);
    let mut reader = reader.again(&both).await;
    database.run("begin; insert into other.t values (5); delete from public.t; commit").await;
    assert_eq!(reader.shown().await, "+other.t 5; -t 3");
}

/// PC11 to PC15: what the stream says of a value is what a query says of it.
#[tokio::test]
async fn a_value_of_every_type_is_the_one_that_a_query_gives() {
    let Some(database) = Database::new().await else { return };
    database.run(MADE).await;
    let columns = SAMPLES.iter().enumerate().map(|(at, (name, ..))| format!("c{at} {name}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    database.run(&format!("create table public.t (id int primary key, {columns})")).await;
    let mut reader = Reader::fresh(&followed(&database, &["public.t"])).await;
    let most = SAMPLES.iter().map(|(.., values)| values.len()).max().unwrap_or(0);
    for id in 0..most {
        let values = SAMPLES.iter().map(|(.., values)| values.get(id).copied().unwrap_or("null"));
        let values = values.collect::<Vec<_>>().join(", ");
        database.run(&format!("insert into public.t values ({id}, {values})")).await;
    }
    database.run("update public.t set id = id + 100").await;
    reader.equals(&database, "public.t").await;
}

#[tokio::test]
async fn wide_tables_and_large_rows_come_whole() {
    let columns: Vec<_> = (1..1_000).map(|at| format!("c{at} int default {at}")).collect();
    let made = format!("create table public.t (id int primary key, {})", columns.join(", "));
    let Some((database, mut reader)) = table(&made).await else { return };
    database.run("insert into public.t (id) values (1); update public.t set c999 = null").await;
    reader.equals(&database, "public.t").await;

    let made = "create table public.t (id int primary key, large text);
        alter table public.t alter large set storage external";
    let Some((database, mut reader)) = table(made).await else { return };
    database.run("insert into public.t values (1, repeat('0123456789', 5000000))").await;
    database.run("update public.t set id = 2").await;
    assert_eq!(reader.shown().await, "+t 1,0123…50000000");
    assert_eq!(reader.shown().await, "~t 1 > 2,-");
    reader.equals(&database, "public.t").await;
}

/// PC4: a publication takes those that inherit with a table, unless it is told not to. They may have
/// no key, and then the server would refuse who writes them.
#[tokio::test]
async fn who_writes_a_table_that_inherits_from_a_followed_one_is_not_refused() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key);
             create table public.u (id int primary key);
             create table public.heir (n int) inherits (public.t, public.u);
             insert into public.heir values (1, 1), (2, 2)",
        )
        .await;
    let reader = Reader::fresh(&followed(&database, &["public.t"])).await;
    database.run("update public.heir set n = 3; delete from public.t where id = 2").await;
    drop(reader);
    // A table that is followed from now on as well.
    let mut reader = Reader::fresh(&followed(&database, &["public.t", "public.u"])).await;
    database.run("update public.heir set n = 4; insert into public.u values (7)").await;
    let changes = reader.changes().await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].table.name, "public.u".into());
}
