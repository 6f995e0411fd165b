//! PURE: how calls between services fail: now and then a request is lost on its way, or its answer.
//!
//! Which ones fail follows from the call alone, so that the same calls fail in every run.

use std::sync::atomic::{AtomicU64, Ordering};

/// The network between the services.
#[derive(Debug, Default)]
pub struct Network {
    fails_one_in: AtomicU64,
    failed: AtomicU64,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is made and answered.
    Whole,
    /// It never arrives.
    RequestLost,
    /// It is done, but the caller does not learn it.
    AnswerLost,
}

impl Network {
    /// A network that fails one call in so many; none where that is zero.
    pub fn failing_one_in(calls: u64) -> Self {
        Self { fails_one_in: AtomicU64::new(calls), failed: AtomicU64::new(0) }
    }

    /// From now on one call in so many fails; none where that is zero.
    pub fn fail_one_in(&self, calls: u64) {
        self.fails_one_in.store(calls, Ordering::Relaxed);
    }

    /// One call in so many fails; none where that is zero.
    pub fn fails_one_in(&self) -> u64 {
        self.fails_one_in.load(Ordering::Relaxed)
    }

    /// How many second writes have failed for good, whatever the reason.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// A second write has failed for good. That it is counted here is all that happens.
    pub(crate) fn note_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// What becomes of a call, by the numbers that tell it from all others.
    pub(crate) fn way(&self, call: &[u64]) -> Way {
        let one_in = self.fails_one_in();
        let mixed = call.iter().fold(0, |mixed, number| mix(mixed ^ number));
        match one_in {
            0 => Way::Whole,
            _ if mixed % one_in != 0 => Way::Whole,
            _ if (mixed / one_in).is_multiple_of(2) => Way::RequestLost,
            _ => Way::AnswerLost,
        }
    }
}

/// One step and two rounds of SplitMix64: numbers that lie close together end far apart.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_call_in_so_many_fails_and_always_the_same() {
        let network = Network::failing_one_in(10);
        let ways = || (0..10_000).map(|id| network.way(&[1, id, 3])).collect::<Vec<_>>();
        let first = ways();
        assert_eq!(first, ways());
        for lost in [Way::RequestLost, Way::AnswerLost] {
            let times = first.iter().filter(|way| **way == lost).count();
            assert!((400..600).contains(&times), "{lost:?}: {times}");
        }
    }

    #[test]
    fn a_network_that_never_fails_is_whole() {
        let network = Network::failing_one_in(1);
        assert_ne!(network.way(&[7]), Way::Whole);
        network.fail_one_in(0);
        assert!((0..1_000).all(|id| network.way(&[id]) == Way::Whole));
    }
}
