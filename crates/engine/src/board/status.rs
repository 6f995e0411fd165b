//! What stands on the board: how each task and each group is doing.

use super::fill::Fill;
use super::latency::Latency;
use crate::group::WhenFull;
use model::{Code, CopyName, Fault, Hold, Offset, Pass, TargetName, Watermark};
use std::collections::BTreeMap;
use std::fmt;
use tokio::time::Instant;

/// What stood on the board at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The lane's source and capture.
    pub capture: TaskStatus,
    /// The last offset that is durable in the log.
    pub logged: Option<Offset>,
    /// Changes put into the log since the process started.
    pub captured: u64,
    /// The source had nothing more than this at this time of its own clock.
    pub idle: Option<(Offset, i64)>,
    /// Bytes that the source keeps because of us, where it counts them.
    pub retained_bytes: Option<u64>,
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
    pub trouble: Option<Trouble>,
}

/// A fault as it is told outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The name under which it is explained.
    pub code: Code,
    /// What failed.
    pub what: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl From<&Fault> for Trouble {
    fn from(fault: &Fault) -> Self {
        Self { code: fault.code, what: fault.what.clone() }
    }
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
    /// The same keys with their reasons, as its service had them when it was last asked.
    pub holds: Vec<Hold>,
    /// Rows of each copy written since the process started.
    pub written: BTreeMap<CopyName, u64>,
    /// How long changes took from their commit at the source until they were applied.
    pub latency: Latency,
    /// Changes in the log that it does not have; not known while it has not come to where the log
    /// ended when this process opened it.
    pub behind: Option<u64>,
    /// When the oldest transaction that it does not have committed at the source.
    pub waits_since: Option<i64>,
    /// How far passes over its copies have come.
    pub passes: BTreeMap<CopyName, Pass>,
    /// The same in rows, for passes of which this process has read something.
    pub fills: BTreeMap<CopyName, Fill>,
    /// Detached: it held up the log when the log was full and ended here, so the log need not keep
    /// for it what comes before.
    pub detached: Option<Offset>,
    /// What happens to it when the log is full.
    pub when_full: WhenFull,
    /// When its flushed watermark last moved.
    pub(super) moved_at: Option<Instant>,
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
