//! A target's server in memory: what it keeps, what of it would survive a crash, and its rules.

use model::{
    Claim, CopyName, Effect, Epoch, Hold, Key, Lane, Leadership, Offset, Row, Tenure, Watermark,
    Write,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The server; a clone is another handle on the same one.
#[derive(Clone)]
pub struct Store(Arc<Mutex<State>>);

/// Judges a row that is about to be written: the reason of a refusal, if any.
pub type Rule = Arc<dyn Fn(&Row) -> Option<String> + Send + Sync>;

/// How a store behaves.
#[derive(Clone)]
pub struct Manners {
    /// What it promises about a batch.
    pub claim: Claim,
    /// Of this many commits one is made durable at once, the others only with it.
    pub flush_every: u64,
    /// Which rows it refuses.
    pub rule: Rule,
}

impl Manners {
    /// Every commit is durable and every row is welcome.
    pub fn plain(claim: Claim) -> Self {
        Self { claim, flush_every: 1, rule: Arc::new(|_| None) }
    }
}

pub(super) struct State {
    pub(super) manners: Manners,
    /// Rises when the server is restarted; connections of before are dead.
    pub(super) boots: u64,
    pub(super) now: Kept,
    /// What would be left after a crash; only kept apart where commits are not durable at once.
    flushed: Option<Kept>,
    commits: u64,
    /// Rows that were refused.
    pub(super) refusals: u64,
    lease_until: Option<Instant>,
    /// Without transactions: fail after this many rows of the next batch.
    pub(super) fail_after_rows: Option<usize>,
}

/// An instance, its run, and the connection within it.
pub type Leader = (String, u64, u64);

/// What a server keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The rows of each copy, with their versions.
    pub rows: BTreeMap<CopyName, BTreeMap<Key, (Row, Offset)>>,
    /// Versions of rows that are gone; only where each row is judged by its own version.
    pub gone: BTreeMap<(CopyName, Key), Offset>,
    /// How far each lane has come.
    pub watermarks: BTreeMap<Lane, Watermark>,
    /// The keys that are held.
    pub holds: BTreeMap<(CopyName, Key), (Lane, Hold)>,
    /// How often each row was written in each version: a canary that never forgives a second time.
    pub ledger: BTreeMap<(CopyName, Option<Key>, Offset), u32>,
    /// Who leads, and under which epoch.
    pub leader: Option<Leader>,
    /// The highest epoch ever given out.
    pub epoch: u64,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("kept", &self.lock().now).finish_non_exhaustive()
    }
}

impl fmt::Debug for Manners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, one flush in {}", self.claim, self.flush_every)
    }
}

impl Store {
    /// An empty store with these manners.
    pub fn new(manners: Manners) -> Self {
        let flushed = (manners.flush_every > 1).then(Kept::default);
        Self(Arc::new(Mutex::new(State {
            manners,
            boots: 0,
            now: Kept::default(),
            flushed,
            commits: 0,
            refusals: 0,
            lease_until: None,
            fail_after_rows: None,
        })))
    }

    /// What it keeps now.
    pub fn kept(&self) -> Kept {
        self.lock().now.clone()
    }

    /// Looks at what it keeps without copying it.
    pub fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.lock().now)
    }

    /// How many commits it has seen.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// How many rows it has refused.
    pub fn refusals(&self) -> u64 {
        self.lock().refusals
    }

    /// Changes what it keeps behind Instep's back.
    pub fn tamper(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.lock().now);
    }

    /// The server crashes and comes back: connections die, and what was not flushed is lost.
    pub fn crash(&self) {
        let mut state = self.lock();
        state.boots += 1;
        if let Some(flushed) = state.flushed.clone() {
            state.now = flushed;
        }
    }

    /// Another rule applies from now on.
    pub fn set_rule(&self, rule: Rule) {
        self.lock().manners.rule = rule;
    }

    /// The next batch fails after this many of its rows, where a batch is no transaction.
    pub fn fail_after_rows(&self, rows: usize) {
        self.lock().fail_after_rows = Some(rows);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives the lease out, or says who has it.
    pub(super) fn lead(&mut self, tenure: &Tenure) -> Leadership {
        let now = Instant::now();
        let Tenure { instance, run, connection, lasting } = tenure.clone();
        let term = (run, connection);
        let until = self.lease_until.filter(|until| *until > now);
        match (&self.now.leader, until) {
            (Some((leader, run, connection)), Some(until))
                if *leader != instance || (*run, *connection) > term =>
            {
                return Leadership::Elsewhere { instance: leader.clone(), remaining: until - now };
            }
            (Some(leader), _) if *leader == (instance.clone(), run, connection) => {}
            (_, _) => {
                self.now.epoch += 1;
                self.now.leader = Some((instance, run, connection));
            }
        }
        self.lease_until = Some(now + lasting);
        if let Some(flushed) = &mut self.flushed {
            flushed.epoch = self.now.epoch;
            flushed.leader.clone_from(&self.now.leader);
        }
        Leadership::Held(Epoch(self.now.epoch))
    }

    /// Moves a watermark with a commit; answers whether everything up to it is durable now.
    /// If durability is asked for, everything is.
    pub(super) fn advance(&mut self, lane: &Lane, watermark: &Watermark, flush: bool) -> bool {
        self.now.watermarks.insert(lane.clone(), watermark.clone());
        let durable = self.commit();
        if flush && self.flushed.is_some() {
            self.flushed = Some(self.now.clone());
        }
        durable || flush
    }

    /// Notes a commit; answers whether everything up to it is durable now.
    pub(super) fn commit(&mut self) -> bool {
        self.commits += 1;
        if self.flushed.is_some() {
            if !self.commits.is_multiple_of(self.manners.flush_every) {
                return false;
            }
            self.flushed = Some(self.now.clone());
        }
        true
    }
}

