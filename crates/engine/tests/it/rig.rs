//! A pipeline over a memory database, a memory log and memory stores, with scripted replies.

use crate::state::MemoryState;
use async_trait::async_trait;
use bytes::Bytes;
use instep_engine::count::Count;
use instep_engine::{
    Board, Catalog, Copy, Counting, Group, History, Instance, Limits, Numbers, Phase, Pipeline,
    Stop, WhenFull,
};
use model::{
    Claim, CopyName, Fault, Identity, Key, Lane, Log, Op, Pass, Row, Table, TableName, TargetName,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::conformance::rows::{row, table};
use testkit::faulty::{Faulty, Queued};
use testkit::memory::database::{Database, DatabaseSlot};
use testkit::memory::log::MemoryLog;
use testkit::memory::store::{Manners, Store};
use testkit::memory::target::CopyOf;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Everything around one pipeline.
pub(crate) struct Rig {
    pub(crate) database: Database,
    pub(crate) source: Arc<Queued>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) targets: Vec<TargetRig>,
    pub(crate) limits: Limits,
    pub(crate) table: Arc<Table>,
    pub(crate) when_full: WhenFull,
    /// What is counted, and where it is kept.
    pub(crate) counts: Vec<Count>,
    pub(crate) state: Arc<MemoryState>,
    /// Which of the source's readers it is, and where it puts what it reads.
    pub(crate) slot: DatabaseSlot,
    pub(crate) lane: Lane,
    /// Copies beside the first, and whether that is left out.
    pub(crate) more_copies: Vec<(CopyName, TableName)>,
    pub(crate) without_copy: bool,
    pub(crate) instance: String,
    pub(crate) run: u64,
}

/// One target and its scripted replies.
pub(crate) struct TargetRig {
    pub(crate) store: Store,
    pub(crate) replies: Arc<Queued>,
}

/// A running pipeline.
pub(crate) struct Running {
    pub(crate) board: Board,
    pub(crate) stop: Stop,
    pub(crate) work: JoinHandle<()>,
    /// The numbers of what is counted.
    pub(crate) numbers: Numbers,
}

impl Running {
    /// Ends it as a crash would.
    pub(crate) async fn crash(self) {
        self.work.abort();
        let _ = self.work.await;
    }

    /// Why a target's group has stopped or is retrying.
    pub(crate) fn fault(&self, target: usize) -> Option<String> {
        Some(self.board.snapshot().groups.get(&name(target))?.task.trouble.as_ref()?.to_string())
    }

    /// How far the passes of a target have come, and whether all of them are done.
    pub(crate) fn is_filled(&self, target: usize) -> bool {
        let groups = self.board.snapshot().groups;
        groups.get(&name(target)).is_some_and(|group| {
            !group.passes.is_empty() && group.passes.values().all(|pass| *pass == Pass::Done)
        })
    }

    /// Waits until a target's group has stopped, and says why.
    pub(crate) async fn stopped(&self, target: usize) -> String {
        let group = || self.board.snapshot().groups.get(&name(target)).cloned();
        until("the group stops", || group().is_some_and(|it| it.task.phase == Phase::Stopped))
            .await;
        self.fault(target).expect("a reason")
    }
}

impl Rig {
    /// A pipeline with so many plain targets.
    pub(crate) fn new(targets: usize) -> Self {
        Self::with((0..targets).map(|_| Manners::plain(Claim::Transactional)))
    }

    /// A pipeline with targets of these manners.
    pub(crate) fn with(manners: impl IntoIterator<Item = Manners>) -> Self {
        let target = |manners| TargetRig { store: Store::new(manners), replies: Arc::default() };
        let (database, table) = (Database::new("server-1"), table("questions"));
        database.define(&table);
        Self {
            slot: database.slot("main"),
            database,
            source: Arc::default(),
            log: Arc::new(MemoryLog::new()),
            notes: Arc::default(),
            targets: manners.into_iter().map(target).collect(),
            limits: Limits { retry_pause_max: Duration::from_secs(1), ..Limits::default() },
            table,
            when_full: WhenFull::Detach,
            counts: Vec::new(),
            state: Arc::default(),
            lane: lane(),
            more_copies: Vec::new(),
            without_copy: false,
            instance: "one".into(),
            run: 0,
        }
    }

    /// Another instance over the same source and the same targets, with a log of its own.
    pub(crate) fn second(&self) -> Self {
        let targets = self
            .targets
            .iter()
            .map(|target| TargetRig { store: target.store.clone(), replies: Arc::default() });
        Self {
            slot: self.database.slot("second"),
            database: self.database.clone(),
            targets: targets.collect(),
            limits: self.limits.clone(),
            table: self.table.clone(),
            counts: self.counts.clone(),
            instance: "two".into(),
            ..Self::with([])
        }
    }

    /// Starts the pipeline and waits until it follows the source.
    pub(crate) async fn start(&mut self) -> Running {
        let running = self.launch();
        until("capture follows", || running.board.snapshot().capture.phase != Phase::Starting)
            .await;
        running
    }

    /// Starts the pipeline and waits until every copy is filled.
    pub(crate) async fn start_filled(&mut self) -> Running {
        let running = self.start().await;
        for target in 0..self.targets.len() {
            until("the copy is filled", || running.is_filled(target)).await;
        }
        running
    }

    /// Starts the pipeline.
    pub(crate) fn launch(&mut self) -> Running {
        let (pipeline, numbers) = self.pipeline();
        let (board, stop) = (pipeline.board.clone(), Stop::new());
        let work = tokio::spawn(pipeline.run(stop.clone()));
        Running { board, stop, work, numbers }
    }

