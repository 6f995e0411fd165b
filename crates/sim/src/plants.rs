//! Planted bugs: each is put in on purpose and has to be caught, so that we know the oracle looks.
//!
//! Where a wrapper around a port can play the bug it stands here; the others sit behind
//! `model::attack::planted`, which is constant false in the product.

use crate::oracle::Invariant;
use async_trait::async_trait;
use model::attack::Bug;
use model::{
    Append, Batch, Bounds, Claim, Entry, Epoch, Fault, Hold, Lane, Leadership, Log, Mode, Offset,
    Outcome, Read, Service, StagedPart, Target, Tenure, TransactionId, Watermark,
};
use std::sync::Arc;
use std::time::Duration;

/// A bug that can be planted in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// One of those inside the product.
    Inside(Bug),
    /// The watermark is written in a transaction of its own, after the data.
    WatermarkApart,
    /// Two transactions of a lane reach the readers in the wrong order.
    LaneReordered,
}

impl Plant {
    /// Every bug that can be planted.
    pub const ALL: [Plant; 10] = [
        Plant::Inside(Bug::ConfirmBeforeDurable),
        Plant::WatermarkApart,
        Plant::Inside(Bug::NoDedupeOnReplay),
        Plant::Inside(Bug::ReadUnsyncedTail),
        Plant::Inside(Bug::CoalesceAcrossBatches),
        Plant::Inside(Bug::KeyChangeWithoutDelete),
        Plant::Inside(Bug::LostReplyTakenForRefusal),
        Plant::Inside(Bug::TrimAboveLowestWatermark),
        Plant::Inside(Bug::TornTailAccepted),
        Plant::LaneReordered,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Plant::Inside(Bug::ConfirmBeforeDurable) => "confirm-before-durable",
            Plant::Inside(Bug::NoDedupeOnReplay) => "no-dedupe-on-replay",
            Plant::Inside(Bug::ReadUnsyncedTail) => "read-unsynced-tail",
            Plant::Inside(Bug::CoalesceAcrossBatches) => "coalesce-across-batches",
            Plant::Inside(Bug::KeyChangeWithoutDelete) => "key-change-without-delete",
            Plant::Inside(Bug::LostReplyTakenForRefusal) => "lost-reply-taken-for-refusal",
            Plant::Inside(Bug::TrimAboveLowestWatermark) => "trim-above-lowest-watermark",
            Plant::Inside(Bug::TornTailAccepted) => "torn-tail-accepted",
            Plant::WatermarkApart => "watermark-apart",
            Plant::LaneReordered => "lane-reordered",
        }
    }

    /// The promises of which one must be seen broken.
    pub const fn caught_by(self) -> &'static [Invariant] {
        use Invariant as I;
        match self {
            Plant::Inside(Bug::ConfirmBeforeDurable) => &[I::ConfirmedIsDurable],
            Plant::Inside(Bug::NoDedupeOnReplay) => &[I::LogEqualsHistory],
            Plant::Inside(Bug::ReadUnsyncedTail) => &[I::AppliedIsDurable],
            Plant::Inside(Bug::CoalesceAcrossBatches)
            | Plant::Inside(Bug::KeyChangeWithoutDelete)
            | Plant::WatermarkApart
            | Plant::LaneReordered => &[I::PrefixExact],
            Plant::Inside(Bug::LostReplyTakenForRefusal) => &[I::OnceInEffect],
            Plant::Inside(Bug::TrimAboveLowestWatermark) => &[I::NothingStopsWithoutCause],
            Plant::Inside(Bug::TornTailAccepted) => {
                &[I::LogEqualsHistory, I::NothingStopsWithoutCause]
            }
        }
    }

    /// The bug inside the product, if it is one.
    pub const fn bug(self) -> Option<Bug> {
        match self {
            Plant::Inside(bug) => Some(bug),
            Plant::WatermarkApart | Plant::LaneReordered => None,
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

    async fn lead(&mut self, tenure: &Tenure) -> Result<Leadership, Fault> {
        self.0.lead(tenure).await
    }

    async fn watermark(&mut self, lane: &Lane) -> Result<Option<Watermark>, Fault> {
        self.0.watermark(lane).await
    }

    async fn holds(&mut self, lane: &Lane) -> Result<Vec<Hold>, Fault> {
        self.0.holds(lane).await
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let before = self.0.watermark(&batch.lane).await?;
        let (true, Some(before)) = (batch.last && !batch.writes.is_empty(), before) else {
            return self.0.apply(batch, mode).await;
        };
        let data = Batch { watermark: before, ..batch.clone() };
        let outcome = self.0.apply(&data, mode).await?;
        if matches!(outcome, Outcome::Refused(_)) {
            return Ok(outcome);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (writes, holds) = (Vec::new(), Vec::new());
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
