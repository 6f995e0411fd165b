//! Compares two tables whose stores do not sort keys alike: each is read in its own order, and rows
//! meet in buckets by their keys.
//!
//! Two walks over each side. The first leaves one sum for each bucket; the second keeps the rows of
//! those buckets whose sums differ, and of no more of them at once than fit into memory.

use crate::line::Line;
use crate::matching::Matching;
use crate::pace::Pace;
use crate::plan::Plan;
use crate::progress::{Progress, Stop};
use crate::refused::Side;
use crate::scan::{check_key, divided, find_orphans, listed, told_apart};
use crate::terms::Reference;
use crate::walk::Sample;
use model::digest::key_hash;
use model::{Fault, Key, Mark, Selection, Sum};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Compares in buckets.
pub(crate) struct Scatter {
    /// What each side is asked.
    pub(crate) plan: Arc<Plan>,
    /// To the source.
    pub(crate) source: Line,
    /// To the copy.
    pub(crate) copy: Line,
    /// Where keys go that do not match.
    pub(crate) suspects: mpsc::Sender<Vec<Key>>,
    /// References that the copy's rows have to keep.
    pub(crate) references: Vec<Reference>,
    /// Where rows go that do not.
    pub(crate) orphans: mpsc::Sender<(usize, Key)>,
    /// Which buckets are compared, if not all.
    pub(crate) sample: Option<Sample>,
    /// How many rows are read at once, to begin with and at most.
    pub(crate) rows: [u64; 2],
    /// Who watches.
    pub(crate) progress: Arc<Progress>,
    /// Ends it early.
    pub(crate) stop: Stop,
}

const BUCKETS: usize = 1 << 15;
/// Rows of either side that are kept at once.
const KEPT_MAX: u64 = 100_000;

type Buckets = Vec<Sum>;

impl Scatter {
    /// Compares all there is.
    pub(crate) async fn run(mut self) -> Result<(), Fault> {
        let drawn: Vec<bool> = match &mut self.sample {
            Some(sample) => (0..BUCKETS).map(|it| sample.takes(it + 1 == BUCKETS)).collect(),
            None => vec![true; BUCKETS],
        };
        let (plan, rows, stop) = (Arc::clone(&self.plan), self.rows, self.stop.clone());
        let (mut of_source, mut of_copy) = (new_buckets(), new_buckets());
        let progress = Arc::clone(&self.progress);
        let add = |buckets: &mut Buckets, key: &Key, mark: Mark| {
            let bucket = bucket(key);
            if drawn[bucket] {
                buckets[bucket].add(mark);
            }
            drawn[bucket]
        };
        let mut source =
            Way { line: &mut self.source, plan: &plan, side: Side::Source, rows, stop: &stop };
        let first = source.walk(|key, mark| {
            progress.add_compared(u64::from(add(&mut of_source, &key, mark)));
        });
        let mut copy =
            Way { line: &mut self.copy, plan: &plan, side: Side::Copy, rows, stop: &stop };
        let second = copy.walk(|key, mark| {
            add(&mut of_copy, &key, mark);
        });
        tokio::try_join!(first, second)?;
        self.find_orphans().await?;
        let unlike: Vec<usize> =
            (0..BUCKETS).filter(|&bucket| of_source[bucket] != of_copy[bucket]).collect();
        let mut unlike = unlike.into_iter().peekable();
        while unlike.peek().is_some() && !self.stop.is_told() {
            let (mut is_kept, mut kept) = (vec![false; BUCKETS], 0);
            while let Some(&bucket) = unlike.peek() {
                kept += of_source[bucket].rows.max(of_copy[bucket].rows);
                if kept > KEPT_MAX && is_kept.contains(&true) {
                    break;
                }
                is_kept[bucket] = true;
                unlike.next();
            }
            self.match_buckets(&is_kept).await?;
        }
        Ok(())
    }

    /// Reads both sides again, and compares the rows of some buckets one by one.
    async fn match_buckets(&mut self, is_kept: &[bool]) -> Result<(), Fault> {
        self.progress.does("reading again what does not match");
        let (plan, rows, stop) = (Arc::clone(&self.plan), self.rows, self.stop.clone());
        let (mut of_source, mut of_copy) = (Vec::new(), Vec::new());
        let keep = |kept: &mut Vec<(Key, Mark)>, key: Key, mark| {
            if is_kept[bucket(&key)] {
                kept.push((key, mark));
            }
        };
        let mut source =
            Way { line: &mut self.source, plan: &plan, side: Side::Source, rows, stop: &stop };
        let first = source.walk(|key, mark| keep(&mut of_source, key, mark));
        let mut copy =
            Way { line: &mut self.copy, plan: &plan, side: Side::Copy, rows, stop: &stop };
        let second = copy.walk(|key, mark| keep(&mut of_copy, key, mark));
        tokio::try_join!(first, second)?;
        let mut matching = Matching::of(of_source);
        told_apart(&matching)?;
        let met = of_copy.into_iter().filter_map(|(key, mark)| matching.meet(key, mark));
        let mut unmatched: Vec<Key> = met.collect();
        told_apart(&matching)?;
        unmatched.extend(matching.rest());
        for keys in unmatched.chunks(1_000) {
            // Nobody listens after a fault there, which is told by itself.
            let _ = self.suspects.send(keys.to_vec()).await;
        }
        Ok(())
    }

    async fn find_orphans(&mut self) -> Result<(), Fault> {
        if self.references.is_empty() {
            return Ok(());
        }
        let plan = Arc::clone(&self.plan);
        let mut after = None;
        loop {
            let upto = self.copy.cut(&plan.copy, after.as_ref(), self.rows[0]).await?;
            let of = Selection::Range { after: after.take(), upto: upto.clone() };
            find_orphans(&mut self.copy, &plan, &self.references, &of, &self.orphans).await?;
            match upto {
                Some(upto) if !self.stop.is_told() => after = Some(upto),
                _ => return Ok(()),
            }
        }
    }
}

/// One side, from its first row to its last.
struct Way<'a> {
    line: &'a mut Line,
    plan: &'a Plan,
    side: Side,
    rows: [u64; 2],
    stop: &'a Stop,
}

impl Way<'_> {
    async fn walk(&mut self, mut each: impl FnMut(Key, Mark)) -> Result<(), Fault> {
        let mut pace = Pace::new(self.rows[0], self.rows[1]);
        let mut left = Some(Selection::ALL);
        while let Some(of) = left.take() {
            if self.stop.is_told() {
                return Ok(());
            }
            let began = Instant::now();
            let rows_max = usize::try_from(pace.rows()).unwrap_or(usize::MAX);
            let found = listed(self.line, self.plan, self.side, &of, rows_max).await?;
            pace.took(found.found.len() as u64, began.elapsed());
            let (part, rest) = divided(&of, &found);
            check_key(self.line, self.plan, self.side, &part).await?;
            left = rest;
            found.found.into_iter().for_each(|(key, mark)| each(key, mark));
        }
        Ok(())
    }
}

fn new_buckets() -> Buckets {
    vec![Sum::default(); BUCKETS]
}

fn bucket(key: &Key) -> usize {
    usize::try_from(key_hash(key)).unwrap_or_default() % BUCKETS
}
