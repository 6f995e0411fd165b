//! A pipeline over a memory database, a memory log and memory stores, with scripted replies.

use async_trait::async_trait;
use instep_engine::{
    Board, Catalog, Copy, Group, History, Instance, Limits, Phase, Pipeline, Stop,
};
use model::{Claim, Fault, Key, Lane, Log, Op, Row, Table};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::conformance::rows::{row, table};
use testkit::faulty::{Faulty, Queued};
use testkit::memory::database::Database;
use testkit::memory::log::MemoryLog;
use testkit::memory::store::{Manners, Store};
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
}

impl Rig {
    /// A pipeline with so many plain targets.
    pub(crate) fn new(targets: usize) -> Self {
        Self::with((0..targets).map(|_| Manners::plain(Claim::Transactional)))
    }

    /// A pipeline with targets of these manners.
    pub(crate) fn with(manners: impl IntoIterator<Item = Manners>) -> Self {
        let target = |manners| TargetRig { store: Store::new(manners), replies: Arc::default() };
        Self {
            database: Database::new("server-1"),
            source: Arc::default(),
            log: Arc::new(MemoryLog::new()),
            notes: Arc::default(),
            targets: manners.into_iter().map(target).collect(),
            limits: Limits { retry_pause_max: Duration::from_secs(1), ..Limits::default() },
            table: table("questions"),
            run: 0,
        }
    }

    /// Starts the pipeline and waits until it follows the source.
    pub(crate) async fn start(&mut self) -> Running {
        self.run += 1;
        let group = |(index, target): (usize, &TargetRig)| Group {
            name: format!("target-{index}").as_str().into(),
            service: Faulty::target(Arc::new(target.store.clone()), target.replies.clone()),
            copies: vec![Copy { name: "copy".into(), of: "questions".into() }],
        };
        let board = Board::new();
        let pipeline = Pipeline {
            lane: lane(),
            source: Faulty::source(Arc::new(self.database.clone()), self.source.clone()),
            log: self.log.clone(),
            catalog: self.notes.clone(),
            groups: self.targets.iter().enumerate().map(group).collect(),
            limits: self.limits.clone(),
            instance: Instance { name: "one".into(), run: self.run },
            board: board.clone(),
        };
        let stop = Stop::new();
        let work = tokio::spawn(pipeline.run(stop.clone()));
        let running = Running { board, stop, work };
        until("capture follows", || running.board.snapshot().capture.phase != Phase::Starting)
            .await;
        running
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
            rows.map(|(key, (row, _))| (key.clone(), row.clone())).collect()
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

/// The lane of the rig.
pub(crate) fn lane() -> Lane {
    "questions/a".into()
}

/// Waits for a condition, in virtual time, and no longer than anybody would.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = timeout(Duration::from_secs(300), async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain until {what}");
}

/// A catalog in memory.
#[derive(Default)]
pub(crate) struct Notes(Mutex<BTreeMap<Lane, History>>);

#[async_trait]
impl Catalog for Notes {
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault> {
        Ok(self.0.lock().expect("no panic").get(lane).cloned())
    }

    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault> {
        self.0.lock().expect("no panic").insert(lane.clone(), history.clone());
        Ok(())
    }
}
