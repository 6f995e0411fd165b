//! From the log into the groups.

use crate::rig::{Rig, lane, until};
use model::{Cell, Claim, Op};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row, row_with_same_body};
use testkit::faulty::{Call, Reply};
use testkit::memory::log::MemoryLog;
use testkit::memory::store::{Kept, Manners};
use tokio::sync::Notify;
use tokio::time::sleep;

/// AP2, AP3: a reply that is lost after the write is found by the watermark; nothing comes twice.
#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_answered_by_the_watermark() {
    let mut rig = Rig::new(1);
    let running = rig.start().await;
    rig.targets[0].replies.push(Call::Apply, Reply::FailAfterWrite);
    rig.insert([1, 2]);
    rig.in_step(0).await;
    rig.insert([3]);
    rig.in_step(0).await;
    assert!(running.board.snapshot().groups[&"target-0".into()].task.retries >= 1);
    assert!(rig.targets[0].store.look(|kept| kept.ledger.values().all(|times| *times == 1)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_is_tried_again_until_it_passes() {
    let mut rig = Rig::new(1);
    let _running = rig.start().await;
    for _ in 0..5 {
        rig.targets[0].replies.push(Call::Apply, Reply::Refuse);
    }
    rig.insert([1]);
    rig.in_step(0).await;
}

/// P9: an outage of one target holds only that target.
#[tokio::test(start_paused = true)]
async fn an_outage_of_one_target_holds_only_that_target() {
    let mut rig = Rig::new(2);
    let _running = rig.start_filled().await;
    let release = Arc::new(Notify::new());
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(release.clone()));
    rig.insert([1]);
    rig.in_step(1).await;
    rig.insert([2]);
    rig.in_step(1).await;
    assert_eq!(rig.rows(0).len(), 1, "the answer to the first batch is still held");
    release.notify_one();
    rig.in_step(0).await;
}

/// P9: one bad row holds its own key; the rest moves on, and the hold has a name and a reason.
#[tokio::test(start_paused = true)]
async fn a_refused_row_holds_its_own_key_and_nothing_else() {
    let mut rig = Rig::with([refusing()]);
    let running = rig.start().await;
    rig.change([
        Op::Insert(row(1, 7, "good")),
        Op::Insert(row(2, 7, "bad")),
        Op::Insert(row(3, 7, "good")),
    ]);
    until("the others arrived", || rig.rows(0).len() == 2).await;
    let holds = rig.targets[0].store.kept().holds;
    assert_eq!(holds.len(), 1);
    let hold = holds.values().next().expect("one");
    assert_eq!((&hold.key, hold.reason.as_str()), (&key(2), "not this one"));
    // It stays held while it is refused; its end releases it.
    rig.change([Op::Update { before: key(2), row: row(2, 8, "bad") }, Op::Delete(key(1))]);
    until("the rest moved on", || rig.rows(0).len() == 1).await;
    assert_eq!(running.board.snapshot().groups[&"target-0".into()].held_keys, 1);
    rig.change([Op::Delete(key(2))]);
    until("the hold is over", || rig.targets[0].store.kept().holds.is_empty()).await;
    rig.in_step(0).await;
}

/// PC1: a column that the source did not repeat keeps its value.
#[tokio::test(start_paused = true)]
async fn an_unchanged_column_keeps_its_value_on_the_way() {
    let mut rig = Rig::new(1);
    let _running = rig.start().await;
    rig.change([Op::Insert(row(1, 7, "long"))]);
    rig.in_step(0).await;
    rig.change([Op::Update { before: key(1), row: row_with_same_body(1, 8) }]);
    rig.in_step(0).await;
    assert_eq!(rig.rows(0)[&key(1)].0[2], Cell::from("long"));
}

/// PC5: a key change leaves no row behind, whether or not all of its columns came along.
#[tokio::test(start_paused = true)]
async fn a_key_change_moves_the_row() {
    let mut rig = Rig::new(1);
    let _running = rig.start().await;
    rig.insert([1, 2]);
    rig.change([
        Op::Update { before: key(1), row: row_with_same_body(11, 7) },
        Op::Update { before: key(2), row: row(12, 7, "new") },
    ]);
    rig.in_step(0).await;
    assert_eq!(rig.rows(0).keys().cloned().collect::<Vec<_>>(), [key(11), key(12)]);
}

/// LG9: the log keeps what the slowest group needs, and no more.
#[tokio::test(start_paused = true)]
async fn the_log_is_trimmed_to_the_slowest_group() {
    let mut rig = Rig::new(2);
    let _running = rig.start().await;
    let release = Arc::new(Notify::new());
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(release.clone()));
    for id in 0..20 {
        rig.insert([id]);
        rig.in_step(1).await;
    }
    let trimmed = rig.log.bounds(&lane()).await.expect("bounds").trimmed;
    assert_eq!(trimmed, None, "the slow group has no watermark yet");
    release.notify_one();
    rig.in_step(0).await;
    sleep(Duration::from_secs(5)).await;
    let bounds = rig.log.bounds(&lane()).await.expect("bounds");
    assert_eq!(bounds.trimmed, bounds.last, "nobody needs anything any more");
}

