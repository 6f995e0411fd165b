//! Options: the journal's limits.

/// The limits of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A segment that has reached this many bytes takes no more appends.
    pub segment_bytes_max: u64,
    /// All segments and staged files together may take this many bytes.
    pub journal_bytes_max: u64,
    /// One encoded entry or staged part may take this many bytes; a larger transaction is staged.
    pub record_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes_max: 64 << 20,
            journal_bytes_max: 10 << 30,
            record_bytes_max: 256 << 20,
        }
    }
}

impl Options {
    /// The same limits such that no single segment can take most of the journal: only whole
    /// segments are trimmed.
    pub(crate) fn sound(mut self) -> Self {
        self.segment_bytes_max = self.segment_bytes_max.min(self.journal_bytes_max / 8);
        self
    }
}
