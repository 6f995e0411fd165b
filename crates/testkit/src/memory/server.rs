//! What the server of the memory database knows: its history, its rows, its readers' slots.
//!
//! Must not know: connections, who writes.

use super::tables::{Tables, names, put};
use bytes::Bytes;
use model::inspect::Sees;
use model::{
    Change, Identity, Key, Place, Placement, Position, Resume, Row, Step, Table, TableName,
    TransactionId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that the server knows.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) identity: Identity,
    /// Rises when the server is restarted; connections of before are dead.
    pub(super) boots: u64,
    /// Steps of the history; the first one has the position `forgotten + 1`.
    history: Vec<Step>,
    forgotten: u64,
    /// No transaction that committed at or below this can be delivered any more.
    unreachable: u64,
    /// Every transaction that had an effect, by its position, with the time of its commit: what a
    /// reader that comes back is compared with.
    commits: BTreeMap<u64, (TransactionId, i64)>,
    /// The readers that have ever started.
    slots: BTreeMap<Arc<str>, Slot>,
    /// Whether a restarted reader gets again what it never confirmed, whatever it asks for.
    pub(super) delivers_again: bool,
    next_transaction: u64,
    clock: i64,
    /// The newest version of each table.
    tables: BTreeMap<TableName, Arc<Table>>,
    /// All committed rows, and those of them that a session can see.
    committed: Tables,
    visible: Tables,
    /// Transactions that were begun and cannot be seen yet.
    running: BTreeMap<TransactionId, Running>,
}

/// How far a reader has confirmed, and how far the server will still know after a crash.
#[derive(Clone, Debug, Default)]
struct Slot {
    confirmed: u64,
    flushed: u64,
}

#[derive(Clone, Debug, Default)]
struct Running {
    changes: Vec<(TransactionId, Change)>,
    parts_out: usize,
    committed: bool,
}

