//! Run: a comparison under way, from the first stretch to the verdict.

use crate::line::{Line, Manners};
use crate::numbers::Numbers;
use crate::orphans::{Orphaned, Orphans};
use crate::pace::Pace;
use crate::plan::Plan;
use crate::prepared::Prepared;
use crate::progress::{Progress, Stop};
use crate::refused::Side;
use crate::scan::{Scan, check_key};
use crate::scatter::Scatter;
use crate::settle::{KEYS_FIRST, Settle, Settled};
use crate::suspect::Waits;
use crate::terms::{Scope, Terms};
use crate::verdict::{Method, Unread, Verdict};
use crate::walk::{Sample, Walk};
use model::{Fault, Selection};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

impl Prepared {
    /// Compares. Whatever happens there is a verdict, which says what was not compared.
    pub async fn run(self, progress: &Arc<Progress>, stop: &Stop) -> Verdict {
        Run::new(self, progress, stop).run().await
    }
}

/// A comparison under way.
struct Run {
    prepared: Prepared,
    manners: Manners,
    waits: Waits,
    stop: Stop,
    settled: Settled,
    orphaned: Orphaned,
    faults: Vec<Fault>,
}

/// Stretches that are cut ahead, and answers that wait to be looked at again.
const AHEAD: usize = 8;
/// How many rows a stretch has, to begin with and at most. Nobody knows yet how large they are.
const ROWS: u64 = 1_000;
const ROWS_MAX: u64 = 10_000;
/// When only some are drawn they are shorter, so that more of them are.
const ROWS_DRAWN: u64 = 500;

impl Run {
    /// One that has not read anything.
    fn new(prepared: Prepared, progress: &Arc<Progress>, stop: &Stop) -> Self {
        let Terms { load, patience, settle, .. } = prepared.terms;
        let (progress, stop) = (Arc::clone(progress), stop.clone());
        Self {
            manners: Manners { load, patience, progress, stop: stop.clone() },
            waits: Waits { settle, patience },
            prepared,
            stop,
            settled: Settled::default(),
            orphaned: Orphaned::default(),
            faults: Vec::new(),
        }
    }

    /// Compares, to the end or as far as it may.
    async fn run(mut self) -> Verdict {
        let began = Instant::now();
        let compared = match self.prepared.method {
            Method::Counts => self.compare_numbers().await,
            Method::Sums | Method::Rows => {
                self.compare_rows().await;
                self.manners.progress.compared()
            }
        };
        self.into_verdict(compared, began)
    }

    fn line(&self, side: Side) -> Line {
        let end = match side {
            Side::Source => &self.prepared.source,
            Side::Copy => &self.prepared.copy,
        };
        Line::new(Arc::clone(&end.store), side, self.manners.clone())
    }

    async fn compare_numbers(&mut self) -> u64 {
        let numbers = Numbers {
            plan: Arc::new(self.prepared.plan.clone()),
            source: self.line(Side::Source),
            copy: self.line(Side::Copy),
            value: self.prepared.terms.counts.as_ref().and_then(|counts| counts.value.clone()),
            waits: self.waits,
            listed_max: self.prepared.terms.listed_max,
            progress: Arc::clone(&self.manners.progress),
            stop: self.stop.clone(),
        };
        let (groups, settled) = numbers.run().await;
        self.settled = settled;
        groups
    }

    async fn compare_rows(&mut self) {
        let terms = &self.prepared.terms;
        let plan = Arc::new(self.prepared.plan.clone());
        if let Err(fault) = self.check_nulls(&plan).await {
            self.faults.push(fault);
            return;
        }
        let progress = &self.manners.progress;
        let is_all = matches!(terms.scope, Scope::All) && plan.source.condition.is_none();
        progress.expect(self.prepared.rows.filter(|_| is_all).unwrap_or(0));
        progress.does("comparing");
        let (rows, rows_max) = match terms.scope {
            Scope::Sample(_) => (ROWS_DRAWN, ROWS_DRAWN),
            _ => (ROWS, ROWS_MAX),
        };
        let pace = Arc::new(Mutex::new(Pace::new(rows, rows_max)));
        // Ends the others when one fails; they are not told to stop by a person.
        let halt = Stop::default();
        let (stretches, next) = mpsc::channel(AHEAD);
        let (suspects, suspected) = mpsc::channel(AHEAD);
        let (orphans, orphaned) = mpsc::channel(AHEAD * 100);
        let settling = tokio::spawn(self.settle(&plan).run(suspected));
        let orphaning = tokio::spawn(self.orphans(&plan).run(orphaned));
        let next = Arc::new(tokio::sync::Mutex::new(next));
        let mut tasks = JoinSet::new();
        let is_sorted_alike = self.prepared.is_sorted_alike;
        if is_sorted_alike {
            tasks.spawn(self.walk(&plan, &pace, &halt).run(stretches));
        } else {
            let scatter = Scatter {
                plan: Arc::clone(&plan),
                source: self.line(Side::Source),
                copy: self.line(Side::Copy),
                suspects: suspects.clone(),
                references: terms.references.clone(),
                orphans: orphans.clone(),
                sample: self.sample(),
                rows: [rows, rows_max],
                progress: Arc::clone(progress),
                stop: halt.clone(),
            };
            tasks.spawn(scatter.run());
        }
        for _ in 0..if is_sorted_alike { terms.connections.max(1) } else { 0 } {
            let scan = Scan {
                plan: Arc::clone(&plan),
                source: self.line(Side::Source),
                copy: self.line(Side::Copy),
                stretches: Arc::clone(&next),
                suspects: suspects.clone(),
                references: terms.references.clone(),
                orphans: orphans.clone(),
                pace: Arc::clone(&pace),
                progress: Arc::clone(progress),
                stop: halt.clone(),
                unlike: 0,
            };
            tasks.spawn(scan.run());
        }
        drop((suspects, orphans, next));
        self.watch(tasks, &halt).await;
        self.settled = settling
            .await
            .unwrap_or_else(|error| Settled { fault: Some(broken(&error)), ..Settled::default() });
        self.orphaned = orphaning.await.unwrap_or_else(|error| Orphaned {
            fault: Some(broken(&error)),
            ..Orphaned::default()
        });
    }

