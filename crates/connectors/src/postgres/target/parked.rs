//! Rows that were moved out of the way of others in the same target transaction.
//!
//! Folded changes may bring a row before the one whose unique value it has taken over. The row in the
//! way then gets a value that nothing else has, until its own turn comes.

use model::{CopyName, Key, Value};
use std::collections::BTreeMap;

/// How many rows may be out of the way at once.
const PARKED_MAX: usize = 100_000;

/// The rows that wait for their turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Parked {
    rows: BTreeMap<(CopyName, Key), ParkedRow>,
    /// How many were ever parked, for values that nothing else has.
    pub(super) ever: u64,
}

/// A row that waits for its turn.
#[derive(Clone, Debug)]
pub(super) struct ParkedRow {
    /// What it had: the column's place in the layout, and the value.
    pub(super) had: Vec<(usize, Value)>,
    /// The write that needed the place, by its number.
    pub(super) by: usize,
    /// Why that could not be written.
    pub(super) reason: String,
}

impl Parked {
    /// Whether no row waits.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether as many wait as may.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= PARKED_MAX
    }

    /// The rows that wait.
    pub(super) fn rows(&self) -> impl Iterator<Item = &ParkedRow> {
        self.rows.values()
    }

    /// A row waits; what it had first counts.
    pub(super) fn add(&mut self, copy: &CopyName, key: Key, row: ParkedRow) {
        self.ever += 1;
        match self.rows.get_mut(&(copy.clone(), key.clone())) {
            Some(known) => {
                let is_new = |at: &usize| known.had.iter().all(|(known, _)| known != at);
                let new: Vec<_> = row.had.into_iter().filter(|(at, _)| is_new(at)).collect();
                known.had.extend(new);
            }
            None => drop(self.rows.insert((copy.clone(), key), row)),
        }
    }

    /// What a row had, if it waits.
    pub(super) fn had(&self, copy: &CopyName, key: &Key) -> Option<&[(usize, Value)]> {
        Some(&self.rows.get(&(copy.clone(), key.clone()))?.had)
    }

    /// A row has had its turn.
    pub(super) fn remove(&mut self, copy: &CopyName, key: &Key) {
        self.rows.remove(&(copy.clone(), key.clone()));
    }

    /// Every row of a copy is gone.
    pub(super) fn remove_all(&mut self, copy: &CopyName) {
        self.rows.retain(|(of, _), _| of != copy);
    }
}
