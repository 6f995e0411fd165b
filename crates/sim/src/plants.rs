//! Planted bugs: each is put in on purpose and has to be caught, so that we know the oracle looks.
//!
//! Where a wrapper around a port can play the bug it stands here; the others sit behind
//! `model::attack::planted`, which is constant false in the product.

use crate::oracle::Invariant as I;
use crate::oracle::Invariant;
use async_trait::async_trait;
use model::attack::Bug;
use model::{
    Append, Batch, Bounds, Claim, Entry, Epoch, Fault, Lane, Leadership, Log, Mode, Offset,
    Outcome, Read, Service, StagedPart, Standing, Target, Tenure, TransactionId,
};
use std::sync::Arc;
use std::time::Duration;
use testkit::memory::store::{Store, StoreBug};

/// A bug that can be planted in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// One of those inside the product.
    Inside(Bug),
    /// A target's server has it.
    InStore(StoreBug),
    /// The watermark is written in a transaction of its own, after the data.
    WatermarkApart,
    /// Two transactions of a lane reach the readers in the wrong order.
    LaneReordered,
}

/// Every bug: its name on the command line, and the promises of which one must be seen broken.
#[rustfmt::skip]
const PLANTS: [(Plant, &str, &[I]); 23] = [
    (Plant::Inside(Bug::ConfirmBeforeDurable), "confirm-before-durable", &[I::ConfirmedIsDurable]),
    (Plant::WatermarkApart, "watermark-apart", &[I::PrefixExact]),
    (Plant::Inside(Bug::NoDedupeOnReplay), "no-dedupe-on-replay", &[I::LogEqualsHistory]),
    (Plant::Inside(Bug::ReadUnsyncedTail), "read-unsynced-tail", &[I::AppliedIsDurable]),
    (Plant::Inside(Bug::CoalesceAcrossBatches), "coalesce-across-batches", &[I::PrefixExact]),
    (Plant::Inside(Bug::KeyChangeWithoutDelete), "key-change-without-delete", &[I::PrefixExact]),
    (Plant::Inside(Bug::LostReplyTakenForRefusal), "lost-reply-taken-for-refusal", &[I::OnceInEffect]),
    (Plant::Inside(Bug::TrimAboveLowestWatermark), "trim-above-lowest-watermark", &[I::NothingIsLostWithoutCause]),
    (Plant::Inside(Bug::TornTailAccepted), "torn-tail-accepted", &[I::LogEqualsHistory, I::NothingStopsWithoutCause]),
    (Plant::LaneReordered, "lane-reordered", &[I::PrefixExact]),
    (Plant::Inside(Bug::CountFromOldImage), "count-from-old-image", &[I::CountIsTrue]),
    (Plant::Inside(Bug::KeepsStaleRow), "keeps-stale-row", &[I::PlacedIsTrue]),
    (Plant::Inside(Bug::ForgetsBeforeOlderReading), "forgets-before-older-reading", &[I::PlacedIsTrue]),
    (Plant::Inside(Bug::UnchangedDropped), "unchanged-dropped", &[I::CountIsTrue]),
    (Plant::Inside(Bug::AdvancesOverHold), "advances-over-hold", &[I::PrefixExact]),
    (Plant::Inside(Bug::InsertAfterHeldMoveLost), "insert-after-held-move-lost", &[I::PrefixExact]),
    (Plant::Inside(Bug::IgnoresEpochs), "ignores-epochs", &[I::Converges]),
    (Plant::InStore(StoreBug::IgnoreEpoch), "late-write-accepted", &[I::WatermarkRises]),
    (Plant::InStore(StoreBug::TruncateAllLanes), "truncate-across-shards", &[I::PrefixExact]),
    (Plant::Inside(Bug::StateAheadOfLog), "state-ahead-of-log", &[I::CountIsTrue]),
    (Plant::Inside(Bug::AnswersBeforeReplay), "answers-before-replay", &[I::CountIsTrue, I::CountMovesForward]),
    (Plant::Inside(Bug::BridgesFromEmptySource), "bridges-from-empty-source", &[I::NeverEmptied]),
    (Plant::Inside(Bug::SplicesRestoredSource), "splices-restored-source", &[I::LogEqualsHistory, I::PrefixExact]),
];

