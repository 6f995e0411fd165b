//! Copies: a memory source through the journal on a real disk to a memory target, in changes a
//! second, for transactions of several sizes. The copy has been filled from an empty table before;
//! every change is captured, synced, read back, planned and applied with its watermark.

use crate::place::{catalog, open, scratch, start};
use async_trait::async_trait;
use engine::{Board, Catalog, Copy, Group, Instance, Limits, Pipeline, WhenFull};
use instep_sim::workload::tables;
use model::{
    Batch, Change, Claim, CopyName, Effect, Epoch, Fault, Key, Lane, Leadership, Log, Mode, Op,
    Outcome, Pass, Row, Service, Standing, Target, Tenure, Value, Watermark,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::memory::database::Database;
use tokio::runtime::Runtime;

const CHANGES: usize = 300_000;
const ROUNDS: usize = 5;

const GLANCE: Duration = Duration::from_millis(1);

/// Prints the table.
pub(crate) fn run(runtime: &Runtime) {
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
    database.define(&tables()[0]);
    let dir = scratch(&format!("copies-{size}-{round}"));
    let (catalog, rows) = (catalog(), Rows::default());
    // The first run only begins the history and ends the pass over nothing.
    let filling = pipeline(&database, open(&dir), &catalog, &rows);
    let (stop, work) = start(&filling);
    while !rows.are_filled() {
        tokio::time::sleep(GLANCE).await;
    }
    stop.ask();
    work.await.expect("it ends");
    drop(filling);
    write(&database, size);
    let end = database.end();
    let following = pipeline(&database, open(&dir), &catalog, &rows);
    let began = Instant::now();
    let (stop, work) = start(&following);
    while rows.watermark().is_none_or(|watermark| watermark.position < end) {
        tokio::time::sleep(GLANCE).await;
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

fn pipeline(
    database: &Database,
    log: Arc<dyn Log>,
    catalog: &Arc<dyn Catalog>,
    rows: &Rows,
) -> Pipeline {
    Pipeline {
        lane: Lane::from("bench"),
        source: Arc::new(database.clone()),
        inspect: Arc::new(database.clone()),
        log,
        catalog: catalog.clone(),
        groups: vec![Group {
            name: "rows".into(),
            service: Arc::new(rows.clone()),
            copies: vec![Copy {
                name: COPY.into(),
                of: tables()[0].name.clone(),
                inspect: None,
                keeps: false,
            }],
            when_full: WhenFull::Wait,
        }],
        counting: None,
        limits: Limits::default(),
        instance: Instance { name: "bench".into(), run: 1 },
        board: Board::new(),
    }
}

const COPY: &str = "copy";

/// A target that keeps rows and where it stands, and nothing else.
#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    rows: BTreeMap<Key, Row>,
    watermark: Option<Watermark>,
    passes: BTreeMap<CopyName, Pass>,
}

impl Rows {
    fn watermark(&self) -> Option<Watermark> {
        self.0.lock().expect("no panic").watermark.clone()
    }

    fn are_filled(&self) -> bool {
        self.0.lock().expect("no panic").passes.get(&COPY.into()) == Some(&Pass::Done)
    }

    fn len(&self) -> usize {
        self.0.lock().expect("no panic").rows.len()
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

    async fn lead(&mut self, _lane: &Lane, _tenure: &Tenure) -> Result<Leadership, Fault> {
        Ok(Leadership::Held(Epoch(1)))
    }

    async fn standing(&mut self, _lane: &Lane) -> Result<Standing, Fault> {
        let kept = self.0.lock().expect("no panic");
        let (watermark, passes) = (kept.watermark.clone(), kept.passes.clone());
        Ok(Standing { watermark, holds: Vec::new(), passes, ..Standing::default() })
    }

    async fn apply(&mut self, batch: &Batch, _mode: Mode) -> Result<Outcome, Fault> {
        let mut kept = self.0.lock().expect("no panic");
        for write in batch.writes.iter() {
            match &write.effect {
                Effect::Put { key, row, .. } => {
                    kept.rows.insert(key.clone(), row.clone());
                }
                other => panic!("the bench only inserts: {other:?}"),
            }
        }
        kept.passes.extend(batch.passes.iter().cloned());
        kept.watermark = Some(batch.watermark.clone());
        Ok(Outcome::Written { flushed: Some(batch.watermark.clone()), refused: Vec::new() })
    }
}
