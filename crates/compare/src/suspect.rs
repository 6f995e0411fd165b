//! PURE: what a look makes of a key that did not match.
//!
//! Time decides nothing by itself: a key is different only if it was so at each look, from the first
//! at which the source's row was as it is now to one that began so much later.

use std::time::Duration;
use tokio::time::Instant;

/// A key that did not match.
#[derive(Debug)]
pub(crate) struct Suspect<State> {
    /// What the source had at the last look, and when it was first seen to have it.
    stands: Option<(State, Instant)>,
    /// When it was first looked at. How long that took to come says nothing about the row.
    since: Option<Instant>,
    looks: u32,
}

/// A look at a suspect.
#[derive(Debug)]
pub(crate) struct Look<State> {
    /// When it began.
    pub(crate) began: Instant,
    /// When it had ended.
    pub(crate) ended: Instant,
    /// What the source has.
    pub(crate) source: State,
    /// Whether the copy has the same.
    pub(crate) is_same: bool,
}

/// What a look makes of a suspect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It is the same.
    Same,
    /// It is different, and stays so.
    Different,
    /// It changes, and was waited for long enough.
    Unsettled,
    /// Look again then.
    Again(Instant),
}

/// How long to wait for rows, and between looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For how long the source's row has to stand still.
    pub(crate) settle: Duration,
    /// For how long, in all, rows that change are waited for beyond that.
    pub(crate) patience: Duration,
}

/// Most rows that do not match are on their way, so the second look comes soon.
const PAUSE_MIN: Duration = Duration::from_millis(40);
const PAUSE_MAX: Duration = Duration::from_secs(2);

impl<State: PartialEq> Suspect<State> {
    /// A key that was not seen to match just now.
    pub(crate) fn new() -> Self {
        Self { stands: None, since: None, looks: 0 }
    }

    /// Takes a look into account.
    pub(crate) fn look(&mut self, look: Look<State>, waits: Waits) -> Finding {
        if look.is_same {
            return Finding::Same;
        }
        self.looks += 1;
        let since = *self.since.get_or_insert(look.began);
        let stood = match self.stands.take() {
            Some((state, from)) if state == look.source => from,
            _ => look.ended,
        };
        self.stands = Some((look.source, stood));
        let settles = stood + waits.settle;
        if look.began >= settles || waits.settle.is_zero() {
            return Finding::Different;
        }
        if look.ended >= since + waits.settle + waits.patience {
            return Finding::Unsettled;
        }
        // Where looks take long, others have not been looked at once.
        let pause = PAUSE_MIN.saturating_mul(1 << self.looks.min(10)).min(PAUSE_MAX);
        let pause = pause.max((look.ended - look.began) * 8);
        // A row that stands still is looked at when it would settle, and not long before.
        let (soon, end) = (look.ended + pause, settles.max(look.ended));
        Finding::Again(if soon + pause / 2 >= end { end } else { soon })
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, Look, Suspect, Waits};
    use std::time::Duration;
    use tokio::time::Instant;

    const WAITS: Waits =
        Waits { settle: Duration::from_secs(5), patience: Duration::from_secs(30) };

    /// Looks as often as is asked for; what the source has, and whether the copy has it, by time.
    fn run(waits: Waits, at: impl Fn(Duration) -> (u64, bool)) -> (Finding, Duration, u32) {
        let start = Instant::now();
        let mut suspect = Suspect::new();
        let mut now = start;
        for looks in 1..1_000 {
            let (source, is_same) = at(now - start);
            let ended = now + Duration::from_millis(1);
            match suspect.look(Look { began: now, ended, source, is_same }, waits) {
                Finding::Again(next) => {
                    assert!(next > now);
                    now = next;
                }
                finding => return (finding, now - start, looks),
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn what_stays_different_is_different_once_it_has_settled() {
        let (finding, time, looks) = run(WAITS, |_| (1, false));
        assert_eq!(finding, Finding::Different);
        assert!(time >= WAITS.settle && time < WAITS.settle * 2, "{time:?}");
        assert!(looks < 15, "{looks}");
    }

    #[test]
    fn what_arrives_in_time_is_the_same() {
        let arrives = Duration::from_secs(3);
        let (finding, time, _) = run(WAITS, |time| (1, time >= arrives));
        assert_eq!(finding, Finding::Same);
        assert!(time < arrives * 2);
    }

    #[test]
    fn a_row_that_changes_is_waited_for_from_each_change_on() {
        // The last change comes at 12 s, and never arrives.
        let state = |time: Duration| (time.as_secs().min(12), false);
        let (finding, time, _) = run(WAITS, state);
        assert_eq!(finding, Finding::Different);
        assert!(time >= Duration::from_secs(17), "{time:?}");
    }

    #[test]
    fn a_row_that_never_stands_still_is_unsettled_in_the_end() {
        let (finding, time, _) =
            run(WAITS, |time| (u64::from(time.subsec_nanos()) + time.as_secs(), false));
        assert_eq!(finding, Finding::Unsettled);
        assert!(time >= WAITS.patience && time < WAITS.patience * 2, "{time:?}");
    }

    #[test]
    fn a_first_look_that_comes_late_leaves_time_for_another_one() {
        let late = Instant::now() + WAITS.patience * 3;
        let look = |began| Look { began, ended: began, source: 1, is_same: false };
        let mut suspect = Suspect::new();
        assert!(matches!(suspect.look(look(late), WAITS), Finding::Again(_)));
        let later = late + WAITS.patience * 3;
        assert_eq!(suspect.look(look(later), WAITS), Finding::Different);
    }

    #[test]
    fn without_a_time_to_settle_the_first_look_decides() {
        let waits = Waits { settle: Duration::ZERO, ..WAITS };
        assert_eq!(run(waits, |_| (1, false)), (Finding::Different, Duration::ZERO, 1));
        assert_eq!(run(waits, |_| (1, true)).0, Finding::Same);
    }
}
