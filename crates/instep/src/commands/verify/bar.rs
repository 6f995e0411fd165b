//! PURE: how far a comparison has come, in one line.

use super::human::{span, thousands};
use std::time::Duration;

/// How far it has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Rows of the source that were compared.
    pub(super) compared: u64,
    /// About how many there are; zero if nobody knows.
    pub(super) expected: u64,
    /// Rows that did not match when they were last looked at.
    pub(super) suspects: u64,
    /// Rows that are different.
    pub(super) differences: u64,
    /// What is being done.
    pub(super) doing: &'static str,
    /// For how long it goes on.
    pub(super) elapsed: Duration,
}

/// How wide the bar itself is, and from which width of the line on there is one.
const BAR: usize = 10;
const WIDE: usize = 78;

/// The line, not wider than this.
pub(super) fn line(moment: &Moment, width: usize) -> String {
    let Moment { compared, expected, suspects, differences, doing, elapsed } = *moment;
    let mut parts = Vec::new();
    // An estimate is none: it is not full before it says so.
    let share = compared.saturating_mul(100).checked_div(expected).map(|share| share.min(99));
    if let Some(share) = share {
        let full = usize::try_from(share).unwrap_or(0) * BAR / 100;
        if width >= WIDE {
            parts.push(format!("{}{}", "█".repeat(full), "░".repeat(BAR - full)));
        }
        parts.push(format!("{share:>2} %"));
        parts.push(format!("{} of ~{}", thousands(compared), thousands(expected)));
    } else {
        parts.push(format!("{} rows", thousands(compared)));
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if let Some(rate) = compared.saturating_mul(1_000).checked_div(millis).filter(|rate| *rate > 0)
    {
        parts.push(format!("{}/s", thousands(rate)));
        let left = expected.saturating_sub(compared) / rate;
        if share.is_some_and(|share| share >= 1) && left > 0 {
            parts.push(format!("{} left", span(Duration::from_secs(left))));
        }
    }
    if suspects > 0 {
        parts.push(format!("{} suspect", thousands(suspects)));
    }
    if differences > 0 {
        parts.push(format!("{} different", thousands(differences)));
    }
    if !doing.is_empty() {
        parts.push(doing.to_owned());
    }
    // The last column stays free: a terminal may break the line there.
    parts.join("  ").chars().take(width.saturating_sub(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Moment, line};
    use std::time::Duration;

    #[test]
    fn a_line_says_how_far_it_is_how_fast_and_what_it_waits_for() {
        let moment = Moment {
            compared: 450_000,
            expected: 1_000_000,
            suspects: 12,
            differences: 3,
            doing: "waiting for rows to settle",
            elapsed: Duration::from_secs(10),
        };
        assert_eq!(
            line(&moment, 200),
            "████░░░░░░  45 %  450,000 of ~1,000,000  45,000/s  12 s left  12 suspect  3 different  \
             waiting for rows to settle"
        );
        assert_eq!(line(&moment, 20).chars().count(), 19);
        let early = Moment { compared: 9_999, suspects: 0, differences: 0, doing: "", ..moment };
        assert!(!line(&early, 200).contains("left"), "{}", line(&early, 200));
        let more = Moment { compared: 2_000_000, ..early };
        assert!(line(&more, 200).contains("99 %"));
        let unknown = Moment { expected: 0, ..early };
        assert_eq!(line(&unknown, 200), "9,999 rows  999/s");
        let begun = Moment { compared: 0, elapsed: Duration::ZERO, ..early };
        assert_eq!(line(&begun, 60), " 0 %  0 of ~1,000,000");
    }
}
