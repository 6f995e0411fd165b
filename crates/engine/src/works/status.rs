//! How each source, copy and count is doing, in the words of people.

use super::whole::{Followed, KeptCopy, KeptCount, Shard, Works};
use crate::board::{GroupStatus, Latency, Phase, Progress, TaskStatus, Trouble};
use crate::numbers::Untold;
use crate::pipeline::ROW_MEMORY;
use crate::positions;
use model::{Fault, Offset, Pass, Purpose, TableName, TargetName};
use std::sync::Arc;
use tokio::time::Instant;

/// How a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceStatus {
    /// Its name.
    pub name: Arc<str>,
    /// Changes put into the log since the process started.
    pub captured: u64,
    /// Its shards.
    pub services: Vec<ServiceStatus>,
}

/// How one shard of a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatus {
    /// The service.
    pub name: Arc<str>,
    /// Whether it is being followed now.
    pub connected: bool,
    /// Up to where the log has it.
    pub position: Option<String>,
    /// Bytes that it keeps because of us, where it counts them.
    pub retained_bytes: Option<u64>,
    /// What is wrong with it, or with reading from it.
    pub troubles: Vec<Trouble>,
}

/// How the log is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatus {
    /// The room that it takes.
    pub bytes: u64,
    /// Its lanes.
    pub lanes: Vec<LaneStatus>,
}

/// Where a lane of the log begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// The lane.
    pub lane: Arc<str>,
    /// What is at or before this may be trimmed.
    pub first: Option<String>,
    /// Its end.
    pub last: Option<String>,
}

/// How a copy is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyStatus {
    /// Its name.
    pub name: Arc<str>,
    /// Source and table.
    pub of: String,
    /// Service and table that it is in.
    pub to: Arc<str>,
    /// The shards whose changes another instance writes to it now.
    pub elsewhere: Vec<Arc<str>>,
    /// What happens to it now.
    pub phase: CopyPhase,
    /// What is known of it.
    pub verdict: Verdict,
    /// Where it equals its source, but for the keys that it holds; nowhere while it is passed over.
    pub position: Option<String>,
    /// Changes in the log that it does not have yet; not known until it has come to where the log
    /// ended when the process started.
    pub lag_changes: Option<u64>,
    /// How far it has come while it is filled or bridged.
    pub progress: Option<Progress>,
    /// The keys that it holds.
    pub failures: usize,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
}

/// What happens to a copy now; of several lanes, what is farthest from following.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyPhase {
    /// It takes changes as they come.
    Following,
    /// It is filled from its source.
    Filling,
    /// It is compared with its source, because changes were lost.
    Bridging,
    /// The log was let go of; it will be bridged.
    Detached,
    /// It needs a person.
    Stopped,
}

/// What is known of a copy or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nobody has compared it with its source.
    Unverified,
    /// Some of its keys are known to differ: its service refused them.
    Diverged,
}

/// How a count is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountStatus {
    /// Its name.
    pub name: Arc<str>,
    /// The columns that it groups by.
    pub by: Vec<Arc<str>>,
    /// What is known of it.
    pub verdict: Verdict,
    /// Where its numbers are true.
    pub position: Option<String>,
    /// Why it can not be told now.
    pub untold: Option<Untold>,
}

/// How one target is doing in one lane: a group of copies, or a pushed count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetStatus {
    /// Its name.
    pub name: String,
    /// What its task does.
    pub state: TargetState,
    /// Rows written since the process started.
    pub written: u64,
    /// Restarts after a fault since the process started.
    pub retries: u64,
    /// The keys that it holds.
    pub failures: usize,
    /// How long changes took.
    pub latency: Latency,
    /// When the oldest transaction that it does not have committed at the source, in microseconds
    /// since 1970.
    pub waits_since: Option<i64>,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
}

/// What the task of a target does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetState {
    /// It is at work.
    Following,
    /// It finds out where it stands.
    Starting,
    /// Another instance does the work.
    Elsewhere,
    /// It waits before it tries again.
    Retrying,
    /// It needs a person, or was asked to end.
    Stopped,
}