    /// The pipeline of the next run, and its numbers.
    pub(crate) fn pipeline(&mut self) -> (Pipeline, Numbers) {
        self.run += 1;
        let numbers = Numbers::new(&self.lane, &self.counts, self.limits.groups_max);
        let counting = Counting {
            counts: self.counts.clone(),
            state: self.state.clone(),
            numbers: numbers.clone(),
        };
        let pipeline = Pipeline {
            lane: self.lane.clone(),
            source: Faulty::source(Arc::new(self.slot.clone()), self.source.clone()),
            inspect: Arc::new(self.database.clone()),
            log: self.log.clone(),
            catalog: self.notes.clone(),
            groups: (0..self.targets.len()).map(|target| self.group(target)).collect(),
            counting: (!self.counts.is_empty()).then_some(counting),
            limits: self.limits.clone(),
            instance: Instance { name: self.instance.clone(), run: self.run },
            board: Board::with_clock(clock),
        };
        (pipeline, numbers)
    }

    fn group(&self, target: usize) -> Group {
        let TargetRig { store, replies } = &self.targets[target];
        let copy = |name: &CopyName, of: &TableName| {
            let (name, of) = (name.clone(), of.clone());
            let (store, copy, lane) = (store.clone(), name.clone(), Some(self.lane.clone()));
            let inspect = CopyOf { store, copy, lane };
            Copy { name, of, inspect: Some(Arc::new(inspect)), keeps: false }
        };
        let first = (!self.without_copy).then(|| copy(&"copy".into(), &self.table.name));
        let more = self.more_copies.iter().map(|(name, of)| copy(name, of));
        Group {
            name: name(target),
            service: Faulty::target(Arc::new(store.clone()), replies.clone()),
            copies: first.into_iter().chain(more).collect(),
            when_full: self.when_full,
        }
    }

    /// Inserts rows, one transaction for all of them.
    pub(crate) fn insert(&self, ids: impl IntoIterator<Item = i64>) {
        let op = |id| Op::Insert(row(id, 7, "body"));
        self.change(ids.into_iter().map(op));
    }

    /// Commits changes in one transaction.
    pub(crate) fn change(&self, ops: impl IntoIterator<Item = Op>) {
        let change = |op| model::Change { table: self.table.clone(), op };
        self.database.transact(ops.into_iter().map(change));
    }

    /// The rows of a target's copy.
    pub(crate) fn rows(&self, target: usize) -> BTreeMap<Key, Row> {
        self.targets[target].store.look(|kept| {
            let rows = kept.rows.get(&"copy".into()).into_iter().flatten();
            rows.map(|(key, kept)| (key.clone(), kept.row.clone())).collect()
        })
    }

    /// The rows of the source.
    pub(crate) fn truth(&self) -> BTreeMap<Key, Row> {
        self.database.committed().remove(&self.table.name).unwrap_or_default()
    }

    /// Waits until a target equals the source.
    pub(crate) async fn in_step(&self, target: usize) {
        until("the copy equals its source", || self.rows(target) == self.truth()).await;
    }
}

/// A clock that is far ahead of every source's.
fn clock() -> i64 {
    i64::MAX / 2
}

/// The lane of the rig.
pub(crate) fn lane() -> Lane {
    "questions/a".into()
}

/// Waits for a condition, in virtual time, and no longer than anybody would.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = timeout(Duration::from_secs(300), async {
        let mut looks = 0;
        while !condition() {
            looks += 1;
            sleep(Duration::from_millis(if looks < 1_000 { 1 } else { 100 })).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain until {what}");
}

/// The name of a target.
pub(crate) fn name(target: usize) -> TargetName {
    format!("target-{target}").as_str().into()
}

/// A catalog in memory.
#[derive(Default)]
pub(crate) struct Notes(Mutex<BTreeMap<Lane, Noted>>);

/// What a catalog has noted of a lane.
#[derive(Clone, Default)]
struct Noted {
    history: Option<History>,
    adopted: Option<Identity>,
    deletes: BTreeMap<TargetName, u64>,
}

impl Notes {
    fn of(&self, lane: &Lane) -> Noted {
        self.0.lock().expect("no panic").get(lane).cloned().unwrap_or_default()
    }

    fn note(&self, lane: &Lane, change: impl FnOnce(&mut Noted)) {
        change(self.0.lock().expect("no panic").entry(lane.clone()).or_default());
    }
}

#[async_trait]
impl Catalog for Notes {
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault> {
        Ok(self.of(lane).history)
    }

    /// What a person said counts for the history that it was said in.
    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault> {
        let history = Some(history.clone());
        self.note(lane, |noted| *noted = Noted { history, ..Noted::default() });
        Ok(())
    }

    async fn renew(&self, lane: &Lane, witness: &Bytes) -> Result<(), Fault> {
        let renew = |history: &mut History| history.witness.clone_from(witness);
        self.note(lane, |noted| _ = noted.history.as_mut().map(renew));
        Ok(())
    }

    async fn adopt(&self, lane: &Lane, identity: &Identity) -> Result<(), Fault> {
        self.note(lane, |noted| noted.adopted = Some(identity.clone()));
        Ok(())
    }

    async fn adopted(&self, lane: &Lane) -> Result<Option<Identity>, Fault> {
        Ok(self.of(lane).adopted)
    }

    async fn allow_deletes(
        &self,
        lane: &Lane,
        target: &TargetName,
        rows: u64,
    ) -> Result<(), Fault> {
        self.note(lane, |noted| _ = noted.deletes.insert(target.clone(), rows));
        Ok(())
    }

    async fn deletes_allowed(&self, lane: &Lane, target: &TargetName) -> Result<u64, Fault> {
        Ok(self.of(lane).deletes.get(target).copied().unwrap_or(0))
    }
}
