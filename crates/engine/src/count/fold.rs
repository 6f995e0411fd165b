//! Folds one change into what a batch does to row memory and to the numbers.
//!
//! A row's old contribution comes from row memory alone; old images are not there in every source,
//! and they lie. A change at or below what is remembered of its key is passed over. A row that
//! cannot be known counts nothing and is asked for, so nothing is ever guessed.
//!
//! Must not know: tallies, the store, how changes are batched.

use super::folds::Folds;
use super::memory::{Memo, Memory};
use super::outcome::{Known, Outcome};
use model::attack::{Bug, planted};
use model::{Cell, Change, Code, Fault, Key, Offset, Op, Row, TableName};
use std::collections::{BTreeMap, BTreeSet};

/// The keys whose memos have to be in [`Memory`] before these changes are folded.
pub fn keys_of<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
) -> BTreeMap<TableName, BTreeSet<Key>> {
    let mut keys: BTreeMap<TableName, BTreeSet<Key>> = BTreeMap::new();
    for change in changes {
        let (before, after) = change.keys();
        for key in before.into_iter().chain(after) {
            match keys.get_mut(&change.table.name) {
                Some(keys) => {
                    keys.insert(key);
                }
                None => {
                    keys.insert(change.table.name.clone(), BTreeSet::from([key]));
                }
            }
        }
    }
    keys
}

/// Folds one change, at its offset, into the outcome of its batch. The folds are those of the
/// change's own table version. After a fault the outcome is of no use.
pub fn fold(
    folds: &Folds,
    memory: &Memory,
    change: &Change,
    offset: &Offset,
    outcome: &mut Outcome,
) -> Result<(), Fault> {
    if !folds.are_for(&change.table) {
        return Err(broken(change, offset, "is folded as if of another version"));
    }
    let table = &change.table.name;
    if memory.contains(offset) || outcome.emptied.get(table).is_some_and(|at| offset <= at) {
        return Ok(());
    }
    let mut step = Step { folds, memory, table, offset, outcome };
    match &change.op {
        Op::Insert(row) => step.place(None, step.check(change, row)?, row),
        Op::Update { before, row } => step.place(Some(before), step.check(change, row)?, row),
        Op::Delete(key) => step.delete(key),
        Op::Truncate => {
            outcome.empty(table, offset.clone(), folds.counts());
            Ok(())
        }
    }
}

/// One change on its way into the outcome.
struct Step<'a> {
    folds: &'a Folds,
    memory: &'a Memory,
    table: &'a TableName,
    offset: &'a Offset,
    outcome: &'a mut Outcome,
}

/// What is known of a key before a change.
enum Seen<'a> {
    /// The change is in it already.
    Past,
    Nothing,
    Row(&'a Memo),
}

