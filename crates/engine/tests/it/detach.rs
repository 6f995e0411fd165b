//! A log that is full, and the group that is why.

use crate::rig::{Rig, lane, until};
use async_trait::async_trait;
use instep_engine::WhenFull;
use model::{
    Append, Bounds, Code, Epoch, Fault, Lane, Log, Offset, Read, StagedPart, TransactionId,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::faulty::{Call, Reply};
use testkit::memory::log::MemoryLog;
use tokio::sync::Notify;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_target_that_holds_a_full_log_is_let_go_and_bridged_when_it_returns() {
    let mut rig = full(WhenFull::Detach);
    let running = rig.start_filled().await;
    let release = Arc::new(Notify::new());
    rig.limits.answer = Duration::from_secs(3_600);
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(release.clone()));
    for id in 0..200 {
        rig.insert([id]);
        sleep(Duration::from_millis(50)).await;
    }
    rig.in_step(1).await;
    let group = || running.board.snapshot().groups[&"target-0".into()].clone();
    assert!(group().detached.is_some());
    assert!(rig.rows(0).len() < 200);
    release.notify_one();
    rig.in_step(0).await;
    until("it is back", || group().detached.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_waits_for_a_target_that_must_not_be_let_go() {
    let mut rig = full(WhenFull::Wait);
    let running = rig.start_filled().await;
    let release = Arc::new(Notify::new());
    for _ in 0..100 {
        rig.targets[0].replies.push(Call::Connect, Reply::Refuse);
    }
    rig.targets[0].replies.push(Call::Apply, Reply::FailAfterWrite);
    for id in 0..200 {
        rig.insert([id]);
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_secs(30)).await;
    assert!(running.board.snapshot().groups[&"target-0".into()].detached.is_none());
    assert!(rig.rows(1).len() < 200, "capture waits");
    release.notify_one();
    rig.in_step(0).await;
    rig.in_step(1).await;
}

/// What is staged fills a log as well as what is committed.
#[tokio::test(start_paused = true)]
async fn a_log_filled_by_one_large_transaction_lets_go_as_well() {
    let mut rig = full(WhenFull::Detach);
    rig.limits.inline_bytes_max = 100;
    let _running = rig.start_filled().await;
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(Arc::default()));
    let bytes = async || rig.log.bounds(&lane()).await.expect("bounds").bytes;
    let mut id = 0;
    while bytes().await < 12_000 {
        rig.insert([id]);
        rig.in_step(1).await;
        id += 1;
    }
    // More than that, in many parts: too much for what is left, but not for the log.
    let transaction = rig.database.begin();
    for id in id..3 * id {
        let row = testkit::conformance::rows::row(id, 1, "body");
        let change = testkit::conformance::rows::insert(&rig.table, row);
        rig.database.write(transaction, transaction, change);
        rig.database.stream(transaction);
        sleep(Duration::from_millis(1)).await;
    }
    rig.database.commit(transaction);
    rig.database.show(transaction);
    rig.in_step(1).await;
}

/// What one lane keeps for a target that is gone is room that the others lack, and a quiet lane needs
/// none itself.
#[tokio::test(start_paused = true)]
async fn a_target_that_holds_a_full_log_is_let_go_whichever_lane_needs_the_room() {
    let mut one = full(WhenFull::Detach);
    let mut two = Rig { lane: "questions/b".into(), ..one.second() };
    two.log = one.log.clone();
    two.targets.remove(0);
    two.database = testkit::memory::database::Database::new("server-2");
    two.database.define(&two.table);
    two.slot = two.database.slot("main");
    let first = one.start_filled().await;
    let _second = two.start_filled().await;
    one.targets[0].replies.push(Call::Apply, Reply::HoldReply(Arc::default()));
    let bytes = async || one.log.bounds(&lane()).await.expect("bounds").bytes;
    let mut id = 0;
    while bytes().await < 20_000 {
        one.insert([id]);
        one.in_step(1).await;
        id += 1;
    }
    for id in 1_000..1_200 {
        two.insert([id]);
        sleep(Duration::from_millis(50)).await;
    }
    let is_there = || two.truth().keys().all(|key| one.rows(1).contains_key(key));
    until("the other lane goes on", is_there).await;
    let groups = first.board.snapshot().groups;
    assert!(groups[&"target-0".into()].detached.is_some(), "{groups:?}");
}

fn full(when_full: WhenFull) -> Rig {
    let mut rig = Rig::new(2);
    rig.when_full = when_full;
    rig.limits.full_grace = Duration::from_secs(2);
    rig.limits.answer = Duration::from_secs(3_600);
    let (inner, is_full) = (MemoryLog::new(), AtomicBool::new(false));
    rig.log = Arc::new(BoundedLog { inner, bytes_max: 20_000, is_full });
    rig
}

/// A log with little room.
struct BoundedLog {
    inner: MemoryLog,
    bytes_max: u64,
    is_full: AtomicBool,
}

impl BoundedLog {
    async fn check(&self) -> Result<(), Fault> {
        let mut bytes = 0;
        for lane in [lane(), "questions/b".into()] {
            bytes += self.inner.bounds(&lane).await?.bytes;
        }
        if bytes < self.bytes_max {
            return Ok(());
        }
        self.is_full.store(true, Ordering::SeqCst);
        Err(Fault::retry(Code::JournalFull, "there is no room"))
    }
}

#[async_trait]
impl Log for BoundedLog {
    async fn bounds(&self, lane: &Lane) -> Result<Bounds, Fault> {
        let is_full = self.is_full.load(Ordering::SeqCst);
        Ok(Bounds { is_full, ..self.inner.bounds(lane).await? })
    }

    async fn stage(&self, lane: &Lane, part: StagedPart) -> Result<(), Fault> {
        self.check().await?;
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
        self.check().await?;
        self.inner.append(lane, entries, epoch).await
    }

    async fn read(
        &self,
        lane: &Lane,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Read, Fault> {
        self.inner.read(lane, after, bytes_max).await
    }

    async fn trim(&self, lane: &Lane, upto: &Offset) -> Result<(), Fault> {
        self.is_full.store(false, Ordering::SeqCst);
        self.inner.trim(lane, upto).await
    }
}
