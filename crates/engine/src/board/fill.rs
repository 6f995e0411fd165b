//! PURE: how far a pass over a copy has come, in rows.
//!
//! Counted are rows of the source, once its copy holds what they say. A pass that a process before
//! this one began has come through rows that nobody counted here: it has a speed, and no share.

use model::{Key, Offset};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Stretches that were read and that the copy does not hold yet; beyond it the oldest are counted
/// together with the next.
const STRETCHES_MAX: usize = 1_000;

/// The speed is that of the last so long.
const WINDOW: Duration = Duration::from_secs(30);

/// How far apart the moments are at which it is noted, so that there are few.
const APART: Duration = Duration::from_secs(1);

/// One pass over a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Which pass.
    pub(super) began: Offset,
    /// How many rows the source is thought to have.
    estimated: Option<u64>,
    /// Whether every row from the first on was counted here.
    is_whole: bool,
    /// Rows that the copy holds, and the key up to which it does.
    done: u64,
    done_upto: Option<Key>,
    /// What was read behind that: up to which key, none for the end, and how many rows with all
    /// before.
    stretches: VecDeque<(Option<Key>, u64)>,
    /// How many rows were done at some moments, the oldest first.
    moments: VecDeque<(Instant, u64)>,
}

/// How far a pass has come; what is not known is not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows of the source that the copy holds.
    pub rows_done: Option<u64>,
    /// Rows that the source is thought to have.
    pub rows_estimated: Option<u64>,
    /// How fast they come now.
    pub rows_per_second: Option<u64>,
    /// When all of them will be there at that speed.
    pub eta_seconds: Option<u64>,
}

impl Fill {
    /// A pass of which the first stretch is read now, behind this key.
    pub(super) fn new(
        began: Offset,
        after: Option<&Key>,
        estimated: Option<u64>,
        now: Instant,
    ) -> Self {
        Self {
            began,
            estimated,
            is_whole: after.is_none(),
            done: 0,
            done_upto: after.cloned(),
            stretches: VecDeque::new(),
            moments: VecDeque::from([(now, 0)]),
        }
    }

    /// So many rows were read between these keys. What is read again counts once.
    pub(super) fn read(&mut self, after: Option<&Key>, upto: Option<Key>, rows: u64) {
        while self.stretches.back().is_some_and(|(it, _)| it.is_none() || it.as_ref() > after) {
            self.stretches.pop_back();
        }
        if after < self.done_upto.as_ref() {
            // The copy has lost what it held.
            (self.is_whole, self.done) = (after.is_none(), 0);
            self.done_upto = after.cloned();
            self.moments.clear();
        }
        let before = self.stretches.back().map_or(self.done, |(_, rows)| *rows);
        self.stretches.push_back((upto, before + rows));
        if self.stretches.len() > STRETCHES_MAX {
            self.stretches.pop_front();
        }
    }

    /// The copy holds what was read up to this key, or all of it.
    pub(super) fn reached(&mut self, upto: Reached<'_>, now: Instant) {
        let is_held = |it: &Option<Key>| match upto {
            Reached::Upto(upto) => it.is_some() && it.as_ref() <= upto,
            Reached::End => true,
        };
        while self.stretches.front().is_some_and(|(it, _)| is_held(it)) {
            let Some((upto, rows)) = self.stretches.pop_front() else { break };
            if upto.is_none() {
                // Nobody knows better now.
                self.estimated = Some(rows).filter(|_| self.is_whole).or(self.estimated);
            }
            (self.done, self.done_upto) = (rows, upto.or(self.done_upto.take()));
        }
        if self.moments.back().is_none_or(|(at, _)| now.duration_since(*at) >= APART) {
            self.moments.push_back((now, self.done));
        }
        while self.moments.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.moments.pop_front();
        }
    }

    /// How far it has come now.
    pub(crate) fn progress(&self, now: Instant) -> Progress {
        let rows_per_second = self.moments.front().and_then(|(at, done)| {
            let millis = u64::try_from(now.duration_since(*at).as_millis()).ok()?;
            self.done
                .saturating_sub(*done)
                .saturating_mul(1_000)
                .checked_div(millis)
                .filter(|_| now.duration_since(*at) >= APART)
        });
        let rows_done = self.is_whole.then_some(self.done);
        // More than was thought: nobody knows how many more.
        let left = rows_done.zip(self.estimated).and_then(|(done, all)| all.checked_sub(done));
        let eta_seconds = left.zip(rows_per_second).and_then(|(left, rate)| match left {
            0 => None,
            left => left.checked_div(rate),
        });
        Progress { rows_done, rows_estimated: self.estimated, rows_per_second, eta_seconds }
    }
}

/// How far a copy has come in a pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reached<'a> {
    /// Up to this key, if it has come anywhere.
    Upto(Option<&'a Key>),
    /// Through all of it.
    End,
}

