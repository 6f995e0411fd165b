//! PURE: decides when rows that were read from the source may be placed in the lane.
//!
//! Rows are placed at the lane's head, and must be what the source had there. So an answer waits
//! until the lane has passed its position; then each key that a logged transaction touched which
//! the answer does not see is read again; after `reread_max` rounds what it does not see is laid
//! over the row instead. A stretch of a pass is placed whole or not at all.

use super::touched::{Logged, Memory};
use crate::ask::{Answer, Ask, Reading, SentBack, Wanted};
use crate::limits::Limits;
use model::attack::{Bug, Mark, planted, reached};
use model::{Change, Key, Offset, Op, Position, Row, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The answers that wait to be placed.
#[derive(Debug)]
pub(super) struct Placing {
    reread_max: u32,
    /// By the ticket of the first reading: no number is given out twice, even if capture begins anew
    /// while keys are with the reader.
    waiting: BTreeMap<u64, Waiting>,
}

/// An answer that waits.
#[derive(Debug)]
struct Waiting {
    ask: Ask,
    /// The first reading, then one for each round; the newest that covers a key counts.
    readings: Vec<(Option<BTreeSet<Key>>, Reading)>,
    /// Keys are with the reader once more.
    is_out: bool,
    rounds: u32,
}

/// What to do with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// These rows are the source's at the head.
    Place(Box<Ask>, Vec<Change>, Vec<u64>),
    /// Keys of it are to be read again.
    SendBack(SentBack),
    /// All of this is to be read again; these tickets count no longer.
    Drop(Vec<Ask>, Vec<u64>),
}

/// Keys that a reading has wrong.
enum Stale {
    Keys(BTreeSet<Key>),
    All,
}

impl Placing {
    /// Nothing waits.
    pub(super) fn new(limits: &Limits) -> Self {
        Self { reread_max: limits.reread_max, waiting: BTreeMap::new() }
    }

    /// Takes an answer; its ticket, if the reading need not be kept.
    pub(super) fn take(&mut self, answer: Answer) -> Option<u64> {
        match answer {
            Answer::Look(reading) => return Some(reading.ticket),
            Answer::First(ask, reading) => {
                let (number, readings) = (reading.ticket, vec![(None, reading)]);
                self.waiting
                    .insert(number, Waiting { ask: *ask, readings, is_out: false, rounds: 0 });
            }
            Answer::Again(number, keys, reading) => {
                let Some(waiting) = self.waiting.get_mut(&number) else {
                    return Some(reading.ticket);
                };
                waiting.readings.push((Some(keys), reading));
                waiting.is_out = false;
            }
        }
        None
    }

    /// Drops what nobody wants any more; its asks and tickets.
    pub(super) fn drop_unwanted(
        &mut self,
        is_wanted: impl Fn(&Ask) -> bool,
    ) -> Vec<(Ask, Vec<u64>)> {
        let unwanted = self.waiting.extract_if(.., |_, waiting| !is_wanted(&waiting.ask));
        unwanted.map(|(_, waiting)| (waiting.ask.clone(), waiting.tickets())).collect()
    }

    /// The farthest position that an answer waits for.
    pub(super) fn waits_for(&self) -> Option<&Position> {
        let readings = self.waiting.values().flat_map(|waiting| &waiting.readings);
        readings.map(|(_, reading)| &reading.placement.reached).max()
    }

    /// Whether the changes of this table are to be kept, because somebody may have them laid over.
    pub(super) fn watches(&self, table: &Table) -> bool {
        let watching = |waiting: &Waiting| waiting.rounds >= self.reread_max;
        self.waiting.values().any(|it| watching(it) && it.ask.table.name == table.name)
    }

    /// Judges every answer that the lane has passed.
    pub(super) fn settle(&mut self, head: &Offset, memory: &mut Memory) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let numbers: Vec<_> = self.waiting.keys().copied().collect();
        for number in numbers {
            let is_ready = |waiting: &Waiting| waiting.is_passed_by(head);
            if self.waiting.get(&number).is_some_and(is_ready) && self.is_first_of_pass(number) {
                verdicts.push(self.judge(number, memory));
            }
        }
        verdicts
    }

    /// The stretches of a pass are placed in their order.
    fn is_first_of_pass(&self, number: u64) -> bool {
        let ask = &self.waiting[&number].ask;
        let mut earlier = self.waiting.range(..number).map(|(_, waiting)| &waiting.ask);
        ask.wanted.pass().is_none() || !earlier.any(|earlier| earlier.is_beside(ask))
    }

    fn judge(&mut self, number: u64, memory: &mut Memory) -> Verdict {
        let waiting = self.waiting.get_mut(&number).expect("BUG: it was there");
        let all = waiting.readings.iter().all(|(_, it)| memory.reaches_back(&it.placement.sees));
        let stale = if all { waiting.stale(memory) } else { Stale::All };
        let laid_over = match &stale {
            _ if planted(Bug::KeepsStaleRow) => Some(waiting.rows()),
            Stale::Keys(keys) if keys.is_empty() => Some(waiting.rows()),
            Stale::Keys(_) if waiting.rounds >= self.reread_max => waiting.lay_over(memory),
            Stale::Keys(_) | Stale::All => None,
        };
        if let Some(rows) = laid_over {
            let waiting = self.waiting.remove(&number).expect("BUG: it was there");
            let tickets = waiting.tickets();
            let changes = changes(&waiting.ask, rows);
            return Verdict::Place(Box::new(waiting.ask), changes, tickets);
        }
        reached(Mark::KeysSentBack);
        match stale {
            Stale::Keys(keys) => {
                waiting.rounds += 1;
                waiting.is_out = true;
                let table = waiting.ask.table.clone();
                Verdict::SendBack(SentBack { number, table, keys })
            }
            Stale::All => self.drop_with_the_rest(number),
        }
    }

    /// Drops an answer, and with a stretch those that come behind it.
    fn drop_with_the_rest(&mut self, number: u64) -> Verdict {
        let ask = self.waiting[&number].ask.clone();
        let dropped = self.waiting.extract_if(.., |other, waiting| {
            *other == number || (ask.wanted.pass().is_some() && waiting.ask.is_beside(&ask))
        });
        let (mut asks, mut tickets) = (Vec::new(), Vec::new());
        for (_, waiting) in dropped {
            tickets.extend(waiting.tickets());
            asks.push(waiting.ask);
        }
        Verdict::Drop(asks, tickets)
    }
}

