//! PURE: turns entries of the log into batches for one group.
//!
//! E2: what is at or below the watermark is left out. E3: a batch ends where a source transaction
//! ends, unless that transaction alone is over the limits; then it goes on over several calls, or,
//! where the store has no transactions, the watermark says that it stands inside. What a change
//! means for each copy is decided in `copies.rs`.

use super::copies::{Copies, Draft, News, deletes_in};
use super::fold::fold;
use crate::limits::Limits;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Batch, Change, Claim, Code, CopyName, Entry, Epoch, Fault, Key, Lane, Mode, Offset, Op, Placed,
    Purpose, Refusal, Stretch, TableName, TargetName, Watermark,
};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// What is to be written next, and up to where.
#[derive(Debug)]
pub(super) struct Plan {
    lane: Lane,
    group: TargetName,
    epoch: Epoch,
    claim: Claim,
    limits: Limits,
    copies: Copies,
    /// The end of everything pushed so far.
    seen: Option<Offset>,
    /// Where the log says that history was lost; nothing behind it is taken.
    gap: Option<Offset>,
    queue: VecDeque<Pending>,
    /// The copy that takes the rows of the stretch at hand.
    taking: Option<CopyName>,
    /// Up to here rows are written one by one, because one of them was refused.
    careful_until: Option<Offset>,
}

/// One thing on its way to the target.
#[derive(Clone, Debug)]
enum Pending {
    Change {
        change: Change,
        offset: Offset,
        origin: Origin,
        bytes: usize,
    },
    /// A stretch of a pass begins, with so many deletes; its rows follow.
    Stretch(Box<Stretch>, u64),
    /// A transaction, or another entry, ends here.
    End(Offset),
}

/// Where a change comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Source,
    Placed,
    /// Placed, because its key was held.
    Reread,
    Stretch,
}

/// A batch, how to write it, and what others have to know once it is written.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) batch: Batch,
    pub(super) mode: Mode,
    pub(super) news: Vec<News>,
}

/// Where a batch is cut.
struct Cut {
    /// How many of the queue it takes.
    take: usize,
    watermark: Watermark,
    last: bool,
}

impl Plan {
    /// A plan for copies that stand at this watermark.
    pub(super) fn new(
        lane: &Lane,
        group: &TargetName,
        leads: (Epoch, Claim),
        limits: &Limits,
        copies: Copies,
        watermark: Option<Watermark>,
    ) -> Self {
        Self {
            lane: lane.clone(),
            group: group.clone(),
            epoch: leads.0,
            claim: leads.1,
            limits: limits.clone(),
            copies,
            seen: watermark,
            gap: None,
            queue: VecDeque::new(),
            taking: None,
            careful_until: None,
        }
    }

    /// Up to here rows are written one by one.
    pub(super) fn careful_until(mut self, upto: Option<Offset>) -> Self {
        self.careful_until = upto;
        self
    }

    /// The end of everything pushed so far: where to read on.
    pub(super) fn seen(&self) -> Option<&Offset> {
        self.seen.as_ref()
    }

    /// Where the log says that history was lost, once everything before it is planned.
    pub(super) fn gap(&self) -> Option<&Offset> {
        self.gap.as_ref().filter(|_| self.queue.is_empty())
    }

    /// Whether what comes next in the log can be planned already.
    pub(super) fn takes_more(&self) -> bool {
        self.gap.is_none()
    }

    /// The key is held no longer for this copy; whether no other copy holds it either.
    pub(super) fn discard(&mut self, copy: &CopyName, table: &TableName, key: &Key) -> bool {
        self.copies.discard(copy, table, key)
    }

