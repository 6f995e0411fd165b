//! Port: reading rows back, from a source or a target alike, with the exact place of the answer.

use crate::digest::{Digest, Seed};
use crate::fault::Fault;
use crate::position::{Lane, Offset, Position, TransactionId, Watermark};
use crate::row::{Key, Row};
use crate::table::{Table, TableName};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads a table back.
///
/// Each answer is one snapshot of the store and says exactly which transactions it contains: for a
/// source by its placement, for a target by the watermarks read in the same snapshot. Rows come in
/// key order, complete, and each row that the snapshot has within the selection comes once.
#[async_trait]
pub trait Inspect: Send {
    /// The table as it looks now; none if there is no such table.
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault>;

    /// The selected rows, at most `rows_max`; [`Rows::upto`] says how far they reach.
    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault>;

    /// About how many rows the table has, where that is known without counting them. Only told to
    /// people.
    async fn estimate(&mut self, _table: &Arc<Table>) -> Result<Option<u64>, Fault> {
        Ok(None)
    }

    /// One digest for each selection, all from one snapshot.
    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault>;
}

/// Which rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Keys above `after` and up to and including `upto`; open where there is none.
    Range {
        /// Exclusive lower end.
        after: Option<Key>,
        /// Inclusive upper end.
        upto: Option<Key>,
    },
    /// Just these keys.
    Keys(Vec<Key>),
    /// No row at all: only the place of the answer is wanted.
    Nothing,
}

impl Selection {
    /// Every row.
    pub const ALL: Selection = Selection::Range { after: None, upto: None };

    /// Whether the key is selected.
    pub fn contains(&self, key: &Key) -> bool {
        match self {
            Selection::Range { after, upto } => {
                after.as_ref().is_none_or(|after| key > after)
                    && upto.as_ref().is_none_or(|upto| key <= upto)
            }
            Selection::Keys(keys) => keys.contains(key),
            Selection::Nothing => false,
        }
    }
}

/// What was found, and where the answer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// Where the answer stands.
    pub at: At,
    /// What was found.
    pub found: T,
}

/// Where an answer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A source: which of its transactions the answer contains.
    Source(Placement),
    /// A target: the watermark of each lane that feeds it, in the same snapshot.
    Target(BTreeMap<Lane, Watermark>),
}

/// Which transactions of a source an answer contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// No transaction after this position is contained.
    pub reached: Position,
    /// Which of those up to it are.
    pub sees: Sees,
}

/// Which transactions a snapshot sees. A position alone does not say it: a source may log a
/// commit, and deliver it, before any session can see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sees {
    /// All up to this position.
    Upto(Position),
    /// By transaction number: all below `xmin`, and those below `xmax` that were not running.
    Snapshot {
        /// Every number below it is seen.
        xmin: u64,
        /// No number from here on is seen.
        xmax: u64,
        /// The numbers between that were still running, sorted.
        running: Vec<u64>,
    },
}

impl Sees {
    /// Whether the snapshot contains this transaction.
    pub fn contains(&self, position: &Position, transaction: TransactionId) -> bool {
        match self {
            Sees::Upto(upto) => position <= upto,
            Sees::Snapshot { xmin, xmax, running } => {
                let number = transaction.0;
                number < *xmin || (number < *xmax && running.binary_search(&number).is_err())
            }
        }
    }
}

/// Rows in key order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The rows; on a target with the version that it keeps, where it keeps one.
    pub rows: Vec<(Key, Row, Option<Offset>)>,
    /// The last key that the answer speaks for; none if it speaks for the whole selection.
    pub upto: Option<Key>,
}
