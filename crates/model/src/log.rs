//! Port: the log, the durable and ordered sequence of transactions between sources and targets.

use crate::change::Change;
use crate::entry::{Append, Commit, Entry};
use crate::fault::Fault;
use crate::position::{Epoch, Lane, Offset, TransactionId};
use async_trait::async_trait;

/// Keeps lanes of entries.
///
/// When `append` returns, its entries are durable and readable, all of them; when it fails, none
/// may be assumed and none is readable unless a later `bounds` shows it. Offsets in a lane only
/// rise, and a lower epoch than the last is refused. Readers see no transaction before its commit
/// is durable. What `trim` was not told to drop stays. Futures may be dropped at any point.
#[async_trait]
pub trait Log: Send + Sync {
    /// Where the lane begins and ends; an unknown lane is empty.
    async fn bounds(&self, lane: &Lane) -> Result<Bounds, Fault>;

    /// Keeps changes of an uncommitted transaction aside. Forgotten when the log is opened anew.
    async fn stage(&self, lane: &Lane, part: StagedPart) -> Result<(), Fault>;

    /// Drops what was staged for a sub-transaction, or for all of the transaction.
    async fn unstage(
        &self,
        lane: &Lane,
        transaction: TransactionId,
        sub: TransactionId,
    ) -> Result<(), Fault>;

    /// Appends entries in order under the writer's epoch.
    async fn append(&self, lane: &Lane, entries: Vec<Append>, epoch: Epoch) -> Result<(), Fault>;

    /// Entries after `after`, about `bytes_max` of them; waits until there is at least one.
    async fn read(
        &self,
        lane: &Lane,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Read, Fault>;

    /// Entries at or below this offset may be dropped.
    async fn trim(&self, lane: &Lane, upto: &Offset) -> Result<(), Fault>;
}

/// Where a lane begins and ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Everything at or below this offset may be gone; nothing above it is.
    pub trimmed: Option<Offset>,
    /// The last entry.
    pub last: Option<Offset>,
    /// The last transaction; known even when it was trimmed.
    pub last_commit: Option<Commit>,
    /// The highest epoch that has appended.
    pub epoch: Option<Epoch>,
    /// How much room the lane takes.
    pub bytes: u64,
    /// Whether the log has refused an entry of any lane for want of room, and has taken none since.
    pub is_full: bool,
}

/// Changes of a transaction that is not committed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedPart {
    /// The transaction.
    pub transaction: TransactionId,
    /// The sub-transaction within it; the transaction itself if there is none.
    pub sub: TransactionId,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// What a reader gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The next entries, in order, at least one.
    Entries(Vec<Entry>),
    /// What comes after the given offset is gone; the lane begins after this one.
    Gone {
        /// Everything at or below it may be missing.
        trimmed: Offset,
    },
}
