//! What is judged, and what the suite of the log port appends and reads.

use crate::conformance::rows::{insert, row, table};
use model::log::StagedPart;
use model::{
    Append, Change, Changes, Commit, Entry, Epoch, Fault, Incarnation, Lane, Log, Offset, Position,
    Progress, Read, TransactionId,
};
use std::sync::Arc;

/// An implementation to judge: a fresh, empty log, and what it claims.
pub struct Subject {
    /// The log.
    pub log: Arc<dyn Log>,
    /// What it claims.
    pub claims: Claims,
    /// Opens the same log anew, after the one before was dropped.
    pub reopen: Box<dyn Fn() -> Arc<dyn Log> + Send + Sync>,
}

/// What an implementation promises beyond the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// What was appended is still there when the log is opened anew.
    pub survives_reopen: bool,
    /// It refuses input at a bound of at most some megabytes, and takes it again after a trim.
    pub bounded: bool,
}

/// The lane that most of the suite uses.
pub(super) fn lane() -> Lane {
    Lane::from("Lane/one")
}

/// The offset of the transaction with this number.
pub(super) fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

pub(super) fn commit(number: u64) -> Commit {
    let transaction = TransactionId(number);
    Commit { offset: at(number), transaction, committed_at: i64::try_from(number).unwrap_or(0) }
}

/// Inserts with these keys.
pub(super) fn inserts(ids: impl IntoIterator<Item = i64>) -> Vec<Change> {
    let table = table("t");
    ids.into_iter().map(|id| insert(&table, row(id, id, &format!("body {id}")))).collect()
}

/// A transaction with its changes.
pub(super) fn whole(number: u64, changes: Vec<Change>) -> Append {
    Append::Commit(commit(number), Changes::Inline(changes))
}

/// A transaction whose changes were staged.
pub(super) fn adopting(number: u64) -> Append {
    Append::Commit(commit(number), Changes::Staged)
}

pub(super) fn progress(number: u64) -> Progress {
    Progress { offset: at(number), source_time: 7 }
}

/// A part of the transaction with this number.
pub(super) fn part(number: u64, sub: u64, changes: Vec<Change>) -> StagedPart {
    StagedPart { transaction: TransactionId(number), sub: TransactionId(sub), changes }
}

/// Appends under the epoch of live changes.
pub(super) async fn append(log: &dyn Log, entries: Vec<Append>) {
    log.append(&lane(), entries, Epoch::LIVE).await.expect("these entries may follow");
}

/// Everything after an offset, read with this `bytes_max`, part by part.
pub(super) async fn read_all(
    log: &dyn Log,
    after: Option<&Offset>,
    bytes_max: usize,
) -> Vec<Entry> {
    let last = log.bounds(&lane()).await.expect("bounds").last;
    let (mut after, mut seen) = (after.cloned(), Vec::new());
    while after < last {
        let entries = read_some(log, after.as_ref(), bytes_max).await.expect("it can be read");
        assert!(!entries.is_empty(), "a read has one entry at least");
        after = entries.last().map(Entry::end);
        seen.extend(entries);
    }
    seen
}

/// One read that must not find a gap.
pub(super) async fn read_some(
    log: &dyn Log,
    after: Option<&Offset>,
    bytes_max: usize,
) -> Result<Vec<Entry>, Fault> {
    match log.read(&lane(), after, bytes_max).await? {
        Read::Entries(entries) => Ok(entries),
        Read::Gone { trimmed } => panic!("nothing was trimmed, but up to {trimmed} it is gone"),
    }
}

/// Transactions with all their changes, however many parts they came in. Checks on the way that
/// parts follow each other.
pub(super) fn transactions(entries: &[Entry]) -> Vec<(Offset, Vec<Change>)> {
    let mut seen: Vec<(Offset, Vec<Change>)> = Vec::new();
    let mut is_open = false;
    for entry in entries {
        let Entry::Part(part) = entry else {
            assert!(!is_open, "a transaction goes on before anything else comes");
            continue;
        };
        if !is_open {
            seen.push((part.commit.offset.clone(), Vec::new()));
        }
        let (offset, changes) = seen.last_mut().expect("BUG: just pushed");
        assert_eq!(part.commit.offset, *offset, "parts of one transaction follow each other");
        assert_eq!(part.first, changes.len() as u64, "ordinals count the changes");
        assert!(part.last || !part.changes.is_empty(), "only a last part may be empty");
        changes.extend(part.changes.iter().cloned());
        is_open = !part.last;
    }
    assert!(!is_open, "a transaction has a last part");
    seen
}
