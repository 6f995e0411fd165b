//! PURE: the marks of a stretch, those of the source beside those of the copy.

use crate::refused::Side;
use model::{Key, Mark};
use std::collections::BTreeMap;

/// The source's rows of a stretch, and which of them were met in the copy.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// None for a row that was met.
    left: BTreeMap<Key, Option<Mark>>,
    /// A key that several rows of one side have.
    twice: Option<(Side, Key)>,
}

impl Matching {
    /// These rows of the source.
    pub(crate) fn of(rows: Vec<(Key, Mark)>) -> Self {
        let mut matching = Self::default();
        for (key, mark) in rows {
            if matching.left.contains_key(&key) {
                matching.twice = Some((Side::Source, key.clone()));
            }
            matching.left.insert(key, Some(mark));
        }
        matching
    }

    /// A key that several rows of one side have, and that side. What tells rows apart for a store need
    /// not do so for us: it may have `1` and `01` where whole numbers are compared.
    pub(crate) fn twice(&self) -> Option<&(Side, Key)> {
        self.twice.as_ref()
    }

    /// Meets a row of the copy; gives its key back unless it matches.
    pub(crate) fn meet(&mut self, key: Key, mark: Mark) -> Option<Key> {
        match self.left.get_mut(&key).map(Option::take) {
            Some(Some(left)) if left == mark => return None,
            Some(None) => self.twice = Some((Side::Copy, key.clone())),
            _ => {}
        }
        Some(key)
    }

    /// The keys that the copy did not have.
    pub(crate) fn rest(self) -> impl Iterator<Item = Key> {
        self.left.into_iter().filter_map(|(key, left)| left.map(|_| key))
    }
}

#[cfg(test)]
mod tests {
    use super::Matching;
    use crate::refused::Side;
    use model::{Key, Mark, Value};

    fn key(int: i64) -> Key {
        Key::new([Value::Int(int)])
    }

    #[test]
    fn a_row_that_is_met_twice_is_told_of_and_one_that_is_not_met_is_left() {
        let row = |int| (key(int), Mark([int, 0]));
        let mut matching = Matching::of(vec![row(1), row(2), row(3)]);
        assert_eq!(matching.meet(key(1), Mark([1, 0])), None);
        assert_eq!(matching.meet(key(2), Mark([9, 0])), Some(key(2)));
        assert_eq!(matching.meet(key(4), Mark([4, 0])), Some(key(4)));
        assert_eq!(matching.twice(), None);
        assert_eq!(matching.meet(key(1), Mark([1, 0])), Some(key(1)));
        assert_eq!(matching.twice(), Some(&(Side::Copy, key(1))));
        assert_eq!(matching.rest().collect::<Vec<_>>(), [key(3)]);
        let source = Matching::of(vec![row(1), row(1)]);
        assert_eq!(source.twice(), Some(&(Side::Source, key(1))));
    }
}
