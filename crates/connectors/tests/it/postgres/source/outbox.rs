//! An outbox: its rows are changes of the kinds that they name, and go once they are durable.

use super::super::asking::{paged, read, table as described};
use super::super::rig::Database;
use super::rig::{Came, Reader, followed, lost, refused};
use super::shown::show;
use instep_connectors::postgres::{Outbox, PostgresRows, PostgresSource};
use model::{Change, Code, News, Selection, Service};

/// The kinds of these tests that are followed.
const KINDS: [&str; 2] = ["answer_given", "user_left"];

/// A database with an outbox and an ordinary table, the latter alone followed.
async fn made() -> Option<Database> {
    let database = Database::new().await?;
    database.run("create table public.t (id int primary key, v text)").await;
    database.run(&Outbox::sql(&"public.outbox".into())).await;
    Some(database)
}

fn outbox(kinds: &[&str]) -> Outbox {
    let kinds = kinds.iter().map(|&kind| kind.into()).collect();
    Outbox { table: "public.outbox".into(), kinds }
}

fn with_kinds(database: &Database, kinds: &[&str]) -> PostgresSource {
    followed(database, &["public.t"]).with_outbox(outbox(kinds))
}

/// The same, followed with its outbox.
async fn fresh() -> Option<(Database, PostgresSource, Reader)> {
    let database = made().await?;
    let service = with_kinds(&database, &KINDS);
    let reader = Reader::fresh(&service).await;
    Some((database, service, reader))
}

/// The statement that tells of something.
fn tell(kind: &str, key: &str) -> String {
    let at = "2026-01-01 00:00:00+00";
    format!("insert into public.outbox (kind, key, at) values ('{kind}', '{key}', '{at}')")
}

/// Changes as a person would write them down, without the time that each row of a kind has.
fn told(changes: &[Change]) -> String {
    let at = ",TimestampTz(At(1767225600000000))";
    changes.iter().map(|it| show(it).replace(at, "")).collect::<Vec<_>>().join("; ")
}

/// How many rows the outbox has.
async fn left(database: &Database) -> String {
    database.one("select count(*) from public.outbox").await
}

/// One step, and what became known beside it.
async fn step(reader: &mut Reader) -> (Came, News) {
    let step = reader.source.next().await.unwrap();
    let news = reader.source.news();
    if let Some(witness) = &news.witness {
        reader.resume.place.witness = witness.clone();
    }
    (reader.take(step), news)
}

/// Reads on, confirming nothing, until the server was looked at so often.
async fn looks(reader: &mut Reader, count: usize) -> Vec<(Code, String)> {
    let (mut seen, mut notices) = (0, Vec::new());
    while seen < count {
        let (_, news) = step(reader).await;
        seen += usize::from(news.retained_bytes.is_some());
        notices.extend(news.notices);
    }
    notices
}

/// Reads on and confirms, until the outbox has so many rows.
async fn trimmed_to(database: &Database, reader: &mut Reader, rows: &str) {
    while left(database).await != rows {
        step(reader).await;
        reader.confirm();
    }
}

#[tokio::test]
async fn kinds_come_in_the_order_of_their_statements_with_the_tables_of_their_transaction() {
    let Some((database, _, mut reader)) = fresh().await else { return };
    let statements = [
        "begin".to_owned(),
        tell("user_left", "ann"),
        "insert into public.t values (1, 'x')".to_owned(),
        tell("nobody_asked", "q"),
        tell("answer_given", "q7"),
        "savepoint a".to_owned(),
        tell("answer_given", "taken back"),
        "rollback to a".to_owned(),
        "commit".to_owned(),
    ];
    database.run(&format!("begin; {}; rollback", tell("answer_given", "never"))).await;
    database.run(&statements.join("; ")).await;
    database.run(&tell("nobody_asked", "q")).await;
    database.run(&tell("user_left", "bob")).await;
    let empty = "Json(\"{}\")";
    let first = format!("+user_left 2,ann,{empty}; +t 1,x; +answer_given 4,q7,{empty}");
    assert_eq!(told(&reader.changes().await), first);
    assert_eq!(told(&reader.changes().await), format!("+user_left 7,bob,{empty}"));
}

