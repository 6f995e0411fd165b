//! Delta: the recent writes in memory, sorted by key. Pure.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The last write to each key; a key without a value was deleted.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    writes: BTreeMap<Key, Option<Box<[u8]>>>,
    bytes: usize,
}

/// The bytes of a key. Short ones stand in the tree itself: a walk through it then compares what is
/// at hand already, and that is most of what a write costs.
#[derive(Debug)]
enum Key {
    Short([u8; SHORT_BYTES], u8),
    Long(Box<[u8]>),
}

/// As long as the key of a row or group mostly is; with its length and kind a multiple of eight.
const SHORT_BYTES: usize = 30;

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        match u8::try_from(bytes.len()) {
            Ok(length) if bytes.len() <= SHORT_BYTES => {
                let mut short = [0; SHORT_BYTES];
                short[..bytes.len()].copy_from_slice(bytes);
                Self::Short(short, length)
            }
            _ => Self::Long(bytes.into()),
        }
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        match self {
            Self::Short(bytes, length) => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        Borrow::<[u8]>::borrow(self).cmp(other.borrow())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// A write: the key and, unless it was deleted, its value.
pub(crate) type Write<'a> = (&'a [u8], Option<&'a [u8]>);

/// What a key costs beside its bytes: a value's allocation and a place in the tree.
const OVERHEAD_BYTES: usize = 100;

impl Delta {
    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        let length = |value: Option<&[u8]>| value.map_or(0, <[u8]>::len);
        self.bytes += length(value);
        // Walks through the tree once.
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
        range.map(|(key, value)| (key.borrow(), value.as_deref()))
    }
}
