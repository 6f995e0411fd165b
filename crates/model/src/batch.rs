//! Batch: what a target is asked to write at once, and what it answers.

use crate::entry::Purpose;
use crate::position::{CopyName, Epoch, Lane, Offset, Watermark};
use crate::row::{Key, Row};
use crate::table::Table;
use std::fmt;
use std::sync::Arc;

/// Writes that belong together, and the watermark that travels with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The lane that the writes come from.
    pub lane: Lane,
    /// The epoch under which the writer leads this target; an older one is refused.
    pub epoch: Epoch,
    /// The writes, in the source's order. Shared, so that a batch can be handed to another thread
    /// without writing its rows anew.
    pub writes: Arc<Vec<Write>>,
    /// Keys that become held together with this batch.
    pub holds: Vec<Hold>,
    /// Holds that a person discards: with this batch these keys are held no longer, and whatever the
    /// target has of them stays as it is.
    pub discards: Vec<(CopyName, Key)>,
    /// How far passes have come together with this batch.
    pub passes: Vec<(CopyName, Pass)>,
    /// How far the target will have come with this batch.
    pub watermark: Watermark,
    /// Whether the target transaction ends here. If not, more batches of it follow.
    pub last: bool,
}

/// How far a copy has been filled from its source, or compared with it again after history was
/// lost. Travels with the watermark. While a pass is under way the copy reports no position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Rows up to this key are the source's; those behind it are still to come.
    Under {
        /// Why the pass is made: to fill the copy, or to bridge what was lost.
        purpose: Purpose,
        /// Where in the lane it began.
        began: Offset,
        /// The last key that it has come to; none before the first.
        upto: Option<Key>,
        /// Rows deleted so far because the source lacks them.
        deleted: u64,
    },
    /// Every row is the source's.
    Done,
}

/// One row to write, or a table to empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The copy that it is for.
    pub copy: CopyName,
    /// The source table, in the version that the row is written in.
    pub table: Arc<Table>,
    /// The row's version: the offset of the change that it comes from.
    pub version: Offset,
    /// What to write.
    pub effect: Effect,
}

/// What a write does to the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The row with this key becomes this one, complete, whatever was there before.
    Put {
        /// The key.
        key: Key,
        /// All of the row.
        row: Row,
        /// Whether the source had no such row before, so that the target should have none.
        new: bool,
    },
    /// The row with this key takes these cells and keeps the unchanged ones. If there is no such
    /// row the key is refused.
    Patch(Key, Row),
    /// The row with the first key takes these cells, the second key among them, and keeps the
    /// unchanged ones. If there is no such row both keys are refused.
    Move {
        /// The key that the row had.
        before: Key,
        /// The key that it has now.
        key: Key,
        /// The row, with unchanged cells.
        row: Row,
    },
    /// There is no row with this key.
    Delete(Key),
    /// There is no row at all.
    Truncate,
}

impl Effect {
    /// The keys that are written, the second only where a row moves; a truncate names none.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let (first, second) = match self {
            Effect::Put { key, .. } | Effect::Patch(key, _) | Effect::Delete(key) => {
                (Some(key), None)
            }
            Effect::Move { before, key, .. } => (Some(before), Some(key)),
            Effect::Truncate => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// How a batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All of it with its watermark, or nothing.
    Together,
    /// Row by row in order; refused rows become holds, stored with the watermark.
    RowByRow,
}

/// What a target answers to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Written, except for the refused rows, which only [`Mode::RowByRow`] has.
    Written {
        /// Up to where everything is known by now to survive a crash of the target; nothing where
        /// that is no news. It may be this batch's watermark, or that of one before.
        flushed: Option<Watermark>,
        /// The rows that were refused and are holds now.
        refused: Vec<Refusal>,
    },
    /// A row was refused, so nothing of this target transaction was written.
    Refused(String),
}

/// A row that a target refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which of the batch's writes.
    pub write: usize,
    /// Why, in the target's words.
    pub reason: String,
}

/// A key that a target refused, kept with its reason until it passes or a person discards it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hold {
    /// The copy.
    pub copy: CopyName,
    /// The key.
    pub key: Key,
    /// The change that was refused.
    pub offset: Offset,
    /// Why, in the target's words.
    pub reason: String,
    /// Since when it is held, in microseconds since 1970 by the target's clock. The target says it;
    /// whoever writes leaves it zero.
    pub since: i64,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?} at {:?}: {}", self.copy, self.key.values(), self.offset, self.reason)
    }
}
