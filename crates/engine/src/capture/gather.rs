//! PURE: gathers the steps of a source into entries for the log.
//!
//! Transactions leave in commit order, each whole; memory is bounded, because what is too large is
//! handed out for staging as it comes. A transaction at or below the log's end is left out.

use super::touched::Touched;
use crate::limits::Limits;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Append, Change, Changes, Code, Commit, Fault, Offset, Position, Progress, StagedPart, Step,
    TransactionId,
};
use std::collections::BTreeMap;

/// What has to be done in the log's staging area, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Staging {
    /// Keep this part aside.
    Keep(StagedPart),
    /// Drop what was kept of a sub-transaction, or of the whole.
    Drop { transaction: TransactionId, sub: TransactionId },
}

/// The transactions at hand.
#[derive(Debug)]
pub(super) struct Gather {
    limits: Limits,
    /// The end of the log with everything that is ready.
    last: Offset,
    /// Whether the end has moved since the start: what comes again comes before that.
    has_advanced: bool,
    open: BTreeMap<TransactionId, Open>,
    /// Memory that the open transactions take together.
    open_bytes: usize,
    ready: Vec<Append>,
    ready_bytes: usize,
    /// What the transactions among them touched.
    touched: Vec<(Position, TransactionId, Touched)>,
    /// How many changes those that were staged have.
    counted: BTreeMap<TransactionId, u64>,
}

/// A transaction without its end.
#[derive(Debug, Default)]
struct Open {
    parts: Vec<(TransactionId, Vec<Change>)>,
    bytes: usize,
    staged: bool,
    /// Changes of each sub-transaction.
    counts: BTreeMap<TransactionId, u64>,
    touched: Touched,
}