impl Plant {
    /// Every bug that can be planted.
    pub fn all() -> impl Iterator<Item = Plant> {
        PLANTS.into_iter().map(|(plant, ..)| plant)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// The promises of which one must be seen broken.
    pub fn caught_by(self) -> &'static [Invariant] {
        self.entry().2
    }

    fn entry(self) -> (Plant, &'static str, &'static [Invariant]) {
        let entry = PLANTS.into_iter().find(|(plant, ..)| *plant == self);
        entry.expect("BUG: a bug that is not in the list")
    }

    /// The bug inside the product, if it is one.
    pub const fn bug(self) -> Option<Bug> {
        match self {
            Plant::Inside(bug) => Some(bug),
            Plant::InStore(_) | Plant::WatermarkApart | Plant::LaneReordered => None,
        }
    }

    /// Plants the bug in a target's server, if it sits there.
    pub fn on_store(plant: Option<Plant>, store: &Store) {
        if let Some(Plant::InStore(bug)) = plant {
            store.plant(bug);
        }
    }

    /// The target's service, with the bug if it sits there.
    pub fn on_target(
        plant: Option<Plant>,
        inner: Arc<dyn Service<dyn Target>>,
    ) -> Arc<dyn Service<dyn Target>> {
        match plant {
            Some(Plant::WatermarkApart) => Arc::new(ApartService(inner)),
            _ => inner,
        }
    }

    /// The log, with the bug if it sits there.
    pub fn on_log(plant: Option<Plant>, inner: Arc<dyn Log>) -> Arc<dyn Log> {
        match plant {
            Some(Plant::LaneReordered) => Arc::new(Reordered(inner)),
            _ => inner,
        }
    }
}

struct ApartService(Arc<dyn Service<dyn Target>>);

#[async_trait]
impl Service<dyn Target> for ApartService {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        Ok(Box::new(Apart(self.0.connect().await?)))
    }
}

struct Apart(Box<dyn Target>);

#[async_trait]
impl Target for Apart {
    fn claim(&self) -> Claim {
        self.0.claim()
    }

    async fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault> {
        self.0.lead(lane, tenure).await
    }

    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        self.0.standing(lane).await
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let before = self.0.standing(&batch.lane).await?.watermark;
        let (true, Some(before)) = (batch.last && !batch.writes.is_empty(), before) else {
            return self.0.apply(batch, mode).await;
        };
        let data = Batch { watermark: before, ..batch.clone() };
        let outcome = self.0.apply(&data, mode).await?;
        if matches!(outcome, Outcome::Refused(_)) {
            return Ok(outcome);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (writes, holds) = (Arc::default(), Vec::new());
        self.0.apply(&Batch { writes, holds, ..batch.clone() }, mode).await?;
        Ok(outcome)
    }
}

struct Reordered(Arc<dyn Log>);

#[async_trait]
impl Log for Reordered {
    async fn bounds(&self, lane: &Lane) -> Result<Bounds, Fault> {
        self.0.bounds(lane).await
    }

    async fn stage(&self, lane: &Lane, part: StagedPart) -> Result<(), Fault> {
        self.0.stage(lane, part).await
    }

    async fn unstage(
        &self,
        lane: &Lane,
        transaction: TransactionId,
        sub: TransactionId,
    ) -> Result<(), Fault> {
        self.0.unstage(lane, transaction, sub).await
    }

    async fn append(&self, lane: &Lane, entries: Vec<Append>, epoch: Epoch) -> Result<(), Fault> {
        self.0.append(lane, entries, epoch).await
    }

    async fn read(
        &self,
        lane: &Lane,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Read, Fault> {
        let mut read = self.0.read(lane, after, bytes_max).await?;
        if let Read::Entries(entries) = &mut read {
            let whole =
                |entry: &Entry| matches!(entry, Entry::Part(part) if part.last && part.first == 0);
            if let Some(index) = entries.windows(2).position(|pair| pair.iter().all(whole)) {
                // Their changes trade places, not their commits: offsets out of order would be
                // refused by the plan before the oracle could see anything.
                if let [Entry::Part(one), Entry::Part(other)] = &mut entries[index..index + 2] {
                    std::mem::swap(&mut one.changes, &mut other.changes);
                }
            }
        }
        Ok(read)
    }

    async fn trim(&self, lane: &Lane, upto: &Offset) -> Result<(), Fault> {
        self.0.trim(lane, upto).await
    }
}
