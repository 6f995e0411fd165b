//! Why a text is no condition.

use std::error::Error;
use std::fmt;

/// Why a text is no condition: where, what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionFault {
    /// The byte of the text at which it shows; its length for an end that comes too early.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

impl ConditionFault {
    pub(super) fn new(at: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at, what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for ConditionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}; {}", self.at, self.what, self.fix)
    }
}

impl Error for ConditionFault {}
