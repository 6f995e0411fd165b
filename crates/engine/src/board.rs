//! The board: what the tasks of a pipeline tell each other and the outside.
//!
//! Holds only facts that a task can find again after a restart; nothing decides by it but
//! retention, and that only by what targets said is durable.

use crate::group::WhenFull;
use model::attack::{Mark, reached};
use model::{CopyName, Fault, Offset, Pass, TargetName, Watermark};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The shared board of one pipeline.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Snapshot>,
    /// Waiters are told of everything that may let the log be trimmed.
    flushed: Notify,
}

/// What stood on the board at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The lane's source and capture.
    pub capture: TaskStatus,
    /// The last offset that is durable in the log.
    pub logged: Option<Offset>,
    /// Retention.
    pub retention: TaskStatus,
    /// Who reads the source for others.
    pub survey: TaskStatus,
    /// The groups, by name.
    pub groups: BTreeMap<TargetName, GroupStatus>,
}

/// How a task is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskStatus {
    /// What it does now.
    pub phase: Phase,
    /// Steps done since the process started.
    pub steps: u64,
    /// Restarts after a fault since the process started.
    pub retries: u64,
    /// The last fault, until the next step.
    pub fault: Option<String>,
}

/// How a group of copies is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupStatus {
    /// Its task.
    pub task: TaskStatus,
    /// Up to where it holds every effect.
    pub watermark: Option<Watermark>,
    /// Up to where it will still hold them after a crash of its service.
    pub flushed: Option<Watermark>,
    /// Keys that it holds back.
    pub held_keys: usize,
    /// How far passes over its copies have come.
    pub passes: BTreeMap<CopyName, Pass>,
    /// Detached: it held up the log when the log was full and ended here, so the log need not keep
    /// for it what comes before.
    pub detached: Option<Offset>,
    /// What happens to it when the log is full.
    pub when_full: WhenFull,
    /// When its flushed watermark last moved.
    moved_at: Option<Instant>,
}

impl GroupStatus {
    /// Where all of its copies stand; nowhere while one of them is under a pass or the group stands
    /// inside a transaction.
    pub fn position(&self) -> Option<&Watermark> {
        let is_whole = self.passes.values().all(|pass| *pass == Pass::Done);
        self.watermark.as_ref().filter(|watermark| is_whole && !watermark.is_inside())
    }
}

/// What a task does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Finding out where it stands.
    #[default]
    Starting,
    /// At work.
    Following,
    /// Waiting before it tries again.
    Retrying,
    /// Another instance does the work.
    Elsewhere,
    /// Stopped by a fault that needs a person.
    Stopped,
    /// Ended because it was asked to.
    Ended,
}

impl Board {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands on it now.
    pub fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    /// Capture's reporter.
    pub(crate) fn capture(&self) -> Reporter {
        Reporter { board: self.clone(), who: Who::Capture }
    }

    /// Retention's reporter.
    pub(crate) fn retention(&self) -> Reporter {
        Reporter { board: self.clone(), who: Who::Retention }
    }

    /// The reporter of who reads the source for others.
    pub(crate) fn survey(&self) -> Reporter {
        Reporter { board: self.clone(), who: Who::Survey }
    }

    /// A group's reporter; puts the group on the board.
    pub(crate) fn group(&self, name: &TargetName, when_full: WhenFull) -> Reporter {
        self.lock().groups.entry(name.clone()).or_default().when_full = when_full;
        Reporter { board: self.clone(), who: Who::Group(name.clone()) }
    }

    /// Waits until a group's flushed watermark has moved since this future was made.
    pub(crate) fn flushed_moved(&self) -> impl Future<Output = ()> + '_ {
        self.0.flushed.notified()
    }

    /// Up to where each group no longer needs the log: its flushed watermark, or whatever is
    /// logged once it is detached.
    pub(crate) fn done_with(&self) -> Vec<Option<Watermark>> {
        let state = self.lock();
        let done_with = |group: &GroupStatus| group.flushed.clone().max(group.detached.clone());
        state.groups.values().map(done_with).collect()
    }

    /// The log is full: lets go of the group that holds it up most, if it may be and has not moved
    /// for so long.
    fn detach_slowest(&self, grace: Duration) {
        let mut state = self.lock();
        let logged = state.logged.clone();
        let now = Instant::now();
        // One that still moves, or that is to be waited for, shields none that does not.
        let stuck = state
            .groups
            .values_mut()
            .filter(|group| group.flushed < logged && group.detached < logged)
            .filter(|group| group.when_full == WhenFull::Detach)
            .filter_map(|group| {
                let is_stuck = now - *group.moved_at.get_or_insert(now) >= grace;
                is_stuck.then_some(group)
            })
            .min_by_key(|group| group.flushed.clone().max(group.detached.clone()));
        if let Some(group) = stuck {
            reached(Mark::Detached);
            group.detached = logged;
            drop(state);
            self.0.flushed.notify_waiters();
        }
    }

    /// A panic elsewhere must not hide the board: each write to it is whole.
    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One task's pen on the board.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    board: Board,
    who: Who,
}

