//! The engine as a process: it is started from what is durable, killed at any moment, or asked to
//! stop. There may be two of them over the same targets.

use crate::faults::InPlace;
use crate::keep::{Notes, NotesOf, StateOf, Stored};
use crate::mount::Mount;
use crate::plants::Plant;
use crate::setup::Setup;
use engine::count::Count;
use engine::push::CountedShard;
use engine::{
    Board, Counting, Group, GroupStatus, Instance, Numbers, Phase, Pipeline, Push, Stop, TaskStatus,
};
use journal::Journal;
use model::{Code, Fault, Inspect, Lane, Service, Source};
use std::path::Path;
use std::sync::Arc;
use testkit::disk::FaultyDisk;
use tokio::task::JoinSet;

/// What outlives the process.
pub struct Around {
    /// The instance's name.
    pub name: String,
    /// The lanes.
    pub lanes: Vec<LaneAround>,
    /// A count that is pushed, still without its numbers.
    pub push: Option<PushAround>,
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
    /// The source, as it is read.
    pub inspect: Arc<dyn Service<dyn Inspect>>,
    /// The targets.
    pub groups: Vec<Group>,
    /// What is counted.
    pub counts: Vec<Count>,
    /// What is kept of row memory and numbers.
    pub state: Arc<Stored>,
}

/// Makes the push of a count over these lanes.
pub type PushAround = Arc<
    dyn Fn(Vec<CountedShard>, Arc<dyn Service<dyn Inspect>>, Instance, Board) -> Push + Send + Sync,
>;

/// A running engine.
pub struct Process {
    work: JoinSet<()>,
    mount: Mount,
    stop: Stop,
    boards: Vec<Board>,
    numbers: Vec<Numbers>,
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
    /// In which lane.
    pub lane: Lane,
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
        let instance = Instance { name: around.name.clone(), run };
        let (mut boards, mut work, mut numbers) = (Vec::new(), JoinSet::new(), Vec::new());
        for lane in &around.lanes {
            let board = Board::new();
            let told = Numbers::new(&lane.lane, &lane.counts, setup.limits.groups_max);
            let counting = Counting {
                counts: lane.counts.clone(),
                state: StateOf::new(lane.state.clone(), mount.clone(), around.seed ^ run),
                numbers: told.clone(),
            };
            let pipeline = Pipeline {
                lane: lane.lane.clone(),
                source: lane.source.clone(),
                inspect: lane.inspect.clone(),
                log: Plant::on_log(around.plant, journal.clone()),
                catalog: NotesOf::new(around.catalog.clone(), mount.clone()),
                groups: lane.groups.clone(),
                counting: (!lane.counts.is_empty()).then_some(counting),
                limits: setup.limits.clone(),
                instance: instance.clone(),
                board: board.clone(),
            };
            work.spawn(pipeline.run(stop.clone()));
            boards.push(board);
            numbers.push(told);
        }
        if let (Some(push), Some(lane)) = (&around.push, around.lanes.first()) {
            let counted = |(numbers, board): (&Numbers, &Board)| CountedShard {
                service: numbers.lane().as_str().into(),
                numbers: numbers.clone(),
                board: board.clone(),
                write: |position| {
                    position.to_number().map_or_else(String::new, |it| it.to_string())
                },
            };
            let shards = numbers.iter().zip(&boards).map(counted).collect();
            let board = Board::new();
            let push = push(shards, lane.inspect.clone(), instance, board.clone());
            work.spawn(push.run(stop.clone()));
            boards.push(board);
        }
        Self { work, mount, stop, boards, numbers }
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
        self.mount.cut_off();
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

    /// What is shown of a target that is led from here in this lane.
    pub fn shown(&self, lane: usize, target: &str) -> Option<GroupStatus> {
        let shown = self.boards.get(lane)?.snapshot().groups.remove(&target.into())?;
        (shown.task.phase == Phase::Following).then_some(shown)
    }

    /// The numbers of each lane.
    pub fn numbers(&self) -> &[Numbers] {
        &self.numbers
    }

    /// The tasks that have stopped for good, and the counts.
    pub fn stopped(&self, around: &Around) -> Vec<Stopped> {
        let lanes = around.lanes.iter().map(|lane| lane.lane.clone());
        let lanes = lanes.chain([Lane::from("push")]);
        let tasks = lanes.zip(&self.boards).flat_map(|(lane, board)| stopped_on(&lane, board));
        let counts = self.numbers.iter().flat_map(|numbers| {
            let lane = numbers.lane().clone();
            numbers.stopped().into_iter().map(move |(count, why)| Stopped {
                lane: lane.clone(),
                who: format!("count {count}"),
                why: why.to_string(),
            })
        });
        tasks.chain(counts).collect()
    }
}

/// Another server is asked for again and again, but only a person ends that.
fn waits_for_a_person(task: &TaskStatus) -> bool {
    task.trouble.as_ref().is_some_and(|trouble| trouble.code == Code::SourceChanged)
}

fn stopped_on(lane: &Lane, board: &Board) -> Vec<Stopped> {
    let board = board.snapshot();
    let groups = board.groups.iter().map(|(name, group)| (name.to_string(), &group.task));
    let others = [
        ("capture".to_owned(), &board.capture),
        ("retention".to_owned(), &board.retention),
        ("survey".to_owned(), &board.survey),
    ];
    groups
        .chain(others)
        .filter(|(_, task)| task.phase == Phase::Stopped || waits_for_a_person(task))
        .map(|(who, task)| Stopped {
            lane: lane.clone(),
            who,
            why: task.trouble.as_ref().map(ToString::to_string).unwrap_or_default(),
        })
        .collect()
}
