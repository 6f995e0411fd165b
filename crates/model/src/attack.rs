//! The simulation's two hooks into product code: planted bugs and rare-state marks.
//!
//! Without the feature `attack` both are constants that the compiler removes; the shipped binary
//! never has it. Both are per thread, because a simulated world lives on one thread.

/// A bug that the simulation plants to prove that its oracle would notice.
/// Bugs that a wrapper around a port can play are not listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// Capture confirms a position before the log has it durably.
    ConfirmBeforeDurable,
    /// Capture appends again what a restarted source delivers again.
    NoDedupeOnReplay,
    /// The log shows entries that are written but not yet synced.
    ReadUnsyncedTail,
    /// The planner folds a change into a batch that ends before it.
    CoalesceAcrossBatches,
    /// A key change writes the new key and forgets the old one.
    KeyChangeWithoutDelete,
    /// A lost reply is read as "nothing was written", without asking the target.
    LostReplyTakenForRefusal,
    /// Retention trims by the fastest target instead of the slowest.
    TrimAboveLowestWatermark,
    /// Recovery keeps a torn tail as if it were whole.
    TornTailAccepted,
}

/// A state that is rare, legal and dangerous; the simulation must reach each often enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Recovery cut a torn tail off the last segment.
    TornTailCut,
    /// Recovery removed a segment that never became durable.
    EmptySegmentRemoved,
    /// Recovery removed staged parts whose commit never came.
    StagedPartsDropped,
    /// Recovery stopped on damage that is no torn tail.
    DamageRefused,
    /// A sync failed and closed the journal for writing.
    SyncFailed,
    /// The journal refused input because it or its disk is full.
    JournalFull,
    /// Whole segments were trimmed away.
    SegmentTrimmed,
    /// A staged transaction was adopted at its commit.
    StagedAdopted,
    /// An aborted sub-transaction was left out of an adopted one.
    SubAborted,
    /// A reader asked for what was trimmed.
    ReadGone,
    /// The source delivered again what the log already has.
    RedeliverySkipped,
    /// The source no longer had what comes after the log's end.
    HistoryLost,
    /// A reply was lost and the watermark showed that the batch had been written.
    LostReplyFoundWritten,
    /// A reply was lost and the watermark showed that nothing had been written.
    LostReplyFoundUnwritten,
    /// One target transaction was written in several calls.
    LargeTransactionApplied,
    /// A batch was cut inside a source transaction; the watermark says so.
    WatermarkInside,
    /// A target's watermark went back after it lost unflushed commits.
    WatermarkWentBack,
    /// A refused row became a hold.
    RowHeld,
    /// A later change of a held key was held too.
    HeldKeyChangedAgain,
    /// A key change spread a hold to its second key.
    HoldOnKeyChange,
    /// A hold ended because the source no longer has the row.
    HoldReleased,
    /// Two changes of one key were written as one.
    Coalesced,
    /// An older writer was refused by the target.
    OldWriterRefused,
    /// A task was restarted by its supervisor.
    TaskRestarted,
}

#[cfg(feature = "attack")]
mod hooks {
    use super::{Bug, Mark};
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
        static REACHED: RefCell<BTreeMap<Mark, u64>> = const { RefCell::new(BTreeMap::new()) };
    }

    /// Plants `bug` on this thread, or none.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    /// Whether this thread's world carries `bug`.
    pub fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Notes that a rare state was reached.
    pub fn reached(mark: Mark) {
        REACHED.with_borrow_mut(|marks| *marks.entry(mark).or_default() += 1);
    }

    /// Takes the marks noted on this thread since the last call.
    pub fn take_reached() -> BTreeMap<Mark, u64> {
        REACHED.take()
    }
}

#[cfg(feature = "attack")]
pub use hooks::{plant, planted, reached, take_reached};

/// Whether this thread's world carries `bug`: never, in the product.
#[cfg(not(feature = "attack"))]
#[inline(always)]
pub const fn planted(_bug: Bug) -> bool {
    false
}

/// Notes that a rare state was reached: nothing, in the product.
#[cfg(not(feature = "attack"))]
#[inline(always)]
pub const fn reached(_mark: Mark) {}
