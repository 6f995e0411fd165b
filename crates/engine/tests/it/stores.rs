//! The contract of a state store, shown over the sorted one and one in memory; crashes and damage.

use crate::folder::TestFolder;
use async_trait::async_trait;
use bytes::Bytes;
use instep_engine::{OpenedState, SortedState, State, StateBounds};
use model::{Code, Fate, Fault};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

type Entries = BTreeMap<Bytes, Bytes>;
type Writes = Vec<(Bytes, Option<Bytes>)>;

/// Bounds so small that a few writes reach every one of them.
const SMALL: StateBounds = StateBounds {
    delta_bytes_min: 4_000,
    delta_bytes_max: 4_000,
    tail_bytes_max: 8_000,
    sheet_bytes_max: 6_000,
};

/// Everything that a store promises; `reopen` opens it again after the last handle was dropped.
async fn suite(store: Arc<dyn State>, reopen: impl AsyncFn() -> Arc<dyn State>) {
    answers_stand_in_the_order_of_their_keys(&*store).await;
    a_later_write_to_a_key_wins_also_within_one_call(&*store).await;
    a_scan_keeps_to_its_prefix_and_its_bounds(&*store).await;
    let held = fill(&*store).await;
    assert_eq!(everything(&*store).await, held);
    store.sync().await.expect("no fault");
    drop(store);
    assert_eq!(everything(&*reopen().await).await, held, "after it was opened again");
}

async fn answers_stand_in_the_order_of_their_keys(store: &dyn State) {
    assert_eq!(store.get(vec![key(1)]).await.expect("no fault"), [None]);
    store
        .write(vec![put(2, "two"), put(1, "one"), (key(3), Some(Bytes::new()))])
        .await
        .expect("no fault");
    let found = store.get(vec![key(3), key(2), key(9), key(1), key(2)]).await.expect("no fault");
    let expected = [Some(""), Some("two"), None, Some("one"), Some("two")];
    assert_eq!(found, expected.map(|value| value.map(Bytes::from)));
}

async fn a_later_write_to_a_key_wins_also_within_one_call(store: &dyn State) {
    store.write(vec![put(1, "a"), delete(1), put(2, "b"), put(2, "c")]).await.expect("no fault");
    store.write(vec![delete(3), delete(77)]).await.expect("no fault");
    let found = store.get(vec![key(1), key(2), key(3)]).await.expect("no fault");
    assert_eq!(found, [None, Some(Bytes::from("c")), None]);
}

async fn a_scan_keeps_to_its_prefix_and_its_bounds(store: &dyn State) {
    let keys = ["p", "pa", "pb", "pb\0", "pc", "q", "o\u{7f}"];
    store.write(keys.map(|key| (key.into(), Some(key.into()))).to_vec()).await.expect("no fault");
    store.write(vec![("pa".into(), None)]).await.expect("no fault");
    let scan = async |after: Option<&str>, most| {
        let after = after.map(|after| Bytes::copy_from_slice(after.as_bytes()));
        let found = store.scan("p".into(), after, most).await.expect("no fault");
        assert!(found.iter().all(|(key, value)| key == value));
        found
            .into_iter()
            .map(|(key, _)| String::from_utf8(key.to_vec()).expect("it is there"))
            .collect()
    };
    let all: Vec<String> = scan(None, 9).await;
    assert_eq!(all, ["p", "pb", "pb\0", "pc"]);
    let some: Vec<String> = scan(None, 2).await;
    assert_eq!(some, ["p", "pb"]);
    let rest: Vec<String> = scan(Some("pb"), 9).await;
    assert_eq!(rest, ["pb\0", "pc"]);
    let from_before: Vec<String> = scan(Some("a"), 1).await;
    assert_eq!(from_before, ["p"]);
    let from_behind: Vec<String> = scan(Some("q"), 9).await;
    assert!(from_behind.is_empty() && scan(None, 0).await.is_empty());
    let all = keys.map(|key| (Bytes::from(key), None)).to_vec();
    store.write(all).await.expect("no fault");
}

/// Some hundred writes that overwrite and delete each other; what is left of them and of before.
async fn fill(store: &dyn State) -> Entries {
    let mut held = everything(store).await;
    for round in 0..40 {
        let put = |n: u32| put((n * 7919 + round * 31) % 900, &format!("{round}-{n}"));
        let delete = |n: u32| delete((n * 104_729 + round * 17) % 900);
        let writes: Writes = (0..20).map(put).chain((0..6).map(delete)).collect();
        store.write(writes.clone()).await.expect("no fault");
        take(&mut held, &writes);
    }
    held
}

