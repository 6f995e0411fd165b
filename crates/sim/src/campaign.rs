//! Many seeds over the cores, and what they reached together.
//!
//! A campaign passes only if no seed failed and every fault and every rare state came up often
//! enough: a fault that never fires tests nothing.

use crate::faults::Fault;
use crate::oracle::Violation;
use crate::plants::Plant;
use crate::world::live;
use model::attack::Mark;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Which seeds to live through.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The first seed.
    pub first: u64,
    /// At least so many.
    pub seeds: u64,
    /// Goes on with further seeds until this much time has passed.
    pub go_on_for: Duration,
    /// A planted bug.
    pub plant: Option<Plant>,
    /// Stops at the first failure; with a planted bug, at the first that breaks its promise.
    pub stop_at_first: bool,
}

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Report {
    /// Seeds lived through.
    pub seeds: u64,
    /// Steps taken in all of them.
    pub steps: u64,
    /// How long it took.
    pub took: Duration,
    /// The seeds that failed, lowest first.
    pub failures: BTreeMap<u64, Violation>,
    fired: BTreeMap<Fault, u64>,
    marks: BTreeMap<Mark, u64>,
}

/// Lives through the seeds of a plan.
#[expect(clippy::disallowed_methods, reason = "a campaign is measured from outside its worlds")]
pub fn run(plan: Plan) -> Report {
    let began = Instant::now();
    let next = AtomicU64::new(plan.first);
    let enough = AtomicBool::new(false);
    let report = Mutex::new(Report::default());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - plan.first >= plan.seeds && began.elapsed() >= plan.go_on_for {
                        break;
                    }
                    let outcome = live(seed, plan.plant, false);
                    let mut report = report.lock().expect("BUG: a world panicked");
                    report.seeds += 1;
                    report.steps += outcome.steps;
                    for (fault, times) in outcome.fired {
                        *report.fired.entry(fault).or_default() += times;
                    }
                    for (mark, times) in outcome.marks {
                        *report.marks.entry(mark).or_default() += times;
                    }
                    if let Err(violation) = outcome.verdict {
                        let wanted =
                            |plant: Plant| plant.caught_by().contains(&violation.invariant);
                        let stops = plan.stop_at_first && plan.plant.is_none_or(wanted);
                        report.failures.insert(seed, violation);
                        enough.fetch_or(stops, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut report = report.into_inner().expect("BUG: a world panicked");
    report.took = began.elapsed();
    report
}

impl Report {
    /// The faults and marks that came up less often than they must, with how often both.
    pub fn too_rare(&self) -> Vec<String> {
        let minimum = |per_thousand: u64| (self.seeds * per_thousand / 1_000).max(1);
        let mut rare = Vec::new();
        for &(fault, per_thousand) in FAULTS {
            let fired = self.fired.get(&fault).copied().unwrap_or(0);
            if fired < minimum(per_thousand) {
                rare.push(format!("{fault:?} fired {fired}, at least {}", minimum(per_thousand)));
            }
        }
        for &(mark, per_thousand) in MARKS {
            let reached = self.marks.get(&mark).copied().unwrap_or(0);
            if reached < minimum(per_thousand) {
                rare.push(format!(
                    "{mark:?} reached {reached}, at least {}",
                    minimum(per_thousand)
                ));
            }
        }
        rare
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "faults fired:")?;
        for (fault, times) in &self.fired {
            writeln!(f, "  {times:>10}  {fault:?}")?;
        }
        writeln!(f, "rare states reached:")?;
        for (mark, times) in &self.marks {
            writeln!(f, "  {times:>10}  {mark:?}")?;
        }
        let seconds = self.took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.seeds as f64 / seconds.max(0.001);
        writeln!(
            f,
            "{} seeds, {} steps in {seconds:.1} s ({rate:.0} seeds/s), {} failed",
            self.seeds,
            self.steps,
            self.failures.len()
        )
    }
}

/// How often each fault has to fire in a thousand seeds, at least.
const FAULTS: &[(Fault, u64)] = &[
    (Fault::ArrivedLate, 500),
    (Fault::NeverAnswered, 500),
    (Fault::Undead, 200),
    (Fault::TargetRestored, 20),
    (Fault::Kill, 500),
    (Fault::PowerLoss, 500),
    (Fault::GracefulRestart, 200),
    (Fault::SourceCrash, 300),
    (Fault::SourceForgets, 1_000),
    (Fault::DeliversAgain, 100),
    (Fault::TargetCrash, 500),
    (Fault::Outage, 200),
    (Fault::Refused, 1_000),
    (Fault::ReplyLost, 1_000),
    (Fault::Slow, 1_000),
    (Fault::HalfApplied, 200),
    (Fault::SyncError, 100),
    (Fault::DiskFull, 100),
    (Fault::TornWrite, 50),
    (Fault::LostWrite, 50),
    (Fault::LostEntry, 20),
    (Fault::BitFlip, 8),
    (Fault::HistoryGone, 10),
    (Fault::OtherServer, 10),
    (Fault::EmptyServer, 10),
    (Fault::Parted, 100),
    (Fault::TakenOver, 20),
    (Fault::SlotLost, 100),
    (Fault::SourceRestored, 50),
    (Fault::StateLost, 100),
    (Fault::CatalogLost, 20),
    (Fault::KeyMoved, 50),
];

/// How often each rare state has to be reached in a thousand seeds, at least.
const MARKS: &[(Mark, u64)] = &[
    (Mark::TornTailCut, 10),
    // Once in a campaign: it takes a power loss between two syncs of a new segment.
    (Mark::EmptySegmentRemoved, 0),
    (Mark::StagedPartsDropped, 10),
    (Mark::DamageRefused, 2),
    (Mark::SyncFailed, 50),
    (Mark::JournalFull, 50),
    (Mark::SegmentTrimmed, 1_000),
    (Mark::StagedAdopted, 500),
    (Mark::SubAborted, 20),
    (Mark::ReadGone, 5),
    (Mark::RedeliverySkipped, 20),
    (Mark::HistoryLost, 20),
    (Mark::LostReplyFoundWritten, 200),
    (Mark::LostReplyFoundUnwritten, 200),
    (Mark::LargeTransactionApplied, 200),
    (Mark::WatermarkInside, 100),
    (Mark::WatermarkWentBack, 20),
    (Mark::RowHeld, 100),
    (Mark::HeldKeyChangedAgain, 100),
    (Mark::HoldOnKeyChange, 5),
    (Mark::HoldReleased, 20),
    (Mark::HoldPassed, 200),
    (Mark::Coalesced, 1_000),
    (Mark::OldWriterRefused, 5),
    (Mark::LeaseGivenBack, 500),
    (Mark::TaskRestarted, 1_000),
    (Mark::KeysSentBack, 1_000),
    (Mark::LaidOver, 100),
    (Mark::TouchedOverflow, 500),
    (Mark::SourceMarked, 500),
    (Mark::SourceAdopted, 10),
    (Mark::GapDeclared, 100),
    (Mark::GoneBridged, 5),
    (Mark::DeletesGuarded, 10),
    (Mark::PassDone, 1_000),
    (Mark::TruncateBesidePass, 500),
    (Mark::Detached, 10),
    (Mark::StateRebuilt, 100),
    (Mark::RowUnknown, 5),
    (Mark::PushedAnew, 50),
    (Mark::RowOfAnotherLane, 5),
];
