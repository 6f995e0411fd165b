//! Rows that were moved out of the way of others in the same target transaction.
//!
//! A row may come as it is at the commit of its transaction, and so before the one whose unique
//! value it has taken over. The row in the way then gets a value that nothing else has, until its
//! own turn comes. One whose turn never comes was truly in the way: the transaction is refused.

use model::{CopyName, Key, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How many rows may be out of the way at once.
const PARKED_MAX: usize = 100_000;

/// The rows that wait for their turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parked {
    rows: BTreeMap<CopyName, BTreeMap<Key, ParkedRow>>,
    count: usize,
    /// How many were ever parked, for values that nothing else has.
    pub(crate) ever: u64,
}

/// A row that waits for its turn.
#[derive(Clone, Debug)]
pub(crate) struct ParkedRow {
    /// What it had: the column's place in the layout, and the value.
    pub(crate) had: Vec<(usize, Value)>,
    /// The write that needed the place, by its place in the batch.
    pub(crate) by: usize,
    /// Why it could not be written.
    pub(crate) reason: String,
}

impl Parked {
    /// Whether no row waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether as many wait as may.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= PARKED_MAX
    }

    /// The rows that wait.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &ParkedRow> {
        self.rows.values().flat_map(BTreeMap::values)
    }

    /// The rows that wait, but for those of keys that are held, which wait no longer.
    pub(crate) fn not_held(
        &self,
        held: &BTreeSet<(CopyName, Key)>,
    ) -> impl Iterator<Item = &ParkedRow> {
        let rows = self.rows.iter().flat_map(|(copy, rows)| rows.iter().map(move |it| (copy, it)));
        let is_held = |copy: &CopyName, key: &Key| held.contains(&(copy.clone(), key.clone()));
        rows.filter(move |(copy, (key, _))| !is_held(copy, key)).map(|(_, (_, row))| row)
    }

    /// The rows that wait, and did not wait then.
    pub(crate) fn since(&self, then: &Self) -> impl Iterator<Item = &ParkedRow> {
        let rows = self.rows.iter().flat_map(|(copy, rows)| rows.iter().map(move |it| (copy, it)));
        rows.filter(|(copy, (key, _))| then.had(copy, key).is_none()).map(|(_, (_, row))| row)
    }

    /// A row waits; what it had first counts.
    pub(crate) fn add(&mut self, copy: &CopyName, key: Key, row: ParkedRow) {
        self.ever += 1;
        let rows = self.rows.entry(copy.clone()).or_default();
        match rows.get_mut(&key) {
            Some(known) => {
                let is_new = |at: &usize| known.had.iter().all(|(known, _)| known != at);
                let new: Vec<_> = row.had.into_iter().filter(|(at, _)| is_new(at)).collect();
                known.had.extend(new);
            }
            None => {
                rows.insert(key, row);
                self.count += 1;
            }
        }
    }

    /// What a row had, if it waits.
    pub(crate) fn had(&self, copy: &CopyName, key: &Key) -> Option<&[(usize, Value)]> {
        Some(&self.rows.get(copy)?.get(key)?.had)
    }

    /// A row has had its turn.
    pub(crate) fn remove(&mut self, copy: &CopyName, key: &Key) {
        if self.rows.get_mut(copy).is_some_and(|rows| rows.remove(key).is_some()) {
            self.count -= 1;
        }
    }

    /// Every row of a copy is gone.
    pub(crate) fn remove_all(&mut self, copy: &CopyName) {
        self.count -= self.rows.remove(copy).map_or(0, |rows| rows.len());
    }
}