#[tokio::test]
async fn the_sorted_store_keeps_the_contract() {
    for bounds in [SMALL, StateBounds::default()] {
        let folder = TestFolder::new();
        let open = async || Arc::new(opened(&folder, bounds).await) as Arc<dyn State>;
        suite(open().await, open).await;
    }
}

#[tokio::test]
async fn a_store_in_memory_keeps_the_contract() {
    let memory = Arc::new(Memory::default());
    suite(memory.clone(), async || memory.clone() as Arc<dyn State>).await;
}

#[tokio::test]
async fn writes_are_merged_into_several_sheets_and_all_are_found() {
    let folder = TestFolder::new();
    let store = opened(&folder, SMALL).await;
    let held = fill(&store).await;
    let few = SMALL.delta_bytes_max + 2_000;
    assert!(folder.files("tail-").len() <= 2, "tails that were merged are gone");
    assert!(!folder.files("sheet-").is_empty());
    for (key, value) in &held {
        assert_eq!(store.get(vec![key.clone()]).await.expect("no fault"), [Some(value.clone())]);
    }
    drop(store);
    let tails: u64 =
        folder.files("tail-").iter().map(|tail| tail.metadata().expect("it is there").len()).sum();
    assert!(tails < 2 * few as u64, "the tails do not grow without bound: {tails}");
}

#[tokio::test]
async fn the_same_few_keys_do_not_let_the_tail_grow() {
    let folder = TestFolder::new();
    let store = opened(&folder, SMALL).await;
    for round in 0..2_000 {
        store.write(vec![put(1, &format!("{round}")), put(2, "same")]).await.expect("no fault");
    }
    let length = |tail: &std::path::PathBuf| tail.metadata().expect("it is there").len();
    assert!(
        folder.files("tail-").iter().map(length).max().expect("it is there")
            < SMALL.tail_bytes_max + 200
    );
    assert_eq!(everything(&store).await.len(), 2);
}

/// A file that takes nothing, as on a disk without room, stands where the merge writes its first
/// sheet.
#[tokio::test]
async fn a_merge_without_room_is_made_again_and_nothing_is_lost_meanwhile() {
    let folder = TestFolder::new();
    let store = opened(&folder, SMALL).await;
    let sheet = folder.path().join("sheet-1");
    // A merge that found no room takes away what it has written.
    let fill_up = || {
        if !sheet.is_symlink() {
            std::os::unix::fs::symlink("/dev/full", &sheet).expect("it is made");
        }
    };
    let mut held = Entries::new();
    let mut refused = 0;
    for n in 0..2_000 {
        if refused < 20 {
            fill_up();
        }
        if let Err(fault) = store.write(vec![put(n, "value")]).await {
            assert_eq!((fault.code, fault.fate), (Code::StateDisk, Fate::Retry), "{fault}");
            refused += 1;
            assert_eq!(folder.files("sheet-"), Vec::<std::path::PathBuf>::new(), "nothing is left");
            // What was written is read; only a merge that fails meanwhile is told once.
            for _ in 0..2 {
                if refused < 20 {
                    fill_up();
                }
                if let Ok(found) = store.get(held.keys().cloned().collect()).await {
                    assert_eq!(found, held.values().cloned().map(Some).collect::<Vec<_>>());
                }
            }
            assert!(held.len() * 200 < 10 * SMALL.delta_bytes_max, "it takes no end of writes");
        } else {
            take(&mut held, &vec![put(n, "value")]);
        }
    }
    assert!(refused >= 20, "it had no room {refused} times");
    assert_eq!(everything(&store).await, held);
    store.sync().await.expect("no fault");
    drop(store);
    let store = opened(&folder, SMALL).await;
    assert_eq!(everything(&store).await, held);
    assert!(!folder.files("sheet-").is_empty());
}

