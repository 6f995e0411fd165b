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
    /// Rows read from the source in one statement.
    pub ask_rows_max: usize,
    /// Memory that the rows of one reading may take before it is cut.
    pub ask_bytes_max: usize,
    /// Readings that may be under way, or wait to be placed, at once.
    pub asks_max: usize,
    /// Stretches of a pass that are read ahead of what its target has taken.
    pub stretches_ahead_max: usize,
    /// Keys remembered as touched by transactions that a reading may have missed; beyond it whole
    /// tables count as touched.
    pub touched_max: usize,
    /// Rounds in which a hot key is read again before what was missed is laid over it.
    pub reread_max: u32,
    /// The pause before a reading that was no use is made again.
    pub reread_pause: Duration,
    /// The pause before a held key is tried again; it doubles with every refusal.
    pub hold_retry_first: Duration,
    /// The longest pause before a held key is tried again.
    pub hold_retry_max: Duration,
    /// Rows that a pass may delete from a copy because the source lacks them, without a person's
    /// word.
    pub bridge_deletes_max: u64,
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
    /// How long a target may hold up a full log without moving before it is detached.
    pub full_grace: Duration,
    /// Groups of one count in one lane; beyond it the count stops.
    pub groups_max: usize,
    /// How long a push of a count waits at least before the next.
    pub push_pause: Duration,
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
            open_bytes_max: 4 << 20,
            inline_bytes_max: 1 << 20,
            append_bytes_max: 2 << 20,
            append_steps_max: 1_000,
            read_bytes_max: 512 << 10,
            batch_changes_max: 5_000,
            batch_bytes_max: 2 << 20,
            held_keys_max: 10_000,
            ask_rows_max: 1_000,
            ask_bytes_max: 1 << 20,
            asks_max: 4,
            stretches_ahead_max: 8,
            touched_max: 100_000,
            reread_max: 3,
            reread_pause: Duration::from_millis(100),
            hold_retry_first: Duration::from_secs(1),
            hold_retry_max: Duration::from_secs(300),
            bridge_deletes_max: 1_000,
            retry_pause_max: Duration::from_secs(30),
            retry_pause_first: Duration::from_millis(100),
            retry_budget_max: 10,
            answer: Duration::from_secs(60),
            lease: Duration::from_secs(10),
            flush: Duration::from_secs(1),
            full_grace: Duration::from_secs(10),
            groups_max: 1_000_000,
            push_pause: Duration::from_millis(100),
            stop: Duration::from_secs(10),
        }
    }
}
