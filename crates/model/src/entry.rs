//! Entries: what a lane of the log holds, as it is appended and as it is read back.
//!
//! A transaction is appended whole or adopted from parts staged before; it is read back in
//! committed parts, so that neither side ever needs it in memory at once.

use crate::change::Change;
use crate::position::{CopyName, Offset, TargetName, TransactionId};
use crate::row::Key;

/// The end of a source transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Where the transaction stands, as a whole.
    pub offset: Offset,
    /// The source's own number of it.
    pub transaction: TransactionId,
    /// When it committed, in microseconds since 1970 by the source's clock.
    pub committed_at: i64,
}

/// What the lane's writer appends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Append {
    /// A committed transaction and where its changes are.
    Commit(Commit, Changes),
    /// The source has come this far without a change for us.
    Progress(Progress),
    /// Rows put into the lane by Instep itself.
    Placed(Placed),
}

/// Where the changes of a transaction are when its commit is appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Here.
    Inline(Vec<Change>),
    /// Staged in the log before, under the transaction's number.
    Staged,
}

/// What a reader of the lane is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A part of a committed transaction.
    Part(CommittedPart),
    /// The source has come this far without a change for us.
    Progress(Progress),
    /// Rows put into the lane by Instep itself.
    Placed(Placed),
}

impl Entry {
    /// The offset up to which a target stands that has applied this entry.
    pub fn end(&self) -> Offset {
        match self {
            Entry::Part(part) => part.end(),
            Entry::Progress(progress) => progress.offset.clone(),
            Entry::Placed(placed) => placed.offset.clone(),
        }
    }
}

/// Some or all of the changes of a committed transaction, in the source's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedPart {
    /// The commit that they belong to.
    pub commit: Commit,
    /// The ordinal of the first of them.
    pub first: u64,
    /// The changes.
    pub changes: Vec<Change>,
    /// Whether the transaction ends here.
    pub last: bool,
}

impl CommittedPart {
    /// The offset of the change at this index of `changes`.
    pub fn offset_of(&self, index: usize) -> Offset {
        self.commit.offset.change(self.first + index as u64)
    }

    /// The offset up to which a target stands that has applied this part.
    pub fn end(&self) -> Offset {
        match self.changes.len().checked_sub(1) {
            Some(index) if !self.last => self.offset_of(index),
            _ => self.commit.offset.clone(),
        }
    }
}

/// The source has come this far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How far, as a whole offset.
    pub offset: Offset,
    /// The source's clock then, in microseconds since 1970.
    pub source_time: i64,
}

/// Rows that Instep read from the source and put into the lane at its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where it was placed: the head's position, with the epoch of whoever placed it.
    pub offset: Offset,
    /// The targets that it is for; the others pass over it.
    pub targets: Vec<TargetName>,
    /// Why it was placed.
    pub purpose: Purpose,
    /// Which stretch of a pass the rows are; none where they are single keys.
    pub stretch: Option<Stretch>,
    /// The rows: upserts as inserts, absences as deletes, each key once.
    pub changes: Vec<Change>,
}

impl Placed {
    /// A word to every target that what came before it is not all here: history was lost.
    pub fn gap(offset: Offset) -> Self {
        let (targets, changes) = (Vec::new(), Vec::new());
        Self { offset, targets, purpose: Purpose::Bridge, stretch: None, changes }
    }

    /// Whether it says that history was lost before it.
    pub fn is_gap(&self) -> bool {
        self.purpose == Purpose::Bridge && self.stretch.is_none()
    }
}

/// A stretch of a table, in key order, that a pass has come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The copy that is passed over; for row memory, the table's name.
    pub copy: CopyName,
    /// Where the pass began; a stretch of another pass does not count.
    pub began: Offset,
    /// The key after which the stretch begins; none at the table's beginning.
    pub after: Option<Key>,
    /// The last key of the stretch; none where the table ends.
    pub upto: Option<Key>,
    /// Whether the source had no row of the table at all.
    pub source_is_empty: bool,
}

/// Why rows were placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A chunk of the initial copy.
    Fill,
    /// A key read again, because a change did not carry enough or was refused.
    Reread,
    /// A difference mended.
    Repair,
    /// Lost history bridged.
    Bridge,
}
