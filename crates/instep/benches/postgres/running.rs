//! Our side: the pipeline of a lane over a journal on disk, without targets or with a copy.

use connectors::CopyTo;
use connectors::postgres::{
    Access, PostgresCopyRows, PostgresRows, PostgresSource, PostgresTarget, SourceLimits,
};
use engine::{Board, Group, Instance, Limits, Pipeline, SqliteCatalog, Stop, WhenFull};
use journal::{Journal, Options, RealDisk, Threads};
use model::Lane;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const LANE: &str = "bench/postgres";
const TABLE: &str = "public.item";

/// A lane that runs until it is stopped.
pub(crate) struct Running {
    runtime: Runtime,
    pipeline: Pipeline,
    stop: Stop,
    task: JoinHandle<()>,
    cpu: f64,
}

/// Begins to follow without a copy, and stops at once: slot and publication are there then.
pub(crate) fn begin_capture(source: &str) {
    forget();
    let running = Running::of(source, None);
    running.wait(|pipeline| pipeline.board.snapshot().capture.steps > 0);
    running.stop();
}

/// Begins a copy, and stops as soon as it is filled.
pub(crate) fn begin_copy(source: &str, target: &str) {
    forget();
    let running = Running::start(source, target);
    running.wait(|pipeline| {
        let groups = pipeline.board.snapshot().groups;
        groups.values().any(|group| group.passes.values().any(|pass| *pass == model::Pass::Done))
    });
    running.stop();
}

impl Running {
    /// Follows a source into a copy.
    pub(crate) fn start(source: &str, target: &str) -> Self {
        Self::of(source, Some(target))
    }

    /// Follows a source, into a copy or nowhere.
    pub(crate) fn of(source: &str, target: Option<&str>) -> Self {
        let cpu = cpu();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
        let pipeline = runtime.block_on(pipeline(source, target));
        let stop = Stop::new();
        let task = runtime.spawn(pipeline.clone().run(stop.clone()));
        Self { runtime, pipeline, stop, task, cpu }
    }

    /// Waits until the log has come to this position.
    pub(crate) fn wait_for_log(&self, end: u64) {
        self.runtime.block_on(async {
            let lane = Lane::from(LANE);
            let reached = async || {
                let bounds = self.pipeline.log.bounds(&lane).await.expect("bounds");
                bounds.last.and_then(|last| last.position.to_number())
            };
            while reached().await < Some(end) {
                sleep(Duration::from_millis(2)).await;
            }
        });
    }

    fn wait(&self, is_so: impl Fn(&Pipeline) -> bool) {
        self.runtime.block_on(async {
            while !is_so(&self.pipeline) {
                sleep(Duration::from_millis(5)).await;
            }
        });
    }

    /// Stops, and says how much CPU it has used, in microseconds.
    pub(crate) fn stop(self) -> f64 {
        self.stop.ask();
        self.runtime.block_on(self.task).expect("a clean stop");
        drop(self.runtime);
        cpu() - self.cpu
    }
}

async fn pipeline(source: &str, target: Option<&str>) -> Pipeline {
    let dir = dir();
    let (disk, threads) = (Arc::new(RealDisk), Arc::new(Threads));
    let journal = Journal::open(disk, &dir.join("journal"), Options::default(), threads);
    let catalog = SqliteCatalog::open(&dir.join("catalog.db")).await.expect("a catalog");
    let catalog = Arc::new(catalog.catalog);
    let instance: Instance = catalog.begin_run().await.expect("a run");
    let access = Access::parse(source).expect("a URL");
    let inspect = Arc::new(PostgresRows::new(access.clone()));
    let tables = vec![TABLE.into()];
    let source = PostgresSource::new(access, tables, &instance.name, SourceLimits::default());
    Pipeline {
        lane: Lane::from(LANE),
        source: Arc::new(source),
        inspect,
        log: Arc::new(journal.expect("a journal")),
        catalog,
        groups: target.map(group).into_iter().collect(),
        counting: None,
        limits: Limits::default(),
        instance,
        board: Board::new(),
    }
}

fn group(target: &str) -> Group {
    let access = Access::parse(target).expect("a URL");
    let copy = CopyTo::new("items", TABLE);
    let rows = PostgresCopyRows::new(access.clone(), copy.clone(), TABLE.into(), None);
    Group {
        name: "target".into(),
        copies: vec![engine::Copy {
            name: copy.name.clone(),
            of: TABLE.into(),
            inspect: Some(Arc::new(rows)),
            keeps: false,
        }],
        service: Arc::new(PostgresTarget::new(access, vec![copy])),
        when_full: WhenFull::Detach,
    }
}

fn forget() {
    let dir = dir();
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder");
}

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-postgres")
}

/// The CPU that this process has used, in microseconds.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux says so");
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) * 10_000.0
}

/// The most memory that this process had, in MiB.
pub(crate) fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux says so");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("Linux says so") >> 10
}
