//! A target's server in memory: what it keeps, what of it would survive a crash, and its rules.

use model::{
    Batch, Claim, CopyName, Epoch, Hold, Key, Lane, Leadership, Offset, Pass, Row, Standing, Table,
    Tenure, Watermark,
};
use std::collections::BTreeMap;
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
    /// Whether its copies are fed by several lanes, so that each row belongs to the one that wrote
    /// it. If not, whatever comes may write any row.
    pub owned: bool,
}

/// A fault of the server that can be planted, for the checks that have to notice it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreBug {
    /// A batch of an older epoch is taken.
    IgnoreEpoch,
    /// Emptying a copy removes the rows of other lanes as well.
    TruncateAllLanes,
}

impl Manners {
    /// Every commit is durable and every row is welcome.
    pub fn plain(claim: Claim) -> Self {
        Self { claim, flush_every: 1, rule: Arc::new(|_| None), owned: false }
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
    lease_until: BTreeMap<Lane, Instant>,
    /// When its clock began.
    born: Instant,
    /// Without transactions: fail after this many rows of the next batch.
    pub(super) fail_after_rows: Option<usize>,
    planted: Option<StoreBug>,
}

/// An instance, its run, and the connection within it.
pub type Leader = (String, u64, u64);

/// What a server keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The rows of each copy.
    pub rows: BTreeMap<CopyName, BTreeMap<Key, KeptRow>>,
    /// The table of each copy, as it was last written.
    pub tables: BTreeMap<CopyName, Arc<Table>>,
    /// Versions of rows that are gone; only where each row is judged by its own version.
    pub gone: BTreeMap<(Lane, CopyName, Key), Offset>,
    /// How far each lane has come.
    pub watermarks: BTreeMap<Lane, Watermark>,
    /// The keys that are held.
    pub holds: BTreeMap<(Lane, CopyName, Key), Hold>,
    /// How far each copy has been passed over by each lane.
    pub passes: BTreeMap<(Lane, CopyName), Pass>,
    /// How often each row was written in each version: a canary that never forgives a second time.
    pub ledger: BTreeMap<(Lane, CopyName, Option<Key>, Offset), u32>,
    /// Who leads each lane, and the highest epoch ever given out for it.
    pub leaders: BTreeMap<Lane, (Leader, u64)>,
}

/// A row of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRow {
    /// The row.
    pub row: Row,
    /// The offset of the change that it comes from.
    pub version: Offset,
    /// The lane that wrote it.
    pub lane: Lane,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("kept", &self.lock().now).finish_non_exhaustive()
    }
}

impl fmt::Debug for Manners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, one flush in {}", self.claim, self.flush_every)?;
        if self.owned { f.write_str(", rows owned by lanes") } else { Ok(()) }
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
            lease_until: BTreeMap::new(),
            born: Instant::now(),
            fail_after_rows: None,
            planted: None,
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

    /// Plants a bug, beside whatever faults the store's manners allow it.
    pub fn plant(&self, bug: StoreBug) {
        self.lock().planted = Some(bug);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The server's clock, in microseconds; never zero.
    pub(super) fn clock(&self) -> i64 {
        i64::try_from(self.born.elapsed().as_micros()).unwrap_or(i64::MAX - 1) + 1
    }

    /// Gives the lease out, or says who has it.
    pub(super) fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Leadership {
        let now = Instant::now();
        let Tenure { instance, run, connection, lasting } = tenure.clone();
        let term = (run, connection);
        let until = self.lease_until.get(lane).copied().filter(|until| *until > now);
        let mut epoch = self.epoch(lane);
        match (self.now.leaders.get(lane).map(|(leader, _)| leader), until) {
            (Some((leader, run, connection)), Some(until))
                if *leader != instance || (*run, *connection) > term =>
            {
                return Leadership::Elsewhere { instance: leader.clone(), remaining: until - now };
            }
            (Some(leader), _) if *leader == (instance.clone(), run, connection) => {}
            (_, _) => {
                epoch += 1;
                let leader = ((instance, run, connection), epoch);
                self.now.leaders.insert(lane.clone(), leader);
            }
        }
        self.lease_until.insert(lane.clone(), now + lasting);
        if let Some(flushed) = &mut self.flushed {
            flushed.leaders.clone_from(&self.now.leaders);
        }
        Leadership::Held(Epoch(epoch))
    }

    /// The highest epoch given out for a lane.
    pub(super) fn epoch(&self, lane: &Lane) -> u64 {
        self.now.leaders.get(lane).map_or(0, |(_, epoch)| *epoch)
    }

    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: StoreBug) -> bool {
        self.planted == Some(bug)
    }

    /// Whether a row that a lane comes upon is another's.
    pub(super) fn is_foreign(&self, row: &KeptRow, lane: &Lane) -> bool {
        self.manners.owned && row.lane != *lane
    }

    /// Where a lane stands.
    pub(super) fn standing(&self, lane: &Lane) -> Standing {
        let Kept { watermarks, holds, passes, .. } = &self.now;
        let holds = holds.iter().filter(|((of, ..), _)| of == lane);
        let passes = passes.iter().filter(|((of, _), _)| of == lane);
        Standing {
            watermark: watermarks.get(lane).cloned(),
            holds: holds.map(|(_, hold)| hold.clone()).collect(),
            passes: passes.map(|((_, copy), pass)| (copy.clone(), pass.clone())).collect(),
            ..Standing::default()
        }
    }

    /// Moves the watermark to where a batch ends, with the passes that came so far; answers whether
    /// everything up to it is durable now. If durability is asked for, everything is.
    pub(super) fn advance(&mut self, batch: &Batch, passes: BTreeMap<CopyName, Pass>) -> bool {
        let lane = &batch.lane;
        self.now.watermarks.insert(lane.clone(), batch.watermark.clone());
        let passes = passes.into_iter().map(|(copy, pass)| ((lane.clone(), copy), pass));
        self.now.passes.extend(passes);
        let durable = self.commit();
        let flush = batch.writes.is_empty();
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
