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
    /// Capture places a row that a logged transaction has changed since it was read.
    KeepsStaleRow,
    /// Capture forgets a transaction that an older reading, still on its way, does not see.
    ForgetsBeforeOlderReading,
    /// Every instance places under the same epoch.
    IgnoresEpochs,
    /// A source that was restored is followed on as if nothing had happened.
    SplicesRestoredSource,
    /// A watermark moves over a refused row without a hold.
    AdvancesOverHold,
    /// A row that is inserted at the old key of a held key change ends the hold and is lost.
    InsertAfterHeldMoveLost,
    /// A pass over an empty source deletes what the copy has.
    BridgesFromEmptySource,
    /// State says that it goes farther than it does.
    StateAheadOfLog,
    /// Counts are told before they are filled and have come to where the log ended.
    AnswersBeforeReplay,
    /// An update is counted as if the row had been before what it is now.
    CountFromOldImage,
    /// What an update left unchanged is counted as if the row no longer had it.
    UnchangedDropped,
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
    /// A leader that was asked to stop gave its lease back.
    LeaseGivenBack,
    /// A task was restarted by its supervisor.
    TaskRestarted,
    /// Keys of a reading were sent back because a logged transaction had changed them.
    KeysSentBack,
    /// What a reading had missed was laid over its rows.
    LaidOver,
    /// So many keys were touched that whole tables count.
    TouchedOverflow,
    /// An idle source was asked for a marker.
    SourceMarked,
    /// A person's word made another server the right one.
    SourceAdopted,
    /// A gap in the history was declared in the log.
    GapDeclared,
    /// A target needed what the log no longer has, and is bridged.
    GoneBridged,
    /// A pass would have deleted more than it may.
    DeletesGuarded,
    /// A pass over a copy came to its end.
    PassDone,
    /// A copy was truncated while a pass over it was under way.
    TruncateBesidePass,
    /// A held key passed, because its row as it is now was accepted.
    HoldPassed,
    /// A target that held up a full log was let go.
    Detached,
    /// State was begun anew in place of what it was.
    StateRebuilt,
    /// A change left a row that is not known and has to be read again.
    RowUnknown,
    /// A count stopped because its number could not be.
    CountStopped,
    /// A row came to a copy while another shard's row still had its key.
    RowOfAnotherLane,
    /// A pushed count was written anew as a whole.
    PushedAnew,
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

    /// How often a rare state was reached on this thread since the marks were last taken.
    pub fn times_reached(mark: Mark) -> u64 {
        REACHED.with_borrow(|marks| marks.get(&mark).copied().unwrap_or(0))
    }

    /// Takes the marks noted on this thread since the last call.
    pub fn take_reached() -> BTreeMap<Mark, u64> {
        REACHED.take()
    }
}

#[cfg(feature = "attack")]
pub use hooks::{plant, planted, reached, take_reached, times_reached};

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