    /// Waits for everyone who reads, and passes on that it is to stop.
    async fn watch(&mut self, mut tasks: JoinSet<Result<(), Fault>>, halt: &Stop) {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            tokio::select! {
                ended = tasks.join_next() => match ended {
                    None => return,
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(fault))) => {
                        self.faults.push(fault);
                        halt.now();
                    }
                    Some(Err(error)) => {
                        self.faults.push(broken(&error));
                        halt.now();
                    }
                },
                _ = ticks.tick() => {
                    if self.stop.is_told() {
                        halt.now();
                    }
                }
            }
        }
    }

    fn walk(&self, plan: &Arc<Plan>, pace: &Arc<Mutex<Pace>>, halt: &Stop) -> Walk {
        Walk {
            plan: Arc::clone(plan),
            source: self.line(Side::Source),
            copy: self.line(Side::Copy),
            pace: Arc::clone(pace),
            sample: self.sample(),
            stop: halt.clone(),
        }
    }

    fn sample(&self) -> Option<Sample> {
        match self.prepared.terms.scope {
            Scope::Sample(percent) => {
                Some(Sample { percent, state: self.prepared.terms.seed, has_any: false })
            }
            _ => None,
        }
    }

    fn settle(&self, plan: &Arc<Plan>) -> Settle {
        Settle {
            plan: Arc::clone(plan),
            source: self.line(Side::Source),
            copy: self.line(Side::Copy),
            waits: self.waits,
            listed_max: self.prepared.terms.listed_max,
            keys_max: KEYS_FIRST,
            progress: Arc::clone(&self.manners.progress),
            stop: self.stop.clone(),
        }
    }

    fn orphans(&self, plan: &Arc<Plan>) -> Orphans {
        Orphans {
            plan: Arc::clone(plan),
            copy: self.line(Side::Copy),
            references: self.prepared.terms.references.clone(),
            waits: self.waits,
            listed_max: self.prepared.terms.listed_max,
            stop: self.stop.clone(),
        }
    }

    /// Rows without a key are in no stretch.
    async fn check_nulls(&self, plan: &Plan) -> Result<(), Fault> {
        for side in [Side::Source, Side::Copy] {
            check_key(&mut self.line(side), plan, side, &Selection::Nothing).await?;
        }
        Ok(())
    }

    fn into_verdict(self, compared: u64, began: Instant) -> Verdict {
        let Prepared { agreement, terms, position, method, .. } = self.prepared;
        let is_whole = self.faults.is_empty();
        let faults = self.faults.into_iter().chain(self.settled.fault).chain(self.orphaned.fault);
        let sampled = match terms.scope {
            Scope::Sample(percent) => Some(percent),
            _ => None,
        };
        // Nothing is said of a table of which nothing was looked at.
        let nothing = || Fault::stop(model::Code::NotMeasured, "the sample has no row in it");
        let is_empty = sampled.is_some() && compared == 0 && is_whole;
        let faults = faults.chain(is_empty.then(nothing));
        let unread = faults.map(|why| Unread { what: "rows".to_owned(), why });
        let mut differences = self.settled.listed;
        let room = terms.listed_max.saturating_sub(differences.len());
        differences.extend(self.orphaned.listed.into_iter().take(room));
        Verdict {
            compared,
            missing: self.settled.missing,
            extra: self.settled.extra,
            different: self.settled.different,
            orphans: self.orphaned.rows,
            unsettled: self.settled.unsettled + self.orphaned.unsettled,
            unread: agreement.unread.into_iter().chain(unread).collect(),
            position,
            differences,
            agreed: agreement.agreed,
            alone: agreement.alone,
            method,
            settle: terms.settle,
            is_partial: self.stop.is_told(),
            sampled,
            took: began.elapsed(),
        }
    }
}

fn broken(error: &tokio::task::JoinError) -> Fault {
    Fault::stop(model::Code::Broken, format!("a task of the comparison has ended: {error}"))
}
