//! One seed: a world of a source, a journal, targets and the engine, its faults, and the verdict.
//!
//! Two phases: while the faults last, every copy must be right at the position it reports; then
//! everything is healed, and every copy must come to equal its source.

use crate::faults::{Fault, Tally};
use crate::oracle::{Invariant, Truths, Violation};
use crate::plants::Plant;
use crate::process::Process;
use crate::random::Random;
use crate::setup::Setup;
use crate::trace::Trace;
use frame::Frame;
use instance::InstanceWorld;
use lane::LaneWorld;
use model::Lane;
use model::attack::{Mark, plant, take_reached, times_reached};
use numbers::NumbersWorld;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use target::TargetWorld;
use tokio::time::{Instant, sleep};

mod blows;
mod frame;
mod healing;
mod instance;
mod lane;
mod last;
mod numbers;
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
    lanes: Vec<LaneWorld>,
    /// A target that all lanes feed.
    shared: Option<TargetWorld>,
    instances: Vec<InstanceWorld>,
    numbers: NumbersWorld,
    step: u64,
    /// Stops with these codes have a cause.
    excused: Vec<&'static str>,
    /// Whether history was lost, so that copies have reason to be bridged.
    is_lost: bool,
    /// Until which step an instance does not reach a target.
    parted: Option<(u64, usize, usize)>,
    /// Stops that the trace has told of.
    told_stops: BTreeSet<String>,
}

impl World {
    fn new(seed: u64, planted: Option<Plant>, trace: &Trace) -> Self {
        let (setup, tally) = (Setup::of(seed), Tally::default());
        let frame = Frame { seed, setup: &setup, planted, tally: &tally, trace };
        let shards = [("a", Some(&setup.groups)), ("b", setup.second_lane.as_ref())];
        let lanes: Vec<_> = shards
            .into_iter()
            .filter_map(|(shard, groups)| Some(LaneWorld::new(shard, groups?, &frame)))
            .collect();
        let names: Vec<_> = lanes.iter().map(|lane| lane.lane.clone()).collect();
        let shared = setup
            .shared
            .as_ref()
            .filter(|_| lanes.len() > 1)
            .map(|group| TargetWorld::new("target-shared", group, &names, &frame));
        let numbers = NumbersWorld::new(&frame);
        let instances = (0..setup.instances())
            .map(|index| {
                let around =
                    lanes.iter().map(|lane| lane.around(index, shared.as_ref(), &frame)).collect();
                let push = numbers.push(index, &setup);
                InstanceWorld::new(index, around, push, &frame)
            })
            .collect::<Vec<_>>();
        for (instance, lane) in
            instances.iter().flat_map(|it| lanes.iter().map(move |lane| (it, lane)))
        {
            let (lane, incarnations) = (&lane.lane, lane.incarnations.clone());
            instance.around.catalog.tell(lane, incarnations, trace);
        }
        Self {
            random: Random::stream(seed, "world"),
            step: 0,
            excused: Vec::new(),
            is_lost: false,
            parted: None,
            told_stops: BTreeSet::new(),
            trace: trace.clone(),
            shared,
            instances,
            numbers,
            setup,
            tally,
            lanes,
        }
    }

    async fn run(&mut self) -> Result<(), Violation> {
        for _ in 0..self.setup.steps_before {
            self.work();
        }
        for index in 0..self.instances.len() {
            self.start(index).await?;
        }
        self.wait_until_captured().await;
        if let Some(index) = self.setup.long_outage {
            self.tally.fired(Fault::Outage);
            self.lanes[0].targets[index].go_away(u64::MAX);
        }
        while self.step < self.setup.steps {
            self.step += 1;
            for _ in 0..self.random.between(1, 3) {
                self.work();
            }
            self.strike().await?;
            sleep(Duration::from_millis(self.random.below(25))).await;
            self.check()?;
            self.mind_the_processes().await?;
            if self.step.is_multiple_of(64) {
                self.check_ledgers()?;
            }
        }
        match self.setup.last_blow {
            None => self.heal().await,
            Some(blow) => self.last_blow(blow).await,
        }
    }

    /// Something happens at one of the sources.
    fn work(&mut self) {
        let index = self.random.index(self.lanes.len());
        let others = self.lanes.iter().enumerate().filter(|(other, _)| *other != index);
        let taken = others.flat_map(|(_, lane)| lane.workload.has()).collect();
        let lane = &mut self.lanes[index];
        lane.workload.step(&mut lane.truth, &taken);
    }

