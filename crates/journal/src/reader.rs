//! Reader: what comes after an offset, across segments and adopted files.
//!
//! Keeps J3 (every byte is checked on every read, nothing is skipped) and J11 (a reader gets every
//! change after its offset once, in order). Must not know: how anything is written.

use crate::adopted::{self, Adoption, Taken};
use crate::basket::{Basket, Stop};
use crate::fault::lock;
use crate::frame::Cursor;
use crate::hints::{Hint, StagedPlace};
use crate::lane::{Lane, Sight, Stretch};
use crate::walk::{Item, Walk};
use model::attack::{Mark, reached};
use model::codec::Record;
use model::{Commit, Entry, Fault, Offset, Read};

/// What comes after `after`, about `bytes_max` of it; `None` if there is nothing yet.
pub(crate) fn read(
    lane: &Lane,
    after: Option<&Offset>,
    bytes_max: usize,
) -> Result<Option<Read>, Fault> {
    loop {
        let first = match lane.sight(after)? {
            Sight::Nothing => return Ok(None),
            Sight::Gone(trimmed) => {
                reached(Mark::ReadGone);
                return Ok(Some(Read::Gone { trimmed }));
            }
            Sight::From(segment) => segment,
        };
        let basket = Basket::new(bytes_max);
        let mut reader = Reader { lane, after, basket, hint: None };
        match reader.collect(first) {
            Ok(()) => {
                reader.leave_hint()?;
                let entries = reader.basket.into_entries();
                return Ok((!entries.is_empty()).then_some(Read::Entries(entries)));
            }
            // What was there at first sight has been trimmed since: look again.
            Err(Stop::Trimmed) => {}
            // What is sound before the trouble is handed over; the next read begins at it.
            Err(Stop::Fault(_)) if reader.basket.last().is_some() => {
                reader.leave_hint()?;
                return Ok(Some(Read::Entries(reader.basket.into_entries())));
            }
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
}

struct Reader<'a> {
    lane: &'a Lane,
    after: Option<&'a Offset>,
    basket: Basket,
    /// Where to go on after the last entry.
    hint: Option<Hint>,
}

impl Reader<'_> {
    /// Fills the basket, beginning in the segment with this number.
    fn collect(&mut self, first: u64) -> Result<(), Stop> {
        let mut hint = match self.after {
            Some(after) => lock(&self.lane.hints)?.get(after).filter(|hint| hint.segment == first),
            None => None,
        };
        let mut number = first;
        loop {
            let stretch = self.lane.stretch(number)?.ok_or(Stop::Trimmed)?;
            let (passed, cursor, staged) = match hint.take() {
                Some(hint) => (self.after.cloned(), hint.cursor, hint.staged),
                None => {
                    let point = stretch.segment.waypoint(self.after);
                    (point.passed, point.cursor, None)
                }
            };
            let passed = self.pass_through(&stretch, passed, cursor, staged)?;
            let Some(next) = stretch.next.as_ref().filter(|_| !self.basket.is_full()) else {
                return Ok(());
            };
            if next.before() != passed.as_ref() {
                let why = "it does not follow the segment before it";
                return Err(next.damage(0, why).into());
            }
            number += 1;
        }
    }

    /// Takes what fits from one segment; the last offset passed.
    fn pass_through(
        &mut self,
        stretch: &Stretch,
        mut passed: Option<Offset>,
        cursor: Cursor,
        mut staged: Option<StagedPlace>,
    ) -> Result<Option<Offset>, Stop> {
        let segment = &stretch.segment;
        let mut walk = Walk::new(segment, cursor, stretch.limit);
        while !self.basket.is_full() {
            let Some(found) = walk.next_sound()? else {
                break;
            };
            let Item::Record(record) = found.item else {
                continue;
            };
            let Some(offset) = record.offset().cloned() else {
                return Err(segment.damage(found.at.position, "it is no entry").into());
            };
            if Some(&offset) > self.after {
                let place = self.take(record, found.bytes, staged.take())?;
                if self.basket.is_full() && place != Place::After {
                    self.hint_at(segment.number, found.at, place);
                    break;
                }
                let next = Hint { segment: segment.number, cursor: walk.cursor(), staged: None };
                self.hint = Some(next);
            }
            segment.note(&offset, walk.cursor());
            passed = Some(offset);
        }
        Ok(passed)
    }

    /// Takes one record, as far as it fits; where the reader stands then.
    fn take(
        &mut self,
        record: Record,
        bytes: usize,
        staged: Option<StagedPlace>,
    ) -> Result<Place, Stop> {
        match record {
            Record::Commit(commit, mut changes) => {
                if !self.basket.fits(bytes) {
                    return Ok(Place::Before);
                }
                let first = self.first_ordinal(&commit, changes.len() as u64);
                let all = changes.len();
                let skipped = usize::try_from(first).map_or(all, |first| first.min(all));
                changes.drain(..skipped);
                let bytes = bytes / all.max(1) * changes.len().max(1);
                let whole = self.basket.put_changes(&commit, first, changes, bytes, true);
                Ok(if whole { Place::After } else { Place::Inside(None) })
            }
            Record::Adopt(commit, adopted) => {
                let first = self.first_ordinal(&commit, adopted.changes);
                let adoption = Adoption { lane: self.lane, commit: &commit, adopted: &adopted };
                match adopted::take(&adoption, first, staged, &mut self.basket)? {
                    Taken::Whole => Ok(Place::After),
                    Taken::Nothing => Ok(Place::Before),
                    Taken::UpTo(place) => Ok(Place::Inside(Some(place))),
                }
            }
            Record::Progress(progress) => Ok(self.take_whole(Entry::Progress(progress), bytes)),
            Record::Placed(placed) => Ok(self.take_whole(Entry::Placed(placed), bytes)),
            Record::Table { .. } | Record::Part(_) => Ok(Place::After),
        }
    }

    fn take_whole(&mut self, entry: Entry, bytes: usize) -> Place {
        if !self.basket.fits(bytes) {
            return Place::Before;
        }
        self.basket.put(entry, bytes);
        Place::After
    }

    /// The ordinal of the first change of a transaction that comes after `after`.
    fn first_ordinal(&self, commit: &Commit, changes: u64) -> u64 {
        match self.after {
            Some(after) if after.is_inside() && after.change(Offset::WHOLE) == commit.offset => {
                (after.ordinal + 1).min(changes)
            }
            _ => 0,
        }
    }

    /// A place before a record leaves the hint behind the one before it.
    fn hint_at(&mut self, segment: u64, cursor: Cursor, place: Place) {
        if let Place::Inside(staged) = place {
            self.hint = Some(Hint { segment, cursor, staged });
        }
    }

    /// Remembers where the next read goes on.
    fn leave_hint(&mut self) -> Result<(), Fault> {
        if let (Some(hint), Some(entry)) = (self.hint.take(), self.basket.last()) {
            lock(&self.lane.hints)?.remember(entry.end(), hint);
        }
        Ok(())
    }
}

/// Where a reader stands towards a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It took nothing of it.
    Before,
    /// It took some of it.
    Inside(Option<StagedPlace>),
    /// It took what was left of it.
    After,
}
