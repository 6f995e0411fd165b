//! Starting, stopping, taking over, giving up.

use crate::rig::{Rig, lane, until};
use instep_engine::Phase;
use std::sync::Arc;
use std::time::Duration;
use testkit::faulty::{Call, Reply};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

#[tokio::test(start_paused = true)]
async fn a_stop_ends_every_task_at_once_when_nothing_is_under_way() {
    let mut rig = Rig::new(2);
    let running = rig.start().await;
    rig.insert([1]);
    rig.in_step(0).await;
    rig.in_step(1).await;
    running.stop.ask();
    timeout(Duration::from_millis(100), running.work).await.expect("in time").expect("no panic");
    let board = running.board.snapshot();
    assert_eq!(board.capture.phase, Phase::Ended);
    assert!(board.groups.values().all(|group| group.task.phase == Phase::Ended));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_a_batch_under_way_end() {
    let mut rig = Rig::new(1);
    let running = rig.start_filled().await;
    let slow = Duration::from_secs(2);
    rig.targets[0].replies.push(Call::Apply, Reply::RespondSlowly(slow, slow));
    rig.insert([1]);
    sleep(Duration::from_millis(100)).await;
    running.stop.ask();
    running.work.await.expect("no panic");
    assert_eq!(rig.rows(0).len(), 1, "what was under way was written");
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_no_longer_than_its_bound_even_if_a_target_hangs() {
    let mut rig = Rig::new(1);
    let running = rig.start_filled().await;
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(Arc::new(Notify::new())));
    rig.insert([1]);
    until("it was written", || rig.rows(0).len() == 1).await;
    let asked = Instant::now();
    running.stop.ask();
    running.work.await.expect("no panic");
    assert!(asked.elapsed() <= rig.limits.stop + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_everything_stands() {
    let mut rig = Rig::new(1);
    for run in 0..5 {
        let running = rig.start().await;
        rig.insert([run * 2, run * 2 + 1]);
        if run % 2 == 0 {
            rig.in_step(0).await;
        }
        running.work.abort();
        let _ = running.work.await;
    }
    let _running = rig.start().await;
    rig.in_step(0).await;
    assert!(rig.targets[0].store.look(|kept| kept.ledger.values().all(|times| *times == 1)));
}

/// HA3: a process that everybody took for dead cannot write over its successor.
#[tokio::test(start_paused = true)]
async fn a_late_writer_is_refused_by_the_target() {
    let mut rig = Rig::new(1);
    let old = rig.start().await;
    rig.targets[0]
        .replies
        .push(Call::Apply, Reply::RespondSlowly(Duration::from_secs(5), Duration::ZERO));
    rig.insert([1]);
    sleep(Duration::from_millis(200)).await;
    let _new = rig.start().await;
    rig.in_step(0).await;
    rig.insert([2]);
    rig.in_step(0).await;
    sleep(Duration::from_secs(6)).await;
    assert!(rig.targets[0].store.look(|kept| kept.ledger.values().all(|times| *times == 1)));
    assert_eq!(rig.targets[0].store.kept().leaders[&lane()].0, ("one".into(), rig.run, 1));
    drop(old);
}

/// AP13: a target that is away is asked less and less often.
#[tokio::test(start_paused = true)]
async fn a_target_that_is_away_is_not_hammered() {
    let mut rig = Rig::new(1);
    rig.limits.retry_pause_max = Duration::from_secs(30);
    for _ in 0..1_000 {
        rig.targets[0].replies.push(Call::Connect, Reply::Refuse);
    }
    let running = rig.start().await;
    sleep(Duration::from_secs(600)).await;
    let retries = running.board.snapshot().groups[&"target-0".into()].task.retries;
    let most = u64::from(rig.limits.retry_budget_max) + 600 / 30 + 1;
    assert!((10..=most).contains(&retries), "{retries} retries in ten minutes");
}