impl Waiting {
    fn is_passed_by(&self, head: &Offset) -> bool {
        let behind = self.ask.behind.as_ref();
        let is_behind = behind.is_none_or(|behind| {
            (head.incarnation, &head.position) >= (behind.incarnation, &behind.position)
        });
        let passed = |reading: &Reading| reading.placement.reached <= head.position;
        !self.is_out && is_behind && self.readings.iter().all(|(_, reading)| passed(reading))
    }

    fn tickets(&self) -> Vec<u64> {
        self.readings.iter().map(|(_, reading)| reading.ticket).collect()
    }

    /// The newest reading that covers a key.
    fn reading_of(&self, key: &Key) -> &Reading {
        let covers = |keys: &Option<BTreeSet<Key>>| keys.as_ref().is_none_or(|it| it.contains(key));
        let newest = self.readings.iter().rev().find(|(keys, _)| covers(keys));
        &newest.expect("BUG: the first reading covers every key").1
    }

    /// The keys that a logged transaction touched which their reading does not see.
    fn stale(&self, memory: &Memory) -> Stale {
        let table = &self.ask.table.name;
        let mut keys = BTreeSet::new();
        for logged in memory.logged() {
            let misses = |reading: &Reading| !logged.is_in(&reading.placement.sees);
            if logged.touched.tables.contains(table)
                && self.readings.iter().any(|(_, reading)| misses(reading))
            {
                return Stale::All;
            }
            for (of, key) in &logged.touched.keys {
                if of == table && self.ask.wanted.contains(key) && misses(self.reading_of(key)) {
                    keys.insert(key.clone());
                }
            }
        }
        Stale::Keys(keys)
    }

    /// Each row as its newest reading found it.
    fn rows(&self) -> BTreeMap<Key, Row> {
        let mut rows = BTreeMap::new();
        for (keys, reading) in &self.readings {
            for key in keys.iter().flatten() {
                rows.remove(key);
            }
            rows.extend(reading.rows.iter().map(|(key, row)| (key.clone(), row.clone())));
        }
        rows
    }

    /// The rows with everything laid over them that their readings do not see; nothing if what was
    /// missed was not kept.
    fn lay_over(&self, memory: &Memory) -> Option<BTreeMap<Key, Row>> {
        let table = &self.ask.table;
        let mut rows = self.rows();
        for logged in memory.logged() {
            let missed = logged.touched.keys.iter().any(|(of, key)| {
                *of == table.name
                    && self.ask.wanted.contains(key)
                    && !logged.is_in(&self.reading_of(key).placement.sees)
            });
            if missed {
                self.lay_one_over(logged, &mut rows)?;
            }
        }
        reached(Mark::LaidOver);
        Some(rows)
    }

    fn lay_one_over(&self, logged: &Logged, rows: &mut BTreeMap<Key, Row>) -> Option<()> {
        let is_ours = |key: &Key| {
            self.ask.wanted.contains(key) && !logged.is_in(&self.reading_of(key).placement.sees)
        };
        for change in logged.changes.get(&self.ask.table.name)? {
            let (before, row) = match &change.op {
                Op::Insert(row) => (None, Some(row.clone())),
                Op::Update { before, row } => (Some(before), Some(row.clone())),
                Op::Delete(key) => (Some(key), None),
                Op::Truncate => return None,
            };
            let earlier = before.filter(|key| is_ours(key)).and_then(|key| rows.remove(key));
            let Some(mut row) = row else { continue };
            if let Some(earlier) = &earlier {
                row.fill_unchanged_from(earlier);
            }
            let key = change.table.key_of(&row)?;
            if is_ours(&key) {
                if !row.is_complete() || change.table != self.ask.table {
                    return None;
                }
                rows.insert(key, row);
            }
        }
        Some(())
    }
}

/// The rows as changes: what there is as inserts, what there is not as deletes, each key once. A
/// row that the target has just so needs no change.
fn changes(ask: &Ask, mut rows: BTreeMap<Key, Row>) -> Vec<Change> {
    let table: &Arc<Table> = &ask.table;
    let change = |op| Change { table: table.clone(), op };
    let mut changes = Vec::with_capacity(rows.len());
    match &ask.wanted {
        Wanted::Keys(keys) => {
            for key in keys {
                changes.push(change(match rows.remove(key) {
                    Some(row) => Op::Insert(row),
                    None => Op::Delete(key.clone()),
                }));
            }
        }
        Wanted::Stretch(_, there) => {
            for (key, row) in there {
                match rows.get(key) {
                    Some(found) if found == row => _ = rows.remove(key),
                    Some(_) => {}
                    None => changes.push(change(Op::Delete(key.clone()))),
                }
            }
            changes.extend(rows.into_values().map(|row| change(Op::Insert(row))));
        }
    }
    changes
}

#[cfg(test)]
mod tests;
