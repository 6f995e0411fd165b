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
}

/// What ends a world for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBlow {
    /// A synced byte of the journal changes.
    BitFlip,
    /// The source forgets what nobody confirmed.
    HistoryGone,
    /// Another server answers at the source's address.
    OtherServer,
    /// A target comes back as it was long ago, before what the log still has.
    TargetRestored,
}

impl Setup {
    /// The parameters of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::stream(seed, "setup");
        let random = &mut random;
        let groups: Vec<_> = (0..random.between(1, 3)).map(|_| GroupSetup::of(random)).collect();
        let long_outage =
            (groups.len() > 1 && random.chance(150)).then(|| random.index(groups.len()));
        let last_blow = match random.below(20) {
            0 => Some(LastBlow::BitFlip),
            1 => Some(LastBlow::HistoryGone),
            2 => Some(LastBlow::OtherServer),
            3 => Some(LastBlow::TargetRestored),
            _ => None,
        };
        // A target that stays away holds the log: detaching it is not this engine's business yet.
        let tight = long_outage.is_none() && random.chance(300);
        Self {
            steps: random.between(400, 520),
            keys: random.between(4, 16),
            changes_max: if random.chance(300) { 40 } else { 6 },
            poison: if random.chance(400) { random.between(5, 60) } else { 0 },
            delivers_again: random.chance(500),
            groups,
            second_lane: random.chance(300).then(|| vec![GroupSetup::of(random)]),
            rates: Rates::of(random),
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
    fn of(random: &mut Random) -> Self {
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
        retry_pause_max: Duration::from_secs(2),
        retry_pause_first: Duration::from_millis(20),
        retry_budget_max: 10,
        answer: Duration::from_secs(2),
        lease: Duration::from_secs(3),
        flush: Duration::from_millis(200),
        stop: Duration::from_secs(10),
    }
}
