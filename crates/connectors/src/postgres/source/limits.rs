//! The bounds of a followed database.

use crate::postgres::replication::FeedLimits;
use std::time::Duration;

/// The bounds of a followed database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// How many bytes of changes are handed over at once.
    pub part_bytes_max: usize,
    /// How many bytes of its log the server is to keep for us; beyond that the slot is dropped, and
    /// what came after is bridged. Zero for no bound.
    pub slot_wal_bytes_max: u64,
    /// How often an idle server is asked how far it is.
    pub idle_pause: Duration,
    /// How often slot, publication and partitions are looked at.
    pub look_pause: Duration,
    /// How long a new slot may take: the server waits for the transactions that are open then.
    pub slot_patience: Duration,
    /// How long the server may say nothing before it counts as gone.
    pub silence_max: Duration,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            part_bytes_max: 256 << 10,
            slot_wal_bytes_max: 64 << 30,
            idle_pause: Duration::from_secs(1),
            look_pause: Duration::from_secs(5),
            slot_patience: Duration::from_secs(30),
            silence_max: Duration::from_secs(30),
        }
    }
}

impl SourceLimits {
    /// Those of the stream.
    pub(super) fn feed(&self) -> FeedLimits {
        FeedLimits { silence: self.silence_max, ..FeedLimits::default() }
    }
}