/// Rows that a batch writes: those of the server, with what was written over them so far.
pub(super) struct Overlay {
    rows: BTreeMap<(CopyName, Key), Option<(Row, Offset)>>,
    emptied: BTreeSet<CopyName>,
    holds: BTreeMap<(CopyName, Key), Option<Hold>>,
    ledger: Vec<(CopyName, Option<Key>, Offset)>,
}

impl Overlay {
    pub(super) fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            emptied: BTreeSet::new(),
            holds: BTreeMap::new(),
            ledger: Vec::new(),
        }
    }

    /// Writes a row, or says why not.
    pub(super) fn write(&mut self, under: &State, write: &Write) -> Result<(), String> {
        let copy = &write.copy;
        match &write.effect {
            Effect::Put { key, row, .. } => self.put(under, write, key, row.clone())?,
            Effect::Patch(key, row) => {
                let earlier = self.row(under, copy, key).ok_or("row_missing")?;
                let mut row = row.clone();
                row.fill_unchanged_from(&earlier);
                self.put(under, write, key, row)?;
            }
            Effect::Move { before, key, row } => {
                let earlier = self.row(under, copy, before).ok_or("row_missing")?;
                let mut row = row.clone();
                row.fill_unchanged_from(&earlier);
                self.put(under, write, key, row)?;
                self.remove(copy, before);
            }
            Effect::Delete(key) => self.remove(copy, key),
            Effect::Truncate => {
                self.rows.retain(|(of, _), _| of != copy);
                self.holds.retain(|(of, _), _| of != copy);
                self.emptied.insert(copy.clone());
            }
        }
        if matches!(write.effect, Effect::Truncate) {
            self.ledger.push((copy.clone(), None, write.version.clone()));
        }
        for key in write.effect.keys() {
            self.ledger.push((copy.clone(), Some(key.clone()), write.version.clone()));
        }
        Ok(())
    }

    /// Holds a key.
    pub(super) fn hold(&mut self, hold: Hold) {
        self.holds.insert((hold.copy.clone(), hold.key.clone()), Some(hold));
    }

    /// Makes everything visible at once.
    pub(super) fn commit(self, state: &mut State, lane: &Lane) {
        let now = &mut state.now;
        for copy in &self.emptied {
            now.rows.remove(copy);
            now.holds.retain(|(of, _), _| of != copy);
        }
        for ((copy, key), row) in self.rows {
            let rows = now.rows.entry(copy).or_default();
            match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
        for (key, hold) in self.holds {
            match hold {
                Some(hold) => now.holds.insert(key, (lane.clone(), hold)),
                None => now.holds.remove(&key),
            };
        }
        for written in self.ledger {
            *now.ledger.entry(written).or_default() += 1;
        }
    }

    fn put(&mut self, under: &State, write: &Write, key: &Key, row: Row) -> Result<(), String> {
        if let Some(reason) = (under.manners.rule)(&row) {
            return Err(reason);
        }
        let name = (write.copy.clone(), key.clone());
        self.holds.insert(name.clone(), None);
        self.rows.insert(name, Some((row, write.version.clone())));
        Ok(())
    }

    fn remove(&mut self, copy: &CopyName, key: &Key) {
        let name = (copy.clone(), key.clone());
        self.holds.insert(name.clone(), None);
        self.rows.insert(name, None);
    }

    fn row(&self, under: &State, copy: &CopyName, key: &Key) -> Option<Row> {
        match self.rows.get(&(copy.clone(), key.clone())) {
            Some(written) => written.as_ref().map(|(row, _)| row.clone()),
            None if self.emptied.contains(copy) => None,
            None => under.now.rows.get(copy)?.get(key).map(|(row, _)| row.clone()),
        }
    }
}