    /// The copies as the next batch finds them.
    pub(super) fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Takes the next entry of the lane.
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), Fault> {
        // What comes behind a gap is read again once every copy knows of it.
        if self.gap.is_some() {
            return Ok(());
        }
        let end = entry.end();
        self.check_follows(&entry, &end)?;
        match entry {
            Entry::Part(part) => {
                let last = part.last.then(|| part.commit.offset.clone());
                let (first, whole) = (part.first, part.commit.offset);
                for (ordinal, change) in (first..).zip(part.changes) {
                    self.push_change(change, whole.change(ordinal), Origin::Source);
                }
                self.queue.extend(last.map(Pending::End));
            }
            Entry::Progress(progress) => self.queue.push_back(Pending::End(progress.offset)),
            Entry::Placed(placed) if placed.is_gap() => self.gap = Some(placed.offset),
            Entry::Placed(placed) => self.push_placed(placed),
        }
        self.seen = Some(end);
        Ok(())
    }

    /// The log promises what comes after the end of what was seen, and all of it. An entry from
    /// before, or a part that is missing, is no redelivery but a broken log.
    fn check_follows(&self, entry: &Entry, end: &Offset) -> Result<(), Fault> {
        let inside = self.seen.as_ref().filter(|seen| seen.is_inside());
        let follows = match (entry, inside) {
            _ if self.seen.as_ref().is_some_and(|seen| end <= seen) => false,
            (Entry::Part(part), Some(inside)) => {
                let whole = inside.change(Offset::WHOLE);
                part.commit.offset == whole && part.first <= inside.ordinal + 1
            }
            (Entry::Part(part), None) => part.first == 0,
            (Entry::Progress(_) | Entry::Placed(_), inside) => inside.is_none(),
        };
        if follows {
            return Ok(());
        }
        let what = format!("{}: the log gave {end} after {:?}", self.group, self.seen);
        Err(Fault::stop(Code::Broken, what))
    }

    fn push_placed(&mut self, placed: Placed) {
        if placed.targets.contains(&self.group) {
            let deletes = deletes_in(&placed);
            let origin = match placed.purpose {
                _ if placed.stretch.is_some() => Origin::Stretch,
                Purpose::Reread => Origin::Reread,
                Purpose::Fill | Purpose::Repair | Purpose::Bridge => Origin::Placed,
            };
            if let Some(stretch) = placed.stretch {
                self.queue.push_back(Pending::Stretch(Box::new(stretch), deletes));
            }
            for change in placed.changes {
                self.push_change(change, placed.offset.clone(), origin);
            }
        }
        self.queue.push_back(Pending::End(placed.offset));
    }

    fn push_change(&mut self, change: Change, offset: Offset, origin: Origin) {
        let applied = self.seen.as_ref().is_some_and(|seen| offset <= *seen);
        if !applied && self.copies.are_of(&change.table.name) {
            let bytes = change.bytes();
            self.queue.push_back(Pending::Change { change, offset, origin, bytes });
        }
    }

    /// The next batch and how to write it; nothing until more is pushed.
    pub(super) fn next_batch(&mut self) -> Result<Option<Planned>, Fault> {
        let careful = self.is_careful();
        let Some(cut) = self.cut(careful) else {
            return Ok(None);
        };
        if cut.watermark.is_inside() && cut.last {
            reached(Mark::WatermarkInside);
        }
        let mut draft = Draft::default();
        let mut taken: Vec<_> = self.queue.drain(..cut.take).collect();
        if planted(Bug::CoalesceAcrossBatches) {
            taken.extend(self.queue.iter().take(2).cloned());
        }
        for pending in taken {
            match pending {
                Pending::End(_) => self.taking = None,
                Pending::Stretch(stretch, deletes) => {
                    let moved = self.copies.takes(&stretch, deletes)?;
                    self.taking = moved.is_some().then(|| stretch.copy.clone());
                    if let Some(pass) = moved {
                        self.copies.move_pass(&stretch.copy, pass, &mut draft);
                    }
                }
                Pending::Change { change, offset, origin, .. } => match (origin, &self.taking) {
                    (Origin::Source, _) => self.copies.live(change, &offset, &mut draft)?,
                    (Origin::Placed, _) => self.copies.placed(change, &offset, &mut draft)?,
                    (Origin::Reread, _) => self.copies.reread(change, &offset, &mut draft)?,
                    (Origin::Stretch, Some(copy)) => {
                        self.copies.stretch_row(copy, change, &offset, &mut draft)?;
                    }
                    (Origin::Stretch, None) => {}
                },
            }
        }
        let Draft { writes, holds, passes, news } = draft;
        let batch = Batch {
            lane: self.lane.clone(),
            epoch: self.epoch,
            writes: Arc::new(if careful { writes } else { fold(writes, self.claim) }),
            holds,
            discards: Vec::new(),
            passes: passes.into_iter().collect(),
            watermark: cut.watermark,
            last: cut.last,
        };
        let mode = if careful { Mode::RowByRow } else { Mode::Together };
        Ok(Some(Planned { batch, mode, news }))
    }

    /// The batch was written, all but these rows.
    pub(super) fn written(
        &mut self,
        batch: &Batch,
        refused: &[Refusal],
    ) -> Result<Vec<News>, Fault> {
        for refusal in refused {
            if refusal.reason.contains("owned_by_another_lane") {
                reached(Mark::RowOfAnotherLane);
            }
        }
        self.copies.hold_refused(refused.iter().map(|refusal| &batch.writes[refusal.write]))
    }

    /// Whether the head of the queue is where a row was refused before.
    fn is_careful(&mut self) -> bool {
        let head = self.queue.iter().find_map(Pending::offset);
        match (&self.careful_until, head) {
            (Some(until), Some(head)) if head <= until => true,
            (Some(_), Some(_)) => {
                self.careful_until = None;
                false
            }
            (_, None) | (None, _) => false,
        }
    }

    /// Decides how much of the queue the next batch takes.
    fn cut(&self, careful: bool) -> Option<Cut> {
        let (mut changes, mut bytes) = (0, 0);
        let mut boundary = None;
        let mut touched = Touched::new();
        let mut before: Option<&Offset> = None;
        let mut empties = false;
        for (index, pending) in self.queue.iter().enumerate() {
            match pending {
                Pending::End(offset) => {
                    boundary = Some(Cut { take: index + 1, watermark: offset.clone(), last: true });
                }
                Pending::Stretch(..) => {}
                Pending::Change { change, offset, bytes: size, .. } => {
                    // Tables that are emptied together may refer to each other.
                    let goes_on = empties && is_truncate(change);
                    empties = is_truncate(change);
                    // Placed rows share one offset: a watermark between them would pass them all.
                    let is_first = before != Some(offset) && !goes_on;
                    let divides = is_first || self.claim == Claim::Transactional && !goes_on;
                    before = Some(offset);
                    // Row by row, each call's answer decides what the key's next change may do.
                    let again = careful && is_first && self.touch_again(index, &mut touched);
                    let full = changes >= self.limits.batch_changes_max
                        || (changes > 0 && (again || bytes + size > self.limits.batch_bytes_max));
                    if full && divides {
                        return Some(boundary.unwrap_or_else(|| self.inside(index)));
                    }
                    changes += 1;
                    bytes += size;
                }
            }
        }
        boundary
    }

    /// Whether one of the changes that are not divided from this place of the queue touches a key
    /// that was touched before.
    fn touch_again(&self, index: usize, touched: &mut Touched) -> bool {
        let of = self.queue[index].offset();
        let (mut again, mut empties) = (false, false);
        for pending in self.queue.range(index..) {
            let Pending::Change { change, offset, .. } = pending else { break };
            if Some(offset) != of && !(empties && is_truncate(change)) {
                break;
            }
            empties = is_truncate(change);
            again |= touches_again(touched, change);
        }
        again
    }

    /// A cut inside a transaction, before the change at this place of the queue.
    fn inside(&self, take: usize) -> Cut {
        let watermark = self.queue.iter().take(take).rev().find_map(Pending::offset).cloned();
        let watermark = watermark.expect("BUG: a batch is cut behind a change");
        Cut { take, watermark, last: self.claim != Claim::Transactional }
    }
}

impl Pending {
    /// Where it stands in the lane.
    fn offset(&self) -> Option<&Offset> {
        match self {
            Pending::Change { offset, .. } | Pending::End(offset) => Some(offset),
            Pending::Stretch(..) => None,
        }
    }
}

/// The keys that a batch touches; no key stands for all of its table.
type Touched = BTreeSet<(TableName, Option<Key>)>;

fn is_truncate(change: &Change) -> bool {
    matches!(change.op, Op::Truncate)
}

/// Whether a change touches a key that was touched before; a truncate touches all of them.
fn touches_again(touched: &mut Touched, change: &Change) -> bool {
    let table = &change.table.name;
    let (first, second) = change.keys();
    if is_truncate(change) {
        let again = touched.iter().any(|(of, _)| of == table);
        touched.insert((table.clone(), None));
        return again;
    }
    let emptied = touched.contains(&(table.clone(), None));
    let mut again = emptied;
    for key in [first, second].into_iter().flatten() {
        again |= !touched.insert((table.clone(), Some(key)));
    }
    again
}

#[cfg(test)]
mod tests;
