//! Rows that want each other's unique values: whatever a source could commit, the copy takes.

use super::rig::{Led, Rig};
use model::{Cell, Effect, Key, Mode, Outcome, Row, Write};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use testkit::conformance::rows::{key, row, row_with_same_body};

/// The indexes of real life: plain, over two columns, partial, over an expression.
const INDEXES: [&str; 6] = [
    "create table questions_copy (id integer primary key, topic int unique, body text)",
    "create table questions_copy (id integer primary key, topic int not null unique, body text)",
    "create table questions_copy (id integer primary key, topic int not null,
        body text not null, mine default 5, unique (body, topic))",
    "create table questions_copy (id integer primary key, topic int not null, body text not null);
     create unique index live on questions_copy (topic) where body <> 'gone'",
    "create table questions_copy (id integer primary key, topic int, body text not null);
     create unique index lower on questions_copy (topic + 1)",
    "create table questions_copy (id int not null primary key, topic int not null unique, body text)
        strict, without rowid",
];

#[tokio::test]
async fn two_rows_may_swap_a_unique_value() {
    for statements in INDEXES {
        let (rig, mut led) = with_rows(statements, 2).await;
        let swapped = vec![rig.put(row(1, 2, "same")), rig.put(row(2, 1, "same"))];
        assert_eq!(led.together(2, swapped).await, None, "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n2|1|same", "{statements}");
    }
}

#[tokio::test]
async fn a_swap_may_come_in_two_batches_and_leave_columns_unchanged() {
    for statements in INDEXES {
        let (rig, mut led) = with_rows(statements, 3).await;
        let patch = |id, topic| rig.write(Effect::Patch(key(id), row_with_same_body(id, topic)));
        let mut first = led.batch(2, vec![patch(1, 2), patch(2, 3)]);
        first.last = false;
        led.target.apply(&first, Mode::Together).await.expect("taken");
        assert_eq!(led.together(2, vec![patch(3, 1)]).await, None, "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n2|3|same\n3|1|same", "{statements}");
    }
}

#[tokio::test]
async fn a_row_whose_unique_column_is_unchanged_gets_it_back() {
    let statements = "create table questions_copy (
        id integer primary key, topic int, body text not null unique)";
    let rig = Rig::new(statements);
    let mut led = rig.lead().await;
    led.together(1, vec![rig.put(row(1, 1, "a")), rig.put(row(2, 2, "b"))]).await;
    // The second row is in the way of the first, and says nothing about what is unique.
    let unchanged = rig.write(Effect::Patch(key(2), row_with_same_body(2, 9)));
    let refused = led.together(2, vec![rig.put(row(1, 1, "b")), unchanged]).await;
    assert!(refused.expect("two rows would be equal").contains("UNIQUE"));
    assert_eq!(dump(&rig), "1|1|a\n2|2|b");
}

#[tokio::test]
async fn every_row_may_move_up_by_one() {
    for statements in INDEXES {
        let (rig, mut led) = with_rows(statements, 50).await;
        let up = (1..=50).map(|id| rig.put(row(id, id + 1, "same"))).collect();
        assert_eq!(led.together(2, up).await, None, "{statements}");
        assert_eq!(rig.dump("select count(*) from questions_copy where topic = id + 1"), "50");
    }
}

#[tokio::test]
async fn a_row_may_take_the_value_of_one_that_is_deleted_or_moved_after_it() {
    for statements in INDEXES {
        let (rig, mut led) = with_rows(statements, 3).await;
        let moved = Effect::Move { before: key(3), key: key(4), row: row_with_same_body(4, 1) };
        let writes =
            [rig.put(row(1, 2, "same")), rig.write(moved), rig.write(Effect::Delete(key(2)))];
        assert_eq!(led.together(2, writes.into()).await, None, "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n4|1|same", "{statements}");
    }
}

#[tokio::test]
async fn a_row_that_is_truly_in_the_way_stays_and_the_other_is_refused() {
    for statements in INDEXES {
        let (rig, mut led) = with_rows(statements, 3).await;
        let writes = || vec![rig.put(row(1, 3, "same")), rig.put(row(2, 1, "same"))];
        let before = dump(&rig);
        let reason = led.together(2, writes()).await.expect("row 3 has it");
        assert!(reason.contains("UNIQUE constraint failed"), "{reason}");
        assert_eq!(dump(&rig), before, "{statements}");
        // Row by row the one is held; the other wants what the first still has, and is held, too.
        assert_eq!(led.each(2, writes()).await, [0, 1], "{statements}");
        assert_eq!(dump(&rig), before, "{statements}");
        assert_eq!(led.held().await, [key(1), key(2)]);
    }
}

