//! The memory store is what the target port means: a PostgreSQL database answers as it does,
//! whatever comes.

use super::rig::{Led, OWNED, Rig, TABLE, at, copy, tenure};
use model::{
    Batch, CopyName, Effect, Hold, Lane, Mode, Outcome, Pass, Purpose, Row, Service, Standing,
    Target, Write,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::conformance::rows::{self, key, row, row_with_same_body, table};
use testkit::memory::store::{Manners, Store};
use testkit::memory::target::CopyOf;

#[test]
fn a_postgres_database_answers_as_the_memory_store_does() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (owned, statements) in [(false, TABLE), (true, OWNED)] {
        let rig = if owned { Rig::owned(statements) } else { Rig::new(statements) };
        let Some(rig) = rig else { return };
        let mut runner = TestRunner::new(ProptestConfig { cases: 10, ..Default::default() });
        let run = |transactions| {
            runtime.block_on(compare(&rig, owned, statements, transactions));
            Ok(())
        };
        let done = runner.run(&vec(transaction(), 1..10), run);
        done.unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// Batches of one lane that belong together, and how they are written.
#[derive(Clone, Debug)]
struct Transaction {
    lane: usize,
    mode: Mode,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    effects: Vec<Effect>,
    held: Option<i64>,
    discarded: Option<i64>,
    passed: Option<Pass>,
}

async fn compare(rig: &Rig, owned: bool, statements: &str, transactions: Vec<Transaction>) {
    rig.again(statements);
    let rule = Arc::new(|row: &Row| {
        (row.0[2] == model::Cell::from("refused")).then(|| "CHECK".to_owned())
    });
    let claim = model::Claim::Transactional;
    let store = Store::new(Manners { claim, flush_every: 1, rule, owned });
    let of_store = CopyOf { store: store.clone(), copy: copy().name, lane: None };
    let lanes = [Lane::from("one"), Lane::from("two")];
    let mut of_ours = [Led::new(rig, "one").await, Led::new(rig, "two").await];
    let mut theirs = Service::<dyn Target>::connect(&store).await.expect("a connection");
    for lane in &lanes {
        theirs.lead(lane, &tenure(1)).await.expect("an answer");
    }
    let inspect = rig.inspect();
    for (number, transaction) in (1..).zip(transactions) {
        let (lane, ours) = (&lanes[transaction.lane], &mut of_ours[transaction.lane]);
        let count = transaction.parts.len();
        for (index, part) in transaction.parts.into_iter().enumerate() {
            let batch = batch(lane, ours, number, part, index + 1 == count);
            let answer = ours.target.apply(&batch, transaction.mode).await.expect("an answer");
            let expected = theirs.apply(&batch, transaction.mode).await.expect("an answer");
            assert_eq!(shape(&answer), shape(&expected), "{batch:?}");
            if matches!(answer, Outcome::Refused(_)) {
                break;
            }
        }
        let there = rows::all(inspect.as_ref(), &rig.table).await;
        assert_eq!(there, rows::all(&of_store, &rig.table).await);
        for lane in &lanes {
            let found = ours.target.standing(lane).await.expect("a standing");
            let expected = theirs.standing(lane).await.expect("a standing");
            assert_eq!(timeless(found), timeless(expected));
        }
    }
}

fn batch(lane: &Lane, led: &Led, number: u64, part: Part, last: bool) -> Batch {
    let write = |(ordinal, effect)| {
        let (copy, version) = (copy().name, at(number).change(ordinal));
        Write { copy, table: table("questions"), version, effect }
    };
    let hold = |id| Hold {
        copy: copy().name,
        key: key(id),
        offset: at(number),
        reason: "held".into(),
        since: 0,
    };
    Batch {
        lane: lane.clone(),
        epoch: led.epoch,
        writes: Arc::new((0..).zip(part.effects).map(write).collect()),
        holds: part.held.map(hold).into_iter().collect(),
        discards: part.discarded.map(|id| (copy().name, key(id))).into_iter().collect(),
        passes: part.passed.map(|pass| (copy().name, pass)).into_iter().collect(),
        watermark: at(number),
        last,
    }
}

/// What an answer says, but for the words in which a rule is broken and what survives a crash.
fn shape(outcome: &Outcome) -> Vec<(usize, String)> {
    match outcome {
        Outcome::Refused(reason) => vec![(usize::MAX, short(reason))],
        Outcome::Written { refused, .. } => {
            refused.iter().map(|refusal| (refusal.write, short(&refusal.reason))).collect()
        }
    }
}

/// A row may break two rules at once; a target names either.
fn short(reason: &str) -> String {
    let is_of_table = reason.contains("check constraint");
    match reason.split(' ').next().unwrap_or_default() {
        "owned_by_another_lane" | "row_missing" => "CHECK".to_owned(),
        _ if is_of_table => "CHECK".to_owned(),
        short => short.to_owned(),
    }
}

/// Holds by their keys, without their times.
fn timeless(standing: Standing) -> (Option<model::Watermark>, Holds, BTreeMap<CopyName, Pass>) {
    let holds = standing.holds.into_iter();
    let holds = holds.map(|hold| (hold.key, (hold.offset, short(&hold.reason)))).collect();
    (standing.watermark, holds, standing.passes)
}

type Holds = BTreeMap<model::Key, (model::Offset, String)>;

fn transaction() -> impl Strategy<Value = Transaction> {
    let mode = prop_oneof![2 => Just(Mode::Together), 1 => Just(Mode::RowByRow)];
    (0..2_usize, mode, vec(part(), 1..4)).prop_map(|(lane, mode, parts)| Transaction {
        lane,
        mode,
        parts,
    })
}

fn part() -> impl Strategy<Value = Part> {
    let id = || option::weighted(0.2, 1..6_i64);
    let pass = prop_oneof![
        Just(Pass::Done),
        (option::of(1..6_i64), any::<u64>()).prop_map(|(upto, deleted)| Pass::Under {
            purpose: Purpose::Bridge,
            began: at(1),
            upto: upto.map(key),
            deleted,
        }),
    ];
    (vec(effect(), 0..5), id(), id(), option::weighted(0.3, pass))
        .prop_map(|(effects, held, discarded, passed)| Part { effects, held, discarded, passed })
}

fn effect() -> impl Strategy<Value = Effect> {
    let body = || proptest::sample::select(vec!["a", "b", "refused"]);
    let whole =
        move || (1..6_i64, 0..3_i64, body()).prop_map(|(id, topic, body)| row(id, topic, body));
    let partly = || (1..6_i64, 0..3_i64).prop_map(|(id, topic)| row_with_same_body(id, topic));
    let any_row = move || prop_oneof![whole(), partly()];
    prop_oneof![
        6 => (whole(), any::<bool>()).prop_map(|(row, new)| Effect::Put { key: key_of(&row), row, new }),
        4 => any_row().prop_map(|row| Effect::Patch(key_of(&row), row)),
        3 => (1..6_i64, any_row()).prop_filter_map("one key is no move", |(before, row)| {
            let (before, key) = (key(before), key_of(&row));
            (before != key).then_some(Effect::Move { before, key, row })
        }),
        3 => (1..6_i64).prop_map(|id| Effect::Delete(key(id))),
        1 => Just(Effect::Truncate),
    ]
}

fn key_of(row: &Row) -> model::Key {
    table("questions").key_of(row).expect("a key")
}
