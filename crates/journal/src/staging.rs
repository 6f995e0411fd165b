//! Staging: which uncommitted transactions have a file, and what is in it.
//!
//! Keeps J8: a staged file becomes part of the lane only through the record that adopts it, which
//! says what has to be in it. Must not know: lanes, segments of entries, readers.

use crate::fault;
use crate::segment::Segment;
use crate::writer::Writer;
use model::codec::Adopted;
use model::{Fault, TransactionId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The staged transactions of a lane.
#[derive(Default)]
pub(crate) struct Staging {
    pub(crate) open: BTreeMap<TransactionId, StagedFile>,
    /// The highest number that a staged file ever had.
    pub(crate) last_number: u64,
}

/// The parts of one transaction.
pub(crate) struct StagedFile {
    pub(crate) out: Writer,
    /// How far it is synced; zero if not at all.
    pub(crate) synced: u64,
    /// How many changes each sub-transaction has.
    changes: BTreeMap<TransactionId, u64>,
    aborted: BTreeSet<TransactionId>,
}

impl StagedFile {
    /// A new file without parts.
    pub(crate) fn new(out: Writer) -> Self {
        Self { out, synced: 0, changes: BTreeMap::new(), aborted: BTreeSet::new() }
    }

    /// Its file.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.out.segment
    }

    /// Refuses parts of a sub-transaction that was dropped: the file could not tell them from
    /// those before.
    pub(crate) fn check_sub(&self, sub: TransactionId) -> Result<(), Fault> {
        if self.aborted.contains(&sub) {
            let sub = sub.0;
            return Err(fault::broken(format!("sub-transaction {sub} goes on after its abort")));
        }
        Ok(())
    }

    /// Counts a part that was written.
    pub(crate) fn count(&mut self, sub: TransactionId, changes: usize) {
        *self.changes.entry(sub).or_default() += changes as u64;
    }

    /// Leaves out a sub-transaction, if anything was staged for it.
    pub(crate) fn abort(&mut self, sub: TransactionId) {
        if self.changes.contains_key(&sub) {
            self.aborted.insert(sub);
        }
    }

    /// What the record says that adopts the file as it is.
    pub(crate) fn adopted(&self) -> Adopted {
        let counted = self.changes.iter().filter(|(sub, _)| !self.aborted.contains(sub));
        Adopted {
            file: self.segment().number,
            bytes: self.out.end(),
            changes: counted.map(|(_, changes)| changes).sum(),
            aborted: self.aborted.iter().copied().collect(),
        }
    }
}