impl Gather {
    /// Nothing is at hand, and the log ends at `last`.
    pub(super) fn new(last: Offset, limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            last,
            has_advanced: false,
            open: BTreeMap::new(),
            open_bytes: 0,
            ready: Vec::new(),
            ready_bytes: 0,
            touched: Vec::new(),
            counted: BTreeMap::new(),
        }
    }

    /// Takes one step of the source, and says what to stage because of it.
    pub(super) fn take(&mut self, step: Step) -> Result<Vec<Staging>, Fault> {
        match step {
            Step::Part { transaction, sub, changes } => Ok(self.part(transaction, sub, changes)),
            Step::Commit { transaction, position, committed_at } => {
                self.commit(transaction, position, committed_at)
            }
            Step::Abort { transaction, sub } => Ok(self.abort(transaction, sub)),
            Step::Progress { position, source_time } => {
                self.progress(position, source_time);
                Ok(Vec::new())
            }
        }
    }

    /// Whether there is enough for one append.
    pub(super) fn is_full(&self) -> bool {
        self.ready_bytes >= self.limits.append_bytes_max
    }

    /// What is ready for the log, in order.
    pub(super) fn ready(&mut self) -> Vec<Append> {
        self.ready_bytes = 0;
        std::mem::take(&mut self.ready)
    }

    /// What the transactions that were ready touched, in order.
    pub(super) fn touched(&mut self) -> Vec<(Position, TransactionId, Touched)> {
        std::mem::take(&mut self.touched)
    }

    /// How many changes those of them have that were staged.
    pub(super) fn counted(&mut self) -> BTreeMap<TransactionId, u64> {
        std::mem::take(&mut self.counted)
    }

    fn part(
        &mut self,
        transaction: TransactionId,
        sub: TransactionId,
        changes: Vec<Change>,
    ) -> Vec<Staging> {
        let open = self.open.entry(transaction).or_default();
        for change in &changes {
            open.touched.add(change, self.limits.touched_max);
        }
        *open.counts.entry(sub).or_default() += changes.len() as u64;
        if open.staged {
            return vec![Staging::Keep(StagedPart { transaction, sub, changes })];
        }
        let bytes = changes.iter().map(Change::bytes).sum::<usize>();
        open.bytes += bytes;
        self.open_bytes += bytes;
        open.parts.push((sub, changes));
        if open.bytes > self.limits.inline_bytes_max {
            return self.stage(transaction);
        }
        if self.open_bytes > self.limits.open_bytes_max {
            let largest = self.open.iter().max_by_key(|(_, open)| open.bytes);
            return largest.map(|(&largest, _)| largest).map_or(Vec::new(), |it| self.stage(it));
        }
        Vec::new()
    }

    /// Hands a transaction's parts out; from now on each is staged as it comes.
    fn stage(&mut self, transaction: TransactionId) -> Vec<Staging> {
        let open = self.open.entry(transaction).or_default();
        open.staged = true;
        self.open_bytes -= std::mem::take(&mut open.bytes);
        std::mem::take(&mut open.parts)
            .into_iter()
            .map(|(sub, changes)| Staging::Keep(StagedPart { transaction, sub, changes }))
            .collect()
    }

    fn commit(
        &mut self,
        transaction: TransactionId,
        position: Position,
        committed_at: i64,
    ) -> Result<Vec<Staging>, Fault> {
        if position.as_bytes().is_empty() {
            return Err(Fault::stop(Code::Broken, "the source gave a commit without a position"));
        }
        let open = self.open.remove(&transaction).unwrap_or_default();
        self.open_bytes -= open.bytes;
        let offset = Offset::whole(self.last.incarnation, position);
        let comes_again = offset <= self.last && !planted(Bug::NoDedupeOnReplay);
        if comes_again && self.has_advanced {
            let what = format!("the source committed {offset} after {}", self.last);
            return Err(Fault::stop(Code::OutOfOrder, what));
        }
        if comes_again {
            reached(Mark::RedeliverySkipped);
            let drop = Staging::Drop { transaction, sub: transaction };
            return Ok(if open.staged { vec![drop] } else { Vec::new() });
        }
        let commit = Commit { offset: offset.clone(), transaction, committed_at };
        if !open.touched.is_empty() {
            self.touched.push((offset.position.clone(), transaction, open.touched));
        }
        let count = open.counts.values().sum();
        let mut staging = Vec::new();
        if count == 0 {
            // Nothing of it is ours; only that the source has come this far. A source may not know
            // such a transaction again, so it is never the last one that we have.
            self.progress(offset.position.clone(), committed_at);
            staging.extend(open.staged.then_some(Staging::Drop { transaction, sub: transaction }));
        } else if open.staged {
            self.counted.insert(transaction, count);
            self.push(Append::Commit(commit, Changes::Staged), 64);
        } else {
            let changes = open.parts.into_iter().flat_map(|(_, changes)| changes).collect();
            self.push(Append::Commit(commit, Changes::Inline(changes)), open.bytes);
        }
        self.last = offset;
        self.has_advanced = true;
        Ok(staging)
    }

    fn abort(&mut self, transaction: TransactionId, sub: TransactionId) -> Vec<Staging> {
        let whole = transaction == sub;
        let Some(open) = self.open.get_mut(&transaction) else {
            return Vec::new();
        };
        let staged = open.staged;
        open.counts.remove(&sub);
        if whole {
            self.open_bytes -= open.bytes;
            self.open.remove(&transaction);
        } else if !staged {
            open.parts.retain(|(of, _)| *of != sub);
            let left = open.parts.iter().flat_map(|(_, changes)| changes).map(Change::bytes).sum();
            self.open_bytes -= open.bytes - left;
            open.bytes = left;
        }
        if staged { vec![Staging::Drop { transaction, sub }] } else { Vec::new() }
    }

    fn progress(&mut self, position: Position, source_time: i64) {
        let offset = Offset::whole(self.last.incarnation, position);
        if offset <= self.last {
            return;
        }
        self.last = offset.clone();
        self.has_advanced = true;
        let progress = Append::Progress(Progress { offset, source_time });
        match self.ready.last_mut() {
            // Only the last of several in a row says anything.
            Some(last @ Append::Progress(_)) => *last = progress,
            _ => self.push(progress, 32),
        }
    }

    fn push(&mut self, entry: Append, bytes: usize) {
        self.ready.push(entry);
        self.ready_bytes += bytes;
    }
}

#[cfg(test)]
mod tests;
