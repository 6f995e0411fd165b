//! What is said of a table that is looked at.

use super::asks::{audit, everything, key, look};
use crate::postgres::rig::{Database, PATIENCE};
use instep_connectors::postgres::{Access, Lsn, PostgresAudit};
use model::{Audit, Kind, LookedColumn, Selection, Service};
use std::time::Duration;
use testkit::postgres::{Server, Settings, start};
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_has_rows_can_be_looked_at_and_anything_else_is_no_table() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, twice int generated always as (id * 2) stored);
             create unlogged table public.u (a text);
             create view public.v as select * from public.t;
             create materialized view public.m as select * from public.t;
             create table public.p (id int) partition by range (id);
             create table public.p1 partition of public.p default;
             create foreign data wrapper none; create server away foreign data wrapper none;
             create foreign table public.f (id int) server away;
             create sequence public.s; create table public.nothing ();
             create table public.\"Odd \"\"name.with dots\" (\"from\" int primary key, \"a\"\"b\" text)",
        )
        .await;
    let mut audit = audit(&database).await;
    for (table, columns, key) in [
        ("public.t", 2, 1),
        ("public.u", 1, 0),
        ("public.v", 2, 0),
        ("public.m", 2, 0),
        ("public.p", 1, 0),
        ("public.p1", 1, 0),
        ("public.f", 1, 0),
        ("public.nothing", 0, 0),
        ("public.Odd \"name.with dots", 2, 1),
        ("pg_catalog.pg_am", 4, 1),
    ] {
        let looked = look(&mut audit, table).await;
        let found = (looked.table.columns.len(), looked.table.key.len());
        assert_eq!(found, (columns, key), "{table}");
        let version = looked.store.strip_prefix("PostgreSQL ").unwrap();
        assert!(version.chars().all(|c| c.is_ascii_digit() || c == '.'), "{version}");
    }
    for table in ["public.s", "public.t_pkey", "public.none", "none.t", "t", ""] {
        assert_eq!(audit.look(&table.into()).await.unwrap(), None, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_columns_that_tells_all_rows_apart_is_told_the_primary_key_first() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (a int not null, b int not null, c int, d int not null,
                e int not null, f int not null);
             create unique index one on public.t (b);
             create unique index nullable on public.t (c);
             create unique index part on public.t (d) where d > 0;
             create unique index expression on public.t (abs(e));
             create unique index covering on public.t (e) include (c);
             create index plain on public.t (f);
             alter table public.t add primary key (f, a);
             alter table public.t add constraint late unique (d, e) deferrable initially deferred",
        )
        .await;
    let looked = look(&mut audit(&database).await, "public.t").await;
    let unique: Vec<String> = looked.unique.iter().map(|it| it.join(",")).collect();
    assert_eq!(unique, ["f,a", "b", "e", "d,e"]);
    assert_eq!(looked.table.key_names().collect::<Vec<_>>(), ["f", "a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_told_so_that_two_databases_agree_where_they_mean_the_same() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create type public.mood as enum ('sad', 'happy');
             create domain public.id as bigint; create domain public.short as varchar(3);
             create domain public.soon as timestamp(2); create domain public.later as public.soon;
             create collation public.german (provider = icu, locale = 'de');
             create table public.t (a public.id, b public.short, c public.later, d real, e char(5),
                 f public.mood, g text collate public.german, h money, i int[], j time(0),
                 k interval day to second(3), l xml, m name, n oid)",
        )
        .await;
    let looked = look(&mut audit(&database).await, "public.t").await;
    let told = |name: &str| {
        let at = looked.table.columns.iter().position(|it| &*it.name == name).unwrap();
        let LookedColumn { written, sorted, is_single, is_padded, unreadable } =
            looked.columns[at].clone();
        assert_eq!(unreadable, None);
        let word = |word: Option<std::sync::Arc<str>>| word.as_deref().unwrap_or("-").to_owned();
        (word(written), word(sorted), is_single, is_padded)
    };
    let plain = |written: &str, sorted: &str| (written.to_owned(), sorted.to_owned(), false, false);
    assert_eq!(told("a"), plain("number", "number"));
    assert_eq!(told("b"), plain("text", "bytes"));
    assert_eq!(told("c"), ("timestamp".into(), "timestamp".into(), false, false));
    assert_eq!(told("d"), ("single".into(), "float".into(), true, false));
    assert_eq!(told("e"), ("text".into(), "padded bytes".into(), false, true));
    assert_eq!(told("f"), plain("type public.mood", "-"));
    let (written, sorted, ..) = told("g");
    assert_eq!(written, "text");
    assert!(sorted.starts_with("icu de "), "{sorted}");
    assert_eq!(told("h"), plain("-", "-"));
    assert_eq!(told("i"), plain("type integer[]", "-"));
    assert_eq!(told("j"), ("time".into(), "time".into(), false, false));
    assert_eq!(told("k"), ("interval".into(), "interval".into(), false, false));
    assert_eq!(told("l"), plain("type xml", "-"));
    assert_eq!(told("m"), plain("text", "bytes"));
    assert_eq!(told("n"), plain("number", "number"));
    assert_eq!(looked.table.columns[0].kind, Kind::Int);
    assert_eq!(&*looked.table.columns[1].declared, "public.short");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_table_and_of_its_partitions_are_about_as_many_as_there_are() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key);
             insert into public.t select generate_series(1, 5000);
             create table public.p (id int) partition by list (id);
             create table public.p1 partition of public.p default;
             insert into public.p select generate_series(1, 3000);
             create view public.v as select * from public.t",
        )
        .await;
    database.run("analyze").await;
    let mut audit = audit(&database).await;
    assert_eq!(look(&mut audit, "public.t").await.rows, Some(5000));
    assert_eq!(look(&mut audit, "public.p").await.rows, Some(3000));
    assert_eq!(look(&mut audit, "public.v").await.rows, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_another_encoding_makes_no_marks() {
    let Some(server) = testkit::postgres::shared() else { return };
    let database = Database::new().await.unwrap();
    let latin = format!("{}_latin", database.name);
    server.sql(
        "postgres",
        &format!("create database {latin} encoding latin1 template template0 locale 'C'"),
    );
    server.sql(&latin, "create table public.t (id int primary key, a text)");
    let mut access = database.access.clone();
    access.database = latin;
    let other = Database { access, ..database };
    assert_eq!(look(&mut audit(&other).await, "public.t").await.sums, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_made_since_is_known() {
    let Some(database) = Database::new().await else { return };
    database.run("create table public.t (id int primary key)").await;
    let mut audit = audit(&database).await;
    look(&mut audit, "public.t").await;
    database
        .run(
            "create type public.mood as enum ('sad'); alter table public.t add mood public.mood;
             alter table public.t alter id type bigint",
        )
        .await;
    let looked = look(&mut audit, "public.t").await;
    assert_eq!(looked.table.columns[1].kind, Kind::Text);
    assert_eq!(&*looked.table.columns[0].declared, "bigint");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_position_is_that_of_the_log_where_it_may_be_read() {
    let Some(database) = Database::new().await else { return };
    let mut audit = audit(&database).await;
    let before = audit.position().await.unwrap().unwrap();
    database.run("create table public.t (id int primary key)").await;
    let after = audit.position().await.unwrap().unwrap();
    let number = |lsn: &str| lsn.parse::<Lsn>().unwrap();
    assert!(number(&before) < number(&after), "{before} {after}");
    // Nobody else's server, since it would not be told its position either.
    let Some(server) = start(&Settings::default()) else { return };
    let alone = Database::of(&server).await.unwrap();
    alone
        .run(
            "create role reader login;
             revoke execute on function pg_current_wal_insert_lsn() from public",
        )
        .await;
    let mut access = alone.access.clone();
    access.user = "reader".to_owned();
    let mut connection = PostgresAudit::new(access).connect().await.unwrap();
    assert_eq!(connection.position().await.unwrap(), None);
    assert_eq!(connection.look(&"public.t".into()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_looked_at_as_any_other_server() {
    let Some(server) = start(&Settings::default()) else { return };
    server.sql(
        "postgres",
        "create table public.t (id int primary key, body text);
         insert into public.t select i, i from generate_series(1, 100) i",
    );
    server.stop();
    let away = server.standby();
    let mut here = connected(&server).await;
    server.sql("postgres", "update public.t set body = 'new' where id = 7");
    let at = here.position().await.unwrap().unwrap();
    let mut there = connected(&away).await;
    let number = |lsn: &str| lsn.parse::<Lsn>().unwrap();
    let wait = async {
        while number(&there.position().await.unwrap().unwrap()) < number(&at) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("the standby gets this far");
    let ask = everything(&mut there, "public.t", &["id"]).await;
    there.admit(&ask).await.unwrap();
    let sum = there.sum(&ask, &Selection::ALL).await.unwrap();
    assert_eq!(sum, here.sum(&ask, &Selection::ALL).await.unwrap());
    assert_eq!(sum.rows, 100);
    let keys = [key([7])];
    assert_eq!(there.find(&ask, &keys).await.unwrap(), here.find(&ask, &keys).await.unwrap());
}

async fn connected(server: &Server) -> Box<dyn Audit> {
    let mut access = Access::parse(&server.url("postgres")).unwrap();
    access.connect_timeout = PATIENCE;
    PostgresAudit::new(access).connect().await.unwrap()
}
