//! Outcome: what a batch of changes does to row memory and to the numbers.
//!
//! Must not know: how it came about, where it is written.

use super::group::Group;
use super::memory::Memo;
use model::{Code, CountName, Fault, Key, Offset, TableName};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What a batch does. It is written in this order, in one transaction with the offset up to which
/// it goes: tables are emptied, memos written and removed; counts are zeroed, deltas added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Tables whose memos from before the batch are all removed, with the offset of the truncate.
    pub emptied: BTreeMap<TableName, Offset>,
    /// What is remembered of each row that the batch touched.
    pub memos: BTreeMap<TableName, BTreeMap<Key, Known>>,
    /// Counts of which every group goes to zero before the deltas.
    pub zeroed: BTreeSet<CountName>,
    /// What is added to each group that was touched, zero or not: whoever holds the numbers as they
    /// were within the batch has to be told of each.
    pub deltas: BTreeMap<CountName, BTreeMap<Group, i64>>,
    /// Rows that are there but not remembered, because a change did not say enough of them. They
    /// count nothing until they are read again; until then counts over their tables are not true.
    pub unknown: BTreeMap<TableName, BTreeSet<Key>>,
}

/// What a batch leaves of one key in row memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// The memo is written.
    Row(Memo),
    /// The memo is removed, by the change at this offset.
    Gone(Offset),
}

impl Known {
    /// The offset of the last change that is known.
    pub fn offset(&self) -> &Offset {
        match self {
            Known::Row(memo) => &memo.offset,
            Known::Gone(offset) => offset,
        }
    }
}

impl Outcome {
    /// What the batch left of a key so far.
    pub(super) fn known(&self, table: &TableName, key: &Key) -> Option<&Known> {
        self.memos.get(table)?.get(key)
    }

    /// Leaves this of a key.
    pub(super) fn leave(&mut self, table: &TableName, key: Key, known: Known) {
        match self.memos.get_mut(table) {
            Some(memos) => {
                memos.insert(key, known);
            }
            None => {
                self.memos.insert(table.clone(), BTreeMap::from([(key, known)]));
            }
        }
    }

    /// The key's row has to be read again.
    pub(super) fn ask_for(&mut self, table: &TableName, key: Key) {
        self.unknown.entry(table.clone()).or_default().insert(key);
    }

    /// The key's row is known, or gone.
    pub(super) fn settle(&mut self, table: &TableName, key: &Key) {
        if let Some(keys) = self.unknown.get_mut(table) {
            keys.remove(key);
            if keys.is_empty() {
                self.unknown.remove(table);
            }
        }
    }

    /// Adds to a group.
    pub(super) fn add(&mut self, count: &CountName, group: Group, by: i64) -> Result<(), Fault> {
        let groups = match self.deltas.get_mut(count) {
            Some(groups) => groups,
            None => self.deltas.entry(count.clone()).or_default(),
        };
        match groups.entry(group) {
            Entry::Vacant(vacant) => {
                vacant.insert(by);
            }
            Entry::Occupied(mut occupied) => match occupied.get().checked_add(by) {
                Some(sum) => *occupied.get_mut() = sum,
                None => {
                    let group = occupied.key();
                    let what = format!("count {count}, group {group}: a batch adds more than fits");
                    return Err(Fault::stop(Code::CountWrong, what));
                }
            },
        }
        Ok(())
    }

    /// Forgets all that the batch did to a table and its counts before this truncate.
    pub(super) fn empty<'a>(
        &mut self,
        table: &TableName,
        at: Offset,
        counts: impl Iterator<Item = &'a CountName>,
    ) {
        self.memos.remove(table);
        self.unknown.remove(table);
        self.emptied.insert(table.clone(), at);
        for count in counts {
            let deltas = self.deltas.get_mut(count).into_iter();
            deltas.flat_map(BTreeMap::values_mut).for_each(|delta| *delta = 0);
            self.zeroed.insert(count.clone());
        }
    }
}
