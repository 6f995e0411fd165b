//! PURE: how long changes took, in buckets as a histogram wants them.

use std::time::Duration;

/// Upper ends of the buckets, in milliseconds; one more bucket takes what is longer.
const BUCKETS: [u64; 14] =
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000, 600_000];

/// How long changes took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many fell into each bucket, the one for what is longer last.
    pub counts: [u64; 15],
    /// All of them together.
    pub sum: Duration,
}

impl Latency {
    /// The upper ends of the buckets but the last.
    pub fn bounds() -> impl Iterator<Item = Duration> {
        BUCKETS.into_iter().map(Duration::from_millis)
    }

    /// Notes one that took so many microseconds; clocks may disagree, so it may be negative.
    pub(super) fn note(&mut self, micros: i64) {
        let took = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        let bucket = BUCKETS.partition_point(|&upto| Duration::from_millis(upto) < took);
        self.counts[bucket] += 1;
        self.sum += took;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_than_every_bucket_is_counted_too() {
        let mut latency = Latency::default();
        for micros in [-5, 0, 1_000, 1_001, i64::MAX] {
            latency.note(micros);
        }
        assert_eq!((latency.counts[0], latency.counts[1]), (3, 1));
        assert_eq!(latency.counts[BUCKETS.len()], 1);
        assert_eq!(latency.counts.iter().sum::<u64>(), 5);
    }
}
