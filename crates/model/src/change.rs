//! Change: what a source did to one row, or to all of a table.

use crate::row::{Key, Row};
use crate::table::Table;
use std::sync::Arc;

/// What a source did, with the table as it looked then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table, in the version that the row is written in.
    pub table: Arc<Table>,
    /// What happened.
    pub op: Op,
}

/// What happened to a row or a table. Old images are never carried: they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A new row; complete.
    Insert(Row),
    /// A row has new values. A key change is one change with two keys: `before` is the key it had,
    /// the row holds the key it has now.
    Update {
        /// The key of the row before.
        before: Key,
        /// The row after; may hold unchanged cells, never in the key.
        row: Row,
    },
    /// The row with this key is gone.
    Delete(Key),
    /// Every row of the table is gone.
    Truncate,
}

impl Change {
    /// About how much memory the change takes.
    pub fn bytes(&self) -> usize {
        let held = match &self.op {
            Op::Insert(row) => row.bytes(),
            Op::Update { before, row } => before.bytes() + row.bytes(),
            Op::Delete(key) => key.bytes(),
            Op::Truncate => 0,
        };
        held + size_of::<Self>()
    }

    /// The keys that this change touches: the old one, then the new one where it differs.
    /// A truncate touches them all and names none.
    pub fn keys(&self) -> (Option<Key>, Option<Key>) {
        match &self.op {
            Op::Insert(row) => (self.table.key_of(row), None),
            Op::Update { before, row } => {
                let after = self.table.key_of(row).filter(|after| after != before);
                (Some(before.clone()), after)
            }
            Op::Delete(key) => (Some(key.clone()), None),
            Op::Truncate => (None, None),
        }
    }
}
