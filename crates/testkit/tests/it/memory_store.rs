//! The memory store as a target under each claim, and as something to inspect.

use instep_testkit::conformance::rows::{row, table};
use instep_testkit::conformance::{inspect, target};
use instep_testkit::memory::store::{Manners, Store, StoreBug};
use instep_testkit::memory::target::CopyOf;
use model::{
    Batch, Cell, Claim, CopyName, Effect, Epoch, Incarnation, Lane, Mode, Offset, Outcome,
    Position, Service, Target, Write,
};
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn the_memory_store_keeps_the_promises_of_a_transactional_target() {
    suite(Claim::Transactional).await;
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_keeps_the_promises_of_a_versioned_target() {
    suite(Claim::Versioned).await;
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_keeps_the_promises_of_an_idempotent_target() {
    suite(Claim::Idempotent).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "it is too late")]
async fn the_suite_sees_a_store_that_ignores_epochs() {
    suite_of(Claim::Transactional, true, Some(StoreBug::IgnoreEpoch)).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "assertion `left == right` failed")]
async fn the_suite_sees_a_store_that_truncates_all_lanes() {
    suite_of(Claim::Transactional, true, Some(StoreBug::TruncateAllLanes)).await;
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_keeps_the_promises_of_inspection() {
    inspect::suite(async || {
        let store = store(Claim::Transactional, 1, false);
        write(&store, 1, inspect::filled().into_iter().map(put)).await;
        inspect::Subject {
            service: Arc::new(copy_of(&store)),
            table: table("questions"),
            is_source: false,
        }
    })
    .await;
}

#[tokio::test]
async fn a_crash_loses_the_commits_that_were_not_called_durable_and_no_others() {
    let store = store(Claim::Transactional, 2, false);
    assert!(!write(&store, 1, [put(row(1, 7, "a"))]).await);
    assert!(write(&store, 2, [put(row(2, 7, "b"))]).await);
    assert!(!write(&store, 3, [put(row(3, 7, "c"))]).await);
    store.crash();
    let kept = store.kept();
    assert_eq!(kept.rows[&copy()].len(), 2);
    assert_eq!(kept.watermarks[&lane()], at(2));
}

async fn suite(claim: Claim) {
    for owned in [false, true] {
        suite_of(claim, owned, None).await;
    }
}

async fn suite_of(claim: Claim, owned: bool, planted: Option<StoreBug>) {
    target::suite(async || {
        let store = store(claim, 1, owned);
        planted.into_iter().for_each(|bug| store.plant(bug));
        target::Subject {
            service: Arc::new(store.clone()),
            inspect: Arc::new(copy_of(&store)),
            copy: copy(),
            table: table("questions"),
            lane: lane(),
            claim,
            refused: Some(row(13, 7, "refused")),
            owned,
        }
    })
    .await;
}

fn store(claim: Claim, flush_every: u64, owned: bool) -> Store {
    let rule = Arc::new(|row: &model::Row| {
        (row.0[2] == Cell::from("refused")).then(|| "not this one".to_owned())
    });
    Store::new(Manners { claim, flush_every, rule, owned })
}

async fn write(store: &Store, number: u64, effects: impl IntoIterator<Item = Effect>) -> bool {
    let mut target = Service::<dyn Target>::connect(store).await.expect("a connection");
    let write =
        |effect| Write { copy: copy(), table: table("questions"), version: at(number), effect };
    let batch = Batch {
        lane: lane(),
        epoch: Epoch(0),
        writes: Arc::new(effects.into_iter().map(write).collect()),
        holds: Vec::new(),
        discards: Vec::new(),
        passes: Vec::new(),
        watermark: at(number),
        last: true,
    };
    match target.apply(&batch, Mode::Together).await.expect("written") {
        Outcome::Written { flushed, .. } => flushed.is_some(),
        Outcome::Refused(reason) => panic!("{reason}"),
    }
}

fn put(row: model::Row) -> Effect {
    let key = table("questions").key_of(&row).expect("a key");
    Effect::Put { key, row, new: true }
}

fn copy_of(store: &Store) -> CopyOf {
    CopyOf { store: store.clone(), copy: copy(), lane: None }
}

fn copy() -> CopyName {
    "questions-copy".into()
}

fn lane() -> Lane {
    "questions/a".into()
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}
