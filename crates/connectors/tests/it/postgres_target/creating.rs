//! Tables that a copy makes, and what is said of those that do not fit.

use super::rig::{Rig, TABLE, copy};
use instep_connectors::CopyTo;
use model::{Code, Column, Effect, Fate, Fault, Key, Kind, Outcome, Row, Table, Value};
use std::sync::Arc;
use testkit::conformance::rows::{self, row, table};

fn creating(table: &str) -> CopyTo {
    CopyTo { create: true, ..CopyTo::new("copy", table) }
}

async fn first_write(rig: &Rig) -> Result<(), Fault> {
    let mut led = rig.lead().await;
    let batch = led.batch(1, vec![rig.put(row(1, 7, "a"))]);
    let outcome = led.target.apply(&batch, model::Mode::Together).await?;
    assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_a_fault_that_names_create() {
    let Some(rig) = Rig::new("create table others (id int)") else { return };
    let fault = rig.connect().await.err().expect("there is no table");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::CopyTableMissing));
    assert!(
        fault.what.contains("questions_copy") && fault.what.contains("create: true"),
        "{fault}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_does_not_fit_is_a_fault_that_names_the_columns() {
    let unfit = [
        ("create table questions_copy (topic int, body text)", "id"),
        ("create table questions_copy (id int, topic int, body text)", "(id)"),
        ("create table questions_copy (id int unique, topic int, body text)", "nulls not distinct"),
        (
            "create table questions_copy (id int, body text, primary key (id) deferrable)",
            "not deferrable",
        ),
        (
            "create table questions_copy (id int, body text);
             create unique index on questions_copy (id) where body <> ''",
            "every row",
        ),
        ("create table questions_copy (id int primary key, more int not null)", "more"),
        (
            "create table questions_copy (id int primary key,
                topic int generated always as identity)",
            "by default",
        ),
        ("create table questions_copy (id text primary key, topic int)", "can not keep bigint"),
        ("create table questions_copy (id int primary key, body int)", "can not keep text"),
        ("create table questions_copy (id int primary key, body char(9))", "can not keep text"),
        ("create table questions_copy (id int primary key, topic oid)", "can not keep bigint"),
        ("create view questions_copy as select 1 as id", "plain"),
        ("create materialized view questions_copy as select 1 as id", "plain"),
        (
            "create table questions_copy (id int primary key);
             create rule odd as on update to questions_copy do instead nothing",
            "rules",
        ),
    ];
    let Some(rig) = Rig::new("") else { return };
    for (statements, named) in unfit {
        rig.again(statements);
        let fault = first_write(&rig).await.expect_err("it does not fit");
        assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::CopyColumns), "{statements}");
        assert!(fault.what.contains(named), "{fault}");
        let fault = rig.target.fit(&rig.copy.name, &rig.table).await.expect_err("it does not fit");
        assert!(fault.what.contains(named), "{fault}");
    }
    for (fields, shard, named) in [
        (("subject", "topic"), None, "subject"),
        (("topic", "subject"), None, "subject"),
        (("body", "topic"), Some("shard"), "shard"),
        (("topic", "id"), Some("topic"), "shard_column topic"),
    ] {
        let fields = [(fields.0.into(), fields.1.into())].into();
        let copy = CopyTo { fields, shard_column: shard.map(Into::into), ..copy() };
        let Some(rig) = Rig::of(TABLE, copy, table("questions")) else { return };
        let fault = first_write(&rig).await.expect_err("it does not fit");
        assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::CopyColumns));
        assert!(fault.what.contains(named), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_have_the_names_that_fields_give_them() {
    let fields = [("subject".into(), "topic".into()), ("topic".into(), "body".into())].into();
    let copy = CopyTo { fields, ..CopyTo::new("copy", "public.odd \"name\"") };
    let made = "create table \"odd \"\"name\"\"\" (id int primary key, subject int, topic text)";
    let Some(rig) = Rig::of(made, copy, table("questions")) else { return };
    first_write(&rig).await.expect("it fits");
    assert_eq!(rig.sql("select id, subject, topic from \"odd \"\"name\"\"\""), "1|7|a");
    let found = rows::all(rig.inspect().as_ref(), &rig.table).await;
    assert_eq!(found, rows::rows([row(1, 7, "a")]));
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let found = inspect.table(&"questions".into()).await.expect("an answer").expect("a table");
    let names: Vec<_> = found.columns.iter().map(|column| &*column.name).collect();
    assert_eq!((names, &found.key), (vec!["id", "topic", "body"], &vec![0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_the_users_own_stay_as_they_are() {
    let made = "create table questions_copy (id int primary key, topic int, body text,
        note text default 'none', doubled int generated always as (topic * 2) stored)";
    let Some(rig) = Rig::new(made) else { return };
    first_write(&rig).await.expect("it fits");
    rig.sql("update questions_copy set note = 'mine'");
    let mut led = rig.lead().await;
    let rows = vec![rig.put(row(1, 9, "b")), rig.put(row(2, 9, "b")), rig.insert(row(3, 9, "b"))];
    assert_eq!(led.together(2, rows).await, None);
    assert_eq!(
        rig.sql("select id, topic, note, doubled from questions_copy order by id"),
        "1|9|mine|18\n2|9|none|18\n3|9|none|18"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_made_before_there_is_a_row_or_with_the_first() {
    for before in [true, false] {
        let Some(rig) = Rig::of("", creating("public.made"), table("questions")) else { return };
        // A pass reads the copy before it writes the first row.
        assert_eq!(rows::all(rig.inspect().as_ref(), &rig.table).await, [].into());
        if before {
            for _ in 0..2 {
                rig.target.make_table(&rig.copy.name, &rig.table).await.expect("made");
            }
            assert_eq!(rig.sql("select count(*) from made"), "0");
        }
        first_write(&rig).await.expect("written");
        let columns = "select string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod),
                attnotnull), ', ' order by attnum)
            from pg_attribute where attrelid = 'made'::regclass and attnum > 0";
        assert_eq!(rig.sql(columns), "id bigint t, topic bigint f, body text f");
        assert_eq!(rig.sql("select * from made"), "1|7|a");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_made_in_a_transaction_is_gone_with_it() {
    let Some(rig) = Rig::of("", creating("public.made"), table("questions")) else { return };
    let mut led = rig.lead().await;
    let missing = Effect::Patch(rows::key(1), rows::row_with_same_body(1, 1));
    assert_eq!(led.together(1, vec![rig.write(missing)]).await.as_deref(), Some("row_missing"));
    assert_eq!(rig.sql("select to_regclass('made')"), "");
    assert_eq!(led.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    assert_eq!(rig.sql("select id from made"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_count_keeps_one_row_for_each_group_null_among_them() {
    let column = |name: &str, kind, declared: &str, nullable| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable,
        compares: model::Compares::default(),
    };
    let columns = vec![
        column("count", Kind::Text, "text", false),
        column("topic", Kind::Int, "bigint", true),
        column("value", Kind::Int, "bigint", false),
    ];
    let table = Arc::new(Table { name: "counts".into(), version: 1, columns, key: vec![0, 1] });
    let by_hand = "create table counts (count text not null, topic int, value int not null,
        unique nulls not distinct (count, topic))";
    for made in ["", by_hand] {
        let Some(rig) = Rig::of(made, creating("public.counts"), table.clone()) else { return };
        let mut led = rig.lead().await;
        let name = || Value::from("questions");
        let put = |topic: Value, value| rig.put(Row::new([name(), topic, Value::Int(value)]));
        let writes = vec![rig.write(Effect::Truncate), put(Value::Null, 1), put(Value::Int(7), 2)];
        assert_eq!(led.together(1, writes).await, None);
        let writes = || vec![put(Value::Null, 3), put(Value::Int(7), 4), put(Value::Int(8), 5)];
        assert_eq!(led.together(2, writes()).await, None);
        assert_eq!(led.each(2, writes()).await, [] as [usize; 0]);
        let dump = "select count, topic, value from counts order by topic nulls first";
        assert_eq!(rig.sql(dump), "questions||3\nquestions|7|4\nquestions|8|5");
        assert_eq!(rows::all(rig.inspect().as_ref(), &table).await.len(), 3);
        let gone = [Value::Null, Value::Int(8)];
        let gone = gone.map(|topic| rig.write(Effect::Delete(Key::new([name(), topic]))));
        assert_eq!(led.together(3, gone.into()).await, None);
        assert_eq!(rig.sql(dump), "questions|7|4");
    }
}
