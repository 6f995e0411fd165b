//! Tables as users make them: what fits, what does not, and how it is said.

use super::rig::{Rig, TABLE, at};
use instep_connectors::CopyTo;
use model::{Batch, Code, Column, Fate, Fault, Kind, Mode, Outcome, Pass, Purpose};
use std::sync::Arc;
use testkit::conformance::rows::{self, row, rows};

#[tokio::test]
async fn a_missing_table_is_a_fault_that_names_create() {
    let rig = Rig::new("create table others (id)");
    let fault = rig.connect().await.err().expect("there is no table");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::CopyTableMissing));
    assert!(
        fault.what.contains("questions_copy") && fault.what.contains("create: true"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_table_that_does_not_fit_is_a_fault_that_names_the_columns() {
    let unfit = [
        ("create table questions_copy (topic, body)", "id"),
        ("create table questions_copy (id, topic, body)", "(id)"),
        ("create table questions_copy (id text collate nocase primary key, topic, body)", "(id)"),
        ("create table questions_copy (id primary key, topic, body, more not null)", "more"),
        ("create view questions_copy as select 1 as id", "plain"),
    ];
    for (statements, named) in unfit {
        let fault = first_write(&Rig::new(statements)).await.expect_err("it does not fit");
        assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::CopyColumns), "{statements}");
        assert!(fault.what.contains(named), "{fault}");
    }
    for (fields, shard, named) in [
        (("subject", "topic"), None, "subject"),
        (("topic", "subject"), None, "subject"),
        (("body", "topic"), Some("shard"), "shard"),
        (("topic", "id"), Some("topic"), "shard_column topic"),
    ] {
        let fields = [(fields.0.into(), fields.1.into())].into();
        let shard_column = shard.map(Into::into);
        let copy = CopyTo { fields, shard_column, ..CopyTo::new("copy", "questions_copy") };
        let fault = first_write(&Rig::of(TABLE, copy, rows::table("questions"))).await;
        let fault = fault.expect_err("it does not fit");
        assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::CopyColumns));
        assert!(fault.what.contains(named), "{fault}");
    }
}

#[tokio::test]
async fn columns_have_the_names_that_fields_give_them() {
    let fields = [("subject".into(), "topic".into()), ("topic".into(), "body".into())].into();
    let copy = CopyTo { fields, ..CopyTo::new("copy", "odd \"name\"") };
    let table = "create table \"odd \"\"name\"\"\" (ID integer primary key, Subject, topic)";
    let rig = Rig::of(table, copy, rows::table("questions"));
    first_write(&rig).await.expect("it fits");
    assert_eq!(rig.dump("select id, subject, topic from \"odd \"\"name\"\"\""), "1|7|a");
    assert_eq!(rows::all(rig.inspect().as_ref(), &rig.table).await, rows([row(1, 7, "a")]));
    let mut inspect = rig.inspect().connect().await.expect("a connection");
    let found = inspect.table(&"questions".into()).await.expect("an answer").expect("a table");
    let names: Vec<_> = found.columns.iter().map(|column| &*column.name).collect();
    assert_eq!((names, &found.key), (vec!["ID", "topic", "body"], &vec![0]));
}

#[tokio::test]
async fn a_column_that_the_source_adds_is_left_out_until_the_table_has_it() {
    let rig = Rig::new(TABLE);
    first_write(&rig).await.expect("it fits");
    let mut led = rig.lead().await;
    let passes = vec![("copy".into(), Pass::Done)];
    let done = Batch { passes, ..led.batch(1, Vec::new()) };
    led.target.apply(&done, Mode::Together).await.expect("noted");
    let mut later = rig.table.as_ref().clone();
    let declared = "text".into();
    let added = Column {
        name: "added".into(),
        kind: Kind::Text,
        declared,
        nullable: true,
        compares: Default::default(),
    };
    later.columns.push(added);
    later.version = 2;
    let later = Arc::new(later);
    let mut longer = row(2, 8, "b");
    longer.0.push("new".into());
    let mut write = rig.put(longer.clone());
    write.table = later.clone();
    assert_eq!(led.together(2, vec![write.clone()]).await, None);
    assert_eq!(rig.dump("select * from questions_copy where id = 2"), "2|8|b");
    // Once it is there the rows from before lack it: they are compared, and written with it.
    rig.hand().execute("alter table questions_copy add column added text", []).expect("it works");
    let batch = led.batch(3, vec![write.clone()]);
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("rows lack it");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::CopyColumnAdded));
    assert!(fault.what.ends_with("added"), "{fault}");
    let standing = led.target.standing(&led.lane).await.expect("a standing");
    let (purpose, began) = (Purpose::Bridge, at(2));
    let again = Pass::Under { purpose, began, upto: None, deleted: 0 };
    assert_eq!(standing.passes, [("copy".into(), again)].into());
    assert_eq!(standing.watermark, Some(at(2)), "the batch was not written");
    assert_eq!(led.together(3, vec![write]).await, None);
    assert_eq!(rig.dump("select * from questions_copy where id = 2"), "2|8|b|new");
    let there = rows::all(rig.inspect().as_ref(), &later).await;
    assert_eq!(there.get(&rows::key(2)), Some(&longer));
}