#[tokio::test]
async fn row_by_row_a_swap_passes_and_a_bad_row_beside_it_does_not() {
    for statements in INDEXES {
        let (rig, mut led) = with_rows(statements, 3).await;
        let null_key = Row(vec![Cell::from(7), Cell::from(3), Cell::from("same")]);
        let writes =
            vec![rig.put(row(1, 2, "same")), rig.put(null_key), rig.put(row(2, 1, "same"))];
        assert_eq!(led.each(2, writes).await, [1], "{statements}");
        assert_eq!(dump(&rig), "1|2|same\n2|1|same\n3|3|same", "{statements}");
        assert_eq!(led.held().await, [key(7)]);
    }
}

#[tokio::test]
async fn what_a_row_has_in_columns_of_its_own_is_kept_when_it_stands_aside() {
    let (rig, mut led) = with_rows(INDEXES[2], 2).await;
    rig.hand().execute("update questions_copy set mine = id * 100", []).expect("it works");
    let swapped = vec![rig.put(row(1, 2, "same")), rig.put(row(2, 1, "same"))];
    assert_eq!(led.together(2, swapped).await, None);
    assert_eq!(rig.dump("select id, mine from questions_copy"), "1|100\n2|200");
}

#[tokio::test]
async fn a_row_of_another_lane_is_never_moved_aside() {
    let statements = "create table questions_copy (
        id integer primary key, topic int unique, body text, shard text)";
    let rig = Rig::owned(statements);
    let (mut one, mut two) = (Led::new(&rig, "one").await, Led::new(&rig, "two").await);
    assert_eq!(one.together(1, vec![rig.put(row(1, 7, "a"))]).await, None);
    let reason = two.together(1, vec![rig.put(row(2, 7, "b"))]).await.expect("the value is taken");
    assert!(reason.contains("UNIQUE"), "{reason}");
    assert_eq!(rig.dump("select id, topic, shard from questions_copy"), "1|7|one");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever rows are there and whatever becomes of them: if the outcome has no two rows alike,
    /// it is taken in any order of the writes, and it is the outcome.
    #[test]
    fn any_outcome_that_a_source_could_commit_is_taken(
        index in 0..INDEXES.len(),
        before in outcome(),
        after in outcome(),
        order in vec(any::<u32>(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new(INDEXES[index]);
            let mut led = rig.lead().await;
            assert_eq!(led.together(1, writes(&rig, &before, &BTreeMap::new())).await, None);
            let mut writes: Vec<_> = writes(&rig, &after, &before).into_iter().zip(order).collect();
            writes.sort_by_key(|(_, order)| *order);
            let writes = writes.into_iter().map(|(write, _)| write).collect();
            assert_eq!(led.together(2, writes).await, None);
            let expected: Vec<_> =
                after.iter().map(|(id, topic)| format!("{id}|{topic}|same")).collect();
            assert_eq!(dump(&rig), expected.join("\n"));
        });
    }
}

/// Up to six rows, each with a topic of its own.
fn outcome() -> impl Strategy<Value = BTreeMap<i64, i64>> {
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
fn writes(rig: &Rig, after: &BTreeMap<i64, i64>, before: &BTreeMap<i64, i64>) -> Vec<Write> {
    let puts = after.iter().filter(|(id, topic)| before.get(id) != Some(topic));
    let puts = puts.map(|(id, topic)| match before.contains_key(id) {
        true => rig.write(Effect::Patch(key(*id), row_with_same_body(*id, *topic))),
        false => rig.put(row(*id, *topic, "same")),
    });
    let gone = before.keys().filter(|id| !after.contains_key(id));
    puts.chain(gone.map(|id| rig.write(Effect::Delete(key(*id))))).collect()
}

async fn with_rows(statements: &str, count: i64) -> (Rig, Led) {
    let rig = Rig::new(statements);
    let mut led = rig.lead().await;
    let rows = (1..=count).map(|id| rig.put(row(id, id, "same"))).collect();
    assert_eq!(led.together(1, rows).await, None);
    (rig, led)
}

fn dump(rig: &Rig) -> String {
    rig.dump("select id, topic, body from questions_copy order by id")
}

#[tokio::test]
async fn keys_that_a_refused_write_names_are_held_with_it() {
    let (rig, mut led) = with_rows(INDEXES[0], 3).await;
    let moved = Effect::Move { before: key(1), key: key(9), row: row_with_same_body(9, 3) };
    let batch = led.batch(2, vec![rig.write(moved)]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
    assert!(matches!(&outcome, Outcome::Written { refused, .. } if refused.len() == 1));
    let held: [Key; 2] = [key(1), key(9)];
    assert_eq!(led.held().await, held);
}
