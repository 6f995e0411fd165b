//! Adopted: reads a staged transaction that its commit adopted.
//!
//! Keeps the reading half of J8: exactly what the adopting record says has to be in the file, or it
//! is damage. Ordinals count the changes that survive. Must not know: segments of entries.

use crate::basket::{Basket, Stop};
use crate::fault::{self, lock};
use crate::header::{Body, Role};
use crate::hints::StagedPlace;
use crate::lane::Lane;
use crate::segment::{self, NoSegment, Segment};
use crate::walk::{Found, Item, Walk};
use model::codec::{Adopted, Record};
use model::{Change, Commit, CommittedPart, Entry};
use std::io;
use std::sync::Arc;

/// More files than this are not kept open for readers.
const OPENED_MAX: usize = 8;

/// A commit and what it says about the file that it adopts.
pub(crate) struct Adoption<'a> {
    pub(crate) lane: &'a Lane,
    pub(crate) commit: &'a Commit,
    pub(crate) adopted: &'a Adopted,
}

/// How much of it went into the basket.
pub(crate) enum Taken {
    Nothing,
    UpTo(StagedPlace),
    Whole,
}

/// Takes the changes from the ordinal `first` on, as far as they fit; `place` is at or before it.
pub(crate) fn take(
    adoption: &Adoption<'_>,
    first: u64,
    place: Option<StagedPlace>,
    basket: &mut Basket,
) -> Result<Taken, Stop> {
    let (commit, adopted) = (adoption.commit, adoption.adopted);
    if first >= adopted.changes {
        return Ok(take_end(commit, adopted, basket));
    }
    let (file, begin) = adoption.begin(place)?;
    let mut ordinal = begin.ordinal;
    let mut walk = Walk::new(&file, begin.cursor, adopted.bytes);
    let mut taken = Taken::Nothing;
    while let Some(found) = walk.next_sound()? {
        let (at, bytes) = (found.at, found.bytes);
        let mut changes = adoption.surviving(&file, found)?;
        let count = changes.len();
        let next = ordinal + count as u64;
        if next <= first.max(ordinal) {
            ordinal = next;
            continue;
        }
        if !basket.fits(bytes) {
            return Ok(taken);
        }
        let from = first.max(ordinal);
        changes.drain(..usize::try_from(from - ordinal).map_or(count, |skip| skip.min(count)));
        let share = bytes / count * changes.len();
        let is_end = next == adopted.changes;
        if !basket.put_changes(commit, from, changes, share, is_end) {
            let cursor = at;
            return Ok(Taken::UpTo(StagedPlace { cursor, ordinal }));
        }
        if is_end {
            return Ok(Taken::Whole);
        }
        let cursor = walk.cursor();
        ordinal = next;
        taken = Taken::UpTo(StagedPlace { cursor, ordinal });
        if basket.is_full() {
            return Ok(taken);
        }
    }
    let why = format!("it holds {ordinal} changes and its commit says {}", adopted.changes);
    Err(file.damage(adopted.bytes, &why).into())
}

/// All changes were taken before, or there is none: only the end is left.
fn take_end(commit: &Commit, adopted: &Adopted, basket: &mut Basket) -> Taken {
    if !basket.fits(0) {
        return Taken::Nothing;
    }
    let first = adopted.changes;
    let part = CommittedPart { commit: commit.clone(), first, changes: Vec::new(), last: true };
    basket.put(Entry::Part(part), 0);
    Taken::Whole
}

impl Adoption<'_> {
    /// The file and where to begin in it. A file that was opened anew since `place` was noted has
    /// not shown its tables up to there: it is read from its start.
    fn begin(&self, place: Option<StagedPlace>) -> Result<(Arc<Segment>, StagedPlace), Stop> {
        let file = self.open()?;
        let cursor = file.start;
        let place = place.filter(|place| place.cursor.position <= file.walked_to());
        Ok((file, place.unwrap_or(StagedPlace { cursor, ordinal: 0 })))
    }

    /// The changes of a part that was found; none if its sub-transaction was dropped.
    fn surviving(&self, file: &Segment, found: Found) -> Result<Vec<Change>, Stop> {
        match found.item {
            Item::Record(Record::Part(part)) if part.transaction == self.commit.transaction => {
                let is_aborted = self.adopted.aborted.contains(&part.sub);
                Ok(if is_aborted { Vec::new() } else { part.changes })
            }
            _ => {
                let why = "it is no part of its transaction";
                Err(file.damage(found.at.position, why).into())
            }
        }
    }

    /// The adopted file.
    fn open(&self) -> Result<Arc<Segment>, Stop> {
        let number = self.adopted.file;
        if let Some(file) = lock(&self.lane.opened)?.get(&number) {
            return Ok(Arc::clone(file));
        }
        let lane = self.lane;
        let disk = &*lane.shared.disk;
        let path = lane.dir.join(segment::name(number, Role::Staged));
        let file = match Segment::open(disk, &lane.dir, &lane.name, number, Role::Staged) {
            Ok(file) if file.body == Body::Staged(self.commit.transaction) => Arc::new(file),
            Ok(file) => return Err(file.damage(0, "it is of another transaction").into()),
            Err(NoSegment::Disk(error)) if error.kind() == io::ErrorKind::NotFound => {
                let trimmed = lane.bounds()?.trimmed;
                if trimmed.is_some_and(|trimmed| self.commit.offset <= trimmed) {
                    return Err(Stop::Trimmed);
                }
                return Err(fault::damage(&lane.name, &path, 0, "the file is not there").into());
            }
            Err(no_segment) => return Err(no_segment.judge(&lane.name, &path).into()),
        };
        let mut opened = lock(&lane.opened)?;
        opened.insert(number, Arc::clone(&file));
        if opened.len() > OPENED_MAX {
            let lowest = opened.keys().copied().find(|other| *other != number);
            lowest.and_then(|lowest| opened.remove(&lowest));
        }
        Ok(file)
    }
}