impl Works {
    /// How the sources are doing.
    pub fn source_status(&self) -> Vec<SourceStatus> {
        let status = |source: &Followed| {
            let boards: Vec<_> =
                source.shards.iter().map(|shard| shard.pipeline.board.snapshot()).collect();
            let services = source.shards.iter().zip(&boards).map(|(shard, board)| ServiceStatus {
                name: shard.service.clone(),
                connected: board.capture.phase == Phase::Following,
                position: board.logged.as_ref().map(|offset| token(shard, offset)),
                retained_bytes: board.retained_bytes,
                troubles: [&board.capture, &board.survey, &board.retention]
                    .into_iter()
                    .filter_map(|task| task.trouble.clone())
                    .collect(),
            });
            let services = services.collect();
            let captured = boards.iter().map(|board| board.captured).sum();
            SourceStatus { name: source.name.clone(), captured, services }
        };
        self.sources.iter().map(status).collect()
    }

    /// How the log is doing.
    pub async fn log_status(&self) -> Result<LogStatus, Fault> {
        let (mut bytes, mut lanes) = (0, Vec::new());
        for shard in self.sources.iter().flat_map(|source| &source.shards) {
            let bounds = self.log.bounds(&shard.pipeline.lane).await?;
            bytes += bounds.bytes;
            lanes.push(LaneStatus {
                lane: shard.pipeline.lane.as_str().into(),
                first: bounds.trimmed.map(|offset| token(shard, &offset)),
                last: bounds.last.map(|offset| token(shard, &offset)),
            });
        }
        Ok(LogStatus { bytes, lanes })
    }

    /// How the copies are doing.
    pub fn copy_status(&self) -> Vec<CopyStatus> {
        self.copies.iter().map(|copy| self.status_of(copy)).collect()
    }

    fn status_of(&self, copy: &KeptCopy) -> CopyStatus {
        let shards = self.shards(copy.source);
        let groups: Vec<_> = shards.iter().map(|shard| group(shard, copy)).collect();
        let failures = groups.iter().map(|group| holds_of(group, copy)).sum();
        let lags: Option<Vec<_>> = groups.iter().map(|group| group.behind).collect();
        let phase = groups.iter().map(|group| phase(group, copy)).max();
        let phase = phase.unwrap_or(CopyPhase::Stopped);
        let is_elsewhere = |group: &GroupStatus| group.task.phase == Phase::Elsewhere;
        let elsewhere = shards.iter().zip(&groups).filter(|(_, group)| is_elsewhere(group));
        CopyStatus {
            name: copy.name.as_str().into(),
            elsewhere: elsewhere.map(|(shard, _)| shard.service.clone()).collect(),
            of: self.table_of(copy.source, &copy.of),
            to: copy.to.clone(),
            progress: progress(phase, &groups, copy),
            phase,
            verdict: if failures > 0 { Verdict::Diverged } else { Verdict::Unverified },
            position: together(shards, groups.iter().map(|group| place(group, copy))),
            lag_changes: lags.map(|lags| lags.into_iter().sum()),
            failures,
            trouble: groups.into_iter().find_map(|group| group.task.trouble),
        }
    }

    /// How the counts are doing.
    pub fn count_status(&self) -> Vec<CountStatus> {
        let status = |it: &KeptCount| {
            let told = self.told(it);
            CountStatus {
                name: it.count.name.as_str().into(),
                by: it.count.by.clone(),
                verdict: Verdict::Unverified,
                position: told.as_ref().ok().cloned(),
                untold: told.err(),
            }
        };
        self.counts.iter().map(status).collect()
    }

    /// Where the count's numbers are true.
    fn told(&self, it: &KeptCount) -> Result<String, Untold> {
        let shards = self.shards(it.source);
        let places: Result<Vec<_>, _> = shards
            .iter()
            .map(|shard| match &shard.pipeline.counting {
                Some(counting) => Ok(Some(counting.numbers.place(&it.count.name)?.position)),
                None => Err(Untold::Unknown),
            })
            .collect();
        together(shards, places?.into_iter()).ok_or(Untold::Unknown)
    }

