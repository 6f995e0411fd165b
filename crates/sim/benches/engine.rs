//! Bench: a memory source through the journal on a real disk to a memory target, in changes a
//! second, for transactions of several sizes. Every change is captured, synced, read back, planned
//! and applied with its watermark.

#![expect(clippy::disallowed_methods, reason = "a bench measures with the clock on the wall")]
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use async_trait::async_trait;
use engine::{Board, Copy, Group, Instance, Limits, Pipeline, Stop};
use instep_sim::process::Notes;
use instep_sim::workload::tables;
use journal::{Journal, Options, RealDisk, Threads};
use model::{
    Batch, Change, Claim, Effect, Epoch, Fault, Hold, Key, Lane, Leadership, Log, Mode, Op,
    Outcome, Row, Service, Target, Tenure, Value, Watermark,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::memory::database::Database;

const CHANGES: usize = 300_000;
const ROUNDS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!("{CHANGES} inserts of 4 columns and about 200 B, medians of {ROUNDS} rounds\n");
    println!("| changes a transaction | changes/s | slowest round | fastest round |");
    println!("|---|---|---|---|");
    for size in [1, 10, 100, 1_000] {
        let mut rates: Vec<_> =
            (0..ROUNDS).map(|round| runtime.block_on(one_round(size, round))).collect();
        rates.sort_unstable();
        let (median, slowest, fastest) = (rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
        println!("| {size} | {median} | {slowest} | {fastest} |");
    }
}

/// Changes a second of one round.
async fn one_round(size: usize, round: usize) -> u128 {
    let database = Database::new("bench");
    let dir = scratch(&format!("engine-{size}-{round}"));
    let journal = Journal::open(Arc::new(RealDisk), &dir, Options::default(), Arc::new(Threads))
        .expect("the journal opens");
    let log: Arc<dyn Log> = Arc::new(journal);
    let rows = Rows::default();
    let pipeline = pipeline(&database, &log, &rows);
    // The first run only begins the history.
    let (stop, work) = start(&pipeline);
    while pipeline.board.snapshot().logged.is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.ask();
    work.await.expect("it ends");
    write(&database, size);
    let end = database.end();
    let began = Instant::now();
    let (stop, work) = start(&pipeline);
    while rows.watermark().is_none_or(|watermark| watermark.position < end) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = began.elapsed();
    stop.ask();
    work.await.expect("it ends");
    assert_eq!(rows.len(), CHANGES, "every row arrived");
    std::fs::remove_dir_all(&dir).expect("our own folder goes");
    CHANGES as u128 * 1_000_000 / took.as_micros()
}

/// The source's history, made while nobody looks, so that only Instep's work is measured.
fn write(database: &Database, size: usize) {
    let table = tables()[0].clone();
    let body = "b".repeat(180);
    let change = |id| {
        let id = Value::Int(i64::try_from(id).expect("a small number"));
        let row = Row::new([id, Value::Int(7), Value::from(body.as_str()), Value::Null]);
        Change { table: table.clone(), op: Op::Insert(row) }
    };
    for first in (0..CHANGES).step_by(size) {
        database.transact((first..(first + size).min(CHANGES)).map(change));
    }
}

fn start(pipeline: &Pipeline) -> (Stop, tokio::task::JoinHandle<()>) {
    let stop = Stop::new();
    let work = tokio::spawn(pipeline.clone().run(stop.clone()));
    (stop, work)
}

fn pipeline(database: &Database, log: &Arc<dyn Log>, rows: &Rows) -> Pipeline {
    Pipeline {
        lane: Lane::from("bench"),
        source: Arc::new(database.clone()),
        log: log.clone(),
        catalog: Arc::new(Notes::default()),
        groups: vec![Group {
            name: "rows".into(),
            service: Arc::new(rows.clone()),
            copies: vec![Copy { name: "copy".into(), of: tables()[0].name.clone() }],
        }],
        limits: Limits::default(),
        instance: Instance { name: "bench".into(), run: 1 },
        board: Board::new(),
    }
}

fn scratch(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let dir = target.join("bench").join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder of our own");
    dir
}

/// A target that keeps rows and its watermark, and nothing else.
#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Kept>>);

type Kept = (BTreeMap<Key, Row>, Option<Watermark>);

impl Rows {
    fn watermark(&self) -> Option<Watermark> {
        self.0.lock().expect("no panic").1.clone()
    }

    fn len(&self) -> usize {
        self.0.lock().expect("no panic").0.len()
    }
}

#[async_trait]
impl Service<dyn Target> for Rows {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Target for Rows {
    fn claim(&self) -> Claim {
        Claim::Transactional
    }

    async fn lead(&mut self, _tenure: &Tenure) -> Result<Leadership, Fault> {
        Ok(Leadership::Held(Epoch(1)))
    }

    async fn watermark(&mut self, _lane: &Lane) -> Result<Option<Watermark>, Fault> {
        Ok(Rows::watermark(self))
    }

    async fn holds(&mut self, _lane: &Lane) -> Result<Vec<Hold>, Fault> {
        Ok(Vec::new())
    }

    async fn apply(&mut self, batch: &Batch, _mode: Mode) -> Result<Outcome, Fault> {
        let mut state = self.0.lock().expect("no panic");
        for write in &batch.writes {
            match &write.effect {
                Effect::Put { key, row, .. } => {
                    state.0.insert(key.clone(), row.clone());
                }
                other => panic!("the bench only inserts: {other:?}"),
            }
        }
        state.1 = Some(batch.watermark.clone());
        Ok(Outcome::Written { durable: true, refused: Vec::new() })
    }
}
