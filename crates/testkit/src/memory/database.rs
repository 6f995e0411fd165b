//! A source database in memory: tables, transactions in order, and what it remembers of them.
//!
//! Its history is a list of steps with rising positions. A transaction is delivered as soon as its
//! commit is in the history, but a session may see it only later, as behind a synchronous standby.

use super::server::State;
use super::tables::Tables;
use model::{Change, Key, Position, Row, Table, TableName, TransactionId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

pub use super::tables::put;

/// The reader of a database that nobody named.
const MAIN: &str = "main";

/// The database; a clone is another handle on the same one.
#[derive(Clone, Debug)]
pub struct Database(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    grown: Notify,
}

/// One of the readers that follow a database, each at its own pace: a service of sources. It
/// exists for the server from its first start on, and then nothing is forgotten that it has not
/// confirmed.
#[derive(Clone, Debug)]
pub struct DatabaseSlot {
    pub(super) database: Database,
    pub(super) name: Arc<str>,
}

/// What a server knew once: a backup of it.
#[derive(Clone, Debug)]
pub struct Saved(State);

impl Database {
    /// An empty database of this identity.
    pub fn new(identity: &str) -> Self {
        let state = Mutex::new(State::new(identity.into()));
        Self(Arc::new(Shared { state, grown: Notify::new() }))
    }

    /// One of its readers; the database itself is the one called "main".
    pub fn slot(&self, name: &str) -> DatabaseSlot {
        DatabaseSlot { database: self.clone(), name: name.into() }
    }

    /// Declares a table, in this version or a newer one of it.
    pub fn define(&self, table: &Arc<Table>) {
        self.lock().define(table);
    }

    /// Whether a restarted reader gets again what it never confirmed.
    pub fn deliver_again(&self, again: bool) {
        self.lock().delivers_again = again;
    }

    /// Begins a transaction.
    pub fn begin(&self) -> TransactionId {
        self.lock().begin()
    }

    /// A number for a sub-transaction.
    pub fn begin_sub(&self) -> TransactionId {
        self.lock().new_transaction()
    }

    /// Adds a change to an open transaction, in a sub-transaction or in itself.
    pub fn write(&self, transaction: TransactionId, sub: TransactionId, change: Change) {
        self.lock().write(transaction, sub, change);
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
        self.lock().pass();
        self.0.grown.notify_waiters();
    }

    /// Where the history ends.
    pub fn end(&self) -> Position {
        Position::from_number(self.lock().end())
    }

    /// How far its own reader has confirmed.
    pub fn confirmed(&self) -> Position {
        self.confirmed_by(MAIN)
    }

    /// How far a reader has confirmed.
    pub fn confirmed_by(&self, slot: &str) -> Position {
        Position::from_number(self.lock().confirmed(slot))
    }

    /// The server notes durably what was confirmed, by every reader.
    pub fn flush_confirmed(&self) {
        self.lock().flush(None);
    }

    /// The server notes durably what one reader has confirmed.
    pub fn flush_confirmed_by(&self, slot: &str) {
        self.lock().flush(Some(slot));
    }

    /// The server forgets what every reader has confirmed durably.
    pub fn forget(&self) {
        let mut state = self.lock();
        let upto = state.confirmed_by_all();
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
        self.lock().restart();
        self.0.grown.notify_waiters();
    }

    /// Makes a backup.
    pub fn save(&self) -> Saved {
        Saved(self.lock().clone())
    }

    /// The server goes back to a backup of itself, as if nothing had happened since: it keeps its
    /// identity, gives the same positions and transaction numbers out again, and connections die.
    /// Transactions that were open in the backup are rolled back, committed ones become visible.
    pub fn restore(&self, saved: &Saved) {
        let mut state = self.lock();
        *state = state.restored(&saved.0);
        drop(state);
        self.0.grown.notify_waiters();
    }

    /// All rows, the history and the readers are gone, as on a new server that has the same tables;
    /// positions and transaction numbers start anew, and connections die. For a server that became
    /// another.
    pub fn empty(&self) {
        let mut state = self.lock();
        *state = state.emptied();
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
        self.lock().committed().get(table)?.get(key).cloned()
    }

    /// All committed rows.
    pub fn committed(&self) -> Tables {
        self.lock().committed().clone()
    }

    pub(super) fn main(&self) -> DatabaseSlot {
        self.slot(MAIN)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn grown(&self) -> impl Future<Output = ()> + Send + '_ {
        self.0.grown.notified()
    }
}