/// OB4, OB1: also of one whose row has a lower number and is committed later.
#[tokio::test]
async fn a_row_goes_once_it_is_confirmed_and_not_before() {
    let Some((database, _, mut reader)) = fresh().await else { return };
    let late = database.another().await;
    late.query(&format!("begin; {}", tell("answer_given", "late"))).await.unwrap();
    database.run(&tell("answer_given", "early")).await;
    assert!(told(&reader.changes().await).starts_with("+answer_given 2,early"));
    looks(&mut reader, 3).await;
    assert_eq!(left(&database).await, "1", "it is not confirmed");
    trimmed_to(&database, &mut reader, "0").await;

    late.query("commit").await.unwrap();
    assert!(told(&reader.changes().await).starts_with("+answer_given 1,late"));
    looks(&mut reader, 3).await;
    assert_eq!(left(&database).await, "1", "it is not confirmed");
    trimmed_to(&database, &mut reader, "0").await;
    database.run(&tell("user_left", "ann")).await;
    assert!(told(&reader.changes().await).starts_with("+user_left 3,ann"));
    assert_eq!(reader.copies["answer_given"].len(), 2, "what is trimmed stays told");
}

#[tokio::test]
async fn more_rows_than_one_transaction_takes_out_go_as_well() {
    let Some((database, _, mut reader)) = fresh().await else { return };
    let many = "insert into public.outbox (kind, key) select 'user_left', i from \
                generate_series(1, 12000) i";
    database.run(many).await;
    assert_eq!(reader.changes().await.len(), 12_000);
    trimmed_to(&database, &mut reader, "0").await;
}

#[tokio::test]
async fn what_comes_again_with_trims_in_between_is_the_same_history() {
    let Some((database, service, mut reader)) = fresh().await else { return };
    database.run(&tell("answer_given", "q1")).await;
    reader.changes().await;
    trimmed_to(&database, &mut reader, "0").await;
    // None of this is confirmed, and it is none of ours; so it comes again, and counts for nothing.
    database.run(&tell("nobody_asked", "q")).await;
    database.run("update public.outbox set key = 'other'").await;
    database.run("delete from public.outbox").await;
    database.run("truncate public.outbox").await;
    reader.catch_up(&database).await;
    let mut reader = reader.again(&service).await;
    database.run(&tell("answer_given", "q2")).await;
    assert!(told(&reader.changes().await).starts_with("+answer_given 3,q2"));
    // And with a row of ours, unconfirmed.
    let mut reader = reader.again(&service).await;
    database.run("insert into public.t values (1, 'x')").await;
    assert_eq!(reader.shown().await, "+t 1,x");
    trimmed_to(&database, &mut reader, "0").await;
}

/// OB5.
#[tokio::test]
async fn a_payload_of_any_shape_comes_as_it_is() {
    let Some((database, _, mut reader)) = fresh().await else { return };
    database.run("alter table public.outbox add column trace text, alter data drop not null").await;
    let shapes = [
        "{}",
        "[]",
        "[[], [null, {}], {\"a\": []}]",
        "null",
        "0",
        "\"it's \\\"quoted\\\" \\\\ ü\"",
        "{\"a\": {\"b\": [1.50, true, null]}}",
    ];
    for (key, shape) in shapes.iter().enumerate() {
        let data = shape.replace('\'', "''");
        let insert = format!(
            "insert into public.outbox (kind, key, data, trace) \
             values ('answer_given', '{key}', '{data}', 'more')"
        );
        database.run(&insert).await;
    }
    let large = "insert into public.outbox (kind, key, data) values ('answer_given', 'large',
        (select jsonb_agg(md5(i::text)) from generate_series(1, 20000) i))";
    database.run(large).await;
    database
        .run("insert into public.outbox (kind, key, data) values ('answer_given', '-', null)")
        .await;
    let mut came = Vec::new();
    while came.len() < shapes.len() + 2 {
        came.extend(reader.changes().await);
    }
    for (change, shape) in came.iter().zip(shapes) {
        let model::Op::Insert(row) = &change.op else { panic!("{change:?}") };
        assert_eq!(row.0[2], model::Cell::Value(model::Value::Json(shape.into())));
        assert_eq!(row.0.len(), 4);
    }
    assert!(came[shapes.len()].bytes() > 600_000, "{}", came[shapes.len()].bytes());
    let rows = PostgresRows::new(database.access.clone()).with_outbox(outbox(&KINDS));
    let mut rows = rows.connect().await.unwrap();
    let table = described(&mut rows, "answer_given").await;
    assert_eq!(came[0].table, table, "both know it as the same table");
    let all = Selection::Range { after: None, upto: None };
    let found = read(&mut rows, &table, &all, 100).await.unwrap().found.rows;
    let found = found.into_iter().map(|(key, row, _)| (key, row)).collect();
    assert_eq!(reader.copies["answer_given"], found);
}

