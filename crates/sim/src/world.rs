//! One seed: a world of a source, a journal, targets and the engine, its faults, and the verdict.
//!
//! Two phases: while the faults last, every copy must be right at the position it reports; then
//! everything is healed, and every copy must come to equal its source.

use crate::faults::{Fault, Tally};
use crate::oracle::{Invariant, Violation};
use crate::plants::Plant;
use crate::process::{Around, Notes, Opened, Process};
use crate::random::Random;
use crate::setup::Setup;
use crate::trace::Trace;
use frame::Frame;
use lane::LaneWorld;
use model::Code;
use model::attack::{Mark, plant, take_reached};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use testkit::disk::FaultyDisk;
use tokio::time::{Instant, sleep};

mod blows;
mod frame;
mod healing;
mod lane;
mod target;

/// What came of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The broken promise, if any.
    pub verdict: Result<(), Violation>,
    /// The faults that fired.
    pub fired: BTreeMap<Fault, u64>,
    /// The rare states that were reached.
    pub marks: BTreeMap<Mark, u64>,
    /// Steps taken.
    pub steps: u64,
    /// The hash of everything that happened.
    pub trace: u64,
    /// Everything that happened in words, if they were wanted.
    pub words: Vec<String>,
}

/// Lives through one seed.
pub fn live(seed: u64, planted: Option<Plant>, in_words: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("BUG: a runtime without IO starts");
    plant(planted.and_then(Plant::bug));
    take_reached();
    let trace = runtime.block_on(async { Trace::new(in_words) });
    let lived = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut world = World::new(seed, planted, &trace);
            let verdict = world.run().await;
            world.tally_disk();
            (verdict, world.tally.all(), world.step)
        })
    }));
    let (verdict, fired, steps) = lived.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let words = words.unwrap_or_default();
        (Err(Violation::new(Invariant::NothingPanics, words)), BTreeMap::new(), 0)
    });
    plant(None);
    let (trace, words) = (trace.hash(), trace.lines());
    Outcome { seed, verdict, fired, marks: take_reached(), steps, trace, words }
}

/// Everything there is in one world.
struct World {
    setup: Setup,
    random: Random,
    tally: Tally,
    trace: Trace,
    around: Around,
    lanes: Vec<LaneWorld>,
    process: Option<Process>,
    /// A process that is taken for dead, and until which step it goes on.
    undead: Option<(Process, u64)>,
    /// How often the process was started.
    runs: u64,
    /// Since when connections are counted.
    started: Instant,
    step: u64,
    /// When the disk takes writes again.
    full_until: Option<u64>,
    /// Stops with these codes have a cause.
    excused: Vec<&'static str>,
    /// Stops that the trace has told of.
    told_stops: BTreeSet<String>,
}

impl World {
    fn new(seed: u64, planted: Option<Plant>, trace: &Trace) -> Self {
        let (setup, tally) = (Setup::of(seed), Tally::default());
        let frame = Frame { seed, setup: &setup, planted, tally: &tally, trace };
        let shards = [("a", Some(&setup.groups)), ("b", setup.second_lane.as_ref())];
        let (lanes, given) = shards
            .into_iter()
            .filter_map(|(shard, groups)| Some(LaneWorld::new(shard, groups?, &frame)))
            .unzip();
        let around = Around {
            lanes: given,
            disk: Arc::new(FaultyDisk::new()),
            catalog: Arc::new(Notes::default()),
            plant: planted,
            seed,
        };
        Self {
            random: Random::stream(seed, "world"),
            process: None,
            undead: None,
            runs: 0,
            started: Instant::now(),
            step: 0,
            full_until: None,
            excused: Vec::new(),
            told_stops: BTreeSet::new(),
            trace: trace.clone(),
            setup,
            tally,
            around,
            lanes,
        }
    }

    async fn run(&mut self) -> Result<(), Violation> {
        self.start().await?;
        // The first history begins on an empty source.
        self.wait_until_captured().await;
        if let Some(index) = self.setup.long_outage {
            self.tally.fired(Fault::Outage);
            self.lanes[0].targets[index].go_away(u64::MAX);
        }
        while self.step < self.setup.steps {
            self.step += 1;
            for _ in 0..self.random.between(1, 3) {
                let index = self.random.index(self.lanes.len());
                let lane = &mut self.lanes[index];
                lane.workload.step(&mut lane.truth);
            }
            self.strike().await?;
            sleep(Duration::from_millis(self.random.below(25))).await;
            self.check()?;
            self.mind_the_process().await?;
            if self.step.is_multiple_of(64) {
                self.check_ledgers()?;
            }
        }
        match self.setup.last_blow {
            None => self.heal().await,
            Some(blow) => self.last_blow(blow).await,
        }
    }

