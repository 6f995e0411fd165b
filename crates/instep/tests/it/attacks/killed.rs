//! Crashes: the process is killed at any moment, while several others write.
//!
//! Another seed than that of the gate is taken from `INSTEP_ATTACK_SEED`.

use super::school::{check, school};
use super::writer::Writers;
use crate::rig::{Chance, Rig};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn killed_at_any_moment_under_writers_every_copy_and_count_stays_true_at_its_position() {
    const KILLS: usize = 40;
    let seed = std::env::var("INSTEP_ATTACK_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("INSTEP_ATTACK_SEED={seed}");
    let rig = school();
    let running = rig.run().await;
    rig.converges().await;
    let history = rig.history("school/source");
    let writers = Writers::start(&rig, "school", 3, seed);
    let mut chance = Chance::new(seed);
    let mut running = Some(running);
    let mut positions = BTreeSet::new();
    for number in 0..KILLS {
        let mut killed = running.take().unwrap_or_else(|| rig.begin());
        if number % 3 > 0 {
            killed.ready(|| rig.log()).await;
        }
        sleep(Duration::from_millis(chance.below(500))).await;
        killed.kill();
        positions.insert(check(&rig));
    }
    let last = rig.run().await;
    writers.end();
    rig.converges().await;
    check(&rig);
    last.stop().await;
    assert_eq!(rig.history("school/source"), history, "no history was lost");
    assert!(positions.len() > KILLS / 3, "it went on between kills: {positions:?}");
}

#[tokio::test]
async fn a_large_transaction_is_copied_whole_or_not_at_all_however_often_it_is_killed() {
    const ROWS: u64 = 20_000;
    let rig = Rig::shop();
    rig.sell(301, ROWS.cast_signed());
    let mut running = rig.run().await;
    rig.converges().await;
    let mut chance = Chance::new(5);
    for round in 0..4 {
        // Several megabytes, so that it is staged in the log and written in several batches.
        rig.write(
            "source.db",
            &format!(
                "
            update item set title = 'round {round} ' || hex(zeroblob(100)), kind = 'round {round}'"
            ),
        );
        for _ in 0..3 {
            sleep(Duration::from_millis(chance.below(700))).await;
            running.kill();
            let seen = rig.ask(
                "target.db",
                "select distinct substr(title, 1, 7) from item
                where title like 'round%' or id = 1",
            );
            assert_eq!(seen.map(|seen| seen.len()), Some(1), "a part of it is seen");
            running = rig.run().await;
        }
        rig.converges().await;
    }
    running.stop().await;
}
