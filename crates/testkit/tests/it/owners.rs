//! A copy in a memory store that two lanes feed, the bugs that can be planted there, and what
//! passes leave behind.

use instep_testkit::conformance::rows::{all, key, row, table};
use instep_testkit::memory::store::{Kept, Manners, Store, StoreBug};
use instep_testkit::memory::target::CopyOf;
use model::{
    Batch, Claim, Code, CopyName, Effect, Epoch, Fate, Fault, Incarnation, Key, Lane, Leadership,
    Mode, Offset, Outcome, Pass, Position, Row, Service, Target, Tenure, Write,
};
use std::sync::Arc;
use std::time::Duration;

const CLAIMS: [Claim; 3] = [Claim::Transactional, Claim::Versioned, Claim::Idempotent];

#[tokio::test]
async fn a_row_keeps_the_lane_that_wrote_it() {
    for claim in CLAIMS {
        let store = owned(claim);
        write(&store, "one", 1, [put(row(1, 7, "a")), put(row(2, 7, "b"))]).await;
        write(&store, "two", 1, [put(row(3, 7, "c"))]).await;
        write(&store, "one", 2, [Effect::Truncate]).await;
        assert_eq!(owners(&store), [(key(3), "two".into())]);
        write(&store, "two", 2, [put(row(1, 7, "d"))]).await;
        assert_eq!(owners(&store), [(key(1), "two".into()), (key(3), "two".into())]);
    }
}

#[tokio::test]
async fn a_copy_is_read_back_with_the_rows_of_one_lane() {
    for (store, of_two) in
        [(owned(Claim::Transactional), vec![key(2)]), (plain(), vec![key(1), key(2)])]
    {
        write(&store, "one", 1, [put(row(1, 7, "a"))]).await;
        write(&store, "two", 1, [put(row(2, 7, "b"))]).await;
        assert_eq!(read(&store, None).await, [key(1), key(2)]);
        assert_eq!(read(&store, Some("two")).await, of_two);
    }
}

#[tokio::test]
async fn where_copies_are_not_owned_any_lane_may_write_any_row() {
    for claim in CLAIMS {
        let store = Store::new(Manners::plain(claim));
        write(&store, "one", 1, [put(row(1, 7, "a"))]).await;
        write(&store, "two", 2, [put(row(1, 7, "b"))]).await;
        assert_eq!(owners(&store), [(key(1), "two".into())]);
        write(&store, "one", 3, [Effect::Truncate]).await;
        assert_eq!(owners(&store), []);
    }
}

#[tokio::test]
async fn of_two_open_transactions_that_write_one_row_the_later_one_fails() {
    let store = owned(Claim::Transactional);
    let [mut one, mut two] = [connect(&store).await, connect(&store).await];
    let open = Batch { last: false, ..batch("one", 1, [put(row(1, 7, "a")), put(row(2, 7, "a"))]) };
    one.apply(&open, Mode::Together).await.expect("taken");
    let deleting = Batch { last: false, ..batch("two", 1, [Effect::Delete(key(9))]) };
    two.apply(&deleting, Mode::Together).await.expect("taken");
    write(&store, "three", 1, [put(row(2, 7, "c")), put(row(9, 7, "c"))]).await;
    let end = batch("one", 1, []);
    let fault = one.apply(&end, Mode::Together).await.expect_err("it was overtaken");
    assert_eq!(fault.fate, Fate::Retry, "{fault}");
    two.apply(&batch("two", 1, []), Mode::Together).await.expect("written");
    assert_eq!(owners(&store), [(key(2), "three".into()), (key(9), "three".into())]);
    assert!(!store.kept().watermarks.contains_key(&"one".into()));
}