impl State {
    /// A new server, which knows nothing.
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            boots: 0,
            history: Vec::new(),
            forgotten: 0,
            unreachable: 0,
            commits: BTreeMap::new(),
            slots: BTreeMap::new(),
            delivers_again: false,
            next_transaction: 1,
            clock: 1_000_000,
            tables: BTreeMap::new(),
            committed: Tables::new(),
            visible: Tables::new(),
            running: BTreeMap::new(),
        }
    }

    /// The same server without rows, history and readers; it still has its tables.
    pub(super) fn emptied(&self) -> Self {
        Self {
            boots: self.boots + 1,
            delivers_again: self.delivers_again,
            clock: self.clock,
            tables: self.tables.clone(),
            ..Self::new(self.identity.clone())
        }
    }

    /// Back to what it knew once. Nobody takes the clock back, and what it was told since about
    /// how to behave stays.
    pub(super) fn restored(&self, saved: &Self) -> Self {
        let mut state = Self {
            boots: self.boots,
            clock: self.clock.max(saved.clock),
            delivers_again: self.delivers_again,
            ..saved.clone()
        };
        state.restart();
        state
    }

    /// Comes back after a crash with what it knows durably.
    pub(super) fn restart(&mut self) {
        self.boots += 1;
        for slot in self.slots.values_mut() {
            slot.confirmed = slot.flushed;
        }
        let running: Vec<_> = self.running.iter().map(|(id, it)| (*id, it.committed)).collect();
        for (transaction, committed) in running {
            if committed {
                self.show(transaction);
            } else {
                self.roll_back(transaction, transaction);
            }
        }
    }

    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.history.len() as u64
    }

    pub(super) fn place(&self) -> Place {
        let position = Position::from_number(self.end());
        let witness = self.witness(self.end());
        Place { identity: self.identity.clone(), position, witness }
    }

    /// Whether everything that commits after this can still be delivered.
    pub(super) fn reaches(&self, after: u64) -> bool {
        after >= self.unreachable && after <= self.end()
    }

    /// The last transaction at or before a position, so that it is known again.
    fn witness(&self, position: u64) -> Bytes {
        let last = self.commits.range(..=position).next_back();
        format!("{last:?}").into()
    }

    /// Why a reader comes from another history than this one, if it does.
    pub(super) fn contradicts(&self, resume: &Resume) -> Option<String> {
        let (after, end) = (number(&resume.place.position), self.end());
        if after > end {
            return Some(format!(
                "restored: asked for what comes after {after}, but it ends at {end}"
            ));
        }
        let Some(last) = &resume.last else {
            let witness = &resume.place.witness;
            let is_same = witness.is_empty() || *witness == self.witness(after);
            return (!is_same)
                .then(|| format!("restored: another transaction is the last at {after}"));
        };
        let at = number(&last.offset.position);
        let known = self.commits.get(&at);
        let is_known = known == Some(&(last.transaction, last.committed_at));
        let next = self.commits.range(at + 1..).next();
        let is_last = next.is_none_or(|(next, _)| *next > after);
        (!is_known || !is_last).then(|| {
            let number = last.transaction.0;
            format!("restored: transaction {number} is not the last that was committed at {at}")
        })
    }

    /// Notes that a reader exists from now on.
    pub(super) fn open_slot(&mut self, slot: &Arc<str>) {
        self.slots.entry(Arc::clone(slot)).or_default();
    }

    /// How far a reader has confirmed.
    pub(super) fn confirmed(&self, slot: &str) -> u64 {
        self.slots.get(slot).map_or(0, |slot| slot.confirmed)
    }

    pub(super) fn confirm(&mut self, slot: &str, position: &Position) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.confirmed = slot.confirmed.max(number(position));
        }
    }

    /// Notes durably what was confirmed by one reader, or by all.
    pub(super) fn flush(&mut self, only: Option<&str>) {
        let slots =
            self.slots.iter_mut().filter(|(name, _)| only.is_none_or(|only| only == &***name));
        for (_, slot) in slots {
            slot.flushed = slot.confirmed;
        }
    }

    /// What every reader has confirmed durably.
    pub(super) fn confirmed_by_all(&self) -> u64 {
        self.slots.values().map(|slot| slot.flushed).min().unwrap_or(0)
    }

    /// The table of this name as it looks now.
    pub(super) fn table(&self, name: &TableName) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// Learns a version of a table, if it is newer than what is known.
    pub(super) fn define(&mut self, table: &Arc<Table>) {
        let is_known = |known: &Arc<Table>| known.version >= table.version;
        if !self.tables.get(&table.name).is_some_and(is_known) {
            self.tables.insert(table.name.clone(), Arc::clone(table));
        }
    }

    pub(super) fn committed(&self) -> &Tables {
        &self.committed
    }

    /// Something that takes a position and means nothing.
    pub(super) fn pass(&mut self) {
        let position = Position::from_number(self.end() + 1);
        let source_time = self.tick();
        self.history.push(Step::Progress { position, source_time });
    }

    pub(super) fn begin(&mut self) -> TransactionId {
        let transaction = self.new_transaction();
        self.running.insert(transaction, Running::default());
        transaction
    }

    pub(super) fn write(&mut self, transaction: TransactionId, sub: TransactionId, change: Change) {
        let running = self.running.get_mut(&transaction).expect("BUG: no such transaction");
        running.changes.push((sub, change));
    }

    /// The steps that a reader is given that starts after a position.
    pub(super) fn steps_after(&self, after: u64) -> impl Iterator<Item = (u64, &Step)> {
        let mut ended = BTreeSet::new();
        for (position, step) in self.numbered() {
            match step {
                Step::Commit { transaction, .. } if position <= after => {
                    ended.insert(*transaction);
                }
                Step::Abort { transaction, sub } if position <= after && transaction == sub => {
                    ended.insert(*transaction);
                }
                _ => {}
            }
        }
        self.numbered().filter(move |(position, step)| match step {
            Step::Part { transaction, .. } | Step::Abort { transaction, .. } => {
                !ended.contains(transaction)
            }
            Step::Commit { .. } | Step::Progress { .. } => *position > after,
        })
    }

    /// The steps after the position of a step that was read before.
    pub(super) fn steps_from(&self, after: u64) -> Option<&[Step]> {
        self.history.get(usize::try_from(after.checked_sub(self.forgotten)?).ok()?..)
    }

    /// What a session sees now, and which transactions that is.
    pub(super) fn session(&self, table: &TableName) -> (Placement, Option<&BTreeMap<Key, Row>>) {
        let reached = Position::from_number(self.end());
        let running: Vec<_> = self.running.keys().map(|transaction| transaction.0).collect();
        let xmin = running.first().copied().unwrap_or(self.next_transaction);
        let sees = Sees::Snapshot { xmin, xmax: self.next_transaction, running };
        (Placement { reached, sees }, self.visible.get(table))
    }

    fn numbered(&self) -> impl Iterator<Item = (u64, &Step)> {
        (self.forgotten + 1..).zip(&self.history)
    }

    pub(super) fn new_transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        TransactionId(self.next_transaction - 1)
    }

    fn tick(&mut self) -> i64 {
        self.clock += 1_000;
        self.clock
    }

    pub(super) fn put_part_out(&mut self, transaction: TransactionId) {
        let Some(running) = self.running.get_mut(&transaction) else {
            return;
        };
        let fresh: Vec<_> = running.changes[running.parts_out..].to_vec();
        running.parts_out = running.changes.len();
        // Neighbours of the same sub-transaction travel together.
        for group in fresh.chunk_by(|(one, _), (other, _)| one == other) {
            let changes = group.iter().map(|(_, change)| change.clone()).collect();
            self.history.push(Step::Part { transaction, sub: group[0].0, changes });
        }
    }

    pub(super) fn roll_back(&mut self, transaction: TransactionId, sub: TransactionId) {
        let Some(running) = self.running.get_mut(&transaction) else {
            return;
        };
        let out = running.parts_out;
        let known = running.changes[..out].iter().any(|(of, _)| *of == sub || sub == transaction);
        if sub == transaction {
            self.running.remove(&transaction);
        } else {
            running.parts_out -= running.changes[..out].iter().filter(|(of, _)| *of == sub).count();
            running.changes.retain(|(of, _)| *of != sub);
        }
        if known {
            self.history.push(Step::Abort { transaction, sub });
        }
    }

    pub(super) fn commit(&mut self, transaction: TransactionId) -> Position {
        self.put_part_out(transaction);
        let running = self.running.get_mut(&transaction).expect("BUG: no such transaction");
        running.committed = true;
        let changes: Vec<_> = running.changes.iter().map(|(_, change)| change.clone()).collect();
        // Row locks: whoever wrote the same rows before must be visible before this commits.
        let touched: BTreeSet<_> = changes.iter().flat_map(names).collect();
        let earlier: Vec<_> = self
            .running
            .iter()
            .filter(|(id, it)| **id != transaction && it.committed && it.touches(&touched))
            .map(|(id, _)| *id)
            .collect();
        for earlier in earlier {
            self.show(earlier);
        }
        for change in &changes {
            self.define(&change.table);
            put(&mut self.committed, change);
        }
        let committed_at = self.tick();
        let at = self.end() + 1;
        let position = Position::from_number(at);
        if !changes.is_empty() {
            self.commits.insert(at, (transaction, committed_at));
        }
        let commit = Step::Commit { transaction, position: position.clone(), committed_at };
        self.history.push(commit);
        position
    }

    pub(super) fn show(&mut self, transaction: TransactionId) {
        if let Some(running) = self.running.remove(&transaction) {
            for (_, change) in &running.changes {
                put(&mut self.visible, change);
            }
        }
    }

    /// Drops the longest prefix of the history that nobody needs who stands at `upto`.
    pub(super) fn forget(&mut self, upto: u64) {
        self.unreachable = self.unreachable.max(upto);
        let open: BTreeSet<_> = self
            .numbered()
            .filter_map(|(position, step)| match step {
                Step::Commit { transaction, .. } if position > upto => Some(*transaction),
                _ => None,
            })
            .chain(self.running.iter().filter(|(_, it)| !it.committed).map(|(id, _)| *id))
            .collect();
        let needed = self.numbered().position(|(position, step)| {
            position > upto
                || matches!(step, Step::Part { transaction, .. } if open.contains(transaction))
        });
        let dropped = needed.unwrap_or(self.history.len());
        self.history.drain(..dropped);
        self.forgotten += dropped as u64;
    }
}

impl Running {
    fn touches(&self, touched: &BTreeSet<(TableName, Option<Key>)>) -> bool {
        self.changes.iter().flat_map(|(_, change)| names(change)).any(|(table, key)| {
            // A truncate locks the whole table, whichever of the two it stands in.
            key.is_none() && touched.iter().any(|(of, _)| *of == table)
                || touched.contains(&(table.clone(), key))
                || touched.contains(&(table, None))
        })
    }
}

pub(super) fn number(position: &Position) -> u64 {
    position.to_number().expect("BUG: a position that this database did not give")
}
