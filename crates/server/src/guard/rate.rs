//! PURE: how many requests each caller may make, in a table that does not grow without end.
//!
//! A caller is kept as the moment at which its whole allowance is back, so a caller whose allowance
//! is back needs not be kept. When the table is full even so, all further callers share one allowance.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How many requests are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many at once, after a pause.
    pub burst: u32,
    /// The time in which one of them comes back.
    pub each: Duration,
}

/// The allowances of all callers.
#[derive(Debug)]
pub(crate) struct Allowances<K> {
    rate: Rate,
    callers_max: usize,
    /// When each caller has its whole allowance again; all those together that found no room.
    whole_at: BTreeMap<Option<K>, Instant>,
}

impl<K: Ord> Allowances<K> {
    pub(crate) fn new(rate: Rate, callers_max: usize) -> Self {
        Self { rate, callers_max, whole_at: BTreeMap::new() }
    }

    /// Takes one request off a caller's allowance, or says how long it has to wait for that.
    pub(crate) fn take(&mut self, caller: K, now: Instant) -> Result<(), Duration> {
        let caller = self.kept_as(caller, now);
        let whole_at = self.whole_at.get(&caller).copied().unwrap_or(now).max(now) + self.rate.each;
        let wait =
            whole_at.saturating_duration_since(now + self.rate.each * self.rate.burst.max(1));
        if wait > Duration::ZERO {
            return Err(wait);
        }
        self.whole_at.insert(caller, whole_at);
        Ok(())
    }

    /// How long a caller has to wait for its next request.
    pub(crate) fn wait(&mut self, caller: K, now: Instant) -> Option<Duration> {
        let caller = self.kept_as(caller, now);
        let whole_at = self.whole_at.get(&caller)?.max(&now).to_owned() + self.rate.each;
        let wait =
            whole_at.saturating_duration_since(now + self.rate.each * self.rate.burst.max(1));
        Some(wait).filter(|wait| *wait > Duration::ZERO)
    }

    fn kept_as(&mut self, caller: K, now: Instant) -> Option<K> {
        let caller = Some(caller);
        if !self.whole_at.contains_key(&caller) && self.whole_at.len() >= self.callers_max {
            self.whole_at.retain(|_, whole_at| *whole_at > now);
            if self.whole_at.len() >= self.callers_max {
                return None;
            }
        }
        caller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_then_so_many_in_each_second() {
        let mut allowances =
            Allowances::new(Rate { burst: 3, each: Duration::from_millis(100) }, 100);
        let start = Instant::now();
        let mut taken = 0;
        for millisecond in 0..2_000 {
            let now = start + Duration::from_millis(millisecond);
            taken += usize::from(allowances.take("a", now).is_ok());
        }
        assert_eq!(taken, 3 + 19);
        let later = start + Duration::from_secs(60);
        assert_eq!((0..9).filter(|_| allowances.take("a", later).is_ok()).count(), 3);
        assert_eq!(allowances.take("a", later), Err(Duration::from_millis(100)));
        assert_eq!(allowances.wait("a", later), Some(Duration::from_millis(100)));
        assert_eq!(allowances.take("b", later), Ok(()), "another caller has its own");
        assert_eq!(allowances.wait("b", later), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_stays_within_its_bound_and_nobody_escapes_it() {
        let mut allowances = Allowances::new(Rate { burst: 1, each: Duration::from_secs(1) }, 10);
        let now = Instant::now();
        let taken = (0..1_000).filter(|caller| allowances.take(*caller, now).is_ok()).count();
        assert_eq!(taken, 11, "ten callers, and one for all the others");
        assert!(allowances.whole_at.len() <= 11);
        let later = now + Duration::from_secs(2);
        assert_eq!(allowances.take(5_000, later), Ok(()), "those that are whole again make room");
        assert!(allowances.whole_at.len() <= 2);
    }
}
