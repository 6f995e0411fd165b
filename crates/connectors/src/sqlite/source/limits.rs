//! The bounds of a followed file.

use std::time::Duration;

/// The bounds of a followed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// How many bytes of changes are handed over at once.
    pub part_bytes_max: usize,
    /// How long an idle file is left alone before it is looked at again.
    pub look_pause_max: Duration,
    /// How many recorded changes are deleted in one transaction once they are confirmed.
    pub trim_rows_max: u32,
    /// How long confirmed changes stay at most while nobody else holds the file locked.
    pub trim_pause_max: Duration,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            part_bytes_max: 256 << 10,
            look_pause_max: Duration::from_millis(50),
            trim_rows_max: 5_000,
            trim_pause_max: Duration::from_secs(1),
        }
    }
}
