//! Whatever fails on the way, nothing is called equal that was not read.

use crate::chance::Chance;
use crate::memory::Faults;
use crate::world::World;
use instep_compare::{Outcome, Stop, Terms};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_moments_changes_nothing() {
    for seed in 0..60 {
        let mut world = World::new(seed, 400);
        for _ in 0..3 {
            let _ = world.damage();
        }
        world.source.held().faults = Faults::Some(Chance(seed), 10);
        world.copy.held().faults = Faults::Some(Chance(seed + 1), 10);
        let verdict = world.compare(Terms { seed, ..Terms::default() }).await;
        // The position is asked for once, and may not have been answered.
        assert_eq!(World::found(&verdict), world.wrong, "seed {seed}");
        assert!(verdict.unread.is_empty(), "seed {seed}: {:?}", verdict.unread);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_on_the_way_never_ends_in_equal() {
    let mut whole = 0;
    for seed in 0..30 {
        for from in 1..30 {
            let world = World::new(seed, 60);
            let side = if from % 2 == 0 { &world.source } else { &world.copy };
            side.held().faults = Faults::From(from);
            let verdict = world.compare(Terms { seed, ..Terms::default() }).await;
            let has_failed = side.held().calls >= from;
            whole += u32::from(!has_failed);
            let expected = if has_failed { Outcome::Unverified } else { Outcome::Equal };
            assert_eq!(verdict.outcome(), expected, "seed {seed}, from call {from}");
        }
    }
    assert!(whole > 100, "some have ended before: {whole}");
}

#[tokio::test(start_paused = true)]
async fn a_comparison_that_is_told_to_stop_says_that_it_is_partial() {
    for after in [0, 1, 5, 20, 1_000] {
        let mut world = World::new(5, 600);
        let key = world.sound_key().unwrap();
        world.copy.take(&key);
        let stop = Stop::default();
        let told = stop.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(after)).await;
            told.now();
        });
        let verdict = world.try_compare(Terms::default(), &stop).await.unwrap();
        assert!(verdict.is_partial);
        assert_ne!(verdict.outcome(), Outcome::Equal);
        assert_eq!(verdict.found(), 0, "nothing has settled by then");
    }
}
