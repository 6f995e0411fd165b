//! While both sides are written to, what is on its way is no difference, and what is wrong is found.

use crate::world::World;
use instep_compare::{Outcome, Terms};
use model::{Cell, Key, Row, Value};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

/// What a writer did, on its way to the copy.
enum Written {
    Put(Row),
    Taken(Key),
}

/// Writes to sound rows of the source, and a little later to the copy, as one that follows does.
fn write(world: &World, seed: u64, lag: Duration, time: Duration) -> tokio::task::JoinHandle<()> {
    let mut writer = World {
        source: world.source.clone(),
        copy: world.copy.clone(),
        chance: crate::chance::Chance(seed),
        wrong: world.wrong.clone(),
    };
    tokio::spawn(async move {
        let begin = tokio::time::Instant::now();
        while begin.elapsed() < time {
            sleep(Duration::from_micros(1_300)).await;
            let number = writer.chance.below(900);
            let row = writer.row(number);
            let key = writer.key_of(&row);
            if writer.wrong.contains_key(&key) {
                continue;
            }
            let written = if writer.chance.is_one_of(30) {
                writer.source.take(&key);
                Written::Taken(key)
            } else {
                writer.source.put(row.clone());
                Written::Put(row)
            };
            let copy = writer.copy.clone();
            tokio::spawn(async move {
                sleep(lag).await;
                match written {
                    Written::Put(row) => copy.put(row),
                    Written::Taken(key) => drop(copy.take(&key)),
                }
            });
        }
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_is_no_difference_and_what_is_wrong_is_found() {
    for seed in 0..60 {
        let mut world = World::new(seed, 600);
        for _ in 0..world.chance.below(5) {
            let _ = world.damage();
        }
        let lag = Duration::from_millis([1, 30, 400][usize::try_from(seed % 3).unwrap()]);
        let writing = write(&world, seed, lag, Duration::from_secs(4));
        let verdict = world.compare(Terms { seed, ..Terms::default() }).await;
        writing.await.unwrap();
        assert_eq!(World::found(&verdict), world.wrong, "seed {seed}");
        assert_eq!(verdict.unsettled, 0, "seed {seed}: the writer has stopped");
        assert!(verdict.unread.is_empty(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_never_stands_still_is_unsettled_and_not_called_equal() {
    let mut world = World::new(11, 200);
    let key = world.sound_key().unwrap();
    let row = world.source.get(&key).unwrap();
    let source = world.source.clone();
    let writing = tokio::spawn(async move {
        for number in 100_i64.. {
            sleep(Duration::from_millis(200)).await;
            let mut row = row.clone();
            row.0[2] = Cell::Value(Value::Int(number));
            source.put(row);
        }
    });
    sleep(Duration::from_secs(1)).await;
    let verdict = world.compare(Terms::default()).await;
    writing.abort();
    assert_eq!((verdict.unsettled, verdict.found()), (1, 0));
    assert_eq!(verdict.outcome(), Outcome::Unverified);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_written_with_what_it_had_has_not_stood_still() {
    let mut world = World::new(12, 50);
    let key = world.sound_key().unwrap();
    let row = world.source.get(&key).unwrap();
    world.copy.take(&key);
    let source = world.source.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..8 {
            sleep(Duration::from_secs(1)).await;
            source.put(row.clone());
        }
    });
    let began = tokio::time::Instant::now();
    let verdict = world.compare(Terms::default()).await;
    writing.await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(13), "{:?}", began.elapsed());
    assert_eq!((verdict.missing, verdict.unsettled), (1, 0));
    assert_eq!(World::found(&verdict).into_keys().collect::<BTreeSet<_>>(), [key].into());
}
