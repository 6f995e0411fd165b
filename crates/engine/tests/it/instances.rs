//! Several writers of one target: instances of one lane, and lanes of one copy.

use crate::rig::{Rig, Running, lane, until};
use crate::workload::Workload;
use instep_engine::Phase;
use model::{Claim, Op};
use std::time::Duration;
use testkit::conformance::rows::{key, row};
use testkit::faulty::{Call, Reply};
use testkit::memory::store::{Kept, Manners};
use tokio::time::{Instant, sleep};

/// HA1: the second instance takes over once the lease of the first has run out.
#[tokio::test(start_paused = true)]
async fn a_second_instance_takes_over_when_the_first_is_gone() {
    let mut one = Rig::new(1);
    one.insert(0..20);
    let first = one.start_filled().await;
    let mut two = one.second();
    let second = two.start().await;
    one.insert([30]);
    one.in_step(0).await;
    let phase = || second.board.snapshot().groups[&"target-0".into()].task.phase;
    assert_eq!(phase(), Phase::Elsewhere);
    first.crash().await;
    one.insert([31]);
    one.in_step(0).await;
    assert_eq!(phase(), Phase::Following);
}

/// Nobody waits for the end of a lease that nobody needs any more.
#[tokio::test(start_paused = true)]
async fn the_second_instance_takes_over_soon_from_one_that_is_stopped() {
    let mut one = Rig::new(1);
    one.limits.lease = Duration::from_secs(30);
    one.insert(0..20);
    let first = one.start_filled().await;
    let mut two = one.second();
    let _second = two.start().await;
    sleep(Duration::from_secs(60)).await;
    first.stop.ask();
    first.work.await.expect("it ends");
    let stopped = Instant::now();
    one.insert([30]);
    one.in_step(0).await;
    assert!(stopped.elapsed() < Duration::from_secs(15), "{:?}", stopped.elapsed());
}

/// Its log ends when its disk does; and what it has let go of is not to be compared.
#[tokio::test(start_paused = true)]
async fn a_second_instance_keeps_no_more_of_its_log_than_the_target_may_lack() {
    let mut one = Rig::new(1);
    one.insert(0..20);
    let first = one.start_filled().await;
    let mut two = one.second();
    let second = two.start().await;
    for id in 100..160 {
        one.insert([id]);
        sleep(Duration::from_secs(1)).await;
    }
    one.in_step(0).await;
    sleep(Duration::from_secs(60)).await;
    let bounds = two.log.bounds(&lane()).await.expect("bounds");
    assert_eq!(bounds.trimmed, bounds.last, "the target has everything");
    one.insert([200]);
    first.crash().await;
    one.insert([201]);
    one.in_step(0).await;
    let notices = second.board.notices_after(0);
    assert!(notices.is_empty(), "{notices:?}");
}

