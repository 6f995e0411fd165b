//! PURE: how long to wait before the next try.
//!
//! Full jitter under a doubling cap, so that many pipelines do not come back in step, and a
//! budget, so that a service that is half dead is not kept there by our retries.

use crate::limits::Limits;
use std::time::Duration;

/// One task's memory of its failures.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    budget_max: u32,
    /// Tenths of a retry that are left.
    budget: u32,
    /// Failures since the last success.
    failures: u32,
    state: u64,
}

impl Backoff {
    /// Starts with a full budget; equal seeds give equal pauses.
    pub(crate) fn new(limits: &Limits, seed: u64) -> Self {
        let budget_max = limits.retry_budget_max.saturating_mul(10);
        Self {
            first: limits.retry_pause_first,
            longest: limits.retry_pause_max,
            budget_max,
            budget: budget_max,
            failures: 0,
            state: seed,
        }
    }

    /// The task got on: the next failure is a first one, and a tenth of a retry is earned.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.budget = (self.budget + 1).min(self.budget_max);
    }

    /// How long to wait after this failure.
    pub(crate) fn pause(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if self.budget < 10 {
            return self.longest;
        }
        self.budget -= 10;
        let doubled = self.first.saturating_mul(1 << (self.failures - 1).min(20));
        let cap = doubled.min(self.longest);
        let micros = u64::try_from(cap.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.draw() % micros.saturating_add(1))
    }

    /// The next number of a SplitMix64 sequence.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_never_exceeds_the_doubling_cap() {
        let mut backoff = Backoff::new(&Limits::default(), 7);
        for failure in 0..10u32 {
            let cap = Duration::from_millis(100 << failure).min(Duration::from_secs(30));
            assert!(backoff.pause() <= cap, "failure {failure}");
        }
    }

    #[test]
    fn pauses_of_different_seeds_differ() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(&Limits::default(), seed);
            (0..5).map(|_| backoff.pause()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    #[test]
    fn an_exhausted_budget_leaves_only_the_longest_pause_until_successes_refill_it() {
        let limits = Limits { retry_budget_max: 2, ..Limits::default() };
        let mut backoff = Backoff::new(&limits, 1);
        let (first, second) = (backoff.pause(), backoff.pause());
        assert!(first <= Duration::from_millis(100) && second <= Duration::from_millis(200));
        assert_eq!(backoff.pause(), limits.retry_pause_max);
        for _ in 0..10 {
            backoff.succeeded();
        }
        assert!(backoff.pause() <= Duration::from_millis(100));
        assert_eq!(backoff.pause(), limits.retry_pause_max);
    }
}
