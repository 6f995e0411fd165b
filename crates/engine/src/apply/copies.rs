//! PURE: what a change means for each copy of a group: past the keys that are held, and past the
//! rows that a pass has not come to yet.
//!
//! A copy under a pass takes changes of the rows that the pass has come through, and no others: it
//! will find those as they are then. Rows placed in the lane are the source's rows at that place,
//! so they are written over a hold, too; that is how a hold passes.
//!
//! A copy that keeps rows which the source has no more takes every change, wherever its pass is: the
//! pass may find nothing there by then.

use crate::group::Group;
use crate::limits::Limits;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Change, Code, CopyName, Effect, Fault, Hold, Key, Offset, Op, Pass, Placed, Row, Standing,
    Stretch, Table, TableName, Write,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The copies of a group, as the next batch finds them.
#[derive(Debug)]
pub(super) struct Copies {
    group: String,
    of: BTreeMap<TableName, Arc<[CopyName]>>,
    passes: BTreeMap<CopyName, Pass>,
    /// Those that keep rows which the source has no more.
    keeping: BTreeSet<CopyName>,
    /// The keys that are held, each with the offset at which its row was refused last.
    held: BTreeMap<CopyName, BTreeMap<Key, Offset>>,
    held_keys_max: usize,
    /// Rows that a pass may delete from a copy.
    deletes_max: u64,
    /// Whether a person has said that a pass may delete at all from an empty source.
    may_empty: bool,
}

/// What a batch is to write.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) writes: Vec<Write>,
    pub(super) holds: Vec<Hold>,
    pub(super) passes: BTreeMap<CopyName, Pass>,
    pub(super) news: Vec<News>,
}

/// What others have to know once the batch is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The key is held, or has changed while it was: it is to be read again.
    Held(TableName, Key),
    /// The key is no longer held.
    Released(TableName, Key),
}

impl Copies {
    /// The group's copies as the target has them.
    pub(super) fn new(group: &Group, standing: Standing, limits: &Limits, allowed: u64) -> Self {
        let mut of: BTreeMap<TableName, Vec<CopyName>> = BTreeMap::new();
        for copy in &group.copies {
            of.entry(copy.of.clone()).or_default().push(copy.name.clone());
        }
        let keeping = group.copies.iter().filter(|copy| copy.keeps);
        let mut held: BTreeMap<CopyName, BTreeMap<Key, Offset>> = BTreeMap::new();
        for hold in standing.holds {
            held.entry(hold.copy).or_default().insert(hold.key, hold.offset);
        }
        Self {
            group: group.name.to_string(),
            of: of.into_iter().map(|(table, copies)| (table, copies.into())).collect(),
            passes: standing.passes,
            keeping: keeping.map(|copy| copy.name.clone()).collect(),
            held,
            held_keys_max: limits.held_keys_max,
            deletes_max: limits.bridge_deletes_max.max(allowed),
            may_empty: allowed > 0,
        }
    }

    /// Whether any of them is of this table.
    pub(super) fn are_of(&self, table: &TableName) -> bool {
        self.of.contains_key(table)
    }

    /// How many keys are held.
    pub(super) fn held_keys(&self) -> usize {
        self.held.values().map(BTreeMap::len).sum()
    }

    /// The key is held no longer for this copy; whether no other copy of the table holds it either.
    pub(super) fn discard(&mut self, copy: &CopyName, table: &TableName, key: &Key) -> bool {
        self.let_go(copy, key);
        !self.of(table).iter().any(|copy| self.holds(copy, key))
    }

    /// How far passes have come.
    pub(super) fn passes(&self) -> &BTreeMap<CopyName, Pass> {
        &self.passes
    }