/// It is to compare everything in any case, so it needs nothing from before.
#[tokio::test(start_paused = true)]
async fn a_second_instance_of_another_history_keeps_nothing_for_later() {
    let (one, first) = restored().await;
    let mut two = one.second();
    let _second = two.start().await;
    for id in 100..110 {
        one.insert([id]);
        sleep(Duration::from_secs(1)).await;
    }
    sleep(Duration::from_secs(60)).await;
    let bounds = two.log.bounds(&lane()).await.expect("bounds");
    assert!(bounds.trimmed.is_some() && bounds.trimmed == bounds.last, "{bounds:?}");
    first.crash().await;
    one.insert([200]);
    one.in_step(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_the_first_instance_left_is_ended_by_the_second() {
    for seed in 0..6 {
        let mut one = Rig::new(1);
        one.limits.ask_rows_max = 5;
        one.limits.batch_changes_max = 10;
        one.limits.lease = Duration::from_millis(100);
        one.insert(0..80);
        let mut two = one.second();
        let mut workload = Workload::new(seed);
        for _ in 0..4 {
            let first = one.launch();
            workload.run(&one, 10).await;
            let second = two.launch();
            workload.run(&one, 10).await;
            first.crash().await;
            sleep(Duration::from_millis(workload.draw(200))).await;
            second.crash().await;
        }
        let _first = one.launch();
        let _second = two.launch();
        one.in_step(0).await;
    }
}

/// An instance that was set up after the source had been restored counts its histories from one. It
/// takes up the number of the first, and neither raises the other ever after.
#[tokio::test(start_paused = true)]
async fn two_instances_come_to_one_number_of_their_history() {
    let (mut one, mut first) = restored().await;
    let mut two = one.second();
    let mut second = two.start().await;
    let store = one.targets[0].store.clone();
    let at = |kept: &Kept| kept.watermarks.values().next().cloned().expect("a watermark");
    for id in 40..44 {
        first.crash().await;
        one.insert([id]);
        one.in_step(0).await;
        assert_eq!(store.look(at).incarnation.0, 2);
        first = second;
        second = if id % 2 == 0 { one.launch() } else { two.launch() };
    }
}

/// An idle source says on being asked how far it is.
#[tokio::test(start_paused = true)]
async fn a_second_instance_of_an_idle_source_takes_up_the_history_of_the_first() {
    let (one, first) = restored().await;
    first.crash().await;
    let mut two = one.second();
    let second = two.start().await;
    until("it follows", || second.is_filled(0)).await;
}

/// HA3: what the first still has under way comes too late.
#[tokio::test(start_paused = true)]
async fn a_late_writer_of_another_instance_is_refused() {
    let mut one = Rig::new(1);
    let first = one.start_filled().await;
    one.insert([1]);
    one.in_step(0).await;
    one.targets[0].replies.push(Call::Apply, Reply::ArriveLate(Duration::from_secs(60)));
    one.change([Op::Update { before: key(1), row: row(1, 2, "late") }]);
    sleep(Duration::from_millis(1)).await;
    first.crash().await;
    let mut two = one.second();
    let _second = two.start().await;
    one.change([Op::Update { before: key(1), row: row(1, 3, "new") }]);
    one.in_step(0).await;
    sleep(Duration::from_secs(120)).await;
    one.in_step(0).await;
}

/// A row that moves from one shard to the other, in either order.
#[tokio::test(start_paused = true)]
async fn two_shards_feed_one_copy() {
    let mut one = Rig::with([Manners { owned: true, ..Manners::plain(Claim::Transactional) }]);
    let mut two = Rig { lane: "questions/b".into(), ..one.second() };
    two.database = testkit::memory::database::Database::new("server-2");
    two.database.define(&two.table);
    two.slot = two.database.slot("main");
    one.insert(0..20);
    two.insert(100..120);
    let _running = (one.start().await, two.start().await);
    let both = || one.truth().into_iter().chain(two.truth()).collect();
    until("both are there", || one.rows(0) == both()).await;
    one.change([Op::Delete(key(1))]);
    two.insert([1]);
    until("it has moved", || one.rows(0) == both()).await;
    two.insert([2]);
    sleep(Duration::from_secs(3)).await;
    one.change([Op::Delete(key(2))]);
    until("it has moved", || one.rows(0) == both()).await;
}

/// The rows of another shard are none that this one lacks.
#[tokio::test(start_paused = true)]
async fn an_empty_shard_beside_a_full_one_is_filled() {
    let mut one = Rig::with([Manners { owned: true, ..Manners::plain(Claim::Transactional) }]);
    let mut two = Rig { lane: "questions/b".into(), ..one.second() };
    two.database = testkit::memory::database::Database::new("server-2");
    two.database.define(&two.table);
    two.slot = two.database.slot("main");
    one.insert(0..20);
    let _one = one.start_filled().await;
    let _two = two.start_filled().await;
}

/// An instance whose source was restored since, so that it counts its second history.
async fn restored() -> (Rig, Running) {
    let mut one = Rig::new(1);
    one.insert(0..20);
    let running = one.start_filled().await;
    let backup = one.database.save();
    one.insert([30]);
    one.in_step(0).await;
    one.database.restore(&backup);
    one.insert([31]);
    one.in_step(0).await;
    (one, running)
}
