//! PURE: writes several changes of one row as one.
//!
//! Only within what one target transaction writes, so no state is skipped that could be seen.
//! An unchanged cell takes what an earlier write of the same batch gave it. The folded write stands
//! where the last of them stood, but a row made in the batch where it was made.

use model::attack::{Mark, reached};
use model::{Claim, CopyName, Effect, Key, Row, Write};
use std::collections::BTreeMap;
use std::mem;

/// Folds the writes of a batch; the order of what remains is the source's.
pub(super) fn fold(writes: Vec<Write>, claim: Claim) -> Vec<Write> {
    let mut folding = Folding {
        slots: Vec::with_capacity(writes.len()),
        latest: BTreeMap::new(),
        splits_moves: claim == Claim::Transactional,
    };
    for write in writes {
        folding.add(write);
    }
    folding.slots.into_iter().flatten().collect()
}

struct Folding {
    slots: Vec<Option<Write>>,
    /// Where the latest write of a key stands, while a later one may still be folded into it.
    latest: BTreeMap<CopyName, BTreeMap<Key, usize>>,
    /// Whether a move may become a delete and a put. Without transactions it may not: half of it
    /// could be written, and the row that it moves would be nowhere when it is tried again.
    splits_moves: bool,
}

impl Folding {
    fn add(&mut self, mut write: Write) {
        // The effect is taken apart and put together again, so that no row is written twice.
        match mem::replace(&mut write.effect, Effect::Truncate) {
            Effect::Truncate => self.truncate(write),
            Effect::Move { before, key, row } => self.shift(write, before, key, row),
            Effect::Put { key, row, new } => {
                let (place, new) = match self.take(&write.copy, &key) {
                    None => (None, new),
                    // A row made in this batch stays in its first place: others made after it may
                    // refer to it.
                    Some((place, Write { effect: Effect::Put { new: true, .. }, .. })) => {
                        (Some(place), true)
                    }
                    // It goes and comes: what was there before the batch is still there now.
                    Some(_) => (None, false),
                };
                self.set(
                    place,
                    key.clone(),
                    Write { effect: Effect::Put { key, row, new }, ..write },
                );
            }
            Effect::Patch(key, row) => self.patch(write, key, row),
            Effect::Delete(key) => {
                self.take(&write.copy, &key);
                self.set(None, key.clone(), Write { effect: Effect::Delete(key), ..write });
            }
        }
    }

    fn shift(&mut self, write: Write, before: Key, key: Key, mut row: Row) {
        match self.take(&write.copy, &before).map(|(_, earlier)| earlier) {
            // The row is known after all: it goes from one key and comes to the other.
            Some(Write { effect: Effect::Put { row: earlier, .. }, .. }) if self.splits_moves => {
                row.fill_unchanged_from(&earlier);
                self.add(Write { effect: Effect::Delete(before), ..write.clone() });
                self.add(Write { effect: Effect::Put { key, row, new: false }, ..write });
            }
            earlier => {
                self.slots.push(earlier);
                self.forget(&write.copy, &key);
                self.slots.push(Some(Write { effect: Effect::Move { before, key, row }, ..write }));
            }
        }
    }

    fn patch(&mut self, write: Write, key: Key, mut row: Row) {
        let mut place = None;
        let effect = match self.take(&write.copy, &key) {
            None => Effect::Patch(key.clone(), row),
            Some((at, Write { effect: Effect::Put { row: earlier, new, .. }, .. })) => {
                place = new.then_some(at);
                row.fill_unchanged_from(&earlier);
                Effect::Put { key: key.clone(), row, new }
            }
            Some((_, Write { effect: Effect::Patch(_, earlier), .. })) => {
                row.fill_unchanged_from(&earlier);
                Effect::Patch(key.clone(), row)
            }
            // A patch of a row that is not there: both are left for the target to judge.
            Some((_, earlier)) => {
                self.slots.push(Some(earlier));
                Effect::Patch(key.clone(), row)
            }
        };
        self.set(place, key, Write { effect, ..write });
    }

    /// Whatever the batch wrote to this copy before is gone with it.
    fn truncate(&mut self, write: Write) {
        self.latest.remove(&write.copy);
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|earlier| earlier.copy == write.copy) {
                *slot = None;
            }
        }
        self.slots.push(Some(Write { effect: Effect::Truncate, ..write }));
    }

    /// Takes the latest write of a key out, and says where it stood, if it can be folded.
    fn take(&mut self, copy: &CopyName, key: &Key) -> Option<(usize, Write)> {
        let place = self.latest.get_mut(copy)?.remove(key)?;
        let taken = self.slots[place].take()?;
        reached(Mark::Coalesced);
        Some((place, taken))
    }

    /// Puts a write in its place, or behind all others.
    fn set(&mut self, place: Option<usize>, key: Key, write: Write) {
        let place = place.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        match self.latest.get_mut(&write.copy) {
            Some(keys) => _ = keys.insert(key, place),
            None => _ = self.latest.insert(write.copy.clone(), BTreeMap::from([(key, place)])),
        }
        self.slots[place] = Some(write);
    }

    /// Later writes of this key must stay behind what stands now.
    fn forget(&mut self, copy: &CopyName, key: &Key) {
        if let Some(keys) = self.latest.get_mut(copy) {
            keys.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