#[derive(Clone, Debug)]
enum Who {
    Capture,
    Retention,
    Survey,
    Group(TargetName),
}

impl Reporter {
    /// The task changed what it does.
    pub(crate) fn phase(&self, phase: Phase) {
        self.task(|task| task.phase = phase);
    }

    /// The task got one step on.
    pub(crate) fn step(&self) {
        self.task(|task| {
            task.steps += 1;
            task.fault = None;
            task.phase = Phase::Following;
        });
    }

    /// How many steps it has done.
    pub(crate) fn steps(&self) -> u64 {
        self.task(|task| task.steps)
    }

    /// The task failed and will be started again.
    pub(crate) fn retrying(&self, fault: &Fault) {
        self.task(|task| {
            task.phase = Phase::Retrying;
            task.retries += 1;
            task.fault = Some(fault.to_string());
        });
    }

    /// The task failed for good.
    pub(crate) fn stopped(&self, fault: &Fault) {
        self.task(|task| {
            task.phase = Phase::Stopped;
            task.fault = Some(fault.to_string());
        });
    }

    /// The log is full, and somebody may hold it up.
    pub(crate) fn log_is_full(&self, grace: Duration) {
        self.board.detach_slowest(grace);
    }

    /// The group stands in the log again, and needs what comes next.
    pub(crate) fn reattached(&self) {
        self.group(|group| group.detached = None);
    }

    /// How far passes over the group's copies have come.
    pub(crate) fn passes(&self, passes: &BTreeMap<CopyName, Pass>) {
        self.group(|group| group.passes.clone_from(passes));
    }

    /// The task ended as asked.
    pub(crate) fn ended(&self) {
        self.phase(Phase::Ended);
    }

    /// The log holds everything up to here.
    pub(crate) fn logged(&self, offset: Offset) {
        self.board.lock().logged = Some(offset);
        self.board.0.flushed.notify_waiters();
    }

    /// The group holds everything up to here.
    pub(crate) fn applied(&self, watermark: &Watermark, held_keys: usize) {
        self.group(|group| {
            group.watermark = Some(watermark.clone());
            group.held_keys = held_keys;
        });
    }

    /// The target says where it stands; it may have lost what stood here before.
    pub(crate) fn resumed(&self, watermark: Option<&Watermark>, held_keys: usize) {
        self.group(|group| {
            group.watermark = watermark.cloned();
            group.held_keys = held_keys;
            group.moved_at = Some(Instant::now());
            if group.flushed.as_ref() > watermark {
                group.flushed = watermark.cloned();
            }
        });
        self.phase(Phase::Following);
    }

    /// The group will hold everything up to here even after a crash of its service.
    pub(crate) fn flushed(&self, watermark: &Watermark) {
        self.group(|group| {
            group.flushed = Some(watermark.clone());
            group.moved_at = Some(Instant::now());
            if group.detached <= group.flushed {
                group.detached = None;
            }
        });
        self.board.0.flushed.notify_waiters();
    }

    /// What the group's watermark was when last seen.
    pub(crate) fn watermark(&self) -> Option<Watermark> {
        self.group(|group| group.watermark.clone())?
    }

    /// The group's watermark, if it is not known to be durable.
    pub(crate) fn unflushed(&self) -> Option<Watermark> {
        self.group(|group| group.watermark.clone().filter(|it| Some(it) != group.flushed.as_ref()))?
    }

    fn group<T>(&self, change: impl FnOnce(&mut GroupStatus) -> T) -> Option<T> {
        let Who::Group(name) = &self.who else {
            return None;
        };
        self.board.lock().groups.get_mut(name).map(change)
    }

    fn task<T>(&self, change: impl FnOnce(&mut TaskStatus) -> T) -> T {
        let mut state = self.board.lock();
        match &self.who {
            Who::Capture => change(&mut state.capture),
            Who::Retention => change(&mut state.retention),
            Who::Survey => change(&mut state.survey),
            Who::Group(name) => change(&mut state.groups.entry(name.clone()).or_default().task),
        }
    }
}
