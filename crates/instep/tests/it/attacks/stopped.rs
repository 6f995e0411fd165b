//! Signals: pauses and ends that are asked for.

use super::school::{check, school};
use super::writer::Writers;
use crate::rig::{Rig, until};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn paused_for_longer_than_its_lease_it_loses_and_doubles_nothing() {
    let rig = school();
    let running = rig.run().await;
    rig.converges().await;
    let writers = Writers::start(&rig, "school", 2, 3);
    for _ in 0..2 {
        sleep(Duration::from_millis(300)).await;
        running.signal("STOP");
        // The lease lasts two seconds.
        sleep(Duration::from_millis(2_500)).await;
        running.signal("CONT");
    }
    writers.end();
    rig.converges().await;
    check(&rig);
    running.stop().await;
}

#[tokio::test]
async fn asked_to_stop_under_load_it_ends_cleanly_within_ten_seconds() {
    for signal in ["TERM", "INT"] {
        let rig = school();
        let running = rig.run().await;
        rig.converges().await;
        let before = check(&rig);
        let writers = Writers::start(&rig, "school", 2, 4);
        assert!(until("the copies follow", || check(&rig) > before + 100).await);
        let asked = Instant::now();
        running.signal(signal);
        assert_eq!(running.ended().await.code(), Some(0), "{}", rig.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        check(&rig);
        writers.end();
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    // Both come while it can not do anything about the first, whichever that is then.
    for signal in ["STOP", "TERM", "INT", "CONT"] {
        running.signal(signal);
    }
    let code = running.ended().await.code();
    assert!(matches!(code, Some(130 | 143)), "{code:?}: {}", rig.log());
    let running = rig.run().await;
    rig.sell(301, 310);
    rig.converges().await;
    running.stop().await;
}
