//! Delta: the recent writes in memory, sorted by key. Pure.

use std::collections::BTreeMap;
use std::ops::Bound;

/// The last write to each key; a key without a value was deleted.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    writes: BTreeMap<Key, Option<Box<[u8]>>>,
    bytes: usize,
}

type Key = Box<[u8]>;

/// A write: the key and, unless it was deleted, its value.
pub(crate) type Write<'a> = (&'a [u8], Option<&'a [u8]>);

/// What a key costs beside its bytes: two allocations and a place in the tree.
const OVERHEAD_BYTES: usize = 100;

impl Delta {
    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        let length = |value: Option<&[u8]>| value.map_or(0, <[u8]>::len);
        self.bytes += length(value);
        // Walks through the tree once: that is most of what a write costs.
        match self.writes.insert(key.into(), value.map(Into::into)) {
            Some(old) => self.bytes -= length(old.as_deref()),
            None => self.bytes += OVERHEAD_BYTES + key.len(),
        }
    }

    /// What is known of the key: nothing, that it was deleted, or its value.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.writes.get(key).map(Option::as_deref)
    }

    /// The writes between two keys, in key order.
    pub(crate) fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
    ) -> impl Iterator<Item = Write<'_>> {
        let range = self.writes.range::<[u8], _>((from, to));
        range.map(|(key, value)| (&**key, value.as_deref()))
    }
}
