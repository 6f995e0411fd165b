//! A log that takes longer to read than any task likes to be idle.

use crate::rig::{Rig, lane};
use async_trait::async_trait;
use model::{
    Append, Bounds, Claim, Epoch, Fault, Lane, Log, Offset, Read, StagedPart, TransactionId,
};
use std::sync::Arc;
use std::time::Duration;
use testkit::memory::log::MemoryLog;
use testkit::memory::store::Manners;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_read_longer_than_the_idle_time_is_waited_for() {
    let mut rig = slow(Manners::plain(Claim::Transactional), false);
    let _running = rig.start().await;
    rig.insert([1]);
    rig.in_step(0).await;
}

/// P3: asking for durability while a target transaction is open would end half of it.
#[tokio::test(start_paused = true)]
async fn a_flush_never_ends_half_a_transaction() {
    let mut rig = slow(asynchronous(), true);
    rig.limits.batch_changes_max = 2;
    rig.limits.read_bytes_max = 400;
    let _running = rig.start().await;
    // The small one is not yet durable while the large one waits for its next part.
    rig.insert([0]);
    rig.insert(1..=12);
    while rig.rows(0).len() < 13 {
        let rows = rig.rows(0).len();
        assert!(rows <= 1, "{rows} rows: some of a transaction is visible");
        sleep(Duration::from_millis(20)).await;
    }
}

/// P2: after a crash of the target only what the target says counts.
#[tokio::test(start_paused = true)]
async fn a_flush_never_writes_a_watermark_that_the_target_has_lost() {
    let mut rig = slow(asynchronous(), false);
    rig.limits.flush = Duration::from_secs(2);
    let _running = rig.start_filled().await;
    rig.insert([1]);
    let inserted = rig.database.end();
    rig.in_step(0).await;
    rig.targets[0].store.crash();
    while rig.rows(0).is_empty() {
        let stands = rig.targets[0].store.look(|kept| kept.watermarks.get(&lane()).cloned());
        let position = stands.map(|stands| stands.position);
        assert!(position < Some(inserted.clone()), "a watermark without its rows");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A log that takes longer to read than anybody likes to be idle.
pub(crate) fn slow_log() -> Arc<dyn Log> {
    Arc::new(SlowLog { inner: MemoryLog::new(), only_inside: false })
}

fn slow(manners: Manners, only_inside: bool) -> Rig {
    let mut rig = Rig::with([manners]);
    rig.log = Arc::new(SlowLog { inner: MemoryLog::new(), only_inside });
    rig
}

fn asynchronous() -> Manners {
    Manners { flush_every: 1_000, ..Manners::plain(Claim::Transactional) }
}

struct SlowLog {
    inner: MemoryLog,
    /// Only what goes on inside a transaction is slow.
    only_inside: bool,
}

#[async_trait]
impl Log for SlowLog {
    async fn bounds(&self, lane: &Lane) -> Result<Bounds, Fault> {
        self.inner.bounds(lane).await
    }

    async fn stage(&self, lane: &Lane, part: StagedPart) -> Result<(), Fault> {
        self.inner.stage(lane, part).await
    }

    async fn unstage(
        &self,
        lane: &Lane,
        transaction: TransactionId,
        sub: TransactionId,
    ) -> Result<(), Fault> {
        self.inner.unstage(lane, transaction, sub).await
    }

    async fn append(&self, lane: &Lane, entries: Vec<Append>, epoch: Epoch) -> Result<(), Fault> {
        self.inner.append(lane, entries, epoch).await
    }

    async fn read(
        &self,
        lane: &Lane,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Read, Fault> {
        if !self.only_inside || after.is_some_and(Offset::is_inside) {
            sleep(Duration::from_secs(5)).await;
        }
        self.inner.read(lane, after, bytes_max).await
    }

    /// Nothing goes, so that what a target loses can come again.
    async fn trim(&self, _lane: &Lane, _upto: &Offset) -> Result<(), Fault> {
        Ok(())
    }
}
