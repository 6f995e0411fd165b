//! Our side: the pipeline of a lane without targets, over a journal on disk.

use crate::now;
use connectors::postgres::{Access, Lsn, PostgresSource, SourceLimits};
use engine::{Board, Instance, Limits, Pipeline, SqliteCatalog, Stop};
use journal::{Journal, Options, RealDisk, Threads};
use model::{Code, Fault, Inspect, Lane, Service};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::sleep;

const LANE: &str = "bench/postgres";

/// Begins to follow, and stops at once: slot and publication are there then.
pub(crate) fn begin(url: &str) {
    let dir = dir();
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder");
    runtime().block_on(async {
        let running = Running::start(url).await;
        while running.pipeline.board.snapshot().capture.steps == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        running.stop().await;
    });
}

/// Reads up to there; how long it took, and how much CPU in microseconds.
pub(crate) fn read_to(url: &str, end: &str) -> (Duration, f64) {
    let end: Lsn = end.parse().expect("a position");
    runtime().block_on(async {
        let (began, cpu) = (now(), cpu());
        let running = Running::start(url).await;
        while running.reached().await < Some(end.0) {
            sleep(Duration::from_millis(2)).await;
        }
        let took = began.elapsed();
        running.stop().await;
        (took, self::cpu() - cpu)
    })
}

struct Running {
    pipeline: Pipeline,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(url: &str) -> Self {
        let dir = dir();
        let (disk, threads) = (Arc::new(RealDisk), Arc::new(Threads));
        let journal = Journal::open(disk, &dir.join("journal"), Options::default(), threads);
        let catalog = SqliteCatalog::open(&dir.join("catalog.db")).await.expect("a catalog");
        let catalog = Arc::new(catalog.catalog);
        let instance: Instance = catalog.begin_run().await.expect("a run");
        let access = Access::parse(url).expect("a URL");
        let tables = vec!["public.item".into()];
        let source = PostgresSource::new(access, tables, &instance.name, SourceLimits::default());
        let pipeline = Pipeline {
            lane: Lane::from(LANE),
            source: Arc::new(source),
            inspect: Arc::new(NoRows),
            log: Arc::new(journal.expect("a journal")),
            catalog,
            groups: Vec::new(),
            counting: None,
            limits: Limits::default(),
            instance,
            board: Board::new(),
        };
        let stop = Stop::new();
        let task = tokio::spawn(pipeline.clone().run(stop.clone()));
        Self { pipeline, stop, task }
    }

    async fn reached(&self) -> Option<u64> {
        let bounds = self.pipeline.log.bounds(&Lane::from(LANE)).await.expect("bounds");
        bounds.last?.position.to_number()
    }

    async fn stop(self) {
        self.stop.ask();
        self.task.await.expect("a clean stop");
    }
}

/// Nobody asks for rows here.
struct NoRows;

#[async_trait::async_trait]
impl Service<dyn Inspect> for NoRows {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        Err(Fault::stop(Code::SourceUnavailable, "nobody asks for rows in this bench"))
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
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
