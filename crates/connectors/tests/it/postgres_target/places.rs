//! Rows that want each other's unique values: whatever a source could commit, the copy takes (AP5).

use super::rig::{Led, Rig};
use model::{Cell, Effect, Key, Mode, Outcome, Row, Write};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use testkit::conformance::rows::{key, row, row_with_same_body};

/// The indexes of real life: plain, over two columns, partial, over an expression, and constraints
/// that can wait or do so by themselves.
const INDEXES: [&str; 8] = [
    "create table public.questions_copy (id bigint primary key, topic bigint unique, body text)",
    "create table public.questions_copy (
        id int primary key, topic int not null unique check (topic >= 0), body text)",
    "create table public.questions_copy (id bigint primary key, topic bigint not null,
        body text not null, mine int default 5, unique (body, topic))",
    "create table public.questions_copy (
        id bigint primary key, topic bigint not null, body text not null);
     create unique index live on public.questions_copy (topic) where body <> 'gone'",
    "create table public.questions_copy (id bigint primary key, topic bigint, body text not null);
     create function public.\"Odd\"(bigint) returns text immutable language sql
        as $$ select ($1 + 1)::text $$;
     create unique index odd on public.questions_copy ((public.\"Odd\"(topic)), lower(body))",
    "create table public.questions_copy (id bigint primary key, topic bigint not null, body text,
        unique (topic) deferrable initially immediate)",
    "create table public.questions_copy (id bigint primary key, topic bigint, body text,
        unique nulls not distinct (topic) deferrable initially deferred)",
    "create table public.questions_copy (id bigint not null, topic numeric not null, body text)
        partition by hash (id);
     create table public.one partition of public.questions_copy
        for values with (modulus 2, remainder 0);
     create table public.two partition of public.questions_copy
        for values with (modulus 2, remainder 1);
     alter table public.questions_copy add primary key (id), add unique (id, topic)",
];

