//! Memory: what row memory remembered of the rows of a batch before the batch.
//!
//! Must not know: the store that it was fetched from, what the batch does.

use model::{Cell, Key, Offset, TableName};
use std::collections::BTreeMap;

/// What row memory remembers of one row for counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    /// The offset of the row's last change.
    pub offset: Offset,
    /// The cells that counts read, all known, in the order of [`super::Folds::columns`].
    pub cells: Vec<Cell>,
}

/// Row memory as it stood before a batch, as far as the batch touches it. It must have been asked
/// for all of [`super::keys_of`]: what is not here is not remembered.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    through: Option<Offset>,
    memos: BTreeMap<TableName, BTreeMap<Key, Memo>>,
}

impl Memory {
    /// Memory that holds every effect up to this offset; what comes from there or before is passed
    /// over. Rows placed together share one offset, so they belong into one batch.
    pub fn new(through: Option<Offset>) -> Self {
        Self { through, memos: BTreeMap::new() }
    }

    /// Takes a memo that was fetched.
    pub fn remember(&mut self, table: &TableName, key: Key, memo: Memo) {
        self.memos.entry(table.clone()).or_default().insert(key, memo);
    }

    /// Whether an effect at this offset is contained.
    pub(super) fn contains(&self, offset: &Offset) -> bool {
        self.through.as_ref().is_some_and(|through| offset <= through)
    }

    /// The memo of a row.
    pub(super) fn get(&self, table: &TableName, key: &Key) -> Option<&Memo> {
        self.memos.get(table)?.get(key)
    }
}
