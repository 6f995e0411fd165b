//! Why bytes are no message.

use std::error::Error;
use std::fmt;

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// In words.
    pub what: String,
}

impl Malformed {
    /// With these words.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stream of changes cannot be read: {}", self.what)
    }
}

impl Error for Malformed {}