    /// Starts the process on what is durable, and checks that everything promised is there.
    async fn start(&mut self) -> Result<(), Violation> {
        self.runs += 1;
        self.started = Instant::now();
        for target in self.lanes.iter().flat_map(|lane| &lane.targets) {
            target.mood.reset_connects();
        }
        let opened = match self.open() {
            Ok(opened) => opened,
            Err(fault) if self.excused.contains(&fault.code.name()) => {
                self.trace.note(format_args!("start refused: {fault}"));
                return Ok(());
            }
            Err(fault) => {
                let what = format!("the journal did not open: {fault}");
                return Err(Violation::new(Invariant::NothingStopsWithoutCause, what));
            }
        };
        self.trace.note(format_args!("run {} starts", self.runs));
        if self.excused.is_empty() {
            for lane in &self.lanes {
                lane.check_durable(opened.journal.as_ref()).await?;
            }
        }
        self.process = Some(Process::start(&self.around, &self.setup, self.runs, opened));
        Ok(())
    }

    /// Opens the journal; a sync that fails meanwhile is answered as an init system would.
    fn open(&mut self) -> Result<Opened, model::Fault> {
        match Process::open(&self.around, &self.setup, self.runs) {
            Err(fault) if fault.code == Code::JournalDisk => {
                self.trace.note(format_args!("opened again after {fault}"));
                self.around.disk.release_locks();
                Process::open(&self.around, &self.setup, self.runs)
            }
            opened => opened,
        }
    }

    /// Judges everything that can be seen without disturbing it.
    fn check(&mut self) -> Result<(), Violation> {
        for lane in &mut self.lanes {
            for target in &mut lane.targets {
                target.judge.check(&lane.truth)?;
                if self.undead.is_none() {
                    target.check_retries(&self.setup, self.started)?;
                }
            }
        }
        let (bytes, most) = (self.around.disk.bytes(), self.setup.journal.journal_bytes_max);
        if bytes > most + SLACK_BYTES {
            let what = format!("the journal takes {bytes} bytes, {most} are allowed");
            return Err(Violation::new(Invariant::LogIsBounded, what));
        }
        Ok(())
    }

    fn check_ledgers(&self) -> Result<(), Violation> {
        let targets = self.lanes.iter().flat_map(|lane| &lane.targets);
        targets.map(|target| &target.judge).try_for_each(|judge| judge.check_ledger())
    }

    /// As an init system would: a process whose journal closed after a failed sync is restarted.
    /// Any other stop needs a cause.
    async fn mind_the_process(&mut self) -> Result<(), Violation> {
        let Some(process) = &self.process else {
            return Ok(());
        };
        let mut restart = false;
        for stopped in process.stopped() {
            if self.told_stops.insert(stopped.why.clone()) {
                self.trace.note(format_args!("{} stopped: {}", stopped.who, stopped.why));
            }
            if stopped.why.starts_with("E-JOURNAL-DISK") && self.disk_has_failed() {
                restart = true;
            } else if !self.excused.iter().any(|code| stopped.why.starts_with(code)) {
                let what = format!("{} stopped: {}", stopped.who, stopped.why);
                return Err(Violation::new(Invariant::NothingStopsWithoutCause, what));
            }
        }
        if restart && self.excused.is_empty() {
            self.trace.note(format_args!("the journal closed itself; the process is restarted"));
            self.kill().await;
            self.start().await?;
        }
        Ok(())
    }

    /// Whether the disk ever gave the journal a reason to close itself.
    fn disk_has_failed(&self) -> bool {
        let counts = self.around.disk.counts();
        counts.failed_syncs + counts.failed_writes + counts.without_power > 0
    }

    async fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill().await;
        }
        self.around.disk.release_locks();
    }

    async fn wait_until_captured(&self) {
        for _ in 0..2_000 {
            if self.around.catalog.count() == self.lanes.len() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn tally_disk(&self) {
        let counts = self.around.disk.counts();
        self.tally.add(Fault::TornWrite, counts.torn_writes);
        self.tally.add(Fault::LostWrite, counts.lost_writes);
        self.tally.add(Fault::LostEntry, counts.lost_entries);
    }
}

/// Headers and the frame that is written last may stand above the journal's bound.
const SLACK_BYTES: u64 = 1_024;
