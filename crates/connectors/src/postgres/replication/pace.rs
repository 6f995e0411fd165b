//! PURE: whether to read at once, or to let the server fill the connection first.
//!
//! A server with a backlog sends in small pieces, and pays for each time that its reader wakes up.
//! While much comes in a short time there is more behind it, so each reading waits for a moment and
//! takes it in one lump; while little comes, somebody may be waiting for it.

use std::time::Duration;
use tokio::time::Instant;

/// How long the server may go on filling; and for how long what comes is counted together.
const MOMENT: Duration = Duration::from_millis(1);

/// So much in a moment means that there is a backlog: a hundred thousand small rows a second.
const BACKLOG_BYTES: u128 = 12 << 10;

/// With so much at once there is enough for a lump.
const ENOUGH_BYTES: usize = 128 << 10;

/// What came lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    since: Instant,
    bytes: usize,
    backlog: bool,
}

impl Pace {
    /// Nothing came yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, bytes: 0, backlog: false }
    }

    /// A reading brought so much; how long to wait before the next one.
    pub(super) fn after(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        self.bytes += bytes;
        let took = now.saturating_duration_since(self.since);
        if took >= MOMENT {
            let bytes = u128::try_from(self.bytes).unwrap_or(u128::MAX);
            let in_a_moment = bytes.saturating_mul(MOMENT.as_micros()) / took.as_micros().max(1);
            *self = Self { since: now, bytes: 0, backlog: in_a_moment >= BACKLOG_BYTES };
        }
        (self.backlog && bytes < ENOUGH_BYTES).then_some(MOMENT)
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, MOMENT, Pace};
    use std::time::Duration;

    /// Readings of so many bytes, each so long after the one before.
    fn pauses(bytes: usize, every: Duration) -> usize {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        let read = |_: &usize| {
            now += every;
            pace.after(bytes, now).is_some()
        };
        (0..100).filter(read).count()
    }

    #[test]
    fn only_a_backlog_is_waited_for() {
        assert_eq!(pauses(200, Duration::from_millis(5)), 0);
        assert_eq!(pauses(2 << 10, MOMENT / 2), 0);
        assert_eq!(pauses(60 << 10, Duration::from_secs(1)), 0);
        assert!(pauses(2 << 10, MOMENT / 20) > 70);
        assert_eq!(pauses(60 << 10, MOMENT * 2), 100);
        assert_eq!(pauses(200 << 10, MOMENT * 2), 0);
    }

    #[test]
    fn a_backlog_ends_with_the_first_moment_that_brings_little() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert!(pace.after(60 << 10, now + MOMENT).is_some());
        assert!(pace.after(200, now + MOMENT * 2).is_none());
    }
}
