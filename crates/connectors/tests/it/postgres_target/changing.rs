//! Tables that change while they are written to (AP6, AP8), and names that nobody expects (SE2).

use super::rig::{Led, PATIENCE, Rig, TABLE};
use instep_connectors::CopyTo;
use model::{
    Batch, Cell, Code, Column, Effect, Fate, Fault, Mode, Outcome, Pass, Row, Table, Value, Write,
};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{self, key, row};
use tokio::time::{Instant, sleep};

/// Writes until it is taken; what it was told before that.
async fn until_taken(led: &mut Led, number: u64, writes: &[Write]) -> Vec<Fault> {
    let deadline = Instant::now() + PATIENCE;
    let mut faults = Vec::new();
    loop {
        let batch = led.batch(number, writes.to_vec());
        match led.target.apply(&batch, Mode::Together).await {
            Ok(Outcome::Written { .. }) => return faults,
            Ok(refused) => panic!("{refused:?}"),
            Err(fault) => faults.push(fault),
        }
        assert!(Instant::now() < deadline, "{faults:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Writes until it is told a fault of this code.
async fn until_told(led: &mut Led, rig: &Rig, code: Code) -> Fault {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let batch = led.batch(2, vec![rig.put(row(2, 2, "b"))]);
        match led.target.apply(&batch, Mode::Together).await {
            Err(fault) if fault.code == code => return fault,
            _ => assert!(Instant::now() < deadline, "nothing is told"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_dropped_is_told_at_once_if_it_is_named_and_else_left_out() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.insert(row(1, 1, "a"))]).await, None);
    rig.sql("alter table questions_copy drop topic");
    let faults = until_taken(&mut led, 2, &[rig.put(row(2, 2, "b"))]).await;
    assert!(faults.iter().all(|it| (it.fate, it.code) == (Fate::Retry, Code::CopyColumns)));
    assert_eq!(rig.sql("select * from questions_copy order by id"), "1|a\n2|b");
    rig.sql("alter table questions_copy drop id cascade");
    let fault = until_told(&mut led, &rig, Code::CopyColumns).await;
    assert!(fault.what.contains("id"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_changed_is_looked_at_again() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.insert(row(1, 1, "a"))]).await, None);
    for (number, (column, of)) in
        (2..).zip([("topic", "numeric"), ("topic", "text"), ("id", "int"), ("id", "numeric")])
    {
        rig.sql(&format!("alter table questions_copy alter {column} type {of}"));
        let faults = until_taken(&mut led, number, &[rig.put(row(1, 5, of))]).await;
        assert!(faults.iter().all(|it| it.fate == Fate::Retry), "{of}: {faults:?}");
        let found = rows::all(rig.inspect().as_ref(), &rig.table).await;
        assert_eq!(found, rows::rows([row(1, 5, of)]), "{of}");
    }
    // One that can not keep what comes stops the copy, and says why.
    rig.sql("alter table questions_copy alter topic type bool using true");
    let fault = until_told(&mut led, &rig, Code::CopyColumns).await;
    assert!(fault.what.contains("topic"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_dropped_is_told_and_one_that_is_made_again_is_written() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.insert(row(1, 1, "a"))]).await, None);
    rig.sql("drop table questions_copy");
    let fault = until_told(&mut led, &rig, Code::CopyTableMissing).await;
    assert!(fault.fate == Fate::Retry && fault.what.contains("create: true"), "{fault}");
    rig.sql(&TABLE.replace("body text", "body varchar(9)"));
    let faults = until_taken(&mut led, 2, &[rig.put(row(2, 2, "b"))]).await;
    assert_eq!(faults.last().map(|it| it.code), Some(Code::CopyTableNew), "{faults:?}");
    assert_eq!(rig.sql("select * from questions_copy"), "2|2|b");
}

