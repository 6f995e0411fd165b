//! PURE: the writes of a batch as sets, each of which is one statement.
//!
//! Within a stage no row is written twice, so that its sets may be in any order as far as rows go.
//! Rows that refer to others decide it: those that are referred to come first and go last. What this
//! order cannot settle, as when two rows swap a unique value, is written row by row (`careful.rs`).

use super::layout::Layout;
use model::{Cell, CopyName, Effect, Key, Row, Value, Write};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a set does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Does {
    /// Deletes every row.
    Empty,
    /// Gives rows another key.
    Move,
    /// Gives known columns of rows new values.
    Patch,
    /// Gives rows new values that are mostly there.
    Update,
    /// Writes rows whatever was there.
    Put,
    /// Writes rows that should not be there yet.
    Insert,
    /// Deletes rows.
    Delete,
}

/// Writes of one copy that are one statement.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) layout: Arc<Layout>,
    pub(super) does: Does,
    /// The columns that are written, by their places among the layout's.
    pub(super) columns: Vec<usize>,
    /// Which parts of the key are NULL.
    pub(super) nulls: Vec<bool>,
    /// Which writes, by their numbers.
    pub(super) writes: Vec<usize>,
}

/// A write, its number, and how its rows lie.
pub(super) type Numbered<'a> = (usize, &'a Write, &'a Arc<Layout>);

/// The sets of some writes, in the order in which they are run. Where rows are not taken in bulk,
/// known inserts are written as any other rows.
pub(super) fn sets<'a>(writes: impl IntoIterator<Item = Numbered<'a>>, in_bulk: bool) -> Vec<Set> {
    let mut planning = Planning { in_bulk, ..Planning::default() };
    for (number, write, layout) in writes {
        planning.add(number, write, layout);
    }
    planning.end_stage();
    planning.done
}

/// What tells the sets of a stage apart.
type Alike<'a> = (&'a CopyName, Does, Vec<usize>, Vec<bool>);

#[derive(Default)]
struct Planning<'a> {
    in_bulk: bool,
    done: Vec<Set>,
    stage: BTreeMap<Alike<'a>, Set>,
    seen: BTreeMap<&'a CopyName, BTreeSet<&'a Key>>,
}

impl<'a> Planning<'a> {
    fn add(&mut self, number: usize, write: &'a Write, layout: &Arc<Layout>) {
        let does = self.does(write, layout);
        let is_again = |key| self.seen.get(&write.copy).is_some_and(|seen| seen.contains(key));
        if does == Does::Empty || write.effect.keys().any(is_again) {
            self.end_stage();
        }
        let columns = columns(layout, does, &write.effect);
        let found_by = write.effect.keys().next().map_or(&[][..], Key::values);
        let nulls: Vec<_> = found_by.iter().map(|value| *value == Value::Null).collect();
        let set = self.stage.entry((&write.copy, does, columns.clone(), nulls.clone()));
        let set = set.or_insert_with(|| {
            let layout = Arc::clone(layout);
            Set { layout, does, columns, nulls, writes: Vec::new() }
        });
        set.writes.push(number);
        self.seen.entry(&write.copy).or_default().extend(write.effect.keys());
        if does == Does::Empty {
            self.end_stage();
        }
    }

    fn does(&self, write: &Write, layout: &Layout) -> Does {
        match &write.effect {
            Effect::Truncate => Does::Empty,
            Effect::Move { .. } => Does::Move,
            Effect::Patch(..) => Does::Patch,
            Effect::Delete(_) => Does::Delete,
            Effect::Put { new: true, .. } if self.in_bulk && layout.takes_bulk => Does::Insert,
            // What was read from the source is mostly not there yet.
            Effect::Put { new: false, .. } if write.version.epoch == model::Epoch::LIVE => {
                Does::Update
            }
            Effect::Put { .. } => Does::Put,
        }
    }

    fn end_stage(&mut self) {
        self.seen.clear();
        let stage = std::mem::take(&mut self.stage);
        let ranks = ranks(&stage);
        let mut sets: Vec<_> = stage.into_iter().collect();
        sets.sort_by_key(|((copy, does, ..), set)| {
            let rank = ranks.get(copy).copied().unwrap_or_default();
            order(*does, rank, &set.layout)
        });
        self.done.extend(sets.into_iter().map(|(_, set)| set));
    }
}

/// What comes first, and what last: what is referred to is there before, and goes after; a unique
/// value is free once the row that had it has gone, or has another.
fn order(does: Does, rank: usize, layout: &Layout) -> (u8, Reverse<usize>, usize, Does) {
    match does {
        Does::Delete if !layout.is_referred_to => (0, Reverse(rank), 0, does),
        Does::Delete => (2, Reverse(rank), 0, does),
        _ => (1, Reverse(0), rank, does),
    }
}

/// How deep the tables of a stage refer to each other: none refers to one of its own rank or above.
fn ranks<'a>(stage: &BTreeMap<Alike<'a>, Set>) -> BTreeMap<&'a CopyName, usize> {
    let mut layouts: BTreeMap<&CopyName, &Layout> = BTreeMap::new();
    for ((copy, ..), set) in stage {
        layouts.insert(copy, &set.layout);
    }
    let mut ranks: BTreeMap<&CopyName, usize> = layouts.keys().map(|copy| (*copy, 0)).collect();
    if layouts.len() < 2 {
        return ranks;
    }
    // In a ring no order would do, and each round lifts somebody.
    for _ in 0..layouts.len() {
        for (copy, layout) in &layouts {
            let above = layouts
                .iter()
                .filter(|(other, of)| *other != copy && layout.refers.contains(&of.shown));
            let above = above.map(|(other, _)| ranks[other] + 1).max().unwrap_or(0);
            ranks.insert(copy, above.min(layouts.len()));
        }
    }
    ranks
}

/// The columns that a write gives values to.
fn columns(layout: &Layout, does: Does, effect: &Effect) -> Vec<usize> {
    match (does, effect) {
        (Does::Empty | Does::Delete, _) => Vec::new(),
        (_, Effect::Patch(_, row) | Effect::Move { row, .. }) => known(layout, row),
        _ => layout.written().map(|(at, _)| at).collect(),
    }
}

/// The columns that a row says something about.
fn known(layout: &Layout, row: &Row) -> Vec<usize> {
    let is_known = |place: usize| row.0.get(place).is_some_and(|cell| *cell != Cell::Unchanged);
    layout.written().filter(|(_, held)| is_known(held.place)).map(|(at, _)| at).collect()
}
