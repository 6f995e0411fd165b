//! Record: what stands in a log between one checksum and the next.
//!
//! Must not know: bytes.

use super::dictionary::Dictionary;
use crate::change::Change;
use crate::entry::{Commit, Placed, Progress};
use crate::log::StagedPart;
use crate::position::{Offset, TransactionId};
use crate::table::Table;
use std::sync::Arc;

/// One record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A table version gets its number, for the rest of the file.
    Table {
        /// The number; the first is 0.
        number: u32,
        /// The table version.
        table: Arc<Table>,
    },
    /// A whole transaction.
    Commit(Commit, Vec<Change>),
    /// A transaction whose changes were staged in another file.
    Adopt(Commit, Adopted),
    /// The source has come this far without a change for us.
    Progress(Progress),
    /// Rows put into the lane by Instep itself.
    Placed(Placed),
    /// Changes of a transaction that was still open; only in staged files.
    Part(StagedPart),
}

/// Where the changes of an adopted transaction are, and which of them count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The number of the staged file.
    pub file: u64,
    /// How many bytes of that file belong to the transaction.
    pub bytes: u64,
    /// How many changes count.
    pub changes: u64,
    /// The sub-transactions that were rolled back; their parts do not count.
    pub aborted: Vec<TransactionId>,
}

impl Record {
    /// The changes that the record itself holds.
    pub fn changes(&self) -> &[Change] {
        match self {
            Record::Commit(_, changes) => changes,
            Record::Placed(placed) => &placed.changes,
            Record::Part(part) => &part.changes,
            Record::Table { .. } | Record::Adopt(..) | Record::Progress(_) => &[],
        }
    }

    /// The tables of its changes that have no number yet, each once, in the order of the changes.
    pub fn new_tables<'a>(&'a self, known: &'a Dictionary) -> impl Iterator<Item = &'a Arc<Table>> {
        let mut found = Dictionary::new();
        let mut last: Option<&Arc<Table>> = None;
        self.changes().iter().map(|change| &change.table).filter(move |&table| {
            if last.replace(table).is_some_and(|last| Arc::ptr_eq(last, table))
                || known.number_of(table).is_some()
                || found.number_of(table).is_some()
            {
                return false;
            }
            found.introduce(table);
            true
        })
    }

    /// Where the record stands in its lane; tables and staged parts stand nowhere.
    pub fn offset(&self) -> Option<&Offset> {
        match self {
            Record::Commit(commit, _) | Record::Adopt(commit, _) => Some(&commit.offset),
            Record::Progress(progress) => Some(&progress.offset),
            Record::Placed(placed) => Some(&placed.offset),
            Record::Table { .. } | Record::Part(_) => None,
        }
    }
}