#[tokio::test]
async fn each_lane_has_its_own_passes_and_a_crash_takes_them_back_with_the_watermark() {
    for claim in CLAIMS {
        let store = Store::new(Manners { flush_every: 3, owned: true, ..Manners::plain(claim) });
        let passing = |lane, number| {
            let passes = vec![(copy(), Pass::Done)];
            Batch { passes, ..batch(lane, number, [Effect::Delete(key(5))]) }
        };
        let asking = |lane, number| Batch { writes: Arc::default(), ..passing(lane, number) };
        apply(&store, &asking("one", 1)).await.expect("written");
        apply(&store, &passing("two", 1)).await.expect("written");
        let lanes = |kept: &Kept| -> Vec<Lane> {
            kept.passes.keys().map(|(lane, _)| lane.clone()).collect()
        };
        assert_eq!(store.look(lanes), [Lane::from("one"), Lane::from("two")]);
        store.crash();
        let lanes_with_watermark: Vec<_> = store.kept().watermarks.into_keys().collect();
        assert_eq!(store.look(lanes), lanes_with_watermark);
    }
}

#[tokio::test]
async fn a_store_that_ignores_epochs_takes_a_batch_that_comes_too_late() {
    for claim in CLAIMS {
        let store = owned(claim);
        let mut target = connect(&store).await;
        let tenure = Tenure {
            instance: "one".into(),
            run: 1,
            connection: 1,
            lasting: Duration::from_secs(1),
        };
        assert_eq!(
            target.lead(&"one".into(), &tenure).await.expect("an answer"),
            Leadership::Held(Epoch(1))
        );
        let late = batch("one", 1, [put(row(1, 7, "late"))]);
        let fault = target.apply(&late, Mode::Together).await.expect_err("an older epoch");
        assert_eq!(fault.code, Code::Superseded);
        store.plant(StoreBug::IgnoreEpoch);
        target.apply(&late, Mode::Together).await.expect("taken all the same");
        assert_eq!(owners(&store), [(key(1), "one".into())]);
    }
}

#[tokio::test]
async fn a_store_that_truncates_all_lanes_loses_rows_of_others() {
    for claim in CLAIMS {
        let store = owned(claim);
        write(&store, "one", 1, [put(row(1, 7, "a"))]).await;
        write(&store, "two", 1, [put(row(2, 7, "b"))]).await;
        store.plant(StoreBug::TruncateAllLanes);
        write(&store, "one", 2, [Effect::Truncate]).await;
        assert_eq!(owners(&store), []);
    }
}

fn owned(claim: Claim) -> Store {
    Store::new(Manners { owned: true, ..Manners::plain(claim) })
}

fn plain() -> Store {
    Store::new(Manners::plain(Claim::Transactional))
}

/// The keys that a reading of the copy finds, for a lane or for all.
async fn read(store: &Store, lane: Option<&str>) -> Vec<Key> {
    let of = CopyOf { store: store.clone(), copy: copy(), lane: lane.map(Lane::from) };
    all(&of, &table("questions")).await.into_keys().collect()
}

/// The rows that a store has, and whose they are.
fn owners(store: &Store) -> Vec<(Key, Lane)> {
    let kept = store.kept();
    let rows = kept.rows.get(&copy()).into_iter().flatten();
    rows.map(|(key, row)| (key.clone(), row.lane.clone())).collect()
}

async fn write(store: &Store, lane: &str, number: u64, effects: impl IntoIterator<Item = Effect>) {
    let outcome = apply(store, &batch(lane, number, effects)).await.expect("written");
    assert!(matches!(outcome, Outcome::Written { .. }), "{outcome:?}");
}

async fn apply(store: &Store, batch: &Batch) -> Result<Outcome, Fault> {
    connect(store).await.apply(batch, Mode::Together).await
}

async fn connect(store: &Store) -> Box<dyn Target> {
    Service::<dyn Target>::connect(store).await.expect("a connection")
}

fn batch(lane: &str, number: u64, effects: impl IntoIterator<Item = Effect>) -> Batch {
    let at = Offset::whole(Incarnation(1), Position::from_number(number));
    let write = |(ordinal, effect)| {
        let version = at.change(ordinal);
        Write { copy: copy(), table: table("questions"), version, effect }
    };
    Batch {
        lane: lane.into(),
        epoch: Epoch(0),
        writes: Arc::new((0..).zip(effects).map(write).collect()),
        holds: Vec::new(),
        discards: Vec::new(),
        passes: Vec::new(),
        watermark: at.clone(),
        last: true,
    }
}

fn put(row: Row) -> Effect {
    let key = table("questions").key_of(&row).expect("a key");
    Effect::Put { key, row, new: true }
}

fn copy() -> CopyName {
    "questions-copy".into()
}