    /// The rows of a written batch that were refused are held from now on.
    pub(super) fn hold_refused<'a>(
        &mut self,
        refused: impl IntoIterator<Item = &'a Write>,
    ) -> Result<Vec<News>, Fault> {
        let mut news = Vec::new();
        for write in refused {
            for key in write.effect.keys() {
                reached(Mark::RowHeld);
                self.hold(&write.copy, key, &write.version);
                news.push(News::Held(write.table.name.clone(), key.clone()));
            }
        }
        let held = self.held_keys();
        if held > self.held_keys_max {
            let what = format!(
                "{}: {held} keys are held, more than held_keys_max ({})",
                self.group, self.held_keys_max
            );
            return Err(Fault::stop(Code::TargetRefused, what));
        }
        Ok(news)
    }

    /// A change of the source, for each copy of its table.
    pub(super) fn live(
        &mut self,
        change: Change,
        offset: &Offset,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        let copies = self.of(&change.table.name);
        for (copy, Change { table, op }) in shared_out(&copies, change) {
            let empties = matches!(op, Op::Truncate);
            for effect in effects(&table, op, offset)? {
                if let Some(effect) = self.pass_by(copy, effect)
                    && let Some(effect) = self.pass_holds(copy, &table.name, effect, offset, draft)
                {
                    let (copy, table) = (copy.clone(), table.clone());
                    draft.writes.push(Write { copy, table, version: offset.clone(), effect });
                }
            }
            if empties {
                self.begin_pass_again(copy, offset, draft);
            }
        }
        Ok(())
    }

    /// A single row that was placed, for each copy of its table that has come to it.
    pub(super) fn placed(
        &mut self,
        change: Change,
        offset: &Offset,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        let copies = self.of(&change.table.name);
        for (copy, Change { table, op }) in shared_out(&copies, change) {
            for effect in effects(&table, op, offset)? {
                if effect.keys().all(|key| self.has_come_to(copy, key)) {
                    self.write_over(copy, &table, effect, offset, draft);
                }
            }
        }
        Ok(())
    }

    /// A row that was read again, for each copy of its table that still holds its key: where the
    /// hold was discarded meanwhile, what the target has of the key stays. Where a pass is yet to come,
    /// nobody writes but the pass: what happens to the row until then would be left to it, and it may
    /// have looked before this row was there.
    pub(super) fn reread(
        &mut self,
        change: Change,
        offset: &Offset,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        let copies = self.of(&change.table.name);
        for (copy, Change { table, op }) in shared_out(&copies, change) {
            // That the source has the row no more does not mean that it was not to be written.
            if matches!(op, Op::Delete(_)) && self.keeping.contains(copy) {
                continue;
            }
            for effect in effects(&table, op, offset)? {
                if effect.keys().any(|key| self.holds(copy, key))
                    && effect.keys().all(|key| self.has_come_to(copy, key))
                {
                    self.write_over(copy, &table, effect, offset, draft);
                }
            }
        }
        Ok(())
    }

    /// How a stretch of a pass moves it on; nothing if the stretch is of another pass, or does not
    /// begin where this one stands.
    pub(super) fn takes(&self, stretch: &Stretch, deletes: u64) -> Result<Option<Pass>, Fault> {
        let Some(Pass::Under { purpose, began, upto, deleted }) = self.passes.get(&stretch.copy)
        else {
            return Ok(None);
        };
        if *began != stretch.began || stretch.after > *upto {
            return Ok(None);
        }
        let deleted = deleted + deletes;
        let empties = stretch.source_is_empty && deletes > 0 && !self.may_empty;
        if (empties || deleted > self.deletes_max) && !planted(Bug::BridgesFromEmptySource) {
            reached(Mark::DeletesGuarded);
            let why = if empties { "the source is empty" } else { "more than bridge_deletes_max" };
            let what = format!(
                "{}: a pass would delete {deleted} rows of {}: {why}",
                self.group, stretch.copy
            );
            return Err(Fault::stop(Code::DeletesGuarded, what));
        }
        let Some(end) = &stretch.upto else { return Ok(Some(Pass::Done)) };
        let upto = upto.as_ref().map_or(end, |upto| upto.max(end)).clone();
        let (purpose, began) = (*purpose, began.clone());
        Ok(Some(Pass::Under { purpose, began, upto: Some(upto), deleted }))
    }

    /// A row of a stretch.
    pub(super) fn stretch_row(
        &mut self,
        copy: &CopyName,
        Change { table, op }: Change,
        offset: &Offset,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        for effect in effects(&table, op, offset)? {
            self.write_over(copy, &table, effect, offset, draft);
        }
        Ok(())
    }

    /// A pass stands here now.
    pub(super) fn move_pass(&mut self, copy: &CopyName, pass: Pass, draft: &mut Draft) {
        if pass == Pass::Done {
            reached(Mark::PassDone);
        }
        self.passes.insert(copy.clone(), pass.clone());
        draft.passes.insert(copy.clone(), pass);
    }

    /// A truncated copy is no longer what its pass has read of it.
    fn begin_pass_again(&mut self, copy: &CopyName, offset: &Offset, draft: &mut Draft) {
        if let Some(Pass::Under { purpose, .. }) = self.passes.get(copy) {
            reached(Mark::TruncateBesidePass);
            let (purpose, began) = (*purpose, offset.clone());
            let pass = Pass::Under { purpose, began, upto: None, deleted: 0 };
            self.move_pass(copy, pass, draft);
        }
    }

    /// The copies of a table.
    fn of(&self, table: &TableName) -> Arc<[CopyName]> {
        self.of.get(table).cloned().unwrap_or_default()
    }

    fn holds(&self, copy: &CopyName, key: &Key) -> bool {
        self.held_at(copy, key).is_some()
    }

    fn held_at(&self, copy: &CopyName, key: &Key) -> Option<&Offset> {
        self.held.get(copy)?.get(key)
    }

    fn hold(&mut self, copy: &CopyName, key: &Key, at: &Offset) {
        self.held.entry(copy.clone()).or_default().insert(key.clone(), at.clone());
    }

    /// The key is held no longer; whether it was.
    fn let_go(&mut self, copy: &CopyName, key: &Key) -> bool {
        self.held.get_mut(copy).is_some_and(|keys| keys.remove(key).is_some())
    }

    fn has_come_to(&self, copy: &CopyName, key: &Key) -> bool {
        match self.passes.get(copy) {
            Some(Pass::Done) => true,
            Some(Pass::Under { .. }) if self.keeping.contains(copy) => true,
            Some(Pass::Under { upto, .. }) => upto.as_ref().is_some_and(|upto| key <= upto),
            None => false,
        }
    }

    /// What is left of an effect where a pass is under way.
    fn pass_by(&self, copy: &CopyName, effect: Effect) -> Option<Effect> {
        let come_to = |key: &Key| self.has_come_to(copy, key);
        match effect {
            Effect::Truncate => Some(effect),
            Effect::Move { before, key, row } => match (come_to(&before), come_to(&key)) {
                (true, true) => Some(Effect::Move { before, key, row }),
                (true, false) => Some(Effect::Delete(before)),
                // The row comes from where the pass has not been. The target has no such row, so
                // the key becomes a hold and is read again.
                (false, true) => Some(Effect::Patch(key, row)),
                (false, false) => None,
            },
            effect if effect.keys().all(come_to) => Some(effect),
            _ => None,
        }
    }

    /// A placed row is written whatever is held; what it settles is told once it is written. One
    /// that was refused already, in a batch that came no further, is not tried again: to a target
    /// that goes by versions it is nothing new, and the key stays held there.
    fn write_over(
        &mut self,
        copy: &CopyName,
        table: &Arc<Table>,
        effect: Effect,
        offset: &Offset,
        draft: &mut Draft,
    ) {
        let refused_at = |key: &Key| self.held_at(copy, key);
        if effect.keys().filter_map(refused_at).any(|refused_at| refused_at >= offset) {
            return;
        }
        for key in effect.keys() {
            if self.let_go(copy, key) {
                reached(Mark::HoldPassed);
                self.release(copy, &table.name, key, draft);
            }
        }
        let (copy, table) = (copy.clone(), table.clone());
        draft.writes.push(Write { copy, table, version: offset.clone(), effect });
    }

    /// What is left of an effect once held keys are passed over.
    fn pass_holds(
        &mut self,
        copy: &CopyName,
        table: &TableName,
        effect: Effect,
        offset: &Offset,
        draft: &mut Draft,
    ) -> Option<Effect> {
        let held = |key: &Key| self.holds(copy, key);
        match &effect {
            Effect::Truncate => {
                let released = self.held.remove(copy).unwrap_or_default();
                draft.holds.retain(|hold| hold.copy != *copy);
                released.keys().for_each(|key| self.release(copy, table, key, draft));
            }
            Effect::Delete(key) if held(key) => {
                reached(Mark::HoldReleased);
                self.let_go(copy, key);
                draft.holds.retain(|hold| hold.copy != *copy || hold.key != *key);
                self.release(copy, table, key, draft);
            }
            Effect::Put { key, new: true, .. }
                if held(key) && planted(Bug::InsertAfterHeldMoveLost) =>
            {
                self.let_go(copy, key);
                return Some(Effect::Delete(key.clone()));
            }
            Effect::Put { key, .. } | Effect::Patch(key, _) if held(key) => {
                reached(Mark::HeldKeyChangedAgain);
                draft.news.push(News::Held(table.clone(), key.clone()));
                return None;
            }
            Effect::Move { before, key, .. } if held(before) || held(key) => {
                reached(Mark::HoldOnKeyChange);
                for key in [before, key] {
                    draft.news.push(News::Held(table.clone(), key.clone()));
                    if !self.holds(copy, key) {
                        self.hold(copy, key, offset);
                        draft.holds.push(Hold {
                            copy: copy.clone(),
                            key: key.clone(),
                            offset: offset.clone(),
                            reason: "its row moved from or to a key that is held".into(),
                            since: 0,
                        });
                    }
                }
                return None;
            }
            Effect::Delete(_) | Effect::Put { .. } | Effect::Patch(..) | Effect::Move { .. } => {}
        }
        Some(effect)
    }

    /// The key is no longer held for this copy; told unless another copy of the table holds it.
    fn release(&self, copy: &CopyName, table: &TableName, key: &Key, draft: &mut Draft) {
        let copies = self.of(table);
        if !copies.iter().filter(|of| *of != copy).any(|of| self.holds(of, key)) {
            draft.news.push(News::Released(table.clone(), key.clone()));
        }
    }
}

