//! PURE: turns entries of the log into batches for one group.
//!
//! E2: what is at or below the watermark is left out. E3: a batch ends where a source transaction
//! ends, unless that transaction alone is over the limits; then it goes on over several calls, or,
//! where the store has no transactions, the watermark says that it stands inside. Held keys are
//! passed over until the source no longer has their row.

use super::fold::fold;
use crate::group::Group;
use crate::limits::Limits;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Batch, Change, Claim, Code, CopyName, Effect, Entry, Epoch, Fault, Hold, Key, Lane, Mode,
    Offset, Op, Refusal, TableName, TargetName, Watermark, Write,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is to be written next, and up to where.
#[derive(Debug)]
pub(super) struct Plan {
    lane: Lane,
    group: TargetName,
    epoch: Epoch,
    claim: Claim,
    limits: Limits,
    copies: BTreeMap<TableName, Vec<CopyName>>,
    /// The end of everything pushed so far.
    seen: Option<Offset>,
    queue: VecDeque<Pending>,
    held: BTreeSet<(CopyName, Key)>,
    /// Up to here rows are written one by one, because one of them was refused.
    careful_until: Option<Offset>,
}

/// One thing on its way to the target.
#[derive(Debug)]
enum Pending {
    Change {
        change: Change,
        offset: Offset,
        bytes: usize,
    },
    /// A transaction, or another entry, ends here.
    End(Offset),
}

/// Where a batch is cut.
struct Cut {
    /// How many of the queue it takes.
    take: usize,
    watermark: Watermark,
    last: bool,
}

impl Plan {
    /// A plan for one group; [`Plan::resume`] says where it begins.
    pub(super) fn new(lane: &Lane, group: &Group, epoch: Epoch, limits: &Limits) -> Self {
        let mut copies: BTreeMap<TableName, Vec<CopyName>> = BTreeMap::new();
        for copy in &group.copies {
            copies.entry(copy.of.clone()).or_default().push(copy.name.clone());
        }
        Self {
            lane: lane.clone(),
            group: group.name.clone(),
            epoch,
            claim: Claim::Transactional,
            limits: limits.clone(),
            copies,
            seen: None,
            queue: VecDeque::new(),
            held: BTreeSet::new(),
            careful_until: None,
        }
    }

    /// Begins after the target's watermark, with the keys that it holds.
    pub(super) fn resume(
        &mut self,
        claim: Claim,
        watermark: Option<Watermark>,
        holds: Vec<Hold>,
        careful_until: Option<Offset>,
    ) {
        self.claim = claim;
        self.seen = watermark;
        self.held = holds.into_iter().map(|hold| (hold.copy, hold.key)).collect();
        self.careful_until = careful_until;
    }

    /// The end of everything pushed so far: where to read on.
    pub(super) fn seen(&self) -> Option<&Offset> {
        self.seen.as_ref()
    }

    /// How many keys are held.
    pub(super) fn held_keys(&self) -> usize {
        self.held.len()
    }

