//! The promises that can be seen broken, and how one is reported.

use std::fmt;

/// Which promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// P1: a confirmed position is in the log, and still there after any crash.
    ConfirmedIsDurable,
    /// P1: what a target has applied is in the log, and still there after any crash.
    AppliedIsDurable,
    /// P1: the log holds exactly what the source committed, in its order.
    LogEqualsHistory,
    /// P2: no row is written twice in the same version.
    OnceInEffect,
    /// P3: a copy equals its source at the position that it reports, except at held keys.
    PrefixExact,
    /// P3: a watermark never goes back, unless the target lost it.
    WatermarkRises,
    /// P3, without transactions: a row is what its source row was at its version, and only moves on.
    KeyInOrder,
    /// P9: nothing is missing without a hold that names it and has a reason.
    HoldsAreNamed,
    /// P9: an outage of one target does not hold up the others.
    OthersGoOn,
    /// P10: the log stays within its bound.
    LogIsBounded,
    /// P10: a service that is away is not hammered.
    RetriesAreBounded,
    /// No input and no fault makes anything panic.
    NothingPanics,
    /// Nothing stops, unless something happened that must stop it.
    NothingStopsWithoutCause,
    /// P8: nothing is taken for lost, unless something happened that lost it.
    NothingIsLostWithoutCause,
    /// P8: what must stop does stop, and says so.
    LossIsDeclared,
    /// P7: rows that were read are placed only where they are the source's rows.
    PlacedIsTrue,
    /// P7: a source that is empty or wrong never empties a copy.
    NeverEmptied,
    /// P4: a number equals a recount of the source at the position that it is told with.
    CountIsTrue,
    /// P4: the position of a number never goes back.
    CountMovesForward,
    /// State holds nothing that is not durably in the log.
    StateIsBehindLog,
    /// After healing, every copy comes to equal its source.
    Converges,
}

/// A broken promise, with the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl Violation {
    /// A broken promise.
    pub fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}
