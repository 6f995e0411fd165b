//! One seed: a world of a source, a journal, targets and the engine, its faults, and the verdict.
//!
//! Two phases: while the faults last, every copy must be right at the position it reports; then
//! everything is healed, and every copy must come to equal its source.

use crate::faults::{Fault, Moody, Tally};
use crate::oracle::{Invariant, Judge, Kind, Truth, Violation, Watched, check_log};
use crate::plants::Plant;
use crate::process::{Around, Notes, Opened, Process};
use crate::random::Random;
use crate::setup::{GroupSetup, Setup};
use crate::trace::Trace;
use crate::workload::{Workload, is_poison, tables};
use engine::{Copy, Group};
use model::attack::{Mark, plant, take_reached};
use model::{Claim, Code, Lane, Log};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use testkit::disk::FaultyDisk;
use testkit::faulty::Faulty;
use testkit::memory::database::Database;
use testkit::memory::store::{Manners, Rule, Store};
use tokio::time::{Instant, sleep};

mod blows;
mod healing;

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
        let words = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        (
            Err(Violation::new(Invariant::NothingPanics, words)),
            BTreeMap::new(),
            0,
        )
    });
    plant(None);
    let (trace, words) = (trace.hash(), trace.lines());
    Outcome {
        seed,
        verdict,
        fired,
        marks: take_reached(),
        steps,
        trace,
        words,
    }
}

/// Everything there is in one world.
struct World {
    setup: Setup,
    random: Random,
    tally: Tally,
    trace: Trace,
    database: Database,
    source_mood: Arc<Moody>,
    around: Around,
    targets: Vec<TargetWorld>,
    workload: Workload,
    truth: Truth,
    process: Option<Process>,
    /// A process that is taken for dead, and until which step it goes on.
    undead: Option<(Process, u64)>,
    /// How often the process was started.
    runs: u64,
    started: Instant,
    step: u64,
    /// When the disk takes writes again.
    full_until: Option<u64>,
    /// Stops with these codes have a cause.
    excused: Vec<&'static str>,
    /// Stops that the trace has told of.
    told_stops: BTreeSet<String>,
}

/// One target of a world.
struct TargetWorld {
    setup: GroupSetup,
    store: Store,
    mood: Arc<Moody>,
    judge: Judge,
    /// Until which step it stays away, and since when it has been.
    away: Option<(u64, Instant)>,
}

impl World {
    fn new(seed: u64, planted: Option<Plant>, trace: &Trace) -> Self {
        let setup = Setup::of(seed);
        let tally = Tally::default();
        let lane = Lane::from("questions/a");
        let database = Database::new("server-1");
        database.deliver_again(setup.delivers_again);
        let source_mood = Moody::new("source", seed, setup.source_mood, &tally, trace);
        let mut targets = Vec::new();
        let mut groups = Vec::new();
        for (index, group) in setup.groups.iter().enumerate() {
            let name = format!("target-{index}");
            let mood = Moody::new(&name, seed, group.mood, &tally, trace);
            let (target, group) = target(&name, group, &lane, mood, planted);
            targets.push(target);
            groups.push(group);
        }
        let around = Around {
            lane,
            disk: Arc::new(FaultyDisk::new()),
            catalog: Arc::new(Notes::default()),
            source: Faulty::source(Arc::new(database.clone()), source_mood.clone()),
            groups,
            plant: planted,
            seed,
        };
        Self {
            random: Random::stream(seed, "world"),
            workload: Workload::new(seed, &database, &setup, trace),
            truth: Truth::default(),
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
            database,
            source_mood,
            around,
            targets,
        }
    }

