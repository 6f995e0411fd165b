//! Ordinary queries, and rows in bulk.

use super::rig::{Database, PATIENCE};
use instep_connectors::postgres::{Session, Side, judge};
use model::{Code, Fate};
use tokio::time::timeout;

#[tokio::test]
async fn values_are_written_the_same_way_whatever_the_database_says() {
    let Some(database) = Database::new().await else { return };
    for setting in ["datestyle = 'German'", "timezone = 'Asia/Tokyo'", "bytea_output = 'escape'"] {
        database.run(&format!("alter database {} set {setting}", database.name)).await;
    }
    let mut session = Session::connect(&database.access).await.unwrap();
    let query = "select '2026-11-21 12:00:00.5+01'::timestamptz, '\\x00ff'::bytea, 0.1::float4,
        '1 year 2 days'::interval, null";
    let row = ["2026-11-21 11:00:00.5+00", "\\x00ff", "0.1", "P1Y2D"].map(|it| Some(it.to_owned()));
    let row = [&row[..], &[None]].concat();
    assert_eq!(session.query(query).await.unwrap()[0], row);
    let mut rows = session.copy_out(query).await.unwrap();
    assert_eq!(rows.next().await.unwrap(), Some(row));
    assert_eq!(rows.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_parameter_is_a_text_whatever_is_in_it() {
    let Some(database) = Database::new().await else { return };
    let odd = "it's \\ \"odd\"\n\t";
    let query = "select $1::text, ($2::int8 + 1)::text, $3::text";
    let asked = database.session.ask(query, &[Some(odd), Some("41"), None]).await;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(asked.unwrap(), [[text(odd), text("42"), None]]);
}

#[tokio::test]
async fn many_rows_come_in_bulk_as_they_are() {
    let Some(mut database) = Database::new().await else { return };
    let query = "select n, repeat('x', n % 100) || E'\\t\\n\\\\' from generate_series(1, 5000) n";
    let mut rows = database.session.copy_out(query).await.unwrap();
    for n in 1..=5_000 {
        let row = rows.next().await.unwrap().unwrap();
        let text = "x".repeat(n % 100) + "\t\n\\";
        assert_eq!(row, [Some(n.to_string()), Some(text)]);
    }
    assert_eq!(rows.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_the_connection() {
    let Some(mut database) = Database::new().await else { return };
    database
        .run("create table public.t (id int primary key); insert into public.t values (1)")
        .await;
    let trouble = database.session.query("insert into public.t values (1)").await.unwrap_err();
    let refused = trouble.refused().unwrap();
    assert_eq!((&*refused.sqlstate, refused.constraint.as_deref()), ("23505", Some("t_pkey")));
    assert_eq!(database.one("select count(*) from public.t").await, "1");
    let trouble = database.session.copy_out("select * from public.missing").await.unwrap_err();
    let fault = judge(Side::Source, "db", trouble);
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::PostgresRefused));
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_tried_again() {
    let Some(database) = Database::new().await else { return };
    let other = Session::connect(&database.access).await.unwrap();
    let pid = other.query("select pg_backend_pid()").await.unwrap()[0][0].clone().unwrap();
    database.run(&format!("select pg_terminate_backend({pid}, 60000)")).await;
    let fault = judge(Side::Source, "db", other.query("select 1").await.unwrap_err());
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::SourceUnavailable));
}

#[tokio::test]
async fn rows_that_are_given_up_do_not_hold_up_their_session() {
    let Some(mut database) = Database::new().await else { return };
    let many = "select repeat('x', 1000) from generate_series(1, 50000)";
    let mut rows = database.session.copy_out(many).await.unwrap();
    assert!(rows.next().await.unwrap().is_some());
    drop(rows);
    assert_eq!(timeout(PATIENCE, database.one("select 7")).await.expect("an answer"), "7");
}
