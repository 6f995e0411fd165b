//! What the tests share: journals on doubles of a disk, entries, and ways to look.

use ::model::{
    Append, Change, Changes, Column, Commit, Entry, Epoch, Fault, Incarnation, Kind, Lane, Log,
    Offset, Op, Position, Read, Row, Table, TransactionId, Value,
};
use instep_journal::{Journal, Options};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::disk::FaultyDisk;
use testkit::offload::InPlace;

/// Where the journals on doubles of a disk are.
pub(crate) fn dir() -> &'static Path {
    Path::new("/journal")
}

/// Limits so small that everything happens often.
pub(crate) fn small() -> Options {
    Options { segment_bytes_max: 2_000, journal_bytes_max: 200_000, ..Options::default() }
}

/// Opens the journal of a disk.
pub(crate) fn open(disk: &FaultyDisk) -> Result<Journal, Fault> {
    Journal::open(Arc::new(disk.clone()), dir(), small(), Arc::new(InPlace))
}

pub(crate) fn lane() -> Lane {
    Lane::from("lane")
}

pub(crate) fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

pub(crate) fn table() -> Arc<Table> {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        declared: "any".into(),
        nullable: true,
        compares: model::Compares::default(),
    };
    Arc::new(Table {
        name: "t".into(),
        version: 1,
        columns: vec![column("id", Kind::Int), column("body", Kind::Text)],
        key: vec![0],
    })
}

/// Changes with bodies of this many bytes.
pub(crate) fn changes(count: usize, bytes: usize) -> Vec<Change> {
    let table = table();
    let change = |id: i64| Change {
        table: Arc::clone(&table),
        op: Op::Insert(Row::new([Value::Int(id), Value::from("x".repeat(bytes).as_str())])),
    };
    (0..count).map(|id| change(i64::try_from(id).unwrap())).collect()
}

pub(crate) fn commit(number: u64) -> Commit {
    Commit { offset: at(number), transaction: TransactionId(number), committed_at: 5 }
}

pub(crate) fn whole(number: u64, changes: Vec<Change>) -> Append {
    Append::Commit(commit(number), Changes::Inline(changes))
}

pub(crate) fn adopting(number: u64) -> Append {
    Append::Commit(commit(number), Changes::Staged)
}

/// Appends one transaction with one change.
pub(crate) async fn append(journal: &Journal, number: u64) -> Result<(), Fault> {
    journal.append(&lane(), vec![whole(number, changes(1, 100))], Epoch::LIVE).await
}

/// The numbers of the entries after an offset, as far as the lane goes.
pub(crate) async fn read_all(journal: &Journal, after: Option<Offset>) -> Result<Vec<u64>, Fault> {
    let last = journal.bounds(&lane()).await?.last;
    let (mut after, mut seen) = (after, Vec::new());
    while after < last {
        match journal.read(&lane(), after.as_ref(), 4_000).await? {
            Read::Entries(entries) => {
                after = entries.last().map(Entry::end);
                seen.extend(entries.iter().filter_map(|entry| entry.end().position.to_number()));
            }
            Read::Gone { trimmed } => after = Some(trimmed),
        }
    }
    Ok(seen)
}

/// A directory of its own on the real disk, removed when it is dropped.
pub(crate) struct TempDir(pub(crate) PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir =
            std::env::temp_dir().join(format!("instep-journal-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The same files on another disk.
pub(crate) fn copy(disk: &FaultyDisk) -> FaultyDisk {
    let other = FaultyDisk::new();
    for path in disk.files() {
        other.put(&path, &disk.contents(&path).unwrap());
    }
    other
}

/// The path of a segment of the lane.
pub(crate) fn segment(number: u64) -> PathBuf {
    dir().join(format!("lane-lane/{number:020}.segment"))
}

/// The path of a staged file of the lane.
pub(crate) fn staged(number: u64) -> PathBuf {
    dir().join(format!("lane-lane/{number:020}.staged"))
}

/// A disk with a journal of this many transactions, closed in good order.
pub(crate) async fn filled(transactions: u64) -> FaultyDisk {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    for number in 1..=transactions {
        append(&journal, number).await.unwrap();
    }
    disk
}

/// Where the frames of a file begin, and where the last one ends.
pub(crate) fn frames(bytes: &[u8]) -> Vec<usize> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut starts = vec![number(12)];
    while starts[starts.len() - 1] < bytes.len() {
        let last = starts[starts.len() - 1];
        starts.push(last + 32 + number(last + 8));
    }
    starts
}

/// CRC-32C of these bytes, continued from that of the bytes before.
pub(crate) fn crc32c(before: u32, bytes: &[u8]) -> u32 {
    let mut crc = !before;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// The files of the lane.
pub(crate) fn lane_files(disk: &FaultyDisk) -> Vec<PathBuf> {
    let lane = dir().join("lane-lane");
    disk.files().into_iter().filter(|path| path.parent() == Some(&lane)).collect()
}