#[tokio::test]
async fn columns_of_the_users_own_stay_as_they_are() {
    let rig = Rig::new(
        "create table questions_copy (id integer primary key, topic, body, note default 'none',
         doubled generated always as (topic * 2))",
    );
    first_write(&rig).await.expect("it fits");
    rig.hand().execute("update questions_copy set note = 'mine'", []).expect("it works");
    let mut led = rig.lead().await;
    let rows = vec![rig.put(row(1, 9, "b")), rig.put(row(2, 9, "b"))];
    assert_eq!(led.together(2, rows).await, None);
    assert_eq!(
        rig.dump("select id, topic, note, doubled from questions_copy"),
        "1|9|mine|18\n2|9|none|18"
    );
}

#[tokio::test]
async fn triggers_of_the_table_run_and_one_that_drops_a_row_refuses_it() {
    let rig = Rig::new(&format!(
        "{TABLE}; create table seen (id, what);
         create trigger one after insert on questions_copy begin
            insert into seen values (new.id, 'insert'); end;
         create trigger two after update on questions_copy begin
            insert into seen values (new.id, 'update'); end;
         create trigger three before insert on questions_copy when new.topic = 0 begin
            select raise(ignore); end;
         create trigger four before insert on questions_copy when new.topic = -1 begin
            select raise(abort, 'not this topic'); end;
         create trigger five before insert on questions_copy when new.topic = -2 begin
            select raise(rollback, 'not at all'); end"
    ));
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    assert_eq!(led.together(2, vec![rig.put(row(1, 8, "a"))]).await, None);
    assert_eq!(rig.dump("select * from seen"), "1|insert\n1|update");
    for (topic, reason) in [(0, "ignored_by_trigger"), (-1, "not this topic"), (-2, "not at all")] {
        let writes = || vec![rig.put(row(2, 7, "b")), rig.put(row(3, topic, "c"))];
        assert_eq!(led.together(3, writes()).await.as_deref(), Some(reason));
        assert_eq!(rig.dump("select id from questions_copy where id > 1"), "");
        assert_eq!(led.each(3, writes()).await, [1]);
        assert_eq!(rig.dump("select id from questions_copy where id > 1"), "2");
        assert_eq!(led.holds().await[0].reason, reason);
        let gone = [2, 3].map(|id| rig.write(model::Effect::Delete(rows::key(id))));
        assert_eq!(led.together(4, gone.into()).await, None);
    }
}

#[tokio::test]
async fn a_delete_that_a_trigger_drops_is_refused_and_one_of_no_row_is_not() {
    let rig = Rig::new(&format!(
        "{TABLE}; create trigger kept before delete on questions_copy begin
            select raise(ignore); end"
    ));
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    let delete = |id| rig.write(model::Effect::Delete(rows::key(id)));
    let reason = led.together(2, vec![delete(2), delete(1)]).await;
    assert_eq!(reason.as_deref(), Some("ignored_by_trigger"));
    assert_eq!(led.each(2, vec![delete(2), delete(1)]).await, [1]);
}

#[tokio::test]
async fn triggers_keep_their_own_or_clauses() {
    let rig = Rig::new(&format!(
        "{TABLE}; create table seen (topic primary key);
         create trigger one after insert on questions_copy begin
            insert or ignore into seen values (new.topic); end;
         create trigger two after update on questions_copy begin
            insert or ignore into seen values (new.topic); end"
    ));
    let mut led = rig.lead().await;
    for (number, topic) in [(1, 7), (2, 7), (3, 8), (4, 7)] {
        let writes = [1, 2].map(|id| rig.put(row(id, topic, "a"))).into();
        assert_eq!(led.together(number, writes).await, None);
    }
    assert_eq!(rig.dump("select topic from seen order by topic"), "7\n8");
}

