//! Every bound of the engine, with its unit and its default.

use std::time::Duration;

/// The bounds within which one pipeline works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Changes of open transactions kept in memory; beyond it the largest is staged in the log.
    pub open_bytes_max: usize,
    /// A transaction larger than this is staged in the log before its commit.
    pub inline_bytes_max: usize,
    /// Committed transactions gathered for one append.
    pub append_bytes_max: usize,
    /// Steps of the source gathered for one append.
    pub append_steps_max: usize,
    /// Entries read from the log at once.
    pub read_bytes_max: usize,
    /// Writes that a target is given at once.
    pub batch_changes_max: usize,
    /// Memory that the writes of one batch may take.
    pub batch_bytes_max: usize,
    /// Held keys of one group; beyond it the group stops.
    pub held_keys_max: usize,
    /// The longest pause between two tries.
    pub retry_pause_max: Duration,
    /// The pause before the first retry, before jitter.
    pub retry_pause_first: Duration,
    /// Retries that may be made at once before only the longest pause is left. One comes back
    /// with every ten successes.
    pub retry_budget_max: u32,
    /// How long a server may take to answer; then its connection is given up.
    pub answer: Duration,
    /// How long a lease on a target lasts without renewal.
    pub lease: Duration,
    /// How long a target's commits may stay without being known to be durable.
    pub flush: Duration,
    /// How long a graceful stop may take.
    pub stop: Duration,
}

impl Limits {
    /// How long an idle task sleeps at most: a lease wants renewal, a watermark wants flushing.
    pub(crate) fn idle(&self) -> Duration {
        self.flush.min(self.lease / 3)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_bytes_max: 64 << 20,
            inline_bytes_max: 1 << 20,
            append_bytes_max: 4 << 20,
            append_steps_max: 1_000,
            read_bytes_max: 1 << 20,
            batch_changes_max: 5_000,
            batch_bytes_max: 4 << 20,
            held_keys_max: 10_000,
            retry_pause_max: Duration::from_secs(30),
            retry_pause_first: Duration::from_millis(100),
            retry_budget_max: 10,
            answer: Duration::from_secs(60),
            lease: Duration::from_secs(10),
            flush: Duration::from_secs(1),
            stop: Duration::from_secs(10),
        }
    }
}