    /// Takes the next entry of the lane.
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), Fault> {
        let end = entry.end();
        self.check_follows(&entry, &end)?;
        match entry {
            Entry::Part(part) => {
                let last = part.last.then(|| part.commit.offset.clone());
                let (first, whole) = (part.first, part.commit.offset);
                for (ordinal, change) in (first..).zip(part.changes) {
                    self.push_change(change, whole.change(ordinal));
                }
                self.queue.extend(last.map(Pending::End));
            }
            Entry::Progress(progress) => self.queue.push_back(Pending::End(progress.offset)),
            Entry::Placed(placed) => {
                if placed.targets.contains(&self.group) {
                    for change in placed.changes {
                        self.push_change(change, placed.offset.clone());
                    }
                }
                self.queue.push_back(Pending::End(placed.offset));
            }
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

    fn push_change(&mut self, change: Change, offset: Offset) {
        let applied = self.seen.as_ref().is_some_and(|seen| offset <= *seen);
        if !applied && self.copies.contains_key(&change.table.name) {
            let bytes = change.bytes();
            self.queue.push_back(Pending::Change { change, offset, bytes });
        }
    }

    /// The next batch and how to write it; nothing until more is pushed.
    pub(super) fn next_batch(&mut self) -> Result<Option<(Batch, Mode)>, Fault> {
        let careful = self.is_careful();
        let Some(cut) = self.cut(careful) else {
            return Ok(None);
        };
        if cut.watermark.is_inside() && cut.last {
            reached(Mark::WatermarkInside);
        }
        let mut writes = Vec::new();
        let mut holds = Vec::new();
        let ahead = if planted(Bug::CoalesceAcrossBatches) { 2 } else { 0 };
        for index in 0..(cut.take + ahead).min(self.queue.len()) {
            if let Pending::Change { change, offset, .. } = &self.queue[index] {
                let (change, offset) = (change.clone(), offset.clone());
                self.translate(&change, &offset, &mut writes, &mut holds)?;
            }
        }
        self.queue.drain(..cut.take);
        let batch = Batch {
            lane: self.lane.clone(),
            epoch: self.epoch,
            writes: if careful { writes } else { fold(writes, self.claim) },
            holds,
            watermark: cut.watermark,
            last: cut.last,
        };
        Ok(Some((batch, if careful { Mode::RowByRow } else { Mode::Together })))
    }

    /// The batch was written, all but these rows.
    pub(super) fn written(&mut self, batch: &Batch, refused: &[Refusal]) -> Result<(), Fault> {
        for refusal in refused {
            let write = &batch.writes[refusal.write];
            for key in write.effect.keys() {
                reached(Mark::RowHeld);
                self.held.insert((write.copy.clone(), key.clone()));
            }
        }
        if self.held.len() > self.limits.held_keys_max {
            return Err(Fault::stop(
                Code::TargetRefused,
                format!(
                    "{}: {} keys are held, more than held_keys_max ({})",
                    self.group,
                    self.held.len(),
                    self.limits.held_keys_max
                ),
            ));
        }
        Ok(())
    }

    /// Whether the head of the queue is where a row was refused before.
    fn is_careful(&mut self) -> bool {
        let head = self.queue.front().map(|pending| match pending {
            Pending::Change { offset, .. } | Pending::End(offset) => offset,
        });
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
        let mut touched = BTreeSet::new();
        let mut before: Option<&Offset> = None;
        for (index, pending) in self.queue.iter().enumerate() {
            match pending {
                Pending::End(offset) => {
                    boundary = Some(Cut { take: index + 1, watermark: offset.clone(), last: true });
                }
                Pending::Change { change, offset, bytes: size } => {
                    // Placed rows share one offset: a watermark between them would pass them all.
                    let divides = self.claim == Claim::Transactional || before != Some(offset);
                    before = Some(offset);
                    let full = changes >= self.limits.batch_changes_max
                        || (changes > 0 && bytes + size > self.limits.batch_bytes_max)
                        // Row by row, each call's answer decides what the key's next change may do.
                        || (careful && touches_again(&mut touched, change));
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

    /// A cut inside a transaction, before the change at this place of the queue.
    fn inside(&self, take: usize) -> Cut {
        let watermark = match &self.queue[take - 1] {
            Pending::Change { offset, .. } | Pending::End(offset) => offset.clone(),
        };
        Cut { take, watermark, last: self.claim != Claim::Transactional }
    }

    /// Translates a change into writes for each copy of its table.
    fn translate(
        &mut self,
        change: &Change,
        offset: &Offset,
        writes: &mut Vec<Write>,
        holds: &mut Vec<Hold>,
    ) -> Result<(), Fault> {
        let copies = self.copies.get(&change.table.name).cloned().unwrap_or_default();
        for copy in copies {
            for effect in self.effects(change, offset)? {
                if let Some(effect) = self.pass_holds(&copy, effect, offset, holds) {
                    let (copy, table) = (copy.clone(), change.table.clone());
                    writes.push(Write { copy, table, version: offset.clone(), effect });
                }
            }
        }
        Ok(())
    }

    /// What a change does to a copy.
    fn effects(&self, change: &Change, offset: &Offset) -> Result<Vec<Effect>, Fault> {
        let key_of = |row| {
            change.table.key_of(row).ok_or_else(|| {
                let what = format!("{}: a change at {offset} has no key", change.table.name);
                Fault::stop(Code::Broken, what)
            })
        };
        Ok(match &change.op {
            Op::Insert(row) => {
                vec![Effect::Put { key: key_of(row)?, row: row.clone(), new: true }]
            }
            Op::Update { before, row } => {
                let (key, row) = (key_of(row)?, row.clone());
                match (key == *before, row.is_complete()) {
                    (true, true) => vec![Effect::Put { key, row, new: false }],
                    (true, false) => vec![Effect::Patch(key, row)],
                    (false, true) if planted(Bug::KeyChangeWithoutDelete) => {
                        vec![Effect::Put { key, row, new: false }]
                    }
                    (false, true) => {
                        vec![Effect::Delete(before.clone()), Effect::Put { key, row, new: false }]
                    }
                    (false, false) => vec![Effect::Move { before: before.clone(), key, row }],
                }
            }
            Op::Delete(key) => vec![Effect::Delete(key.clone())],
            Op::Truncate => vec![Effect::Truncate],
        })
    }

    /// What is left of an effect once held keys are passed over.
    fn pass_holds(
        &mut self,
        copy: &CopyName,
        effect: Effect,
        offset: &Offset,
        holds: &mut Vec<Hold>,
    ) -> Option<Effect> {
        let held = |key: &Key| self.held.contains(&(copy.clone(), key.clone()));
        match &effect {
            Effect::Truncate => {
                self.held.retain(|(of, _)| of != copy);
                holds.retain(|hold| hold.copy != *copy);
            }
            Effect::Delete(key) if held(key) => {
                reached(Mark::HoldReleased);
                self.held.remove(&(copy.clone(), key.clone()));
                holds.retain(|hold| hold.copy != *copy || hold.key != *key);
            }
            Effect::Put { key, .. } | Effect::Patch(key, _) if held(key) => {
                reached(Mark::HeldKeyChangedAgain);
                return None;
            }
            Effect::Move { before, key, .. } if held(before) || held(key) => {
                reached(Mark::HoldOnKeyChange);
                for key in [before, key] {
                    if self.held.insert((copy.clone(), key.clone())) {
                        holds.push(Hold {
                            copy: copy.clone(),
                            key: key.clone(),
                            offset: offset.clone(),
                            reason: "its row moved from or to a key that is held".into(),
                        });
                    }
                }
                return None;
            }
            Effect::Delete(_) | Effect::Put { .. } | Effect::Patch(..) | Effect::Move { .. } => {}
        }
        Some(effect)
    }
}

/// Whether a change touches a key that was touched before; a truncate touches all of them.
fn touches_again(touched: &mut BTreeSet<(TableName, Option<Key>)>, change: &Change) -> bool {
    let table = &change.table.name;
    let (first, second) = change.keys();
    if matches!(change.op, Op::Truncate) {
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
