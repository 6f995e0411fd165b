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
