//! Two Insteps over one source and one target: each follows the source by itself, one of them writes,
//! and the other one takes over. Whether a row was written twice is seen by the target itself, which
//! keeps a row of its own for each write.

pub(super) mod instep;
mod pair;

use crate::contract::waiting::{until, until_some};
use pair::{Pair, codes, copy};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const SHORT: &str = "{ retry_pause_seconds: 0.5, lease_seconds: 2, hold_retry_seconds: 1 }";

#[test]
fn the_other_one_takes_over_soon_after_the_leader_is_killed() {
    // The lease is as long as it is where nobody says otherwise.
    let Some(mut pair) = Pair::new("{ retry_pause_seconds: 0.5 }") else { return };
    pair.start(0);
    pair.add(1..11);
    pair.has_all();
    pair.start(1);
    until("both follow the source", || pair.slots() == "2|2");
    assert_eq!(pair.leader(), 0);
    pair.insteps[0].kill();
    let killed = Instant::now();
    pair.add(11..21);
    pair.has_all();
    let took = killed.elapsed();
    println!("from the kill to the first write of the other: {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(pair.leader(), 1);
    pair.each_was_written_once();
}

#[test]
fn a_leader_that_stands_still_for_longer_than_its_lease_writes_nothing_more() {
    let Some(mut pair) = Pair::new(SHORT) else { return };
    pair.start(0);
    pair.add(1..11);
    pair.has_all();
    pair.start(1);
    until("both follow the source", || pair.slots() == "2|2");
    let load = pair.load(11);
    until("the load is written", || pair.written() > 50);
    pair.insteps[0].signal("STOP");
    until("the other one leads", || pair.leader() == 1);
    let before = pair.written();
    until("the other one writes", || pair.written() > before);
    let epoch = pair.epoch();
    pair.insteps[0].signal("CONT");
    until("it says who writes", || copy(&pair.insteps[0].status())["elsewhere"] == json!(["app"]));
    assert_eq!((pair.leader(), pair.epoch()), (1, epoch), "nobody took the lead again");
    load.end();
    pair.has_all();
    pair.each_was_written_once();
}

#[test]
fn both_are_started_anew_one_after_the_other_and_nothing_is_missing_or_doubled() {
    let Some(mut pair) = Pair::new(SHORT) else { return };
    pair.start(0);
    pair.start(1);
    let load = pair.load(1);
    for which in [0, 1, 0, 1] {
        let before = pair.written();
        until("the load is written", || pair.written() > before + 50);
        pair.insteps[which].stop();
        pair.start(which);
    }
    load.end();
    pair.has_all();
    pair.each_was_written_once();
    for instep in &mut pair.insteps {
        let log = instep.log();
        assert!(!log.contains("E-SOURCE-HISTORY-LOST"), "{log}");
        instep.stop();
    }
}

#[test]
fn the_one_that_does_not_lead_says_so_and_claims_nothing() {
    let Some(mut pair) = Pair::new(SHORT) else { return };
    pair.target("alter table thing add constraint small check (id < 1000)");
    pair.start(0);
    pair.add(1..11);
    pair.add(1000..1001);
    until("one is held", || copy(&pair.insteps[0].status())["failures"] == 1);
    pair.start(1);
    let says = |which: usize, elsewhere: Value| {
        let is_said = || {
            let status = pair.insteps[which].status();
            let copy = copy(&status);
            let count = &status["counts"][0];
            // Both count by themselves, and both have come to where the source is.
            let all = (&copy["elsewhere"], &copy["failures"], count["position"].is_string());
            let wanted = (&elsewhere, &json!(1), true);
            let is_told = copy["position"].is_string() && copy["phase"] == "following";
            (all == wanted && is_told && copy["state"] == "diverged").then_some(status)
        };
        until_some("it says how the copy is doing", is_said)
    };
    let leads = says(0, json!([]));
    let follows = says(1, json!(["app"]));
    assert_eq!(codes(&leads), ["E-ROWS-HELD"]);
    assert_eq!(codes(&follows), ["E-ROWS-HELD"]);
    let told = pair.insteps[1].table();
    assert!(told.contains("another instance writes"), "{told}");
    assert!(!pair.insteps[0].table().contains("another instance writes"));
    // It can not decide about a failure of a copy that it does not write.
    for what in ["retry", "discard"] {
        pair.insteps[1].refuses_to(what, 503, "E-FAILURE-NOT-NOW");
    }
    // What it says moves with the other one.
    let before = copy(&follows)["position"].clone();
    pair.target("alter table thing drop constraint small");
    pair.add(11..21);
    until("it has heard of it", || {
        let status = pair.insteps[1].status();
        let copy = copy(&status);
        copy["failures"] == 0 && copy["position"] != before && copy["elsewhere"] == json!(["app"])
    });
    assert_eq!(codes(&pair.insteps[1].status()), [""; 0]);
}

#[test]
fn one_whose_disk_is_destroyed_comes_back_empty_and_may_lead() {
    let Some(mut pair) = Pair::new(&SHORT.replace('}', ", slot_wal_bytes_max: 33554432 }")) else {
        return;
    };
    pair.start(0);
    pair.add(1..101);
    pair.has_all();
    pair.start(1);
    until("both follow the source", || pair.slots() == "2|2");
    pair.insteps[0].stop();
    pair.insteps[0].lose_disk();
    pair.add(101..201);
    pair.has_all();
    // Nobody will ever read what is kept for the one that is gone.
    pair.fill_wal();
    until("what is kept for nobody is let go of", || pair.slots() == "1|1");
    pair.add(201..301);
    pair.has_all();
    until("it says so", || pair.insteps[1].log().contains("E-POSTGRES-SLOT"));
    pair.start(0);
    until("both follow the source", || pair.slots() == "2|2");
    until("it says who writes", || copy(&pair.insteps[0].status())["elsewhere"] == json!(["app"]));
    pair.each_was_written_once();
    pair.insteps[1].kill();
    pair.add(301..401);
    pair.has_all();
    assert_eq!(pair.leader(), 0);
}

#[test]
fn a_single_one_whose_disk_is_destroyed_comes_back_from_the_source_alone() {
    let Some(mut pair) = Pair::new(SHORT) else { return };
    pair.start(0);
    pair.add(1..101);
    pair.has_all();
    pair.insteps[0].stop();
    pair.insteps[0].lose_disk();
    // What happens meanwhile nobody has seen.
    pair.source("delete from thing where id % 3 = 0; update thing set n = -n where id % 3 = 1");
    pair.add(101..111);
    pair.start(0);
    let log = || pair.insteps[0].log();
    until("it says that history was lost", || log().contains("HISTORY-LOST"));
    pair.has_all();
    until("the copy follows again", || {
        let status = pair.insteps[0].status();
        let copy = copy(&status);
        copy["phase"] == "following" && copy["position"].is_string() && codes(&status).is_empty()
    });
}

#[test]
fn books_of_a_later_version_are_refused_in_clear_words() {
    let Some(mut pair) = Pair::new(SHORT) else { return };
    pair.start(0);
    pair.add(1..11);
    pair.has_all();
    pair.insteps[0].stop();
    pair.target("update instep.format set format = 2");
    pair.start(0);
    let damaged = until_some("it is refused", || {
        let status = pair.insteps[0].status();
        let problems = status["problems"].as_array().expect("a list").clone();
        problems.into_iter().find(|it| it["code"] == "E-TARGET-DAMAGED")
    });
    let what = damaged["what"].as_str().expect("a text");
    assert!(what.contains("format 2") && what.contains("known is 1"), "{damaged}");
    pair.add(11..21);
    assert_eq!(pair.written(), 10, "nothing is written");
    pair.target("update instep.format set format = 1");
    pair.insteps[0].stop();
    pair.start(0);
    pair.has_all();
}
