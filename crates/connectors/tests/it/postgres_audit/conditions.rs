//! Conditions as users write them, and what they must not be able to do.

use super::asks::{audit, between, everything, key};
use crate::postgres::rig::Database;
use model::{Ask, Code, Fate, Selection};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_one_condition_is_refused_in_the_servers_words() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, body text, ok bool);
             insert into public.t select i, 'b' || i, i > 5 from generate_series(1, 9) i",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let of = between(Some(key([2])), None);
    for (condition, rows) in [
        ("id > 3", Some(6)),
        ("t.id > 3 -- and so on", Some(6)),
        ("id > 3 /* and so on */", Some(6)),
        ("body like 'b%' and ok or id = 3", Some(5)),
        ("body = any (array['b3', ')', '--']) or body = $$]$$", Some(1)),
        ("exists (select from public.t o where o.id = t.id + 1)", Some(6)),
        ("ok is null", Some(0)),
        ("", None),
        ("true) or (true", None),
        ("true)] or [(true", None),
        ("true] or array[true", None),
        ("true])[1] or ('' = '", None),
        ("true; select 1", None),
        ("true); drop table public.t; --", None),
        ("true /*", None),
        ("true or body = 'x", None),
        ("(true", None),
        ("true)", None),
        ("$$", None),
        ("nothing > 3", None),
        ("id", None),
        ("true, true", None),
        ("id > $1", None),
        ("true limit 1", None),
        ("count(*) > 1", None),
        ("true \0", None),
        ("nothing(id)", None),
    ] {
        let ask = Ask { condition: Some(condition.into()), ..ask.clone() };
        match rows {
            Some(rows) => {
                audit.admit(&ask).await.unwrap_or_else(|it| panic!("{condition}: {it}"));
                assert_eq!(audit.sum(&ask, &of).await.unwrap().rows, rows, "{condition}");
                let found = audit.rows(&ask, &of, 99).await.unwrap().found;
                assert_eq!(found.len() as u64, rows, "{condition}");
            }
            None => {
                let fault = audit.admit(&ask).await.expect_err(condition);
                let judged = (fault.fate, fault.code);
                assert_eq!(judged, (Fate::Stop, Code::PostgresRefused), "{condition}: {fault}");
                // Nor is it taken by whoever does not ask first.
                audit.rows(&ask, &of, 9).await.expect_err(condition);
                audit.find(&ask, &[key([1])]).await.expect_err(condition);
            }
        }
    }
    let ask = Ask { condition: Some("nothing > 3".into()), ..ask };
    let fault = audit.admit(&ask).await.unwrap_err();
    assert!(fault.what.contains("column \"nothing\" does not exist"), "{fault}");
    assert_eq!(database.one("select count(*) from public.t").await, "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_cannot_write() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key); insert into public.t values (1), (2);
             create sequence public.s;
             create function public.wipe() returns bool language sql as
                 $$ delete from public.t returning true $$",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    for condition in ["public.wipe()", "nextval('public.s') > 0"] {
        let ask = Ask { condition: Some(condition.into()), ..ask.clone() };
        let fault = audit.sum(&ask, &Selection::ALL).await.unwrap_err();
        assert!(fault.what.contains("read-only"), "{condition}: {fault}");
    }
    assert_eq!(database.one("select count(*) from public.t").await, "2");
    assert_eq!(audit.sum(&ask, &Selection::ALL).await.unwrap().rows, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_ask_whether_something_is_taken_reads_no_rows() {
    let Some(database) = Database::new().await else { return };
    database
        .run("create table public.t (id int primary key, j json); insert into public.t values (1)")
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["id"]).await;
    let ask = Ask { condition: Some("1 / (id - 1) > 0".into()), ..ask };
    audit.admit(&ask).await.unwrap();
    audit.sum(&ask, &Selection::ALL).await.expect_err("a division by zero");
    let unsorted = everything(&mut audit, "public.t", &["j"]).await;
    let fault = audit.admit(&unsorted).await.unwrap_err();
    assert!(fault.what.contains("ordering operator"), "{fault}");
    let mut missing = everything(&mut audit, "public.t", &["id"]).await;
    missing.columns[0].name = "nothing".into();
    let fault = audit.admit(&missing).await.unwrap_err();
    assert_eq!(fault.what, "the table public.t has no column nothing");
    missing.table = "public.none".into();
    assert_eq!(audit.admit(&missing).await.unwrap_err().code, Code::TableMissing);
}