    /// Judges everything that can be seen without disturbing it.
    fn check(&mut self) -> Result<(), Violation> {
        let truths: Truths<'_> = self.lanes.iter().map(|lane| (&lane.lane, &lane.truth)).collect();
        let mut watched: Vec<_> = Vec::new();
        for lane in &self.lanes {
            watched.extend(lane.targets.iter());
        }
        watched.extend(&self.shared);
        let has_cause = self.is_lost || times_reached(Mark::Detached) > 0;
        for target in watched {
            target.judge.borrow_mut().check(&truths)?;
            target.check_bridging(has_cause)?;
            if self.instances.iter().all(|instance| instance.undead.is_none()) {
                let started = self.instances.iter().map(|instance| instance.started).max();
                target.check_retries(&self.setup, started.expect("BUG: there is one"))?;
            }
        }
        self.numbers.check(&self.instances, &truths)?;
        for instance in &self.instances {
            let bytes = instance.around.disk.bytes();
            let most = self.setup.journal.journal_bytes_max;
            if bytes > most + SLACK_BYTES {
                let what = format!("the journal takes {bytes} bytes, {most} are allowed");
                return Err(Violation::new(Invariant::LogIsBounded, what));
            }
        }
        Ok(())
    }

    fn check_ledgers(&self) -> Result<(), Violation> {
        self.targets().try_for_each(|target| target.judge.borrow().check_ledger())
    }

    /// Every target there is.
    fn targets(&self) -> impl Iterator<Item = &TargetWorld> {
        self.lanes.iter().flat_map(|lane| &lane.targets).chain(&self.shared)
    }

    fn targets_mut(&mut self) -> impl Iterator<Item = &mut TargetWorld> {
        self.lanes.iter_mut().flat_map(|lane| &mut lane.targets).chain(&mut self.shared)
    }

    /// Starts an instance on what is durable, and checks that everything promised is there.
    async fn start(&mut self, index: usize) -> Result<(), Violation> {
        self.targets().for_each(TargetWorld::reset_connects);
        let is_alone = self.instances.len() == 1;
        let instance = &mut self.instances[index];
        instance.runs += 1;
        instance.started = Instant::now();
        let opened = match instance.open(&self.setup, &self.trace) {
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
        self.trace.note(format_args!("{index}: run {} starts", instance.runs));
        if !self.excused.contains(&"E-JOURNAL-DAMAGED") {
            for lane in &mut self.lanes {
                let notes = &instance.around.catalog;
                lane.settle_restored(opened.journal.as_ref(), notes).await;
                let notes = &instance.around.catalog;
                lane.check_durable(opened.journal.as_ref(), index, is_alone, notes).await?;
            }
        }
        let runs = instance.runs;
        instance.process = Some(Process::start(&instance.around, &self.setup, runs, opened));
        Ok(())
    }

    /// As an init system would: a process whose journal closed after a failed sync is restarted. As
    /// a person would: deletes that are guarded are allowed once it is clear what happened. Any
    /// other stop needs a cause.
    async fn mind_the_processes(&mut self) -> Result<(), Violation> {
        for index in 0..self.instances.len() {
            self.mind(index).await?;
        }
        Ok(())
    }

    async fn mind(&mut self, index: usize) -> Result<(), Violation> {
        let instance = &self.instances[index];
        let mut restart = false;
        for stopped in instance.stopped() {
            if self.told_stops.insert(stopped.why.clone()) {
                self.trace.note(format_args!("{} stopped: {}", stopped.who, stopped.why));
            }
            if stopped.why.starts_with("E-JOURNAL-DISK") && instance.disk_has_failed() {
                restart = self.excused.is_empty();
            } else if stopped.why.starts_with("E-DELETES-GUARDED") {
                restart |= self.allow_deletes(index, &stopped.lane, &stopped.who);
            } else if !self.excused.iter().any(|code| stopped.why.starts_with(code)) {
                let what = format!("{} stopped: {}", stopped.who, stopped.why);
                return Err(Violation::new(Invariant::NothingStopsWithoutCause, what));
            }
        }
        if restart {
            self.trace.note(format_args!("{index}: the process is restarted"));
            self.kill(index).await;
            self.start(index).await?;
        }
        Ok(())
    }

    /// A person allows a pass to delete; not while an empty server is tried on them.
    fn allow_deletes(&self, index: usize, lane: &Lane, target: &str) -> bool {
        let is_allowed = !self.excused.contains(&"E-DELETES-GUARDED");
        if is_allowed {
            self.instances[index].around.catalog.allow(lane, &target.into());
        }
        is_allowed
    }

    async fn kill(&mut self, index: usize) {
        let instance = &mut self.instances[index];
        if let Some(process) = instance.process.take() {
            process.kill().await;
        }
        instance.around.disk.release_locks();
    }

    async fn wait_until_captured(&self) {
        for _ in 0..2_000 {
            let all = self.lanes.len();
            if self.instances.iter().all(|instance| instance.around.catalog.count() == all) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn tally_disk(&self) {
        for instance in &self.instances {
            let counts = instance.around.disk.counts();
            self.tally.add(Fault::TornWrite, counts.torn_writes);
            self.tally.add(Fault::LostWrite, counts.lost_writes);
            self.tally.add(Fault::LostEntry, counts.lost_entries);
        }
    }
}

/// Headers and the frame that is written last may stand above the journal's bound.
const SLACK_BYTES: u64 = 1_024;
