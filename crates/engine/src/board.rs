//! The board: what the tasks of a pipeline tell each other and the outside.
//!
//! Holds only facts that a task can find again after a restart; nothing decides by it but
//! retention, and that only by what targets said is durable.

use model::{Code, Fault, Offset, TargetName, Watermark};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

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
    /// What it needs next is gone from the log, so it no longer holds the log for the others.
    pub detached: bool,
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

    /// A group's reporter; puts the group on the board.
    pub(crate) fn group(&self, name: &TargetName) -> Reporter {
        self.lock().groups.entry(name.clone()).or_default();
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
        let done_with = |group: &GroupStatus| match group.detached {
            true => state.logged.clone(),
            false => group.flushed.clone(),
        };
        state.groups.values().map(done_with).collect()
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
        if fault.code == Code::LogHistoryLost {
            self.group(|group| group.detached = true);
            self.board.0.flushed.notify_waiters();
        }
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
            if group.flushed.as_ref() > watermark {
                group.flushed = watermark.cloned();
            }
        });
        self.phase(Phase::Following);
    }

    /// The group will hold everything up to here even after a crash of its service.
    pub(crate) fn flushed(&self, watermark: &Watermark) {
        self.group(|group| group.flushed = Some(watermark.clone()));
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
            Who::Group(name) => change(&mut state.groups.entry(name.clone()).or_default().task),
        }
    }
}
