//! Malformed: why bytes are no record.
//!
//! Must not know: the bytes themselves, which may be somebody's data.

use std::error::Error;
use std::fmt;

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub what: &'static str,
    /// The byte up to which the record was read.
    pub at: usize,
}

impl Malformed {
    pub(super) const NEWER: &str = "the record is of a newer version";

    /// Whether a newer Instep wrote the record, rather than that its bytes are wrong.
    pub fn is_newer(&self) -> bool {
        self.what == Self::NEWER
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, found at byte {}", self.what, self.at)
    }
}

impl Error for Malformed {}
