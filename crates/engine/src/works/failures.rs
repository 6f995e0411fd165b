//! The keys that targets refused, and what a person can do about each.

use super::whole::{KeptCopy, Shard, Works};
use crate::board::Phase;
use crate::desk::Discard;
use crc_fast::{CrcAlgorithm, checksum};
use model::codec::memo::put_key;
use model::{CopyName, Hold, Key, TableName};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A key that a copy's service refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Names it, in every run.
    pub id: String,
    /// The copy.
    pub target: CopyName,
    /// The source table.
    pub table: TableName,
    /// The key.
    pub key: Key,
    /// Why, in the service's words.
    pub reason: String,
    /// Since when, in microseconds since 1970 by the service's clock.
    pub since: i64,
    /// How often it was tried again since the process started.
    pub attempts: u32,
    /// How long until it is tried again.
    pub next_retry: Option<Duration>,
}

/// Why nothing was done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecided {
    /// There is no such failure.
    Unknown,
    /// Nobody writes its target now, or another instance does.
    NotNow,
}

/// One hold, with whom it concerns.
struct Found<'a> {
    copy: &'a KeptCopy,
    shard: &'a Shard,
    hold: Hold,
    /// Whether another instance writes the copy.
    is_elsewhere: bool,
}

impl Works {
    /// The keys that are held, the oldest first.
    pub fn failures(&self) -> Vec<Failure> {
        let failure = |found: Found<'_>| {
            let Found { copy, shard, hold, .. } = &found;
            let desk = shard.pipeline.board.desk();
            let retries = desk.retries(&copy.group, &copy.of, &hold.key);
            Failure {
                id: found.id(),
                target: copy.name.clone(),
                table: copy.of.clone(),
                key: hold.key.clone(),
                reason: hold.reason.clone(),
                since: hold.since,
                attempts: retries.map_or(0, |(attempts, _)| attempts),
                next_retry: retries.map(|(_, pause)| pause),
            }
        };
        let mut failures: Vec<_> = self.found().map(failure).collect();
        failures.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        failures
    }

    /// Tries a key again at once.
    pub fn retry(&self, id: &str) -> Result<(), NotDecided> {
        let found = self.find(id)?;
        let desk = found.shard.pipeline.board.desk();
        desk.retry_now(&found.copy.group, &found.copy.of, &found.hold.key);
        Ok(())
    }

    /// Ends a hold: what the target has of the key stays as it is, and later changes are applied.
    pub async fn discard(&self, id: &str) -> Result<Failure, NotDecided> {
        let failure = self.failures().into_iter().find(|failure| failure.id == id);
        let failure = failure.ok_or(NotDecided::Unknown)?;
        let found = self.find(id)?;
        let (done, told) = oneshot::channel();
        let Found { copy, shard, hold, .. } = found;
        let discard =
            Discard { copy: copy.name.clone(), table: copy.of.clone(), key: hold.key, done };
        shard.pipeline.board.desk().discard(&copy.group, discard);
        match timeout(shard.pipeline.limits.stop, told).await {
            Ok(Ok(())) => Ok(failure),
            Ok(Err(_)) | Err(_) => Err(NotDecided::NotNow),
        }
    }

    /// A failure that this instance can do something about.
    fn find(&self, id: &str) -> Result<Found<'_>, NotDecided> {
        let found = self.found().find(|found| found.id() == id).ok_or(NotDecided::Unknown)?;
        if found.is_elsewhere { Err(NotDecided::NotNow) } else { Ok(found) }
    }

    fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.copies.iter().flat_map(|copy| {
            let shards = self.shards(copy.source).iter();
            shards.flat_map(move |shard| {
                let mut groups = shard.pipeline.board.snapshot().groups;
                let group = groups.remove(&copy.group).unwrap_or_default();
                let is_elsewhere = group.task.phase == Phase::Elsewhere;
                let ours = group.holds.into_iter().filter(|hold| hold.copy == copy.name);
                ours.map(move |hold| Found { copy, shard, hold, is_elsewhere })
            })
        })
    }
}

impl Found<'_> {
    /// The same in every run, and as good as never that of another key.
    fn id(&self) -> String {
        let mut bytes = format!("{}\0{}\0", self.shard.pipeline.lane, self.copy.name).into_bytes();
        put_key(&self.hold.key, &mut bytes);
        format!("{:016x}", checksum(CrcAlgorithm::Crc64Nvme, &bytes))
    }
}