/// P8: a group that came back from long ago is bridged, and does not hold the log meanwhile.
#[tokio::test(start_paused = true)]
async fn a_group_whose_history_is_gone_is_bridged_and_does_not_hold_the_log() {
    let mut rig = Rig::new(2);
    let running = rig.start_filled().await;
    rig.insert([1]);
    rig.in_step(0).await;
    rig.in_step(1).await;
    let long_ago = rig.targets[0].store.kept();
    rig.change([Op::Delete(key(1))]);
    rig.insert([2]);
    rig.in_step(0).await;
    sleep(Duration::from_secs(5)).await;
    running.crash().await;
    rig.targets[0].store.tamper(|kept| *kept = Kept { leaders: kept.leaders.clone(), ..long_ago });
    let _running = rig.start().await;
    rig.in_step(0).await;
    rig.insert([3]);
    rig.in_step(0).await;
    rig.in_step(1).await;
    sleep(Duration::from_secs(5)).await;
    let bounds = rig.log.bounds(&lane()).await.expect("bounds");
    assert_eq!(bounds.trimmed, bounds.last, "nobody needs anything any more");
}

/// The only group of a lane that lost everything is filled again, and the log does not grow.
#[tokio::test(start_paused = true)]
async fn a_lane_whose_only_group_lost_everything_is_trimmed_to_its_end() {
    let mut rig = Rig::new(1);
    let running = rig.start().await;
    rig.insert([1]);
    rig.in_step(0).await;
    sleep(Duration::from_secs(5)).await;
    running.crash().await;
    rig.targets[0].store.tamper(|kept| *kept = Kept::default());
    let _running = rig.start().await;
    sleep(Duration::from_secs(1)).await;
    rig.insert([2]);
    rig.insert([3]);
    rig.in_step(0).await;
    sleep(Duration::from_secs(5)).await;
    let bounds = rig.log.bounds(&lane()).await.expect("bounds");
    assert_eq!(bounds.trimmed, bounds.last);
}

/// F05: a server that takes a call and never answers is given up, and asked anew.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_answered_is_given_up() {
    let mut rig = Rig::new(1);
    let _running = rig.start().await;
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(Arc::default()));
    rig.insert([1]);
    rig.in_step(0).await;
    rig.insert([2]);
    rig.in_step(0).await;
}

/// AP2: what a failed connection still has under way cannot come after its successor.
#[tokio::test(start_paused = true)]
async fn a_batch_that_arrives_after_its_connection_failed_is_fenced_off() {
    let mut rig = Rig::new(1);
    let _running = rig.start().await;
    rig.insert([1]);
    rig.in_step(0).await;
    rig.targets[0].replies.push(Call::Apply, Reply::ArriveLate(Duration::from_secs(5)));
    rig.change([Op::Update { before: key(1), row: row(1, 2, "second") }]);
    rig.in_step(0).await;
    rig.change([Op::Update { before: key(1), row: row(1, 3, "third") }]);
    rig.in_step(0).await;
    let stands = || rig.targets[0].store.kept().watermarks[&lane()].clone();
    let before = stands();
    sleep(Duration::from_secs(10)).await;
    assert_eq!((rig.rows(0), stands()), (rig.truth(), before));
}

/// P8: the data directory is lost, and the source has moved on meanwhile.
#[tokio::test(start_paused = true)]
async fn a_copy_from_before_the_history_of_the_log_is_bridged() {
    let mut rig = Rig::new(1);
    let running = rig.start_filled().await;
    rig.insert([1, 2]);
    rig.in_step(0).await;
    running.crash().await;
    rig.log = Arc::new(MemoryLog::new());
    rig.notes = Arc::default();
    rig.change([Op::Delete(key(1))]);
    rig.insert([3]);
    let _running = rig.start().await;
    rig.in_step(0).await;
    rig.insert([4]);
    rig.in_step(0).await;
}

/// Decision 17: under steady load, too, commits are made durable in time, and the log is trimmed.
#[tokio::test(start_paused = true)]
async fn a_busy_group_with_asynchronous_commits_is_flushed_in_time() {
    let manners = Manners { flush_every: 1_000, ..Manners::plain(Claim::Transactional) };
    let mut rig = Rig::with([manners]);
    let _running = rig.start().await;
    for id in 0..40 {
        rig.insert([id]);
        sleep(Duration::from_millis(500)).await;
    }
    let bounds = rig.log.bounds(&lane()).await.expect("bounds");
    assert!(bounds.trimmed > None, "{bounds:?}");
}

/// Decision 17: what a target has not made durable is not trimmed, and comes again after its crash.
#[tokio::test(start_paused = true)]
async fn commits_that_a_target_lost_are_applied_again() {
    let mut rig =
        Rig::with([Manners { flush_every: 1_000, ..Manners::plain(Claim::Transactional) }]);
    let _running = rig.start().await;
    rig.insert([1, 2, 3]);
    rig.in_step(0).await;
    rig.targets[0].store.crash();
    assert_eq!(rig.rows(0).len(), 0, "it lost everything");
    rig.in_step(0).await;
}

fn refusing() -> Manners {
    let rule = Arc::new(|row: &model::Row| {
        (row.0[2] == Cell::from("bad")).then(|| "not this one".to_owned())
    });
    Manners { rule, ..Manners::plain(Claim::Transactional) }
}