#[tokio::test]
async fn what_a_killed_process_had_written_is_there() {
    let folder = TestFolder::new();
    let store = opened(&folder, SMALL).await;
    let held = fill(&store).await;
    let killed = folder.killed();
    let survivor = opened(&killed, SMALL).await;
    assert_eq!(everything(&survivor).await, held);
    survivor.write(vec![put(5_000, "after")]).await.expect("no fault");
    survivor.sync().await.expect("no fault");
    drop(survivor);
    assert_eq!(everything(&opened(&killed, SMALL).await).await.len(), held.len() + 1);
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_has_ended() {
    let folder = TestFolder::new();
    let first = opened(&folder, SMALL).await;
    let refused = SortedState::open(folder.path(), SMALL).await.expect_err("it is refused");
    assert_eq!(refused.code, Code::DataLocked);
    drop(first);
    opened(&folder, SMALL).await;
}

#[tokio::test]
async fn a_damaged_or_newer_list_is_moved_aside_and_an_empty_store_begun() {
    for damage in [
        |bytes: &mut Vec<u8>| bytes[14] ^= 4,
        |bytes: &mut Vec<u8>| bytes[8] = 2,
        |bytes: &mut Vec<u8>| bytes.clear(),
    ] {
        let folder = filled().await;
        mend(&folder.path().join("list"), damage);
        moved_aside(&folder).await;
    }
}

#[tokio::test]
async fn a_damaged_index_and_a_missing_file_are_moved_aside() {
    let folder = filled().await;
    mend(&folder.files("sheet-")[0], |bytes| {
        let end = bytes.len();
        bytes[end - 30] ^= 1;
    });
    moved_aside(&folder).await;
    for beginning in ["sheet-", "tail-"] {
        let folder = filled().await;
        fs::remove_file(&folder.files(beginning)[0]).expect("it is there");
        moved_aside(&folder).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_below_what_was_synced_is_damage_and_no_torn_end() {
    let folder = TestFolder::new();
    let store = opened(&folder, StateBounds::default()).await;
    for n in 0..5 {
        store.write(vec![put(n, "value")]).await.expect("no fault");
        store.sync().await.expect("no fault");
    }
    drop(store);
    mend(&folder.files("tail-")[0], |bytes| bytes[60] ^= 1);
    moved_aside(&folder).await;
}

#[tokio::test]
async fn a_damaged_block_fails_the_call_and_is_moved_aside_at_the_next_opening() {
    let folder = filled().await;
    mend(&folder.files("sheet-")[0], |bytes| bytes[40] ^= 1);
    let store = opened(&folder, SMALL).await;
    let found = store.scan(Bytes::new(), None, usize::MAX).await.expect_err("it is refused");
    assert_eq!(found.code, Code::StateDamaged);
    let after = store.write(vec![put(1, "value")]).await.expect_err("it is refused");
    assert_eq!(after.code, Code::StateDamaged, "nothing is done any more");
    drop(store);
    moved_aside(&folder).await;
}

#[tokio::test]
async fn what_an_abandoned_merge_has_left_is_removed() {
    let folder = filled().await;
    let held = everything(&opened(&folder, SMALL).await).await;
    for name in ["sheet-999", "list-new"] {
        fs::write(folder.path().join(name), "half").expect("it is there");
    }
    assert_eq!(everything(&opened(&folder, SMALL).await).await, held);
    assert!(!folder.path().join("sheet-999").exists() && !folder.path().join("list-new").exists());
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u8, Option<u8>)>),
    Sync,
    Reopen,
    /// The process is killed.
    Kill,
    /// The power fails: the tail keeps what was synced and this share of the rest.
    Fail(u8),
    Scan(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let writes = proptest::collection::vec((any::<u8>(), proptest::option::of(any::<u8>())), 0..40);
    prop_oneof![
        8 => writes.prop_map(Step::Write),
        2 => Just(Step::Sync),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
        1 => any::<u8>().prop_map(Step::Fail),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(after, most)| Step::Scan(after, most)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_history_equals_a_map_and_a_crash_leaves_a_prefix(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it is there");
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
            }
            assert_eq!(everything(&world.store).await, world.held);
        });
    }
}

/// A store beside the map that it has to equal.
struct World {
    // Closed before its folder is removed.
    store: SortedState,
    folder: TestFolder,
    held: Entries,
    /// What was held after each write since the last sync, that sync first.
    since_sync: Vec<Entries>,
    /// The last tail at the last sync, and its length.
    synced: (std::path::PathBuf, u64),
}