    async fn run(&mut self) -> Result<(), Violation> {
        self.start().await?;
        // The first history begins on an empty source.
        self.wait_until_captured().await;
        if let Some(index) = self.setup.long_outage {
            self.tally.fired(Fault::Outage);
            self.targets[index].go_away(u64::MAX);
        }
        while self.step < self.setup.steps {
            self.step += 1;
            for _ in 0..self.random.between(1, 3) {
                self.workload.step(&mut self.truth);
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
        for target in &self.targets {
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
        self.check_durable(opened.journal.as_ref()).await?;
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

    /// P1: what was confirmed, and what any target holds, is in the log that was just opened.
    async fn check_durable(&self, journal: &dyn Log) -> Result<(), Violation> {
        if !self.excused.is_empty() {
            return Ok(());
        }
        let lane = &self.around.lane;
        let failed = |invariant, what: String| Err(Violation::new(invariant, what));
        let bounds = match journal.bounds(lane).await {
            Ok(bounds) => bounds,
            Err(fault) => {
                let what = format!("the journal opened and cannot be read: {fault}");
                return failed(Invariant::NothingStopsWithoutCause, what);
            }
        };
        let last = bounds.last.as_ref().map(|last| &last.position);
        let confirmed = self.database.confirmed();
        if confirmed.to_number() > Some(0) && Some(&confirmed) > last {
            let what = format!("{confirmed:?} is confirmed, the log ends at {last:?}");
            return failed(Invariant::ConfirmedIsDurable, what);
        }
        for target in &self.targets {
            let watermark = target.store.look(|kept| kept.watermarks.get(lane).cloned());
            if watermark.as_ref().map(|it| &it.position) > last {
                let what = format!(
                    "{:?} has {watermark:?}, the log ends at {last:?}",
                    target.name()
                );
                return failed(Invariant::AppliedIsDurable, what);
            }
        }
        check_log(journal, lane, &self.truth).await
    }

    /// Judges everything that can be seen without disturbing it.
    fn check(&mut self) -> Result<(), Violation> {
        for target in &mut self.targets {
            target.judge.check(&self.truth)?;
            if self.undead.is_none() {
                target.check_retries(&self.setup, self.started)?;
            }
        }
        let (bytes, most) = (
            self.around.disk.bytes(),
            self.setup.journal.journal_bytes_max,
        );
        if bytes > most + SLACK_BYTES {
            let what = format!("the journal takes {bytes} bytes, {most} are allowed");
            return Err(Violation::new(Invariant::LogIsBounded, what));
        }
        Ok(())
    }

    fn check_ledgers(&self) -> Result<(), Violation> {
        self.targets
            .iter()
            .try_for_each(|target| target.judge.check_ledger())
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
                self.trace
                    .note(format_args!("{} stopped: {}", stopped.who, stopped.why));
            }
            if stopped.why.starts_with("E-JOURNAL-DISK") {
                restart = true;
            } else if !self
                .excused
                .iter()
                .any(|code| stopped.why.starts_with(code))
            {
                let what = format!("{} stopped: {}", stopped.who, stopped.why);
                return Err(Violation::new(Invariant::NothingStopsWithoutCause, what));
            }
        }
        if restart && self.excused.is_empty() {
            self.trace.note(format_args!(
                "the journal closed itself; the process is restarted"
            ));
            self.kill().await;
            self.start().await?;
        }
        Ok(())
    }

    async fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill().await;
        }
        self.around.disk.release_locks();
    }

    async fn wait_until_captured(&self) {
        for _ in 0..2_000 {
            if !self.around.catalog.is_empty() {
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

impl TargetWorld {
    fn name(&self) -> &str {
        &self.judge.watched().name
    }

    fn go_away(&mut self, until: u64) {
        self.mood.set_away(true);
        self.away = Some((until, Instant::now()));
    }

    fn come_back(&mut self) {
        self.mood.set_away(false);
        self.away = None;
    }

    /// P10: while a target is away, the connections asked for are no more than the budget of
    /// retries, and one for each longest pause.
    fn check_retries(&self, setup: &Setup, process_started: Instant) -> Result<(), Violation> {
        let Some((_, since)) = self.away else {
            return Ok(());
        };
        let since = since.max(process_started);
        let pauses = since.elapsed().as_millis() / setup.limits.retry_pause_max.as_millis();
        let most =
            u64::from(setup.limits.retry_budget_max) + 3 + u64::try_from(pauses).unwrap_or(0);
        if self.mood.connects() > most {
            let what = format!("{} was asked {} times", self.name(), self.mood.connects());
            return Err(Violation::new(Invariant::RetriesAreBounded, what));
        }
        Ok(())
    }
}

/// A target, and the group that the engine is given for it.
fn target(
    name: &str,
    setup: &GroupSetup,
    lane: &Lane,
    mood: Arc<Moody>,
    planted: Option<Plant>,
) -> (TargetWorld, Group) {
    let refuses = setup.refuses;
    let rule: Rule = Arc::new(move |row| {
        (refuses && is_poison(row)).then(|| "the value is not allowed".to_owned())
    });
    let manners = Manners {
        claim: setup.claim,
        flush_every: setup.flush_every,
        rule: rule.clone(),
    };
    let store = Store::new(manners);
    let copies: Vec<_> = tables()
        .iter()
        .take(if setup.both_tables { 2 } else { 1 })
        .map(|table| Copy {
            name: format!("{}-copy", table.name).as_str().into(),
            of: table.name.clone(),
        })
        .collect();
    let watched = Watched {
        name: name.to_owned(),
        lane: lane.clone(),
        store: store.clone(),
        copies: copies
            .iter()
            .map(|copy| (copy.name.clone(), copy.of.clone()))
            .collect(),
        kind: match setup.claim {
            Claim::Transactional => Kind::Exact,
            Claim::Versioned | Claim::Idempotent => Kind::PerKey,
        },
        rule,
    };
    let service = Plant::on_target(planted, Arc::new(store.clone()));
    let service = Faulty::target(service, mood.clone());
    let group = Group {
        name: name.into(),
        service,
        copies,
    };
    let judge = Judge::new(watched);
    (
        TargetWorld {
            setup: setup.clone(),
            store,
            mood,
            judge,
            away: None,
        },
        group,
    )
}
