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
use tokio::task::JoinHandle;

/// What outlives the process.
pub struct Around {
    /// The lane.
    pub lane: Lane,
    /// The disk under the journal.
    pub disk: Arc<FaultyDisk>,
    /// The durable notes.
    pub catalog: Arc<Notes>,
    /// The source.
    pub source: Arc<dyn Service<dyn Source>>,
    /// The targets.
    pub groups: Vec<Group>,
    /// A planted bug.
    pub plant: Option<Plant>,
    /// The seed, for the delays of the disk.
    pub seed: u64,
}

/// A running engine.
pub struct Process {
    work: JoinHandle<()>,
    mount: Mount,
    stop: Stop,
    board: Board,
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
        let journal = Arc::new(Journal::open(
            disk,
            Path::new("/journal"),
            options,
            offload,
        )?);
        Ok(Opened { journal, mount })
    }

    /// Starts the work on an opened journal.
    pub fn start(around: &Around, setup: &Setup, run: u64, opened: Opened) -> Self {
        let Opened { journal, mount } = opened;
        let board = Board::new();
        let pipeline = Pipeline {
            lane: around.lane.clone(),
            source: around.source.clone(),
            log: Plant::on_log(around.plant, journal),
            catalog: around.catalog.clone(),
            groups: around.groups.clone(),
            limits: setup.limits.clone(),
            instance: Instance {
                name: "one".into(),
                run,
            },
            board: board.clone(),
        };
        let stop = Stop::new();
        let work = tokio::spawn(pipeline.run(stop.clone()));
        Self {
            work,
            mount,
            stop,
            board,
        }
    }

    /// Takes the disk away from it.
    pub fn cut_off(&self) {
        self.mount.cut_off();
    }

    /// Ends it at once, wherever it stands.
    pub async fn kill(self) {
        self.work.abort();
        let _ = self.work.await;
        // The tasks that it had spawned are dropped when the runtime comes to them.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }

    /// Asks it to end; answers whether it did in time.
    pub async fn stop(self, setup: &Setup) -> bool {
        self.stop.ask();
        let in_time = tokio::time::timeout(setup.limits.stop * 2, self.work).await;
        in_time.is_ok()
    }

    /// What its tasks say, for the trace of a world that does not converge.
    pub fn board(&self) -> String {
        format!("{:#?}", self.board.snapshot())
    }

    /// The tasks that have stopped for good.
    pub fn stopped(&self) -> Vec<Stopped> {
        let board = self.board.snapshot();
        let groups = board
            .groups
            .iter()
            .map(|(name, group)| (name.to_string(), &group.task));
        let others = [
            ("capture".to_owned(), &board.capture),
            ("retention".to_owned(), &board.retention),
        ];
        groups
            .chain(others)
            .filter(|(_, task)| task.phase == Phase::Stopped)
            .map(|(who, task)| Stopped {
                who,
                why: task.fault.clone().unwrap_or_default(),
            })
            .collect()
    }
}

/// The catalog of a world: as durable as it says.
#[derive(Debug, Default)]
pub struct Notes(Mutex<BTreeMap<Lane, History>>);

impl Notes {
    /// Whether no history has begun.
    pub fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }
}

#[async_trait]
impl Catalog for Notes {
    async fn history(&self, lane: &Lane) -> Result<Option<History>, Fault> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(lane)
            .cloned())
    }

    async fn begin(&self, lane: &Lane, history: &History) -> Result<(), Fault> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(lane.clone(), history.clone());
        Ok(())
    }
}
