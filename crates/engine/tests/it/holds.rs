//! Keys that a target refuses, and how they pass.

use crate::rig::{Rig, lane, until};
use model::{Cell, Claim, Op, Row};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row, row_with_same_body};
use testkit::faulty::{Call, Reply};
use testkit::memory::store::Manners;
use tokio::time::{Instant, sleep};

/// AP8: what held it up is lifted at the target; nothing happens at the source.
#[tokio::test(start_paused = true)]
async fn a_held_key_passes_once_the_target_takes_its_row() {
    for claim in [Claim::Transactional, Claim::Versioned] {
        let mut rig = Rig::with([refusing(claim)]);
        let _running = rig.start_filled().await;
        rig.change([Op::Insert(row(1, 7, "bad")), Op::Insert(row(2, 7, "good"))]);
        until("it is held", || held(&rig) == 1).await;
        sleep(Duration::from_secs(5)).await;
        assert_eq!(held(&rig), 1);
        rig.targets[0].store.set_rule(Arc::new(|_| None));
        rig.in_step(0).await;
        assert_eq!(held(&rig), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_row_of_a_fill_is_held_and_the_others_arrive() {
    let mut rig = Rig::with([refusing(Claim::Transactional)]);
    rig.limits.ask_rows_max = 3;
    rig.insert(0..9);
    rig.change([Op::Insert(row(10, 7, "bad"))]);
    let _running = rig.start_filled().await;
    assert_eq!((rig.rows(0).len(), held(&rig)), (9, 1));
    rig.change([Op::Update { before: key(10), row: row(10, 7, "good") }]);
    rig.in_step(0).await;
    assert_eq!(held(&rig), 0);
}

/// AP8: a retry is refused once more, and the server goes away before the watermark is written. The
/// row that is there now lacks what the key was held for, so no update may be laid over it.
#[tokio::test(start_paused = true)]
async fn a_key_held_by_half_a_batch_stays_held() {
    for claim in [Claim::Versioned, Claim::Idempotent] {
        let mut rig = Rig::with([refusing(claim)]);
        let running = rig.start_filled().await;
        rig.insert([1, 2]);
        rig.in_step(0).await;
        let replies = rig.targets[0].replies.clone();
        let store = rig.targets[0].store.clone();
        rig.change([1, 2].map(|id| Op::Update { before: key(id), row: row(id, 7, "bad") }));
        until("both are held", || held(&rig) == 2).await;
        // Between the refusal of the whole and the rows one by one.
        let refusals = store.refusals();
        replies.push(Call::Standing, Reply::RespondSlowly(Duration::from_secs(1), Duration::ZERO));
        until("they are tried again", || store.refusals() > refusals).await;
        store.fail_after_rows(1);
        let half = store.look(|kept| kept.watermarks[&lane()].clone());
        rig.change([Op::Update { before: key(1), row: row_with_same_body(1, 9) }]);
        let is_half = || {
            store.look(|kept| {
                let mut holds = kept.holds.values();
                kept.watermarks[&lane()] == half && holds.any(|hold| hold.offset > half)
            })
        };
        until("half of it is written", is_half).await;
        until("the target is reached again", || running.fault(0).is_none()).await;
        sleep(Duration::from_secs(5)).await;
        assert_eq!((rig.rows(0)[&key(1)].clone(), held(&rig)), (row(1, 7, "body"), 2));
        store.set_rule(Arc::new(|_| None));
        rig.in_step(0).await;
        assert_eq!(held(&rig), 0);
    }
}

/// Somebody has deleted a row at the target: an update of it finds it missing.
#[tokio::test(start_paused = true)]
async fn an_update_of_a_missing_row_is_read_again() {
    let mut rig = Rig::new(1);
    let _running = rig.start_filled().await;
    rig.insert([1, 2]);
    rig.in_step(0).await;
    rig.targets[0].store.tamper(|kept| {
        _ = kept.rows.get_mut(&"copy".into()).expect("rows").remove(&key(1));
    });
    rig.change([Op::Update { before: key(1), row: row_with_same_body(1, 9) }]);
    rig.in_step(0).await;
    until("nothing is held", || held(&rig) == 0).await;
}

/// A key change of a row that the target never took, and another row at its old key.
#[tokio::test(start_paused = true)]
async fn a_held_key_change_and_an_insert_at_its_old_key_arrive_in_the_end() {
    let mut rig = Rig::with([refusing(Claim::Transactional)]);
    let _running = rig.start_filled().await;
    rig.change([Op::Insert(row(1, 7, "bad"))]);
    until("it is held", || held(&rig) == 1).await;
    rig.change([Op::Update { before: key(1), row: row_with_same_body(2, 8) }]);
    rig.change([Op::Insert(row(1, 9, "good"))]);
    until("the new row arrives", || rig.rows(0).contains_key(&key(1))).await;
    assert_eq!(rig.rows(0).len(), 1);
    rig.targets[0].store.set_rule(Arc::new(|_| None));
    rig.in_step(0).await;
    assert_eq!(held(&rig), 0);
}

#[tokio::test(start_paused = true)]
async fn held_keys_are_tried_again_after_a_restart() {
    let mut rig = Rig::with([refusing(Claim::Transactional)]);
    let running = rig.start_filled().await;
    rig.change([Op::Insert(row(1, 7, "bad"))]);
    until("it is held", || held(&rig) == 1).await;
    running.crash().await;
    rig.targets[0].store.set_rule(Arc::new(|_| None));
    let _running = rig.start().await;
    rig.in_step(0).await;
}

/// A key that is refused again and again is tried less and less often.
#[tokio::test(start_paused = true)]
async fn a_held_key_is_not_tried_for_ever_at_the_same_pace() {
    let mut rig = Rig::with([refusing(Claim::Transactional)]);
    let _running = rig.start_filled().await;
    rig.change([Op::Insert(row(1, 7, "bad")), Op::Insert(row(2, 7, "bad"))]);
    until("they are held", || held(&rig) == 2).await;
    let (began, before) = (Instant::now(), rig.targets[0].store.refusals());
    sleep(Duration::from_secs(600)).await;
    let tries = rig.targets[0].store.refusals() - before;
    assert!(tries < 100, "{tries} refusals in {} s", began.elapsed().as_secs());
}

fn held(rig: &Rig) -> usize {
    rig.targets[0].store.look(|kept| kept.holds.len())
}

fn refusing(claim: Claim) -> Manners {
    let rule =
        Arc::new(|row: &Row| (row.0[2] == Cell::from("bad")).then(|| "not this one".to_owned()));
    Manners { rule, ..Manners::plain(claim) }
}
