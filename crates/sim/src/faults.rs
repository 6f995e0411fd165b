//! Faults: the kinds that a world can suffer, how often each fired, and services that suffer them.

use crate::random::Random;
use crate::trace::Trace;
use async_trait::async_trait;
use journal::{Job, Offload};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use testkit::faulty::{Call, Replies, Reply};
use tokio::time::sleep;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process is killed; what it wrote to files stays.
    Kill,
    /// The machine loses power: unsynced writes are kept, torn or lost.
    PowerLoss,
    /// The process is taken for dead and another is started, while it goes on for a while.
    Undead,
    /// The process is asked to stop and started again.
    GracefulRestart,
    /// The source's server crashes; what was confirmed lately is forgotten.
    SourceCrash,
    /// The source forgets what was confirmed durably.
    SourceForgets,
    /// A source delivers again what was not confirmed.
    DeliversAgain,
    /// A target's server crashes and loses what was not flushed.
    TargetCrash,
    /// A target is away for a while.
    Outage,
    /// A call never ran.
    Refused,
    /// A call ran, and its answer was lost.
    ReplyLost,
    /// A call took long.
    Slow,
    /// A write failed for its caller, and arrived later all the same.
    ArrivedLate,
    /// A call ran and was never answered.
    NeverAnswered,
    /// A target without transactions went away in the middle of a batch.
    HalfApplied,
    /// A sync of the disk failed.
    SyncError,
    /// The disk was full for a while.
    DiskFull,
    /// An unsynced write was torn by a power loss.
    TornWrite,
    /// An unsynced write was lost by a power loss.
    LostWrite,
    /// A file, or its removal, was lost by a power loss.
    LostEntry,
    /// A synced byte changed.
    BitFlip,
    /// The source forgot what nobody had confirmed.
    HistoryGone,
    /// Another server answered at the source's address.
    OtherServer,
    /// A target came back as it was long ago.
    TargetRestored,
    /// One instance did not reach a target for a while; the other one did.
    Parted,
    /// The source forgot what was not confirmed, and went on.
    SlotLost,
    /// A backup of the source was restored.
    SourceRestored,
    /// State was lost.
    StateLost,
    /// The catalog was lost.
    CatalogLost,
    /// An empty server took the place of the source.
    EmptyServer,
    /// A row moved from one shard to the other.
    KeyMoved,
    /// The instance that filled a target died half-way, and the other one went on.
    TakenOver,
}

/// How often each fault fired.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<Fault, u64>>>);

impl Tally {
    /// A fault fired.
    pub fn fired(&self, fault: Fault) {
        self.add(fault, 1);
    }

    /// A fault fired so many times.
    pub fn add(&self, fault: Fault, times: u64) {
        if times > 0 {
            let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *tally.entry(fault).or_default() += times;
        }
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<Fault, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How badly a service answers, per thousand calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mood {
    /// Calls that never run.
    pub refused: u64,
    /// Calls whose answer is lost.
    pub lost: u64,
    /// Calls that take up to half a second.
    pub slow: u64,
    /// Writes that arrive when nobody waits for them any more.
    pub late: u64,
    /// Calls that are never answered.
    pub hung: u64,
}

/// A service's replies, drawn from a seed.
pub struct Moody(Mutex<State>);

struct State {
    random: Random,
    mood: Mood,
    away: bool,
    /// Connections asked for since the service went away or the caller was started.
    connects: u64,
    tally: Tally,
    trace: Trace,
    name: String,
}

impl Moody {
    /// A service in this mood.
    pub fn new(name: &str, seed: u64, mood: Mood, tally: &Tally, trace: &Trace) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            random: Random::stream(seed, name),
            mood,
            away: false,
            connects: 0,
            tally: tally.clone(),
            trace: trace.clone(),
            name: name.to_owned(),
        })))
    }

    /// The service goes away, or comes back.
    pub fn set_away(&self, away: bool) {
        let mut state = self.lock();
        state.away = away;
        state.connects = 0;
    }

    /// From now on it answers as it should.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.mood = Mood::default();
        state.away = false;
    }

    /// Connections asked for since it went away, or since this was last reset.
    pub fn connects(&self) -> u64 {
        self.lock().connects
    }

    /// Counts connections anew.
    pub fn reset_connects(&self) {
        self.lock().connects = 0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replies for Moody {
    fn next(&self, call: Call) -> Reply {
        let mut state = self.lock();
        if call == Call::Connect {
            state.connects += 1;
        }
        if state.away {
            return Reply::Refuse;
        }
        let mood = state.mood;
        let draw = state.random.below(1_000);
        let (fault, reply) = if draw < mood.refused {
            (Fault::Refused, Reply::Refuse)
        } else if draw < mood.refused + mood.lost {
            (Fault::ReplyLost, Reply::FailAfterWrite)
        } else if draw < mood.refused + mood.lost + mood.late && call == Call::Apply {
            let after = state.random.below(1_500);
            (Fault::ArrivedLate, Reply::ArriveLate(Duration::from_millis(after)))
        } else if draw < mood.refused + mood.lost + mood.late + mood.hung && call != Call::Next {
            (Fault::NeverAnswered, Reply::HoldReply(Arc::default()))
        } else if draw < mood.refused + mood.lost + mood.late + mood.hung + mood.slow {
            let (there, back) = (state.random.below(250), state.random.below(250));
            let reply =
                Reply::RespondSlowly(Duration::from_millis(there), Duration::from_millis(back));
            (Fault::Slow, reply)
        } else {
            let (there, back) = (state.random.below(4), state.random.below(4));
            return Reply::RespondSlowly(Duration::from_millis(there), Duration::from_millis(back));
        };
        state.tally.fired(fault);
        state.trace.note(format_args!("{} answers {call:?} with {fault:?}", state.name));
        reply
    }
}

/// Runs blocking work in place, with virtual time before and after, so that a crash or another
/// task can come between what in production happens on other threads.
pub struct InPlace(Mutex<Random>);

impl InPlace {
    /// Delays drawn from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Random::stream(seed, "disk delays")))
    }

    async fn delay(&self) {
        let millis = {
            let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if random.chance(300) { random.below(5) } else { 0 }
        };
        if millis > 0 {
            sleep(Duration::from_millis(millis)).await;
        }
    }
}

#[async_trait]
impl Offload for InPlace {
    async fn run(&self, job: Job) {
        self.delay().await;
        job();
        self.delay().await;
    }
}