/// How many rows a placed stretch deletes.
pub(super) fn deletes_in(placed: &Placed) -> u64 {
    placed.changes.iter().filter(|change| matches!(change.op, Op::Delete(_))).count() as u64
}

/// A change for each of the copies: its rows are written anew for all but the last.
fn shared_out(copies: &[CopyName], change: Change) -> impl Iterator<Item = (&CopyName, Change)> {
    copies.iter().zip(std::iter::repeat_n(change, copies.len()))
}

/// What a change does to a copy.
fn effects(
    table: &Table,
    op: Op,
    offset: &Offset,
) -> Result<impl Iterator<Item = Effect> + use<>, Fault> {
    let key_of = |row: &Row| {
        table.key_of(row).ok_or_else(|| {
            let what = format!("{}: a change at {offset} has no key", table.name);
            Fault::stop(Code::Broken, what)
        })
    };
    let is_live = offset.epoch == model::Epoch::LIVE;
    let mut first = None;
    let effect = match op {
        Op::Insert(row) => Effect::Put { key: key_of(&row)?, row, new: is_live },
        Op::Update { before, row } => {
            let key = key_of(&row)?;
            match (key == before, row.is_complete()) {
                (true, true) => Effect::Put { key, row, new: false },
                (true, false) => Effect::Patch(key, row),
                (false, true) => {
                    if !planted(Bug::KeyChangeWithoutDelete) {
                        first = Some(Effect::Delete(before));
                    }
                    Effect::Put { key, row, new: false }
                }
                (false, false) => Effect::Move { before, key, row },
            }
        }
        Op::Delete(key) => Effect::Delete(key),
        Op::Truncate => Effect::Truncate,
    };
    Ok(first.into_iter().chain([effect]))
}

#[cfg(test)]
mod tests;