impl World {
    async fn new() -> Self {
        let folder = TestFolder::new();
        let store = opened(&folder, SMALL).await;
        let synced = last_tail(&folder);
        let (held, since_sync) = (Entries::new(), vec![Entries::new()]);
        Self { store, folder, held, since_sync, synced }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Write(writes) => {
                let value = |value: u8| Bytes::from(format!("a value of {value}"));
                let write = |(n, to): (u8, Option<u8>)| (key(n.into()), to.map(value));
                let writes: Writes = writes.into_iter().map(write).collect();
                self.store.write(writes.clone()).await.expect("no fault");
                take(&mut self.held, &writes);
                self.since_sync.push(self.held.clone());
            }
            Step::Sync => {
                self.store.sync().await.expect("no fault");
                self.was_synced();
            }
            Step::Reopen => {
                let elsewhere = opened(&TestFolder::new(), SMALL).await;
                drop(std::mem::replace(&mut self.store, elsewhere));
                self.store = opened(&self.folder, SMALL).await;
                self.was_synced();
            }
            Step::Kill => {
                self.move_to(self.folder.killed()).await;
                assert_eq!(everything(&self.store).await, self.held);
                self.was_synced();
            }
            Step::Fail(share) => {
                let crashed = self.folder.killed();
                self.tear(&crashed, share);
                self.move_to(crashed).await;
                let left = everything(&self.store).await;
                assert!(self.since_sync.contains(&left), "a crash left what never was");
                self.held = left;
                self.was_synced();
            }
            Step::Scan(after, most) => {
                let (after, most) = (key(after.into()), usize::from(most));
                let found = self
                    .store
                    .scan("key".into(), Some(after.clone()), most)
                    .await
                    .expect("no fault");
                let expected = self.held.iter().filter(|(key, _)| **key > after).take(most);
                assert!(found.iter().map(|(key, value)| (key, value)).eq(expected));
            }
        }
    }

    /// Cuts the last tail somewhere above what was synced of it, and spoils the byte before.
    fn tear(&self, crashed: &TestFolder, share: u8) {
        let (path, length) = last_tail(crashed);
        let same = path.file_name() == self.synced.0.file_name();
        let kept = if same { self.synced.1 } else { 0 };
        let end = kept + (length - kept) * u64::from(share) / 255;
        mend(&path, |bytes| {
            bytes.truncate(usize::try_from(end).expect("it is there"));
            if end > kept && share.is_multiple_of(2) {
                *bytes.last_mut().expect("it is there") ^= 1;
            }
        });
    }

    async fn move_to(&mut self, folder: TestFolder) {
        self.store = opened(&folder, SMALL).await;
        self.folder = folder;
    }

    fn was_synced(&mut self) {
        self.since_sync = vec![self.held.clone()];
        self.synced = last_tail(&self.folder);
    }
}

fn last_tail(folder: &TestFolder) -> (std::path::PathBuf, u64) {
    let path = folder.files("tail-").pop().expect("it is there");
    let length = path.metadata().expect("it is there").len();
    (path, length)
}

/// A store in memory: never crashes.
#[derive(Default)]
struct Memory(Mutex<Entries>);

#[async_trait]
impl State for Memory {
    async fn get(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Fault> {
        let held = self.0.lock().expect("it is there");
        Ok(keys.iter().map(|key| held.get(key).cloned()).collect())
    }

    async fn scan(
        &self,
        prefix: Bytes,
        after: Option<Bytes>,
        most: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let held = self.0.lock().expect("it is there");
        let entries = held.iter().filter(|(key, _)| key.starts_with(&prefix));
        let entries = entries.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        Ok(entries.take(most).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn write(&self, writes: Writes) -> Result<(), Fault> {
        take(&mut self.0.lock().expect("it is there"), &writes);
        Ok(())
    }

    async fn sync(&self) -> Result<(), Fault> {
        Ok(())
    }
}

async fn opened(folder: &TestFolder, bounds: StateBounds) -> SortedState {
    let OpenedState { store, aside } =
        SortedState::open(folder.path(), bounds).await.expect("no fault");
    assert_eq!(aside, None);
    store
}

/// A store with several sheets, closed.
async fn filled() -> TestFolder {
    let folder = TestFolder::new();
    let store = opened(&folder, SMALL).await;
    fill(&store).await;
    store.sync().await.expect("no fault");
    drop(store);
    // Opening sweeps away what the merge has left that was abandoned just now.
    drop(opened(&folder, SMALL).await);
    folder
}

async fn moved_aside(folder: &TestFolder) {
    let opened = SortedState::open(folder.path(), SMALL).await.expect("no fault");
    let aside = opened.aside.expect("the files are moved aside");
    assert!(fs::read_dir(&aside.files).expect("it is there").count() >= 1, "{aside:?}");
    assert!(!aside.why.is_empty());
    assert!(everything(&opened.store).await.is_empty());
    opened.store.write(vec![put(1, "new")]).await.expect("no fault");
    opened.store.sync().await.expect("no fault");
    drop(opened.store);
    let again = SortedState::open(folder.path(), SMALL).await.expect("no fault");
    assert_eq!(again.aside, None);
    assert_eq!(everything(&again.store).await.len(), 1);
}

async fn everything(store: &dyn State) -> Entries {
    store.scan(Bytes::new(), None, usize::MAX).await.expect("no fault").into_iter().collect()
}

fn take(held: &mut Entries, writes: &Writes) {
    for (key, value) in writes {
        match value {
            Some(value) => held.insert(key.clone(), value.clone()),
            None => held.remove(key),
        };
    }
}

fn mend(path: &std::path::Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("it is there");
    change(&mut bytes);
    fs::write(path, bytes).expect("it is there");
}

fn key(n: u32) -> Bytes {
    Bytes::from(format!("key {n:05}"))
}

fn put(n: u32, value: &str) -> (Bytes, Option<Bytes>) {
    (key(n), Some(Bytes::copy_from_slice(value.as_bytes())))
}

fn delete(n: u32) -> (Bytes, Option<Bytes>) {
    (key(n), None)
}
