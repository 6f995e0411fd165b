//! A source database in memory: tables, transactions in order, and what it remembers of them.
//!
//! Its history is a list of steps with rising positions. A transaction is delivered as soon as its
//! commit is in the history, but a session may see it only later, as behind a synchronous standby.

use model::inspect::Sees;
use model::{
    Change, Identity, Key, Op, Place, Placement, Position, Row, Step, Table, TableName,
    TransactionId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The database; a clone is another handle on the same one.
#[derive(Clone, Debug)]
pub struct Database(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    grown: Notify,
}

/// Everything that the server knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) identity: Identity,
    /// Rises when the server is restarted; connections of before are dead.
    pub(super) boots: u64,
    /// Steps of the history; the first one has the position `forgotten + 1`.
    history: Vec<Step>,
    forgotten: u64,
    /// No transaction that committed at or below this can be delivered any more.
    unreachable: u64,
    /// How far the reader has confirmed, and how far the server will still know after a crash.
    confirmed: u64,
    confirmed_flushed: u64,
    /// Whether a restarted reader gets again what it never confirmed, whatever it asks for.
    pub(super) delivers_again: bool,
    next_transaction: u64,
    clock: i64,
    /// All committed rows, and those of them that a session can see.
    committed: Tables,
    visible: Tables,
    /// Transactions that were begun and cannot be seen yet.
    running: BTreeMap<TransactionId, Running>,
}

type Tables = BTreeMap<TableName, BTreeMap<Key, Row>>;

#[derive(Debug, Default)]
struct Running {
    changes: Vec<(TransactionId, Change)>,
    parts_out: usize,
    committed: bool,
}

impl Database {
    /// An empty database of this identity.
    pub fn new(identity: &str) -> Self {
        let state = State {
            identity: identity.into(),
            boots: 0,
            history: Vec::new(),
            forgotten: 0,
            unreachable: 0,
            confirmed: 0,
            confirmed_flushed: 0,
            delivers_again: false,
            next_transaction: 1,
            clock: 1_000_000,
            committed: Tables::new(),
            visible: Tables::new(),
            running: BTreeMap::new(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), grown: Notify::new() }))
    }

    /// Whether a restarted reader gets again what it never confirmed.
    pub fn deliver_again(&self, again: bool) {
        self.lock().delivers_again = again;
    }

    /// Begins a transaction.
    pub fn begin(&self) -> TransactionId {
        let mut state = self.lock();
        let transaction = state.new_transaction();
        state.running.insert(transaction, Running::default());
        transaction
    }

    /// A number for a sub-transaction.
    pub fn begin_sub(&self) -> TransactionId {
        self.lock().new_transaction()
    }

    /// Adds a change to an open transaction, in a sub-transaction or in itself.
    pub fn write(&self, transaction: TransactionId, sub: TransactionId, change: Change) {
        let mut state = self.lock();
        let running = state.running.get_mut(&transaction).expect("BUG: no such transaction");
        running.changes.push((sub, change));
    }

    /// Puts what an open transaction has done so far into the history, before its end.
    pub fn stream(&self, transaction: TransactionId) {
        self.lock().put_part_out(transaction);
        self.0.grown.notify_waiters();
    }

    /// Takes a sub-transaction's changes back.
    pub fn roll_back_sub(&self, transaction: TransactionId, sub: TransactionId) {
        self.lock().roll_back(transaction, sub);
        self.0.grown.notify_waiters();
    }

    /// Takes a transaction back.
    pub fn roll_back(&self, transaction: TransactionId) {
        self.lock().roll_back(transaction, transaction);
        self.0.grown.notify_waiters();
    }

    /// Commits. The transaction is delivered from now on, and seen once [`Database::show`] says so.
    pub fn commit(&self, transaction: TransactionId) -> Position {
        let position = self.lock().commit(transaction);
        self.0.grown.notify_waiters();
        position
    }

    /// Lets sessions see a committed transaction.
    pub fn show(&self, transaction: TransactionId) {
        self.lock().show(transaction);
    }

    /// Begins, writes, commits and shows at once.
    pub fn transact(&self, changes: impl IntoIterator<Item = Change>) -> Position {
        let transaction = self.begin();
        for change in changes {
            self.write(transaction, transaction, change);
        }
        let position = self.commit(transaction);
        self.show(transaction);
        position
    }

    /// Something happens that is not for us, but takes a position.
    pub fn pass(&self) {
        let mut state = self.lock();
        let position = Position::from_number(state.end() + 1);
        let source_time = state.tick();
        state.history.push(Step::Progress { position, source_time });
        drop(state);
        self.0.grown.notify_waiters();
    }

    /// Where the history ends.
    pub fn end(&self) -> Position {
        Position::from_number(self.lock().end())
    }

    /// How far the reader has confirmed.
    pub fn confirmed(&self) -> Position {
        Position::from_number(self.lock().confirmed)
    }

    /// The server notes durably what was confirmed.
    pub fn flush_confirmed(&self) {
        let mut state = self.lock();
        state.confirmed_flushed = state.confirmed;
    }

    /// The server forgets what was confirmed durably.
    pub fn forget(&self) {
        let mut state = self.lock();
        let upto = state.confirmed_flushed;
        state.forget(upto);
    }

    /// The server forgets everything, confirmed or not.
    pub fn forget_all(&self) {
        let mut state = self.lock();
        let upto = state.end();
        state.forget(upto);
    }

    /// The server crashes and comes back: connections die, confirmations fall back to what was
    /// noted durably, open transactions are rolled back, committed ones become visible.
    pub fn crash(&self) {
        let mut state = self.lock();
        state.boots += 1;
        state.confirmed = state.confirmed_flushed;
        let running: Vec<_> = state.running.iter().map(|(id, it)| (*id, it.committed)).collect();
        for (transaction, committed) in running {
            if committed {
                state.show(transaction);
            } else {
                state.roll_back(transaction, transaction);
            }
        }
        drop(state);
        self.0.grown.notify_waiters();
    }

    /// Another server answers at this address from now on.
    pub fn become_another(&self, identity: &str) {
        let mut state = self.lock();
        state.identity = identity.into();
        state.boots += 1;
        drop(state);
        self.0.grown.notify_waiters();
    }

    /// A committed row, whether or not a session sees it.
    pub fn row(&self, table: &TableName, key: &Key) -> Option<Row> {
        self.lock().committed.get(table)?.get(key).cloned()
    }

    /// All committed rows.
    pub fn committed(&self) -> BTreeMap<TableName, BTreeMap<Key, Row>> {
        self.lock().committed.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn grown(&self) -> impl Future<Output = ()> + Send + '_ {
        self.0.grown.notified()
    }
}

