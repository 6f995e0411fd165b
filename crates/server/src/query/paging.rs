//! PURE: how much of a list is asked for, and how long an answer may take.

use std::time::Duration;

/// How many of a list are given if nothing is said.
pub(crate) const LIMIT: usize = 100;
/// The most that are given at once.
pub(crate) const LIMIT_MAX: usize = 1_000;
/// The longest that an answer waits for a position.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);

/// Reads how many are asked for.
pub(crate) fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("limit is {text:?}; write a number from 1 to {LIMIT_MAX}"))
}

/// Reads how long to wait: a whole number with its unit.
pub(crate) fn wait(text: &str) -> Result<Duration, String> {
    let wrong = || format!("wait is {text:?}; write it like 500ms or 2s, up to 30s");
    let unit = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let number = text[..unit].parse().map_err(|_| wrong())?;
    let wait = match &text[unit..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => return Err(wrong()),
    };
    if wait > WAIT_MAX { Err(wrong()) } else { Ok(wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_has_a_unit_and_an_end() {
        assert_eq!(wait("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(wait("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(wait("0s"), Ok(Duration::ZERO));
        assert_eq!(wait("30000ms"), Ok(WAIT_MAX));
        for wrong in ["", "2", "s", "-1s", "2 s", "31s", "30001ms", "1m", "99999999999999999999s"] {
            assert!(wait(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_is_a_number_within_its_bounds() {
        assert_eq!((limit("1"), limit("1000")), (Ok(1), Ok(1_000)));
        for wrong in ["", "0", "-1", "1001", "ten", "1.5"] {
            assert!(limit(wrong).is_err(), "{wrong:?}");
        }
    }
}