impl Progress {
    /// Of several lanes: all rows, and when the last lane is through. What one of them does not know
    /// is not known.
    pub(crate) fn together(lanes: &[Progress]) -> Self {
        let sum = |of: fn(&Progress) -> Option<u64>| lanes.iter().map(of).sum();
        let last = lanes.iter().map(|lane| lane.eta_seconds).collect::<Option<Vec<_>>>();
        Self {
            rows_done: sum(|lane| lane.rows_done),
            rows_estimated: sum(|lane| lane.rows_estimated),
            rows_per_second: sum(|lane| lane.rows_per_second),
            eta_seconds: last.and_then(|all| all.into_iter().max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fill, Progress, Reached};
    use model::{Incarnation, Key, Offset, Position};
    use std::time::Duration;
    use tokio::time::Instant;

    fn key(id: i64) -> Key {
        Key::new([id])
    }

    fn fill(after: Option<&Key>, estimated: Option<u64>, now: Instant) -> Fill {
        let began = Offset::whole(Incarnation(1), Position::from_number(1));
        Fill::new(began, after, estimated, now)
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_copy_holds_counts_and_not_what_was_only_read() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut fill = fill(None, Some(1_000), begun);
        for number in 0..5 {
            let after = (number > 0).then(|| key(number));
            fill.read(after.as_ref(), Some(key(number + 1)), 100);
        }
        let none =
            Progress { rows_done: Some(0), rows_estimated: Some(1_000), ..Progress::default() };
        assert_eq!(fill.progress(begun), none);
        fill.reached(Reached::Upto(Some(&key(2))), at(2));
        let some = Progress {
            rows_done: Some(200),
            rows_estimated: Some(1_000),
            rows_per_second: Some(100),
            eta_seconds: Some(8),
        };
        assert_eq!(fill.progress(at(2)), some);
        // Where nothing comes any more it does not go on being fast.
        assert_eq!(fill.progress(at(20)).rows_per_second, Some(10));
        // Read once more, since it was changed meanwhile.
        fill.read(Some(&key(2)), Some(key(4)), 150);
        fill.read(Some(&key(4)), None, 7);
        fill.reached(Reached::Upto(Some(&key(4))), at(21));
        assert_eq!(fill.progress(at(21)).rows_done, Some(350));
        fill.reached(Reached::End, at(22));
        let all = fill.progress(at(22));
        assert_eq!(
            (all.rows_done, all.rows_estimated, all.eta_seconds),
            (Some(357), Some(357), None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_speed_is_that_of_the_last_moments() {
        let begun = Instant::now();
        let mut fill = fill(None, None, begun);
        for second in 1..=100_i64 {
            let rows = if second <= 50 { 1_000 } else { 10 };
            let after = (second > 1).then(|| key(second - 1));
            fill.read(after.as_ref(), Some(key(second)), rows);
            let now = begun + Duration::from_secs(second.unsigned_abs());
            fill.reached(Reached::Upto(Some(&key(second))), now);
        }
        let now = fill.progress(begun + Duration::from_secs(100));
        assert_eq!((now.rows_per_second, now.eta_seconds), (Some(10), None));
        assert_eq!(now.rows_done, Some(50_500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pass_that_was_begun_before_has_a_speed_and_no_share() {
        let begun = Instant::now();
        let mut fill = fill(Some(&key(5)), Some(1_000), begun);
        fill.read(Some(&key(5)), Some(key(6)), 100);
        let later = begun + Duration::from_secs(10);
        fill.reached(Reached::Upto(Some(&key(6))), later);
        let expected = Progress {
            rows_done: None,
            rows_estimated: Some(1_000),
            rows_per_second: Some(10),
            eta_seconds: None,
        };
        assert_eq!(fill.progress(later), expected);
        // A copy that came back empty is passed over from the first row on.
        fill.read(None, Some(key(1)), 3);
        fill.reached(Reached::Upto(Some(&key(1))), later);
        assert_eq!(fill.progress(later).rows_done, Some(3));
    }

    #[test]
    fn lanes_are_added_up_and_the_last_of_them_counts() {
        let lane = |done, eta| Progress {
            rows_done: done,
            rows_estimated: Some(100),
            rows_per_second: Some(5),
            eta_seconds: eta,
        };
        let both = Progress::together(&[lane(Some(40), Some(12)), lane(Some(90), Some(2))]);
        let expected = Progress {
            rows_done: Some(130),
            rows_estimated: Some(200),
            rows_per_second: Some(10),
            eta_seconds: Some(12),
        };
        assert_eq!(both, expected);
        let unknown = Progress::together(&[lane(None, None), lane(Some(90), Some(2))]);
        assert_eq!((unknown.rows_done, unknown.eta_seconds), (None, None));
        assert_eq!(unknown.rows_per_second, Some(10));
    }
}