#[tokio::test]
async fn a_constraint_that_would_replace_or_ignore_rows_refuses_them_instead() {
    for clause in ["replace", "ignore", "fail", "rollback"] {
        for trigger in ["", "create trigger t after insert on questions_copy begin select 1; end"] {
            let rig = Rig::new(&format!(
                "create table questions_copy (id integer primary key, topic int unique
                    on conflict {clause}, body text not null on conflict {clause}); {trigger}"
            ));
            let mut led = rig.lead().await;
            let rows = || [1, 2].map(|id| rig.put(row(id, id, "a"))).into();
            assert_eq!(led.together(1, rows()).await, None);
            for wants_another in [row(1, 2, "b"), row(3, 2, "b")] {
                let reason = led.together(2, vec![rig.put(wants_another.clone())]).await;
                assert!(reason.expect("row 2 is there").contains("UNIQUE"), "{clause}");
                assert_eq!(led.each(2, vec![rig.put(wants_another)]).await, [0]);
            }
            assert_eq!(rig.dump("select id, topic from questions_copy order by id"), "1|1\n2|2");
            assert_eq!(led.together(3, rows()).await, None);
            let swapped = vec![rig.put(row(1, 2, "c")), rig.put(row(2, 1, "c"))];
            assert_eq!(led.together(4, swapped).await, None, "{clause}");
            assert_eq!(rig.dump("select id, topic from questions_copy order by id"), "1|2\n2|1");
        }
    }
}

#[tokio::test]
async fn a_value_that_a_strict_column_does_not_take_refuses_its_row() {
    let rig = Rig::new(
        "create table questions_copy (id integer primary key, topic int, body int) strict",
    );
    let mut led = rig.lead().await;
    let reason = led.together(1, vec![rig.put(row(1, 7, "text"))]).await.expect("it is no number");
    assert!(reason.contains("cannot store TEXT value in INT column"), "{reason}");
    assert_eq!(led.each(1, vec![rig.put(row(1, 7, "text")), rig.put(row(2, 7, "5"))]).await, [0]);
    assert_eq!(rig.dump("select * from questions_copy"), "2|7|5");
}

#[tokio::test]
async fn a_row_that_the_tables_own_expressions_fail_on_is_refused_like_any_other() {
    let rig = Rig::new(
        "create table questions_copy (id integer primary key, topic, body,
         name as (json_extract(body, '$.name')) stored)",
    );
    let mut led = rig.lead().await;
    let writes = vec![rig.put(row(1, 7, "{\"name\": \"x\"}")), rig.put(row(2, 7, "no json"))];
    assert_eq!(led.each(1, writes).await, [1]);
    assert!(led.holds().await[0].reason.contains("malformed JSON"));
}

#[tokio::test]
async fn a_truncate_that_is_refused_refuses_everything_for_it_names_no_key() {
    let rig = Rig::new(&format!(
        "{TABLE}; create trigger never before delete on questions_copy begin
            select raise(abort, 'nothing is deleted here'); end"
    ));
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    let batch = led.batch(2, vec![rig.write(model::Effect::Truncate), rig.put(row(2, 2, "b"))]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
    assert!(matches!(&outcome, Outcome::Refused(reason) if reason.contains("nothing is deleted")));
    assert_eq!(rig.dump("select id from questions_copy"), "1");
}

#[tokio::test]
async fn a_discard_stands_although_rows_of_its_batch_are_refused() {
    let rig = Rig::new(
        "create table questions_copy (id integer primary key, topic int unique,
         body text check (body <> 'refused'))",
    );
    let mut led = rig.lead().await;
    let writes = vec![rig.put(row(13, 1, "refused")), rig.put(row(1, 1, "a"))];
    assert_eq!(led.each(1, writes).await, [0]);
    // A row that wants another's place has the batch written twice.
    let mut batch = led.batch(2, vec![rig.put(row(2, 1, "b"))]);
    batch.discards = vec![(rig.copy.name.clone(), rows::key(13))];
    led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    assert_eq!(led.held().await, [rows::key(2)]);
}

#[tokio::test]
async fn an_unknown_copy_is_a_fault_and_no_panic() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let mut write = rig.put(row(1, 1, "a"));
    write.copy = "another".into();
    let batch = led.batch(1, vec![write]);
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("there is none");
    assert_eq!(fault.fate, Fate::Stop);
    assert!(fault.what.contains("another"));
}

async fn first_write(rig: &Rig) -> Result<(), Fault> {
    let mut led = rig.lead().await;
    let batch = led.batch(1, vec![rig.put(row(1, 7, "a"))]);
    let outcome = led.target.apply(&batch, Mode::Together).await?;
    assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
    Ok(())
}
