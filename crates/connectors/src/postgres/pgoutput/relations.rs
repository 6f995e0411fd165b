//! The tables that were described so far. A row of any other is never guessed at.

use super::malformed::Malformed;
use super::message::{Relation, ReplicaIdentity};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Each table as it was described last, by its number, in the form that the reader makes of it.
#[derive(Clone, Debug)]
pub struct Relations<T> {
    known: BTreeMap<u32, Arc<T>>,
}

impl<T> Default for Relations<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new() }
    }
}

impl<T> Relations<T> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table looks like this from here on.
    pub fn learn(&mut self, oid: u32, table: Arc<T>) {
        self.known.insert(oid, table);
    }

    /// The table of this number.
    pub fn get(&self, oid: u32) -> Result<&Arc<T>, Malformed> {
        let unknown = || Malformed::new(format!("a row of table {oid}, which was never described"));
        self.known.get(&oid).ok_or_else(unknown)
    }
}

impl Relation<'_> {
    /// Whether a row that was is told apart from all others by what is said about it.
    pub fn has_key(&self) -> bool {
        self.identity != ReplicaIdentity::Nothing && self.columns.iter().any(|column| column.in_key)
    }
}

#[cfg(test)]
mod tests {
    use super::Relations;
    use std::sync::Arc;

    #[test]
    fn a_row_of_a_table_that_was_never_described_is_refused() {
        let mut relations = Relations::new();
        relations.learn(7, Arc::new("questions"));
        assert_eq!(**relations.get(7).unwrap(), "questions");
        let unknown = relations.get(8).unwrap_err().to_string();
        assert!(unknown.contains("table 8, which was never described"), "{unknown}");
    }
}
