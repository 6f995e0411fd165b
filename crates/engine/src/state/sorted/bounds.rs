//! Bounds: how much a store keeps in memory and in one file.

/// The bounds of one store. It holds at most two deltas in memory and an index of about one byte a
/// row; on the disk at most two tails, and while it merges the touched sheets twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBounds {
    /// The memory of recent writes, from which on they are merged into the sheets.
    pub delta_bytes_max: usize,
    /// The length of the tail from which on its writes are merged, however few keys they have.
    pub tail_bytes_max: u64,
    /// The length of a sheet at which the next one is begun.
    pub sheet_bytes_max: u64,
}

impl Default for StateBounds {
    fn default() -> Self {
        Self { delta_bytes_max: 128 << 20, tail_bytes_max: 256 << 20, sheet_bytes_max: 64 << 20 }
    }
}
