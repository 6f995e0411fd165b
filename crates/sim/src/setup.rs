//! What a seed switches on: each kind of fault is off in some worlds, rare in some and frequent in
//! others, because a fault that is always on hides what happens without it.

use crate::faults::Mood;
use crate::random::Random;
use engine::Limits;
use journal::Options;
use model::Claim;
use std::time::Duration;

/// One world's parameters, all from its seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many steps it takes before it is healed.
    pub steps: u64,
    /// Keys per table.
    pub keys: u64,
    /// Rows that a transaction changes at most.
    pub changes_max: u64,
    /// Per thousand rows, those that some stores refuse.
    pub poison: u64,
    /// Whether a restarted source delivers again what was not confirmed.
    pub delivers_again: bool,
    /// The targets of the first lane.
    pub groups: Vec<GroupSetup>,
    /// The targets of a second lane over the same journal.
    pub second_lane: Option<Vec<GroupSetup>>,
    /// A target whose copies both lanes feed.
    pub shared: Option<GroupSetup>,
    /// Whether a second instance works over the same sources and targets.
    pub second_instance: bool,
    /// Whether rows are counted.
    pub counts: bool,
    /// A store that a count is pushed to.
    pub push: Option<GroupSetup>,
    /// What happens at the source before anybody follows it.
    pub steps_before: u64,
    /// How often what happens, per thousand steps.
    pub rates: Rates,
    /// How the source answers.
    pub source_mood: Mood,
    /// The engine's bounds.
    pub limits: Limits,
    /// The journal's bounds.
    pub journal: Options,
    /// A target that stays away until the others have converged.
    pub long_outage: Option<usize>,
    /// A last blow, after which nothing can converge but everything must be declared.
    pub last_blow: Option<LastBlow>,
}

/// One target.
#[derive(Clone, Debug)]
pub struct GroupSetup {
    /// What it promises.
    pub claim: Claim,
    /// One of how many commits is flushed.
    pub flush_every: u64,
    /// Whether it refuses poisoned rows.
    pub refuses: bool,
    /// Whether it copies both tables.
    pub both_tables: bool,
    /// How it answers.
    pub mood: Mood,
}

/// How often what happens, per thousand steps.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// The process is killed.
    pub kill: u64,
    /// The machine loses power.
    pub power_loss: u64,
    /// The process is taken for dead.
    pub undead: u64,
    /// The process is stopped and started.
    pub restart: u64,
    /// The source crashes.
    pub source_crash: u64,
    /// The source forgets what it may.
    pub forget: u64,
    /// A target crashes.
    pub target_crash: u64,
    /// A target goes away for a while.
    pub outage: u64,
    /// A target without transactions stops half-way through a batch.
    pub half_applied: u64,
    /// The next sync fails.
    pub sync_error: u64,
    /// The disk is full for a while.
    pub disk_full: u64,
    /// One instance does not reach a target for a while.
    pub parting: u64,
    /// The source forgets what was not confirmed.
    pub slot_lost: u64,
    /// A backup of the source is restored.
    pub source_restored: u64,
    /// State is lost.
    pub state_lost: u64,
    /// The catalog is lost.
    pub catalog_lost: u64,
}

/// What ends a world for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBlow {
    /// A synced byte of the journal changes.
    BitFlip,
    /// The source forgets what nobody confirmed.
    HistoryGone,
    /// Another server answers at the source's address, and is adopted.
    OtherServer,
    /// Another server answers at the source's address, is adopted, and is empty.
    EmptyServer,
    /// A target comes back as it was long ago, before what the log still has.
    TargetRestored,
    /// A target comes back without anything, and the instance that fills it dies half-way.
    TakeOver,
}