    /// How each target is doing, lane by lane: every copy, what counts are remembered from, and
    /// every pushed count.
    pub fn target_status(&self) -> Vec<TargetStatus> {
        let mut targets = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            for shard in &source.shards {
                let groups = shard.pipeline.board.snapshot().groups;
                let copies = self.copies.iter().filter(|copy| copy.source == index);
                let copies = copies.filter_map(|copy| Some((copy, groups.get(&copy.group)?)));
                targets.extend(copies.map(|(copy, group)| TargetStatus {
                    written: group.written.get(&copy.name).copied().unwrap_or(0),
                    failures: holds_of(group, copy),
                    ..target(copy.name.as_str(), group)
                }));
                let memory = groups.get(&TargetName::from(ROW_MEMORY));
                let name = format!("counts of {}", shard.pipeline.lane);
                targets.extend(memory.map(|group| target(&name, group)));
            }
        }
        for push in self.counts.iter().flat_map(|count| &count.pushes) {
            let groups = push.board.snapshot().groups;
            targets.extend(groups.iter().map(|(name, group)| target(name.as_str(), group)));
        }
        targets
    }

    /// Source and table, as the configuration names them.
    fn table_of(&self, source: usize, table: &TableName) -> String {
        let source = self.sources.get(source).map_or("", |source| &source.name);
        format!("{source}/{table}")
    }
}

/// A target as its group stands on a board.
fn target(name: &str, group: &GroupStatus) -> TargetStatus {
    TargetStatus {
        name: name.to_owned(),
        state: state(&group.task),
        written: group.written.values().sum(),
        retries: group.task.retries,
        failures: group.held_keys,
        latency: group.latency.clone(),
        waits_since: group.waits_since,
        trouble: group.task.trouble.clone(),
    }
}

/// The copy's group as it stands on the board of a lane.
fn group(shard: &Shard, copy: &KeptCopy) -> GroupStatus {
    shard.pipeline.board.snapshot().groups.remove(&copy.group).unwrap_or_default()
}

fn holds_of(group: &GroupStatus, copy: &KeptCopy) -> usize {
    group.holds.iter().filter(|hold| hold.copy == copy.name).count()
}

fn phase(group: &GroupStatus, copy: &KeptCopy) -> CopyPhase {
    if group.task.phase == Phase::Stopped {
        return CopyPhase::Stopped;
    }
    if group.detached.is_some() && group.task.phase != Phase::Elsewhere {
        return CopyPhase::Detached;
    }
    match group.passes.get(&copy.name) {
        Some(Pass::Under { purpose: Purpose::Bridge, .. }) => CopyPhase::Bridging,
        Some(Pass::Done) => CopyPhase::Following,
        Some(Pass::Under { .. }) | None => CopyPhase::Filling,
    }
}

/// How far a copy has come while it is filled or bridged, over all lanes: also those that are through.
fn progress(phase: CopyPhase, groups: &[GroupStatus], copy: &KeptCopy) -> Option<Progress> {
    let is_under_way = matches!(phase, CopyPhase::Filling | CopyPhase::Bridging);
    let now = Instant::now();
    let of = |group: &GroupStatus| {
        group.fills.get(&copy.name).map(|fill| fill.progress(now)).unwrap_or_default()
    };
    is_under_way.then(|| Progress::together(&groups.iter().map(of).collect::<Vec<_>>()))
}

/// Where the copy itself stands: one that is passed over stands nowhere.
fn place(group: &GroupStatus, copy: &KeptCopy) -> Option<Offset> {
    let is_whole = group.passes.get(&copy.name) == Some(&Pass::Done);
    group.watermark.clone().filter(|watermark| is_whole && !watermark.is_inside())
}

fn state(task: &TaskStatus) -> TargetState {
    match task.phase {
        Phase::Starting => TargetState::Starting,
        Phase::Following => TargetState::Following,
        Phase::Retrying => TargetState::Retrying,
        Phase::Elsewhere => TargetState::Elsewhere,
        Phase::Stopped | Phase::Ended => TargetState::Stopped,
    }
}

/// A place in every shard, in writing; none if one of them has none.
pub(super) fn together(
    shards: &[Shard],
    places: impl Iterator<Item = Option<Offset>>,
) -> Option<String> {
    let written = |(shard, place): (_, Option<Offset>)| -> Option<(&str, String)> {
        let shard: &Shard = shard;
        Some((&shard.service, token(shard, &place?)))
    };
    let written: Option<Vec<_>> = shards.iter().zip(places).map(written).collect();
    positions::together(&written?)
}

fn token(shard: &Shard, offset: &Offset) -> String {
    (shard.tokens.write)(&offset.position)
}