#[tokio::test]
async fn what_was_there_before_a_kind_is_followed_is_read_and_not_trimmed() {
    let Some(database) = made().await else { return };
    for kind in ["answer_given", "user_left", "user_left", "new_kind"] {
        database.run(&tell(kind, "before")).await;
    }
    let service = with_kinds(&database, &KINDS);
    let mut reader = Reader::fresh(&service).await;
    let rows = PostgresRows::new(database.access.clone());
    let mut rows = rows.with_outbox(outbox(&KINDS)).connect().await.unwrap();
    let table = described(&mut rows, "user_left").await;
    assert_eq!(paged(&mut rows, &table, 1).await.len(), 2);
    assert_eq!(rows.table(&"new_kind".into()).await.unwrap(), None, "it is not followed");

    database.run(&tell("user_left", "after")).await;
    reader.changes().await;
    database.run(&tell("new_kind", "between")).await;
    reader.catch_up(&database).await;
    trimmed_to(&database, &mut reader, "5").await;
    // One kind more: what was told of it to nobody stays, and what comes from now on goes.
    let mut reader =
        reader.again(&with_kinds(&database, &["answer_given", "user_left", "new_kind"])).await;
    database.run(&tell("new_kind", "after")).await;
    assert!(told(&reader.changes().await).starts_with("+new_kind 7,after"));
    trimmed_to(&database, &mut reader, "5").await;
    assert_eq!(paged(&mut rows, &table, 9).await.len(), 2);
    // One that was not followed for a while has missed something.
    let before = reader.resume.place.witness.clone();
    let mut reader = reader.again(&with_kinds(&database, &["answer_given"])).await;
    reader.catch_up(&database).await;
    // That it is not followed any more is learned beside what comes.
    while reader.resume.place.witness == before {
        reader.catch_up(&database).await;
    }
    let resume = reader.resume.clone();
    drop(reader);
    let (why, same_history, _) = lost(&with_kinds(&database, &KINDS), &resume).await;
    assert!(same_history && why.contains("user_left: the table was not followed"), "{why}");
}

#[tokio::test]
async fn a_table_that_is_no_outbox_is_refused_with_the_statement_that_makes_one() {
    let Some(database) = made().await else { return };
    database.run("alter table public.outbox drop column data").await;
    let fault = refused(&with_kinds(&database, &KINDS), None).await;
    assert_eq!(fault.code, Code::TableUnsuitable);
    assert!(fault.what.contains("no column data"), "{fault}");
    assert!(fault.what.contains("create table public.outbox (id bigint"), "{fault}");
    let twice = followed(&database, &["public.outbox"]).with_outbox(outbox(&KINDS));
    assert_eq!(refused(&twice, None).await.code, Code::TableUnsuitable);
    let dotted = with_kinds(&database, &["public.t"]);
    assert_eq!(refused(&dotted, None).await.code, Code::TableUnsuitable);
}

#[tokio::test]
async fn without_the_right_to_delete_nothing_stops_and_it_is_told_once() {
    let Some((database, _, mut reader)) = fresh().await else { return };
    database.run(&tell("user_left", "ann")).await;
    reader.changes().await;
    let resume = reader.resume.clone();
    drop(reader);
    let role = format!("follower_of_{}", database.name);
    database.run(&format!("create role {role} login replication")).await;
    let mut access = database.access.clone();
    access.user = role.clone();
    let service =
        PostgresSource::new(access, vec!["public.t".into()], "test", super::rig::limits());
    let mut reader = Reader::resumed(&service.with_outbox(outbox(&KINDS)), &resume).await;
    let mut notices = Vec::new();
    while notices.is_empty() {
        let (_, news) = step(&mut reader).await;
        notices.extend(news.notices);
        reader.confirm();
    }
    let [(code, what)] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(*code, Code::PostgresPrivilege);
    assert!(what.contains("grant select, delete on public.outbox"), "{what}");
    assert_eq!(looks(&mut reader, 3).await, []);
    database.run(&tell("user_left", "bob")).await;
    assert!(told(&reader.changes().await).starts_with("+user_left 2,bob"));
    assert_eq!(left(&database).await, "2");
    drop(reader);
    database.run(&format!("drop owned by {role}; drop role {role}")).await;
}