impl Step<'_> {
    /// The key of a row that has all of its cells.
    fn check(&self, change: &Change, row: &Row) -> Result<Key, Fault> {
        if row.0.len() != self.folds.width() {
            return Err(broken(change, self.offset, "does not have the columns of its table"));
        }
        change.table.key_of(row).ok_or_else(|| broken(change, self.offset, "has no key"))
    }

    /// The row is what it now is: new, or in place of the row that had the key before.
    fn place(&mut self, before: Option<&Key>, key: Key, row: &Row) -> Result<(), Fault> {
        let moved_from = before.filter(|before| **before != key);
        let (replaced, moved) = (self.seen(&key), moved_from.map(|before| self.seen(before)));
        if matches!(replaced, Seen::Past) || matches!(moved, Some(Seen::Past)) {
            return Ok(());
        }
        let replaced = self.cells(&replaced)?;
        let moved = moved.map(|moved| self.cells(&moved)).transpose()?.flatten();
        if let Some(before) = moved_from {
            self.remove(before, moved.is_some());
        }
        let was_there = replaced.is_some();
        // A row that stood at the new key of another is gone, and no part of it is kept.
        let (mut earlier, gone) = match (before, moved_from) {
            (Some(_), Some(_)) => (moved, replaced),
            (Some(_), None) => (replaced, None),
            (None, _) => (None, replaced),
        };
        self.count(gone.as_deref(), None)?;
        let cells = fill(self.folds.project(row), earlier.as_deref());
        if before.is_some() && planted(Bug::CountFromOldImage) {
            earlier.clone_from(&cells);
        }
        self.count(earlier.as_deref(), cells.as_deref())?;
        if let Some(cells) = cells {
            self.outcome.settle(self.table, &key);
            let memo = Memo { offset: self.offset.clone(), cells };
            self.outcome.leave(self.table, key, Known::Row(memo));
        } else {
            self.remove(&key, was_there);
            self.outcome.ask_for(self.table, key);
        }
        Ok(())
    }

    fn delete(&mut self, key: &Key) -> Result<(), Fault> {
        let seen = self.seen(key);
        if matches!(seen, Seen::Past) {
            return Ok(());
        }
        let gone = self.cells(&seen)?;
        self.remove(key, gone.is_some());
        self.count(gone.as_deref(), None)
    }

    /// What is known of a key. Looking is most of the work, so it is done once for a change.
    fn seen(&self, key: &Key) -> Seen<'_> {
        let memo = match self.outcome.known(self.table, key) {
            Some(known) if self.offset <= known.offset() => return Seen::Past,
            Some(Known::Gone(_)) => return Seen::Nothing,
            Some(Known::Row(memo)) => memo,
            None => match self.fetched(key) {
                Some(memo) if *self.offset <= memo.offset => return Seen::Past,
                Some(memo) => memo,
                None => return Seen::Nothing,
            },
        };
        Seen::Row(memo)
    }

    /// The memo from before the batch, unless the batch has emptied the table.
    fn fetched(&self, key: &Key) -> Option<&Memo> {
        let emptied = self.outcome.emptied.contains_key(self.table);
        if emptied { None } else { self.memory.get(self.table, key) }
    }

    /// The cells of a row that is known.
    fn cells(&self, seen: &Seen<'_>) -> Result<Option<Vec<Cell>>, Fault> {
        let Seen::Row(memo) = seen else { return Ok(None) };
        if memo.cells.len() != self.folds.columns().len() || memo.cells.contains(&Cell::Unchanged) {
            let what = format!("{}: a memo does not fit the counts at {}", self.table, self.offset);
            return Err(Fault::stop(Code::Broken, what));
        }
        Ok(Some(memo.cells.clone()))
    }

    /// Takes a row out of memory, if it is there.
    fn remove(&mut self, key: &Key, is_there: bool) {
        self.outcome.settle(self.table, key);
        if is_there {
            self.outcome.leave(self.table, key.clone(), Known::Gone(self.offset.clone()));
        }
    }

    /// Takes a row out of the groups that it was in, and puts it into those that it is in now.
    fn count(&mut self, before: Option<&[Cell]>, now: Option<&[Cell]>) -> Result<(), Fault> {
        if before == now {
            return Ok(());
        }
        let mut now = now.map(|cells| self.folds.groups(cells));
        let mut before = before.map(|cells| self.folds.groups(cells));
        for count in self.folds.counts() {
            let group = |(_, group)| group;
            let left = before.as_mut().and_then(Iterator::next).and_then(group);
            let joined = now.as_mut().and_then(Iterator::next).and_then(group);
            if left != joined {
                if let Some(left) = left {
                    self.outcome.add(count, left, -1)?;
                }
                if let Some(joined) = joined {
                    self.outcome.add(count, joined, 1)?;
                }
            }
        }
        Ok(())
    }
}

/// Gives unchanged cells what the row had before; without that, the row is not known.
fn fill(mut cells: Vec<Cell>, earlier: Option<&[Cell]>) -> Option<Vec<Cell>> {
    if !cells.contains(&Cell::Unchanged) {
        return Some(cells);
    }
    for (cell, earlier) in cells.iter_mut().zip(earlier?) {
        if *cell == Cell::Unchanged {
            let dropped = planted(Bug::UnchangedDropped);
            *cell = if dropped { Cell::Missing } else { earlier.clone() };
        }
    }
    Some(cells)
}

#[cold]
fn broken(change: &Change, offset: &Offset, what: &str) -> Fault {
    Fault::stop(Code::Broken, format!("{}: a change at {offset} {what}", change.table.name))
}