impl Setup {
    /// The parameters of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::stream(seed, "setup");
        let random = &mut random;
        let groups: Vec<_> = (0..random.between(1, 3)).map(|_| GroupSetup::of(random)).collect();
        let long_outage =
            (groups.len() > 1 && random.chance(150)).then(|| random.index(groups.len()));
        let second_instance = random.chance(250);
        let last_blow = match random.below(24) {
            draw if second_instance => (draw < 12).then_some(LastBlow::TakeOver),
            0 => Some(LastBlow::BitFlip),
            1 => Some(LastBlow::HistoryGone),
            2 => Some(LastBlow::OtherServer),
            3 => Some(LastBlow::TargetRestored),
            4 => Some(LastBlow::EmptyServer),
            _ => None,
        };
        let tight = random.chance(300);
        let second_lane = random.chance(350).then(|| vec![GroupSetup::of(random)]);
        let shared = (second_lane.is_some() && random.chance(600))
            .then(|| GroupSetup { claim: Claim::Transactional, ..GroupSetup::of(random) });
        let counts = random.chance(600);
        let push = (counts && random.chance(500)).then(|| GroupSetup {
            claim: Claim::Transactional,
            refuses: false,
            ..GroupSetup::of(random)
        });
        Self {
            steps: random.between(400, 520),
            keys: random.between(4, 16),
            changes_max: if random.chance(300) { 40 } else { 6 },
            poison: if random.chance(400) { random.between(5, 60) } else { 0 },
            delivers_again: random.chance(500),
            groups,
            second_lane,
            shared,
            second_instance,
            counts,
            push,
            steps_before: if random.chance(700) { random.between(1, 80) } else { 0 },
            rates: Rates::of(random, second_instance),
            source_mood: mood(random),
            limits: limits(random),
            journal: Options {
                segment_bytes_max: random.between(1_500, 12_000),
                journal_bytes_max: if tight { random.between(24_000, 60_000) } else { 4 << 20 },
                ..Options::default()
            },
            long_outage,
            last_blow,
        }
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        if self.second_instance { 2 } else { 1 }
    }
}

impl GroupSetup {
    fn of(random: &mut Random) -> Self {
        let claim = match random.below(6) {
            0 => Claim::Versioned,
            1 => Claim::Idempotent,
            _ => Claim::Transactional,
        };
        Self {
            claim,
            flush_every: if random.chance(300) { random.between(2, 6) } else { 1 },
            refuses: random.chance(600),
            both_tables: random.chance(700),
            mood: mood(random),
        }
    }
}

impl Rates {
    fn of(random: &mut Random, two_instances: bool) -> Self {
        let mut rate = |off: u64, most: u64| {
            if random.chance(off) { 0 } else { random.between(1, most) }
        };
        Self {
            kill: rate(400, 20),
            power_loss: rate(400, 20),
            undead: rate(500, 8),
            restart: rate(600, 10),
            source_crash: rate(500, 15),
            forget: rate(300, 60),
            target_crash: rate(500, 20),
            outage: rate(600, 10),
            half_applied: rate(300, 60),
            sync_error: rate(600, 8),
            disk_full: rate(700, 8),
            parting: if two_instances { rate(200, 20) } else { 0 },
            slot_lost: rate(700, 4),
            source_restored: if two_instances { 0 } else { rate(700, 4) },
            state_lost: rate(700, 5),
            catalog_lost: if two_instances { 0 } else { rate(850, 4) },
        }
    }
}

fn mood(random: &mut Random) -> Mood {
    let mut rate = |most| {
        if random.chance(400) { 0 } else { random.between(1, most) }
    };
    Mood { refused: rate(40), lost: rate(60), slow: rate(60), late: rate(30), hung: rate(10) }
}

/// Bounds so small that every one of them is met.
fn limits(random: &mut Random) -> Limits {
    let inline_bytes_max = usize::try_from(random.between(600, 6_000)).unwrap_or(600);
    Limits {
        open_bytes_max: inline_bytes_max * 2,
        inline_bytes_max,
        append_steps_max: random.index(60) + 1,
        append_bytes_max: usize::try_from(random.between(500, 8_000)).unwrap_or(500),
        read_bytes_max: usize::try_from(random.between(200, 4_000)).unwrap_or(200),
        batch_changes_max: random.index(20) + 1,
        batch_bytes_max: usize::try_from(random.between(500, 20_000)).unwrap_or(500),
        held_keys_max: 10_000,
        ask_rows_max: random.index(6) + 1,
        ask_bytes_max: usize::try_from(random.between(200, 2_000)).unwrap_or(200),
        asks_max: random.index(5) + 1,
        touched_max: random.index(40) + 3,
        reread_max: u32::try_from(random.below(4)).unwrap_or(0),
        reread_pause: Duration::from_millis(20),
        hold_retry_first: Duration::from_millis(50),
        hold_retry_max: Duration::from_secs(1),
        bridge_deletes_max: u64::MAX,
        groups_max: 1_000,
        push_pause: Duration::from_millis(20),
        full_grace: Duration::from_millis(500),
        retry_pause_max: Duration::from_secs(2),
        retry_pause_first: Duration::from_millis(20),
        retry_budget_max: 10,
        answer: Duration::from_secs(2),
        lease: Duration::from_secs(3),
        flush: Duration::from_millis(200),
        stop: Duration::from_secs(10),
        stretches_ahead_max: random.index(4) + 1,
    }
}
