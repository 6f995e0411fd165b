//! PURE: what transactions touched, while a snapshot may not see them yet.
//!
//! A source may hand a transaction over before any session can see it, so a row that was read may
//! be older than the log. A transaction is remembered until a snapshot has seen it and no older
//! reading is on its way. Memory is bounded: beyond `touched_max` keys whole tables count.

use crate::limits::Limits;
use model::attack::{Bug, Mark, planted, reached};
use model::inspect::Sees;
use model::{Change, Key, Op, Position, TableName, TransactionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What one transaction touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Single keys, some perhaps more than once.
    pub(super) keys: Vec<(TableName, Key)>,
    /// Tables of which every row may have been touched.
    pub(super) tables: BTreeSet<TableName>,
}

impl Touched {
    /// Takes one more change, and no more keys than `keys_max`.
    pub(super) fn add(&mut self, change: &Change, keys_max: usize) {
        let table = &change.table.name;
        if matches!(change.op, Op::Truncate) {
            self.tables.insert(table.clone());
            return;
        }
        let (first, second) = change.keys();
        for key in [first, second].into_iter().flatten() {
            self.keys.push((table.clone(), key));
        }
        if self.keys.len() > keys_max {
            self.forget_keys();
        }
    }

    /// Whether it touched nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tables.is_empty()
    }

    /// From now on its tables count as a whole.
    fn forget_keys(&mut self) {
        self.tables.extend(std::mem::take(&mut self.keys).into_iter().map(|(table, _)| table));
    }
}

/// A logged transaction that some reading may have missed.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) position: Position,
    pub(super) transaction: TransactionId,
    pub(super) touched: Touched,
    /// Its changes of tables where somebody has waited long enough to have them laid over.
    pub(super) changes: BTreeMap<TableName, Vec<Change>>,
    /// Readings with this ticket and later ones see it.
    seen_from: Option<u64>,
}

impl Logged {
    /// Whether a snapshot contains it.
    pub(super) fn is_in(&self, sees: &Sees) -> bool {
        sees.contains(&self.position, self.transaction)
    }
}

/// The logged transactions that some reading may have missed, in order.
#[derive(Debug)]
pub(super) struct Memory {
    keys_max: usize,
    keys: usize,
    logged: VecDeque<Logged>,
    floor: Floor,
    /// The oldest ticket under which everything was forgotten that could be; nothing if more of it
    /// was seen since.
    forgotten_at: Option<Option<u64>>,
}

/// What was logged before this memory began: only snapshots that see all of it count.
#[derive(Debug)]
struct Floor {
    logged_upto: Position,
    /// Every transaction of before has a number below this.
    numbers_below: Option<u64>,
}

impl Memory {
    /// Nothing is remembered; the log ends here.
    pub(super) fn new(logged_upto: Position, limits: &Limits) -> Self {
        let floor = Floor { logged_upto, numbers_below: None };
        let logged = VecDeque::new();
        Self { keys_max: limits.touched_max, keys: 0, logged, floor, forgotten_at: None }
    }

    /// A transaction is in the log.
    pub(super) fn log(
        &mut self,
        position: Position,
        transaction: TransactionId,
        touched: Touched,
        changes: BTreeMap<TableName, Vec<Change>>,
    ) {
        self.keys += touched.keys.len();
        self.logged.push_back(Logged { position, transaction, touched, changes, seen_from: None });
        if self.keys > self.keys_max {
            reached(Mark::TouchedOverflow);
            for logged in &mut self.logged {
                logged.touched.forget_keys();
                logged.changes.clear();
            }
            self.keys = 0;
        }
    }

    /// A snapshot has been taken; readings with this ticket and later ones see no less than it.
    pub(super) fn look(&mut self, sees: &Sees, next_ticket: u64) {
        for logged in &mut self.logged {
            if logged.seen_from.is_none() && logged.is_in(sees) {
                logged.seen_from = Some(next_ticket);
                self.forgotten_at = None;
            }
        }
    }

    /// Forgets what every reading sees that is still on its way or still to come.
    pub(super) fn forget(&mut self, oldest_ticket: Option<u64>) {
        // It is asked after every step, and there may be much to walk through.
        if self.forgotten_at == Some(oldest_ticket) {
            return;
        }
        self.forgotten_at = Some(oldest_ticket);
        self.logged.retain(|logged| match (logged.seen_from, oldest_ticket) {
            (None, _) => true,
            (Some(_), _) if planted(Bug::ForgetsBeforeOlderReading) => false,
            (Some(from), Some(oldest)) => oldest < from,
            (Some(_), None) => false,
        });
        self.keys = self.logged.iter().map(|logged| logged.touched.keys.len()).sum();
    }

    /// Whether a reading may be judged by what is remembered: whether it sees everything that was
    /// logged before. The first look learns which numbers that can be.
    pub(super) fn reaches_back(&mut self, sees: &Sees) -> bool {
        match sees {
            Sees::Upto(position) => *position >= self.floor.logged_upto,
            Sees::Snapshot { xmin, xmax, .. } => {
                *xmin >= *self.floor.numbers_below.get_or_insert(*xmax)
            }
        }
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        self.logged.is_empty()
    }

    /// What is remembered, in the log's order.
    pub(super) fn logged(&self) -> impl Iterator<Item = &Logged> {
        self.logged.iter()
    }
}

#[cfg(test)]
mod tests;
