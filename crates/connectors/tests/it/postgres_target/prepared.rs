//! Small transactions that come again and again, whose statements the server knows by name.

use super::rig::{Led, Rig, TABLE, tenure};
use instep_connectors::CopyTo;
use model::{Code, Column, Compares, Effect, Kind, Mode, Row, Table, Value, Write};
use std::sync::Arc;
use testkit::conformance::rows::{key, row};

const AGAIN: u64 = 8;

/// How the connection of the target ended its last transaction.
fn last_words(rig: &Rig) -> String {
    rig.sql(
        "select query from pg_stat_activity where datname = current_database()
         and pid <> pg_backend_pid() and query like '%commit' order by query_start desc limit 1",
    )
}

/// The same kind of transaction again and again, until its statements have names.
async fn again(led: &mut Led, rig: &Rig, first: u64, write: impl Fn(i64) -> Vec<Write>) {
    for number in first..first + AGAIN {
        let writes = write(i64::try_from(number).expect("small"));
        assert_eq!(led.together(number, writes).await, None, "{number}");
    }
    let said = last_words(rig);
    assert!(said.contains("execute \"instep "), "{said}");
}

fn dump(rig: &Rig) -> String {
    rig.sql("select id, topic, body from questions_copy order by id")
}

fn numbered(ids: impl Iterator<Item = i64>, body: &str) -> String {
    ids.map(|id| format!("{id}|{id}|{body}")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_any_kind_are_written_by_name_as_they_are_without() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let odd = "it's \\ \"$1\" {a,NULL} \u{1F600}\n; commit";
    again(&mut led, &rig, 1, |id| vec![rig.insert(row(id, id, odd))]).await;
    assert_eq!(
        rig.sql(&format!("select count(*) from questions_copy where body = $a${odd}$a$")),
        "8"
    );
    again(&mut led, &rig, 11, |id| vec![rig.put(row(id - 10, id - 10, "b"))]).await;
    assert_eq!(dump(&rig), numbered(1..=8, "b"));
    // An update of a row that is not there, beside one of a row that is.
    for number in 21..=28 {
        let id = i64::try_from(number).expect("small");
        let writes = vec![rig.put(row(id - 20, id - 20, "c")), rig.put(row(id, id, "c"))];
        assert_eq!(led.together(number, writes).await, None);
    }
    assert_eq!(dump(&rig), numbered((1..=8).chain(21..=28), "c"));
    again(&mut led, &rig, 31, |id| vec![rig.write(Effect::Delete(key(id - 10)))]).await;
    assert_eq!(dump(&rig), numbered(1..=8, "c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_by_name_is_held_and_the_next_ones_are_written() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    again(&mut led, &rig, 1, |id| vec![rig.insert(row(id, id, "a"))]).await;
    let writes = vec![rig.insert(row(20, 20, "a")), rig.insert(row(21, 21, "refused"))];
    let reason = led.together(9, writes.clone()).await.expect("one is refused");
    assert!(reason.contains("questions_copy_body_check"), "{reason}");
    assert_eq!(led.each(9, writes).await, [1]);
    assert_eq!(led.held().await, [key(21)]);
    again(&mut led, &rig, 10, |id| vec![rig.insert(row(id + 20, id + 20, "a"))]).await;
    assert_eq!(led.held().await, [key(21)]);
    assert_eq!(led.together(30, vec![rig.insert(row(21, 21, "a"))]).await, None);
    assert_eq!(led.held().await, []);
    assert_eq!(dump(&rig), numbered((1..=8).chain(20..=21).chain(30..=37), "a"));
}

/// The server forgets, as if a pooler had gone on with another one: after each transaction, or in the
/// middle of it.
const FORGETS: [&str; 2] = [
    "create constraint trigger forget after insert or update on questions_copy deferrable
        initially deferred for each row execute function forget()",
    "create trigger forget after insert or update on questions_copy
        for each row execute function forget()",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgets_the_names_costs_nothing() {
    for forgets in FORGETS {
        let Some(rig) = Rig::new(TABLE) else { return };
        let mut led = rig.lead().await;
        again(&mut led, &rig, 1, |id| vec![rig.insert(row(id, id, "a"))]).await;
        again(&mut led, &rig, 9, |id| vec![rig.put(row(id - 8, id - 8, "b"))]).await;
        rig.sql(&format!(
            "create function forget() returns trigger language plpgsql as
                $$ begin execute 'deallocate all'; return null; end $$; {forgets}"
        ));
        assert_eq!(led.together(17, vec![rig.put(row(1, 1, "a"))]).await, None);
        for number in 18..=25 {
            let id = i64::try_from(number).expect("small");
            assert_eq!(led.together(number, vec![rig.insert(row(id, id, "a"))]).await, None);
        }
        let said = last_words(&rig);
        assert!(!said.contains("execute \"instep "), "{said}");
        let rest = format!("{}\n{}", numbered(2..=8, "b"), numbered(18..=25, "a"));
        assert_eq!(dump(&rig), format!("1|1|a\n{rest}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_have_no_name_leaves_the_others_theirs() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    for number in 1..=8 {
        let id = i64::try_from(number).expect("small");
        let writes = vec![rig.write(Effect::Truncate), rig.insert(row(id, id, "a"))];
        assert_eq!(led.together(number, writes).await, None);
    }
    assert_eq!(dump(&rig), numbered(8..=8, "a"));
    again(&mut led, &rig, 9, |id| vec![rig.insert(row(id, id, "a"))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_has_grown_is_not_read_whole_for_a_row() {
    let Some(rig) = Rig::new(TABLE) else { return };
    rig.sql("insert into questions_copy select i, i, 'a' from generate_series(1, 50) i; analyze");
    let mut led = rig.lead().await;
    let write = |number: i64| {
        let deleted = (1..=10).map(|id| rig.write(Effect::Delete(key(id))));
        (11..=20).map(|id| rig.put(row(id, number, "b"))).chain(deleted).collect()
    };
    again(&mut led, &rig, 1, write).await;
    again(&mut led, &rig, 9, write).await;
    rig.sql(
        "insert into questions_copy select i, i, 'a' from generate_series(100, 20000) i;
         select pg_stat_reset_single_table_counters('questions_copy'::regclass)",
    );
    let read = "select n_tup_upd >= 80, seq_tup_read < 10000 from pg_stat_user_tables
        where relname = 'questions_copy'";
    let mut number = 17;
    // The server counts what a connection did about once a second.
    while !rig.sql(read).starts_with('t') {
        assert_eq!(led.together(number, write(i64::try_from(number).expect("small"))).await, None);
        number += 1;
    }
    assert_eq!(rig.sql(read), "t|t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_value_is_not_taken_for_another_leader() {
    let column = |name: &str| Column {
        name: name.into(),
        kind: Kind::Int,
        declared: "bigint".into(),
        nullable: name != "id",
        compares: Compares::default(),
    };
    let columns = vec![column("id"), column("epoch")];
    let table = Table { name: "marks".into(), version: 1, columns, key: vec![0] };
    let statements = "create schema app;
        create table app.watermarks (id bigint primary key, epoch bigint not null)";
    let copy = CopyTo::new("copy", "app.watermarks");
    let Some(rig) = Rig::of(statements, copy, Arc::new(table)) else { return };
    let mut led = rig.lead().await;
    let row = |id: i64, epoch: Value| Row::new([Value::Int(id), epoch]);
    again(&mut led, &rig, 1, |id| vec![rig.insert(row(id, Value::Int(id)))]).await;
    let reason = led.together(9, vec![rig.insert(row(9, Value::Null))]).await;
    assert!(reason.expect("it is refused").contains("null value"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_under_the_names_is_written_as_it_is_now() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    again(&mut led, &rig, 1, |id| vec![rig.insert(row(id, id, "a"))]).await;
    rig.sql(
        "alter table questions_copy alter topic type numeric, alter body type varchar(3),
            add column more int default 5;
         create index on questions_copy (topic)",
    );
    again(&mut led, &rig, 9, |id| vec![rig.insert(row(id, id, "a"))]).await;
    assert_eq!(dump(&rig), numbered(1..=16, "a"));
    let reason = led.together(17, vec![rig.insert(row(17, 17, "long"))]).await;
    assert!(reason.expect("it is too long").contains("too long"));
    assert_eq!(rig.sql("select distinct more from questions_copy"), "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_is_over_writes_nothing_by_name() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut earlier = rig.lead().await;
    again(&mut earlier, &rig, 1, |id| vec![rig.insert(row(id, id, "a"))]).await;
    again(&mut earlier, &rig, 9, |id| vec![rig.put(row(id - 8, id - 8, "a"))]).await;
    let _later = Led::by(&rig, "lane", &tenure(2)).await;
    for write in [rig.insert(row(50, 50, "late")), rig.put(row(1, 1, "late"))] {
        let late = earlier.batch(17, vec![write]);
        let fault = earlier.target.apply(&late, Mode::Together).await.expect_err("it is over");
        assert_eq!(fault.code, Code::Superseded, "{fault}");
    }
    assert_eq!(dump(&rig), numbered(1..=8, "a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_statements_than_may_have_names_are_all_written() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let mut number = 0;
    // How a transaction is to be says which lane it is of, which makes it a statement of its own.
    for lane in 0..120 {
        led.lane = format!("lane {lane}").as_str().into();
        led.target.lead(&led.lane, &tenure(1)).await.expect("an answer");
        for _ in 0..5 {
            number += 1;
            let id = i64::try_from(number).expect("small");
            assert_eq!(led.together(number, vec![rig.insert(row(id, id, "a"))]).await, None);
        }
    }
    assert_eq!(dump(&rig), numbered(1..=600, "a"));
    let said = last_words(&rig);
    assert!(said.contains("set_config") && said.contains("execute \"instep "), "{said}");
}
