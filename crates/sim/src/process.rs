//! The engine as a process: it is started from what is durable, killed at any moment, or asked to
//! stop.

use crate::faults::InPlace;
use crate::mount::Mount;
use crate::plants::Plant;
use crate::setup::Setup;
use async_trait::async_trait;
use engine::{Board, Catalog, Group, History, Instance, Phase, Pipeline, Stop};
use journal::Journal;
use model::{Fault, Lane, Service, Source};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use testkit::disk::FaultyDisk;
use tokio::task::JoinSet;

/// What outlives the process.
pub struct Around {
    /// The lanes.
    pub lanes: Vec<LaneAround>,
    /// The disk under the journal.
    pub disk: Arc<FaultyDisk>,
    /// The durable notes.
    pub catalog: Arc<Notes>,
    /// A planted bug.
    pub plant: Option<Plant>,
    /// The seed, for the delays of the disk.
    pub seed: u64,
}

/// One lane that outlives the process.
pub struct LaneAround {
    /// The lane.
    pub lane: Lane,
    /// The source.
    pub source: Arc<dyn Service<dyn Source>>,
    /// The targets.
    pub groups: Vec<Group>,
}

/// A running engine.
pub struct Process {
    work: JoinSet<()>,
    mount: Mount,
    stop: Stop,
    boards: Vec<Board>,
}

/// A journal that was opened, and through which view of the disk.
pub struct Opened {
    /// The journal.
    pub journal: Arc<Journal>,
    mount: Mount,
}

/// A task that stopped for good.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Which.
    pub who: String,
    /// Its last words.
    pub why: String,
}

impl Process {
    /// Opens the journal on what the disk has.
    pub fn open(around: &Around, setup: &Setup, run: u64) -> Result<Opened, Fault> {
        let offload = Arc::new(InPlace::new(around.seed ^ run));
        let (mount, options) = (Mount::new(around.disk.clone()), setup.journal.clone());
        let disk = Arc::new(mount.clone());
        let journal = Arc::new(Journal::open(disk, Path::new("/journal"), options, offload)?);
        Ok(Opened { journal, mount })
    }

    /// Starts the work on an opened journal: a pipeline for each lane.
    pub fn start(around: &Around, setup: &Setup, run: u64, opened: Opened) -> Self {
        let Opened { journal, mount } = opened;
        let stop = Stop::new();
        let (mut boards, mut work) = (Vec::new(), JoinSet::new());
        for lane in &around.lanes {
            let board = Board::new();
            let pipeline = Pipeline {
                lane: lane.lane.clone(),
                source: lane.source.clone(),
                log: Plant::on_log(around.plant, journal.clone()),
                catalog: around.catalog.clone(),
                groups: lane.groups.clone(),
                limits: setup.limits.clone(),
                instance: Instance { name: "one".into(), run },
                board: board.clone(),
            };
            work.spawn(pipeline.run(stop.clone()));
            boards.push(board);
        }
        Self { work, mount, stop, boards }
    }

    /// Takes the disk away from it.
    pub fn cut_off(&self) {
        self.mount.cut_off();
    }

    /// Ends it at once, wherever it stands.
    pub async fn kill(mut self) {
        self.work.shutdown().await;
        // The tasks that it had spawned are dropped when the runtime comes to them.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }

    /// Asks it to end; answers whether it did in time.
    pub async fn stop(mut self, setup: &Setup) -> bool {
        self.stop.ask();
        let all_ended = async { while self.work.join_next().await.is_some() {} };
        tokio::time::timeout(setup.limits.stop * 2, all_ended).await.is_ok()
    }

    /// What its tasks say, for the trace of a world that does not converge.
    pub fn board(&self) -> String {
        let boards: Vec<_> = self.boards.iter().map(Board::snapshot).collect();
        format!("{boards:#?}")
    }

    /// The tasks that have stopped for good.
    pub fn stopped(&self) -> Vec<Stopped> {
        self.boards.iter().flat_map(stopped_on).collect()
    }
}

fn stopped_on(board: &Board) -> Vec<Stopped> {
    let board = board.snapshot();
    let groups = board.groups.iter().map(|(name, group)| (name.to_string(), &group.task));
    let others =
        [("capture".to_owned(), &board.capture), ("retention".to_owned(), &board.retention)];
    groups
        .chain(others)
        .filter(|(_, task)| task.phase == Phase::Stopped)
        .map(|(who, task)| Stopped { who, why: task.fault.clone().unwrap_or_default() })
        .collect()
}

/// The catalog of a world: as durable as it says.
#[derive(Debug, Default)]
pub struct Notes(Mutex<BTreeMap<Lane, History>>);

impl Notes {
    /// How many lanes have begun their history.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait]
impl Catalog for Notes {
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(lane).cloned())
    }

    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(lane.clone(), history.clone());
        Ok(())
    }
}
