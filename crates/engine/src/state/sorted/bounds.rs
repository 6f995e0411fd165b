//! Bounds: how much a store keeps in memory and in one file.

/// The bounds of one store. It holds at most two deltas in memory and an index of about one byte a
/// row; on the disk at most two tails, and while it merges the touched sheets twice.
///
/// A merge may write every sheet anew, so a delta is let grow with the sheets: a small store takes
/// little memory, and a large one is not written anew for every few changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBounds {
    /// The memory of recent writes from which on they are merged into the sheets of a small store.
    pub delta_bytes_min: usize,
    /// The same for a large store.
    pub delta_bytes_max: usize,
    /// The length of the tail from which on its writes are merged, however few keys they have.
    pub tail_bytes_max: u64,
    /// The length of a sheet at which the next one is begun.
    pub sheet_bytes_max: u64,
}

impl Default for StateBounds {
    fn default() -> Self {
        Self {
            delta_bytes_min: 8 << 20,
            delta_bytes_max: 128 << 20,
            tail_bytes_max: 256 << 20,
            sheet_bytes_max: 64 << 20,
        }
    }
}

impl StateBounds {
    /// The memory of recent writes from which on they are merged into sheets of this length.
    pub(crate) fn delta_bytes(&self, sheets: u64) -> usize {
        let share = usize::try_from(sheets / SHEETS_SHARE).unwrap_or(usize::MAX);
        share.max(self.delta_bytes_min).min(self.delta_bytes_max)
    }
}

/// Which part of the length of its sheets the delta of a store may have.
const SHEETS_SHARE: u64 = 8;
