//! What the stream says of rows, and what becomes of it.

use super::super::rig::Database;
use super::rig::{Reader, followed};
use model::{Cell, Key, Op, Resume, Row, Value};

/// A text that is not kept in the row itself, however well it could be packed.
const LARGE: &str = "select repeat('x', 20000)";

/// A table with a large value, followed.
async fn with_large() -> Option<(Database, Reader)> {
    let database = Database::new().await?;
    database
        .run(
            "create table public.t (id int primary key, n int, large text);
             alter table public.t alter large set storage external",
        )
        .await;
    let reader = Reader::fresh(&followed(&database, &["public.t"])).await;
    Some((database, reader))
}

#[tokio::test]
async fn a_large_value_that_stays_is_unchanged_and_nothing_else_is() {
    let Some((database, mut reader)) = with_large().await else { return };
    database.run(&format!("insert into public.t values (1, 1, ({LARGE}))")).await;
    reader.changes().await;
    database.run("update public.t set n = 2").await;
    let Op::Update { before, row } = &reader.changes().await[0].op else { panic!("an update") };
    assert_eq!(*before, Key::new([Value::Int(1)]));
    assert_eq!(*row, Row(vec![Cell::from(1), Cell::from(2), Cell::Unchanged]));

    // Where the whole row as it was is told, the value is in it.
    database.run("alter table public.t replica identity full; update public.t set n = 3").await;
    let Op::Update { row, .. } = &reader.changes().await[0].op else { panic!("an update") };
    assert_eq!(row.0[2], Cell::from("x".repeat(20_000).as_str()));
    let resume = Resume { place: reader.began.clone(), last: None };
    drop(reader);
    let mut again = Reader::resumed(&followed(&database, &["public.t"]), &resume).await;
    assert_eq!(again.changes().await.len(), 1, "nothing was confirmed");
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