#[tokio::test(flavor = "multi_thread")]
async fn two_rows_may_swap_a_unique_value() {
    let Some(rig) = Rig::new("") else { return };
    for statements in INDEXES {
        let mut led = with_rows(&rig, statements, 2).await;
        let swapped = vec![rig.put(row(1, 2, "same")), rig.put(row(2, 1, "same"))];
        assert_eq!(led.together(2, swapped).await, None, "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n2|1|same", "{statements}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_may_come_in_two_batches_and_leave_columns_unchanged() {
    let Some(rig) = Rig::new("") else { return };
    for statements in INDEXES {
        let mut led = with_rows(&rig, statements, 3).await;
        let patch = |id, topic| rig.write(Effect::Patch(key(id), row_with_same_body(id, topic)));
        let mut first = led.batch(2, vec![patch(1, 2), patch(2, 3)]);
        first.last = false;
        led.target.apply(&first, Mode::Together).await.expect("taken");
        assert_eq!(led.together(2, vec![patch(3, 1)]).await, None, "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n2|3|same\n3|1|same", "{statements}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_that_a_unique_index_takes_may_be_swapped() {
    // With what stands in the way of a value for the while.
    for (declared, one, two) in [
        ("text", "a", "b"),
        ("character varying(1)", "a", "b"),
        ("character(3)", "abc", "xyz"),
        ("public.mood", "sad", "happy"),
        ("public.short", "ab", "cd"),
    ] {
        let statements = format!(
            "create type public.mood as enum ('sad', 'happy', 'other');
             create domain public.short as text check (length(value) = 2);
             create table public.questions_copy (
                id bigint primary key, topic bigint, body {declared} not null unique)"
        );
        let mut table = testkit::conformance::rows::table("questions").as_ref().clone();
        table.columns[2].declared = declared.into();
        let Some(rig) = Rig::of(&statements, super::rig::copy(), table.into()) else { return };
        let mut led = rig.lead().await;
        let rows = |one, two| vec![rig.put(row(1, 1, one)), rig.put(row(2, 2, two))];
        assert_eq!(led.together(1, rows(one, two)).await, None, "{declared}");
        assert_eq!(led.together(2, rows(two, one)).await, None, "{declared}");
        assert_eq!(dump(&rig), format!("1|1|{two}\n2|2|{one}"), "{declared}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_type_has_no_value_to_stand_aside_with_a_swap_is_refused_and_stops_nothing() {
    for (declared, one, two) in [
        ("public.coin", "heads", "tails"),
        ("inet", "10.0.0.1", "10.0.0.2"),
        ("int4range", "[1,5)", "[5,9)"),
    ] {
        let statements = format!(
            "create type public.coin as enum ('heads', 'tails');
             create table public.questions_copy (
                id bigint primary key, topic bigint, body {declared} not null unique)"
        );
        let mut table = testkit::conformance::rows::table("questions").as_ref().clone();
        table.columns[2].declared = declared.into();
        let Some(rig) = Rig::of(&statements, super::rig::copy(), table.into()) else { return };
        let mut led = rig.lead().await;
        let rows = |one, two| vec![rig.put(row(1, 1, one)), rig.put(row(2, 2, two))];
        assert_eq!(led.together(1, rows(one, two)).await, None, "{declared}");
        assert!(led.together(2, rows(two, one)).await.is_some(), "{declared}");
        assert_eq!(led.each(2, rows(two, one)).await, [0, 1], "{declared}");
        assert_eq!(led.held().await, [key(1), key(2)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_value_of_a_type_may_be_swapped() {
    let Some(rig) = Rig::new("") else { return };
    for (declared, largest) in [("smallint", 32_767), ("bigint", i64::MAX)] {
        let statements = format!(
            "create table public.questions_copy (
                id bigint primary key, topic {declared} not null unique, body text)"
        );
        rig.again(&statements);
        let mut led = rig.lead().await;
        let rows = |one, two| vec![rig.put(row(1, one, "a")), rig.put(row(2, two, "a"))];
        assert_eq!(led.together(1, rows(1, largest)).await, None);
        assert_eq!(led.together(2, rows(largest, 1)).await, None, "{declared}");
        assert_eq!(dump(&rig), format!("1|{largest}|a\n2|1|a"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_unique_column_is_unchanged_gets_it_back() {
    let statements = "create table public.questions_copy (
        id bigint primary key, topic bigint, body text not null unique)";
    let Some(rig) = Rig::new(statements) else { return };
    let mut led = rig.lead().await;
    led.together(1, vec![rig.put(row(1, 1, "a")), rig.put(row(2, 2, "b"))]).await;
    // The second row is in the way of the first, and says nothing about what is unique.
    let unchanged = rig.write(Effect::Patch(key(2), row_with_same_body(2, 9)));
    let refused = led.together(2, vec![rig.put(row(1, 1, "b")), unchanged]).await;
    assert!(refused.expect("two rows would be equal").contains("unique constraint"));
    assert_eq!(dump(&rig), "1|1|a\n2|2|b");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_may_move_up_by_one() {
    let Some(rig) = Rig::new("") else { return };
    for statements in INDEXES {
        let mut led = with_rows(&rig, statements, 50).await;
        let up = (1..=50).map(|id| rig.put(row(id, id + 1, "same"))).collect();
        assert_eq!(led.together(2, up).await, None, "{statements}");
        assert_eq!(rig.sql("select count(*) from questions_copy where topic = id + 1"), "50");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_may_take_the_value_of_one_that_is_deleted_or_moved_after_it() {
    let Some(rig) = Rig::new("") else { return };
    for statements in INDEXES {
        let mut led = with_rows(&rig, statements, 3).await;
        let moved = Effect::Move { before: key(3), key: key(4), row: row_with_same_body(4, 1) };
        let writes =
            [rig.put(row(1, 2, "same")), rig.write(moved), rig.write(Effect::Delete(key(2)))];
        assert_eq!(led.together(2, writes.into()).await, None, "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n4|1|same", "{statements}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_truly_in_the_way_stays_and_the_other_is_refused() {
    let Some(rig) = Rig::new("") else { return };
    // The last has no index in which two rows could meet.
    for statements in &INDEXES[..7] {
        let mut led = with_rows(&rig, statements, 3).await;
        let writes = || vec![rig.put(row(1, 3, "same")), rig.put(row(2, 1, "same"))];
        let before = dump(&rig);
        let reason = led.together(2, writes()).await.expect("row 3 has it");
        assert!(reason.contains("violates unique constraint"), "{reason}");
        assert_eq!(dump(&rig), before, "{statements}");
        // Row by row the one is held; the other wants what the first still has, and is held, too.
        assert_eq!(led.each(2, writes()).await, [0, 1], "{statements}");
        assert_eq!(dump(&rig), before, "{statements}");
        assert_eq!(led.held().await, [key(1), key(2)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_by_row_a_swap_passes_and_a_bad_row_beside_it_does_not() {
    let Some(rig) = Rig::new("") else { return };
    for statements in &INDEXES[..7] {
        let mut led = with_rows(&rig, statements, 3).await;
        let bad = Row(vec![Cell::from(7), Cell::from(3), Cell::from("same")]);
        let writes = vec![rig.put(row(1, 2, "same")), rig.put(bad), rig.put(row(2, 1, "same"))];
        assert_eq!(led.each(2, writes).await, [1], "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n2|1|same\n3|3|same", "{statements}");
        assert_eq!(led.held().await, [key(7)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_row_has_in_columns_of_its_own_is_kept_when_it_stands_aside() {
    let Some(rig) = Rig::new("") else { return };
    let mut led = with_rows(&rig, INDEXES[2], 2).await;
    rig.sql("update questions_copy set mine = id * 100");
    let swapped = vec![rig.put(row(1, 2, "same")), rig.put(row(2, 1, "same"))];
    assert_eq!(led.together(2, swapped).await, None);
    assert_eq!(rig.sql("select id, mine from questions_copy order by id"), "1|100\n2|200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_lane_is_never_moved_aside() {
    let statements = "create table public.questions_copy (
        id bigint primary key, topic bigint unique, body text, shard text)";
    let Some(rig) = Rig::owned(statements) else { return };
    let (mut one, mut two) = (Led::new(&rig, "one").await, Led::new(&rig, "two").await);
    assert_eq!(one.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    let reason = two.together(1, vec![rig.put(row(2, 7, "b"))]).await.expect("the value is taken");
    assert!(reason.contains("unique constraint"), "{reason}");
    assert_eq!(rig.sql("select id, topic, shard from questions_copy"), "1|7|one");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_a_refused_write_names_are_held_with_it() {
    let Some(rig) = Rig::new("") else { return };
    let mut led = with_rows(&rig, INDEXES[0], 3).await;
    let moved = Effect::Move { before: key(1), key: key(9), row: row_with_same_body(9, 3) };
    let batch = led.batch(2, vec![rig.write(moved)]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
    assert!(matches!(&outcome, Outcome::Written { refused, .. } if refused.len() == 1));
    let held: [Key; 2] = [key(1), key(9)];
    assert_eq!(led.held().await, held);
}

/// Whatever rows are there and whatever becomes of them: if the outcome has no two rows alike, it is
/// taken in any order of the writes, at once or in two batches, and it is the outcome.
#[test]
fn any_outcome_that_a_source_could_commit_is_taken() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let Some(rig) = Rig::new("") else { return };
    for statements in INDEXES {
        rig.again(statements);
        let mut led = runtime.block_on(rig.lead());
        let mut number = 0;
        let order = vec(any::<u32>(), 12);
        let cases = (outcome(), outcome(), order, any::<bool>(), any::<bool>());
        let mut runner = TestRunner::new(ProptestConfig { cases: 8, ..Default::default() });
        let rig = &rig;
        let led = std::cell::RefCell::new(&mut led);
        let number = std::cell::RefCell::new(&mut number);
        let run = |(before, after, order, row_by_row, in_two): Case| {
            let (mut led, mut number) = (led.borrow_mut(), number.borrow_mut());
            **number += 2;
            runtime.block_on(take(
                rig,
                &mut led,
                **number,
                (before, after, order, row_by_row, in_two),
            ));
            Ok(())
        };
        runner.run(&cases, run).unwrap_or_else(|failure| panic!("{statements}: {failure}"));
    }
}

type Outcomes = BTreeMap<i64, i64>;
type Case = (Outcomes, Outcomes, Vec<u32>, bool, bool);

async fn take(
    rig: &Rig,
    led: &mut Led,
    number: u64,
    (before, after, order, row_by_row, in_two): Case,
) {
    let mut first = vec![rig.write(Effect::Truncate)];
    first.extend(writes(rig, &before, &BTreeMap::new()));
    assert_eq!(led.together(number, first).await, None);
    let mut writes: Vec<_> = writes(rig, &after, &before).into_iter().zip(order).collect();
    writes.sort_by_key(|(_, order)| *order);
    let mut writes: Vec<_> = writes.into_iter().map(|(write, _)| write).collect();
    let mode = if row_by_row { Mode::RowByRow } else { Mode::Together };
    if in_two {
        let rest = writes.split_off(writes.len() / 2);
        let mut batch = led.batch(number + 1, std::mem::replace(&mut writes, rest));
        batch.last = false;
        let outcome = led.target.apply(&batch, mode).await.expect("an answer");
        assert!(matches!(&outcome, Outcome::Written { refused, .. } if refused.is_empty()));
    }
    let batch = led.batch(number + 1, writes);
    let outcome = led.target.apply(&batch, mode).await.expect("an answer");
    assert!(
        matches!(&outcome, Outcome::Written { refused, .. } if refused.is_empty()),
        "{outcome:?}"
    );
    let expected = after.iter().map(|(id, topic)| (key(*id), row(*id, *topic, "same")));
    let found = testkit::conformance::rows::all(rig.inspect().as_ref(), &rig.table).await;
    assert_eq!(found, expected.collect());
}

/// Up to six rows, each with a topic of its own.
fn outcome() -> impl Strategy<Value = Outcomes> {
    vec((0..6_i64, 0..6_i64), 0..8).prop_map(|pairs| {
        let (mut ids, mut topics) = (BTreeSet::new(), BTreeSet::new());
        pairs
            .into_iter()
            .filter(|(id, topic)| {
                !ids.contains(id)
                    && !topics.contains(topic)
                    && ids.insert(*id)
                    && topics.insert(*topic)
            })
            .collect()
    })
}

/// What makes these rows of those.
fn writes(rig: &Rig, after: &Outcomes, before: &Outcomes) -> Vec<Write> {
    let puts = after.iter().filter(|(id, topic)| before.get(id) != Some(topic));
    let puts = puts.map(|(id, topic)| match before.contains_key(id) {
        true => rig.write(Effect::Patch(key(*id), row_with_same_body(*id, *topic))),
        false if id % 2 == 0 => rig.insert(row(*id, *topic, "same")),
        false => rig.put(row(*id, *topic, "same")),
    });
    let gone = before.keys().filter(|id| !after.contains_key(id));
    puts.chain(gone.map(|id| rig.write(Effect::Delete(key(*id))))).collect()
}

async fn with_rows(rig: &Rig, statements: &str, count: i64) -> Led {
    rig.again(statements);
    let mut led = rig.lead().await;
    let rows = (1..=count).map(|id| rig.put(row(id, id, "same"))).collect();
    assert_eq!(led.together(1, rows).await, None);
    led
}

fn dump(rig: &Rig) -> String {
    rig.sql("select id, topic, body from questions_copy order by id")
}
