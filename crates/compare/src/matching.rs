//! PURE: the marks of a stretch, those of the source beside those of the copy.

use model::{Key, Mark};
use std::collections::BTreeMap;

/// The source's rows of a stretch that were not met in the copy yet.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    left: BTreeMap<Key, Mark>,
    /// Keys that the source's rows have twice.
    twice: Option<Key>,
}

impl Matching {
    /// These rows of the source.
    pub(crate) fn of(rows: Vec<(Key, Mark)>) -> Self {
        let mut matching = Self::default();
        for (key, mark) in rows {
            if matching.left.contains_key(&key) {
                matching.twice = Some(key.clone());
            }
            matching.left.insert(key, mark);
        }
        matching
    }

    /// A key that several rows of the source have.
    pub(crate) fn twice(&self) -> Option<&Key> {
        self.twice.as_ref()
    }

    /// Meets a row of the copy; gives its key back unless it matches.
    pub(crate) fn meet(&mut self, key: Key, mark: Mark) -> Option<Key> {
        (self.left.remove(&key) != Some(mark)).then_some(key)
    }

    /// The keys that the copy did not have.
    pub(crate) fn rest(self) -> impl Iterator<Item = Key> {
        self.left.into_keys()
    }
}
