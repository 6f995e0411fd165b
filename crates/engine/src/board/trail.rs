//! PURE: what was put into the log in this run, in short: how many changes up to which offset, and
//! when they were committed. Says how far behind a watermark is, and since when.

use model::Offset;
use std::collections::VecDeque;

/// Marks kept at most; beyond it every other one is left out, so that what is said is a little
/// more than what is true.
const MARKS_MAX: usize = 10_000;

/// The marks of one run.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Where what is known begins, and how many changes of this run are before it.
    base: Option<(Offset, u64)>,
    marks: VecDeque<Mark>,
    changes: u64,
}

#[derive(Debug)]
struct Mark {
    end: Offset,
    /// Changes of this run up to it.
    upto: u64,
    committed_at: i64,
}

impl Trail {
    /// The log ends here, and so did what earlier runs put into it.
    pub(super) fn begin(&mut self, end: &Offset) {
        self.base.get_or_insert_with(|| (end.clone(), 0));
    }

    /// So many changes of a transaction were put into the log.
    pub(super) fn logged(&mut self, end: &Offset, changes: u64, committed_at: i64) {
        if self.marks.len() >= MARKS_MAX {
            let mut index = 0;
            self.marks.retain(|_| {
                index += 1;
                index % 2 == 0
            });
        }
        self.changes += changes;
        self.marks.push_back(Mark { end: end.clone(), upto: self.changes, committed_at });
    }

    /// How many changes are behind this watermark; not known where it is from before the run.
    pub(super) fn behind(&self, watermark: Option<&Offset>) -> Option<u64> {
        let (base, before) = self.base.as_ref()?;
        let watermark = watermark.filter(|it| *it >= base)?;
        let known = self.known(watermark);
        let has = known.checked_sub(1).map_or(*before, |last| self.marks[last].upto);
        Some(self.changes - has)
    }

    /// When the first transaction after this watermark committed.
    pub(super) fn waits_since(&self, watermark: Option<&Offset>) -> Option<i64> {
        let known = watermark.map_or(0, |watermark| self.known(watermark));
        Some(self.marks.get(known)?.committed_at)
    }

    /// When the transactions between two watermarks committed.
    pub(super) fn committed(&self, after: &Offset, upto: &Offset) -> impl Iterator<Item = i64> {
        let between = self.known(after)..self.known(upto).max(self.known(after));
        self.marks.range(between).map(|mark| mark.committed_at)
    }

    /// Nobody asks any more for what is below this.
    pub(super) fn forget(&mut self, below: &Offset) {
        let known = self.known(below);
        if let Some(last) = self.marks.drain(..known).next_back() {
            self.base = Some((last.end, last.upto));
        }
    }

    /// How many of the marks are at or below an offset.
    fn known(&self, offset: &Offset) -> usize {
        self.marks.partition_point(|mark| mark.end <= *offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Incarnation, Position};

    fn at(number: u64) -> Offset {
        Offset::whole(Incarnation(1), Position::from_number(number))
    }

    fn trail(upto: u64) -> Trail {
        let mut trail = Trail::default();
        trail.begin(&at(10));
        for number in 11..=upto {
            trail.logged(&at(number), 2, i64::try_from(number).expect("small"));
        }
        trail
    }

    #[test]
    fn a_watermark_is_behind_by_what_was_logged_after_it() {
        let mut trail = trail(14);
        assert_eq!(
            [9, 10, 12, 14].map(|it| trail.behind(Some(&at(it)))),
            [None, Some(8), Some(4), Some(0)]
        );
        assert_eq!(trail.behind(None), None);
        assert_eq!(trail.waits_since(Some(&at(12))), Some(13));
        assert_eq!(trail.waits_since(Some(&at(14))), None);
        assert_eq!(trail.committed(&at(11), &at(13)).collect::<Vec<_>>(), [12, 13]);
        trail.forget(&at(12));
        assert_eq!([11, 12, 13].map(|it| trail.behind(Some(&at(it)))), [None, Some(4), Some(2)]);
        // Capture that is started again in the same run goes on with it.
        trail.begin(&at(14));
        assert_eq!(trail.behind(Some(&at(13))), Some(2));
    }

    #[test]
    fn a_long_trail_is_thinned_and_never_says_less_than_there_is() {
        let upto = 10 + 3 * u64::try_from(MARKS_MAX).expect("small");
        let trail = trail(upto);
        assert!(trail.marks.len() <= MARKS_MAX);
        for watermark in [10, 11, 500, 12_345, upto - 1, upto] {
            let true_number = (upto - watermark) * 2;
            let told = trail.behind(Some(&at(watermark))).expect("known");
            assert!(told >= true_number, "{watermark}: {told}");
        }
        assert_eq!(trail.behind(Some(&at(upto))), Some(0));
    }
}
