//! State under changes all over its keys: a thousand values are read, changed and written back at a
//! time, synced once a second. Goal: 100,000 changes a second at ten million rows.

use bytes::Bytes;
use instep_engine::{SortedState, State, StateBounds};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

const ROWS: [u32; 2] = [1_000_000, 10_000_000];

/// How many changes one call holds.
const BATCH: u32 = 1_000;

/// How long the changes go on.
const ROUND: Duration = Duration::from_secs(20);

const SYNC_EVERY: Duration = Duration::from_secs(1);

const VALUE_BYTES: usize = 40;

fn main() -> io::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-state");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    println!("keys of 16 B, values of {VALUE_BYTES} B, {BATCH} random keys a batch\n");
    println!("| rows | filled, rows/s | changes/s | slowest batch, ms | B/row | B/row at most |");
    println!("|---|---|---|---|---|---|");
    for rows in ROWS {
        let _ = fs::remove_dir_all(&dir);
        runtime.block_on(round(&dir, rows))?;
    }
    fs::remove_dir_all(&dir)
}

async fn round(dir: &Path, rows: u32) -> io::Result<()> {
    let opened = SortedState::open(dir, StateBounds::default()).await;
    let state = opened.expect("a store in an empty directory").store;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);

    let start = now();
    for first in (0..rows).step_by(BATCH as usize) {
        let writes = (first..first + BATCH).map(|row| (key(row), Some(value(&mut random))));
        state.write(writes.collect()).await.expect("a write");
    }
    state.sync().await.expect("a sync");
    let filled = f64::from(rows) / start.elapsed().as_secs_f64();
    let mut most = space(dir)?;

    let (start, mut synced, mut slowest, mut changes) = (now(), now(), Duration::ZERO, 0);
    while start.elapsed() < ROUND {
        let mut keys: Vec<Bytes> = (0..BATCH).map(|_| key(random.below(rows))).collect();
        keys.sort_unstable();
        let batch = now();
        let old = state.get(keys.clone()).await.expect("an answer");
        assert!(old.iter().all(Option::is_some), "every row was filled");
        let writes = keys.into_iter().map(|key| (key, Some(value(&mut random))));
        state.write(writes.collect()).await.expect("a write");
        if synced.elapsed() > SYNC_EVERY {
            state.sync().await.expect("a sync");
            most = most.max(space(dir)?);
            synced = now();
        }
        slowest = slowest.max(batch.elapsed());
        changes += BATCH;
    }
    state.sync().await.expect("a sync");
    let rate = f64::from(changes) / start.elapsed().as_secs_f64();
    drop(state);
    let each = |bytes: u64| bytes / u64::from(rows);
    println!(
        "| {rows} | {filled:.0} | {rate:.0} | {} | {} | {} |",
        slowest.as_millis(),
        each(space(dir)?),
        each(most),
    );
    Ok(())
}

/// A table's number, then the row's own key.
fn key(row: u32) -> Bytes {
    let mut key = [0; 16];
    key[3] = 7;
    key[8..12].copy_from_slice(&row.to_be_bytes());
    Bytes::copy_from_slice(&key)
}

fn value(random: &mut Random) -> Bytes {
    let numbers: [[u8; 8]; VALUE_BYTES / 8] = std::array::from_fn(|_| random.next().to_le_bytes());
    Bytes::copy_from_slice(numbers.as_flattened())
}

/// The bytes that the files take on the disk; a merge may remove one meanwhile.
fn space(dir: &Path) -> io::Result<u64> {
    let files = fs::read_dir(dir)?.flatten().filter_map(|entry| entry.metadata().ok());
    Ok(files.map(|file| file.blocks() * 512).sum())
}

/// Numbers that only have to be spread, by xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).expect("BUG: below a u32")
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}
