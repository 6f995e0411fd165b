//! Why following cannot begin, or not go on.

use crate::postgres::pgoutput::Malformed;
use crate::postgres::trouble::Trouble;
use model::Fault;

/// Why following cannot begin.
#[derive(Debug)]
pub(super) enum Unready {
    /// The server could not be asked, or what it said makes no sense.
    Trouble(Trouble),
    /// A person, or time, has to change something.
    Fault(Fault),
}

impl From<Trouble> for Unready {
    fn from(trouble: Trouble) -> Self {
        Unready::Trouble(trouble)
    }
}

impl From<Fault> for Unready {
    fn from(fault: Fault) -> Self {
        Unready::Fault(fault)
    }
}

/// Why a stream is of no use any more.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It broke, or makes no sense.
    Trouble(Trouble),
    /// The history that was to go on cannot.
    Lost(Gap),
}

/// Why a history cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) why: String,
    /// What was before still is: only a stretch is missing.
    pub(super) same_history: bool,
}

impl Gap {
    /// The server's history is another one.
    pub(super) fn restored(why: impl Into<String>) -> Self {
        Self { why: why.into(), same_history: false }
    }

    /// Something happened that we are not told.
    pub(super) fn missed(why: impl Into<String>) -> Self {
        Self { why: why.into(), same_history: true }
    }
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Stopped::Trouble(trouble)
    }
}

impl From<Malformed> for Stopped {
    fn from(malformed: Malformed) -> Self {
        Stopped::Trouble(Trouble::Malformed(malformed.to_string()))
    }
}