/// What was copied before is not in it, and nothing that comes over the log would bring it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_table_is_another_one_is_compared_with_its_source() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let copy = || rig.copy.name.clone();
    let mut led = rig.lead().await;
    let filled = Batch { passes: vec![(copy(), Pass::Done)], ..led.batch(1, vec![]) };
    led.target.apply(&filled, Mode::Together).await.expect("it is written");
    assert_eq!(led.together(2, vec![rig.insert(row(1, 1, "a"))]).await, None);
    let anew = format!("drop table questions_copy; {TABLE}");
    for is_connected in [true, false] {
        rig.sql(&anew);
        let fault = loop {
            if !is_connected {
                led = rig.lead().await;
            }
            // Whoever has written to it sees it even where nothing is to be written.
            let writes = if is_connected { vec![] } else { vec![rig.insert(row(3, 3, "c"))] };
            let batch = led.batch(2, writes);
            if let Err(fault) = led.target.apply(&batch, Mode::Together).await {
                break fault;
            }
            sleep(Duration::from_millis(100)).await;
        };
        assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::CopyTableNew), "{fault}");
        led = rig.lead().await;
        let passes = led.target.standing(&led.lane).await.expect("an answer").passes;
        let is_begun = matches!(&passes[&copy()], Pass::Under { upto: None, .. });
        assert!(is_begun, "{passes:?}");
        let done = Batch { passes: vec![(copy(), Pass::Done)], ..led.batch(3, vec![]) };
        led.target.apply(&done, Mode::Together).await.expect("it is written");
        assert_eq!(led.together(4, vec![rig.insert(row(2, 2, "b"))]).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_index_a_rule_and_triggers_that_come_later_are_seen() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    let both = [1, 2].map(|id| rig.insert(row(id, id, "a")));
    assert_eq!(led.together(1, both.into()).await, None);
    rig.sql("create unique index late on questions_copy (topic)");
    let swapped = [rig.put(row(1, 2, "b")), rig.put(row(2, 1, "b"))];
    // Until it is looked at again the index may say no to what could be written.
    let deadline = Instant::now() + PATIENCE;
    while led.together(2, swapped.to_vec()).await.is_some() {
        assert!(Instant::now() < deadline, "the index is not seen");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(rig.sql("select id, topic from questions_copy order by id"), "1|2\n2|1");
    rig.sql(
        "create function odd() returns trigger language plpgsql as $$ begin
            if tg_op = 'DELETE' then return case old.topic when 1 then null else old end; end if;
            if new.topic = 77 then return null; end if;
            if new.topic = 78 then raise 'not this topic'; end if;
            if new.topic = 79 then perform 1 / 0; end if;
            return new; end $$;
         create trigger odd before insert or update or delete on questions_copy
            for each row execute function odd()",
    );
    for (topic, reason) in
        [(77, "ignored_by_trigger"), (78, "not this topic"), (79, "division by zero")]
    {
        for (id, new) in [(1, false), (7, true), (7, false)] {
            let odd = row(id, topic, "c");
            let odd = || if new { rig.insert(odd.clone()) } else { rig.put(odd.clone()) };
            let writes = || vec![rig.put(row(3, 3, "c")), odd()];
            let told = led.together(3, writes()).await.expect("it is refused");
            assert!(told.contains(reason), "{topic} {id}: {told}");
            assert_eq!(led.each(3, writes()).await, [1], "{topic} {id}");
            assert_eq!(led.held().await, [key(id)]);
            let batch = led.batch(4, vec![rig.put(row(id, 50, "d")), rig.put(row(1, 2, "b"))]);
            led.target.apply(&batch, Mode::Together).await.expect("written");
            assert_eq!(led.together(5, vec![rig.write(Effect::Delete(key(7)))]).await, None);
        }
    }
    // The second is kept by the trigger; a row that is not there is no trouble.
    let gone = || [9, 2].map(|id| rig.write(Effect::Delete(key(id)))).into();
    assert_eq!(led.together(6, gone()).await.as_deref(), Some("ignored_by_trigger"));
    assert_eq!(led.each(6, gone()).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncate_that_is_refused_refuses_everything_for_it_names_no_key() {
    let Some(rig) = Rig::new(&format!(
        "{TABLE}; create function never() returns trigger language plpgsql as
            $$ begin raise 'nothing is deleted here'; end $$;
         create trigger never before delete on questions_copy
            for each row execute function never()"
    )) else {
        return;
    };
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    let batch = led.batch(2, vec![rig.write(Effect::Truncate), rig.put(row(2, 2, "b"))]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
    assert!(matches!(&outcome, Outcome::Refused(reason) if reason.contains("nothing is deleted")));
    assert_eq!(rig.sql("select id from questions_copy"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discard_stands_although_its_batch_is_written_more_than_once() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let mut led = rig.lead().await;
    for (number, mode) in (1..).step_by(2).zip([Mode::Together, Mode::RowByRow]) {
        assert_eq!(led.each(number, vec![rig.insert(row(13, 7, "refused"))]).await, [0]);
        // A row that is there although nobody expected it has the batch written twice.
        let mut batch =
            led.batch(number + 1, vec![rig.insert(row(2, 1, "b")), rig.insert(row(2, 1, "c"))]);
        batch.discards = vec![(rig.copy.name.clone(), key(13))];
        led.target.apply(&batch, mode).await.expect("written");
        assert_eq!(led.held().await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_table_numbers_itself_is_written_and_a_change_of_it_stops_nothing() {
    let statements = "create table public.questions_copy (
        id bigint generated always as identity primary key, topic bigint, body text)";
    let Some(rig) = Rig::new(statements) else { return };
    let mut led = rig.lead().await;
    assert_eq!(
        led.together(1, vec![rig.insert(row(5, 1, "a")), rig.put(row(6, 1, "a"))]).await,
        None
    );
    assert_eq!(led.together(2, vec![rig.put(row(5, 2, "b"))]).await, None);
    let row = row(7, 3, "c");
    let moved = rig.write(Effect::Move { before: key(5), key: key(7), row });
    let reason = led.together(3, vec![moved.clone()]).await.expect("the table says no");
    assert!(reason.contains("GENERATED ALWAYS"), "{reason}");
    assert_eq!(led.each(3, vec![moved]).await, [0]);
    assert_eq!(led.held().await, [key(5), key(7)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_says_nothing_but_the_key_is_one_of_a_numbered_key_as_well() {
    let statements = "create table public.questions_copy (
        id bigint generated always as identity primary key, topic bigint, body text)";
    let Some(rig) = Rig::new(statements) else { return };
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.insert(row(5, 1, "a"))]).await, None);
    let unchanged = || vec![Cell::from(5), Cell::Unchanged, Cell::Unchanged];
    let patch = || vec![rig.write(Effect::Patch(key(5), Row(unchanged())))];
    assert_eq!(led.together(2, patch()).await, None);
    assert_eq!(led.each(3, patch()).await, [] as [usize; 0]);
    assert_eq!(rig.sql("select * from questions_copy"), "5|1|a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_all_key_is_written_over_itself_unless_it_numbers_that() {
    for (key_is, numbered) in [("primary key (id, topic)", false), ("primary key (id)", true)] {
        let topic = if numbered { "" } else { "topic bigint," };
        let Some(mut rig) = Rig::new(&format!(
            "create table public.questions_copy (
                id bigint generated always as identity, {topic} {key_is})"
        )) else {
            return;
        };
        let mut table = rig.table.as_ref().clone();
        table.columns.truncate(2);
        table.key = if numbered { vec![0] } else { vec![0, 1] };
        rig.table = Arc::new(table);
        let mut led = rig.lead().await;
        for number in 1..3 {
            let batch = led.batch(number, vec![rig.put(Row::new([5, 6].map(Value::Int)))]);
            match led.target.apply(&batch, Mode::RowByRow).await {
                Ok(outcome) => {
                    assert_eq!(outcome, Outcome::Written { flushed: None, refused: vec![] });
                }
                Err(fault) => {
                    assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::CopyColumns));
                    assert!(numbered && fault.what.contains("by default"), "{fault}");
                }
            }
        }
        assert_eq!(rig.sql("select * from questions_copy"), if numbered { "" } else { "5|6" });
    }
}

/// AP8, SE2: names are names, whatever is in them.
#[tokio::test(flavor = "multi_thread")]
async fn tables_columns_copies_and_lanes_may_have_any_name() {
    let long = "ä".repeat(31) + "x";
    let names = [
        "Upper",
        "two words",
        "a\"b",
        "a'b",
        "a.b.c",
        "select",
        "user",
        "a\\b",
        "$1",
        "ünï",
        "%s",
        "x; drop table y; --",
        "c0",
        "d",
        "t",
        "instep_0",
        "excluded",
        &long,
    ];
    let Some(mut rig) = Rig::new("") else { return };
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    for name in names {
        let of =
            |part: &str| quoted(&format!("{}{part}", name.chars().take(24).collect::<String>()));
        let schema = if name.contains('.') { "public".to_owned() } else { name.to_owned() };
        let shown = |suffix: &str| format!("{}{suffix}", name.chars().take(24).collect::<String>());
        rig.again(&format!(
            "create schema if not exists {}; create table {}.{} (
                {} bigint primary key, {} bigint not null unique, {} text)",
            quoted(&schema),
            quoted(&schema),
            quoted(name),
            of("1"),
            of("2"),
            of("3")
        ));
        let column = |suffix: &str, kind, declared: &str| Column {
            name: shown(suffix).as_str().into(),
            kind,
            declared: declared.into(),
            nullable: suffix != "1",
            compares: model::Compares::default(),
        };
        let columns = vec![
            column("1", model::Kind::Int, "bigint"),
            column("2", model::Kind::Int, "bigint"),
            column("3", model::Kind::Text, "text"),
        ];
        rig.table = Arc::new(Table { name: "s".into(), version: 1, columns, key: vec![0] });
        let table = format!("{schema}.{name}");
        for create in [false, true] {
            if create {
                rig.sql(&format!("drop table {}.{}", quoted(&schema), quoted(name)));
            }
            rig.copy = CopyTo { create, ..CopyTo::new(name, &table) };
            rig.target = instep_connectors::postgres::PostgresTarget::new(
                rig.access(),
                vec![rig.copy.clone()],
            );
            everything_works(&rig, name, &format!("{name}{create}")).await;
        }
        if schema != "public" {
            rig.sql(&format!(
                "set client_min_messages = 'warning'; drop schema {} cascade",
                quoted(&schema)
            ));
        }
    }
}

/// Everything that is ever done with a copy.
async fn everything_works(rig: &Rig, name: &str, lane: &str) {
    let mut led = Led::new(rig, lane).await;
    let both = |one, two| vec![rig.put(row(1, one, name)), rig.put(row(2, two, "b"))];
    assert_eq!(led.together(1, both(1, 2)).await, None, "{name}");
    assert_eq!(led.together(2, both(2, 1)).await, None, "{name}");
    let patch = rig.write(Effect::Patch(key(2), rows::row_with_same_body(2, 5)));
    let moved = rows::row_with_same_body(4, 2);
    let moved = rig.write(Effect::Move { before: key(1), key: key(4), row: moved });
    assert_eq!(led.together(3, vec![patch, moved]).await, None, "{name}");
    let zero = rig.put(row(9, 9, "a\0b"));
    assert_eq!(led.each(4, vec![zero, rig.insert(row(3, 3, "c"))]).await, [0]);
    let found = rows::all(rig.inspect().as_ref(), &rig.table).await;
    let expected = rows::rows([row(2, 5, "b"), row(3, 3, "c"), row(4, 2, name)]);
    assert_eq!(found, expected, "{name}");
    assert_eq!(led.held().await, [key(9)]);
    let gone = [2, 9].map(|id| rig.write(Effect::Delete(key(id))));
    assert_eq!(led.together(5, gone.into()).await, None, "{name}");
    assert_eq!(led.held().await, []);
}
