//! PURE: what is broken when, as parts of the whole time, so that a short demo tells the same story.

use std::time::Duration;

/// Something that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    /// Clients close their connections before they have an answer.
    HangUp,
    /// Instep is killed, and started again after this long.
    Kill(Duration),
    /// The reporting stores take no writes for this long.
    StopStore(Duration),
}

/// A demo has at least so many rounds of changes, however slow the machine is.
const ROUNDS_MIN: u32 = 12;

/// How far the story is: as the clock says, but no round skips a part of it.
pub(super) fn far(elapsed: Duration, whole: Duration, rounds: u32) -> Duration {
    elapsed.min(whole * rounds.min(ROUNDS_MIN) / ROUNDS_MIN)
}

/// What is to come.
#[derive(Debug)]
pub(super) struct Script {
    coming: Vec<(Duration, Blow)>,
}

impl Script {
    /// The story of a demo that takes so long. Its last fifth is calm.
    pub(super) fn over(whole: Duration) -> Self {
        let at = |percent: u32| whole * percent / 100;
        let mut coming = vec![
            (at(12), Blow::HangUp),
            (at(22), Blow::Kill(at(7))),
            (at(42), Blow::StopStore(at(14))),
            (at(62), Blow::HangUp),
            (at(72), Blow::Kill(at(3))),
        ];
        coming.reverse();
        Self { coming }
    }

    /// What is due by now and was not told yet.
    pub(super) fn due(&mut self, elapsed: Duration) -> Vec<Blow> {
        let later = self.coming.partition_point(|(at, _)| *at > elapsed);
        self.coming.drain(later..).rev().map(|(_, blow)| blow).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blow_comes_once_and_in_its_order() {
        let whole = Duration::from_secs(60);
        let mut script = Script::over(whole);
        assert_eq!(script.due(Duration::from_secs(5)), []);
        assert_eq!(script.due(Duration::from_secs(10)), [Blow::HangUp]);
        assert_eq!(script.due(Duration::from_secs(10)), []);
        let rest = script.due(whole);
        assert_eq!(rest.len(), 4);
        assert!(matches!(rest[..2], [Blow::Kill(_), Blow::StopStore(_)]));
        assert_eq!(script.due(whole), []);
    }

    #[test]
    fn on_a_slow_machine_every_blow_has_a_round_of_its_own() {
        let whole = Duration::from_secs(20);
        let mut script = Script::over(whole);
        let due = |rounds| script.due(far(Duration::from_secs(500), whole, rounds)).len();
        let due: Vec<_> = (0..ROUNDS_MIN).map(due).collect();
        assert_eq!(due.iter().sum::<usize>(), 5);
        assert!(due.iter().all(|blows| *blows <= 1), "{due:?}");
        assert_eq!(far(Duration::from_secs(500), whole, ROUNDS_MIN), whole);
        assert_eq!(far(Duration::from_secs(1), whole, 500), Duration::from_secs(1));
    }

    #[test]
    fn everything_is_whole_again_before_the_end() {
        for seconds in [3, 20, 60, 3_600] {
            let whole = Duration::from_secs(seconds);
            for (at, blow) in Script::over(whole).coming {
                let (Blow::Kill(long) | Blow::StopStore(long)) = blow else { continue };
                assert!(at + long < whole * 80 / 100);
            }
        }
    }
}