impl State {
    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.history.len() as u64
    }

    pub(super) fn place(&self) -> Place {
        Place { identity: self.identity.clone(), position: Position::from_number(self.end()) }
    }

    /// Whether everything that commits after this can still be delivered.
    pub(super) fn reaches(&self, after: u64) -> bool {
        after >= self.unreachable && after <= self.end()
    }

    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    pub(super) fn confirm(&mut self, position: u64) {
        self.confirmed = self.confirmed.max(position);
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

    fn new_transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        TransactionId(self.next_transaction - 1)
    }

    fn tick(&mut self) -> i64 {
        self.clock += 1_000;
        self.clock
    }

    fn put_part_out(&mut self, transaction: TransactionId) {
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

    fn roll_back(&mut self, transaction: TransactionId, sub: TransactionId) {
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

    fn commit(&mut self, transaction: TransactionId) -> Position {
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
            put(&mut self.committed, change);
        }
        let committed_at = self.tick();
        let position = Position::from_number(self.end() + 1);
        let commit = Step::Commit { transaction, position: position.clone(), committed_at };
        self.history.push(commit);
        position
    }

    fn show(&mut self, transaction: TransactionId) {
        if let Some(running) = self.running.remove(&transaction) {
            for (_, change) in &running.changes {
                put(&mut self.visible, change);
            }
        }
    }

    /// Drops the longest prefix of the history that nobody needs who stands at `upto`.
    fn forget(&mut self, upto: u64) {
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

/// The rows that a change locks; a truncate locks them all.
fn names(change: &Change) -> Vec<(TableName, Option<Key>)> {
    let table = &change.table.name;
    match change.keys() {
        (None, None) => vec![(table.clone(), None)],
        (first, second) => {
            [first, second].into_iter().flatten().map(|key| (table.clone(), Some(key))).collect()
        }
    }
}

/// Does a change to the tables; unchanged cells keep what they have.
pub fn put(tables: &mut BTreeMap<TableName, BTreeMap<Key, Row>>, change: &Change) {
    let rows = tables.entry(change.table.name.clone()).or_default();
    match &change.op {
        Op::Insert(row) => {
            rows.insert(key_of(&change.table, row), row.clone());
        }
        Op::Update { before, row } => {
            let mut row = row.clone();
            if let Some(earlier) = rows.remove(before) {
                row.fill_unchanged_from(&earlier);
            }
            rows.insert(key_of(&change.table, &row), row);
        }
        Op::Delete(key) => {
            rows.remove(key);
        }
        Op::Truncate => rows.clear(),
    }
}

fn key_of(table: &Table, row: &Row) -> Key {
    table.key_of(row).expect("BUG: a row of the source has no key")
}
