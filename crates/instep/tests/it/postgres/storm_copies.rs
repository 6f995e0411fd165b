//! A storm over copies in a PostgreSQL: two shards whose tables refer to each other, two Insteps that
//! take the lead from one another, and everything around them breaks. A reader looks all the time
//! whether the copies hold whole transactions; in the end everything has to be equal.
//!
//! What happens when comes from a seed, which is printed; `INSTEP_STORM_SEED` names another one, and
//! `INSTEP_STORM_SECONDS` a longer time.

mod blow;
mod judge;
mod reader;
mod world;
mod writer;

use crate::rig::Chance;
use blow::{BLOWS, Blow, logs, more, strike};
use std::env;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::Instant;
use world::{SHARDS, World};

/// How long it rages at least.
const SECONDS: u64 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_breaks_two_insteps_keep_copies_of_whole_transactions() {
    let asked = |name| env::var(name).ok().and_then(|it| it.parse().ok());
    let seed = asked("INSTEP_STORM_SEED").unwrap_or(11);
    let seconds = asked("INSTEP_STORM_SECONDS").unwrap_or(SECONDS);
    println!("seed {seed}, {seconds} s");
    let Some(world) = World::new() else { return };
    let world = Arc::new(world);
    let mut insteps = [world.instep(), world.instep()];
    insteps.iter_mut().for_each(|instep| instep.start());
    let writers = (0..SHARDS.len() * writer::WRITERS).map(|it| {
        let (shard, number) = (it % SHARDS.len(), it / SHARDS.len());
        tokio::spawn(writer::write(world.clone(), shard, number, seed))
    });
    let writers: Vec<_> = writers.collect();
    let reader = tokio::spawn(reader::read(world.clone()));
    let (mut chance, began) = (Chance::new(seed), Instant::now());
    let mut struck = Vec::new();
    while struck.len() < BLOWS.len() || began.elapsed() < Duration::from_secs(seconds) {
        for blow in round(&world, &mut chance) {
            more(&world, 30 + chance.below(100)).await;
            println!(
                "{:5.1} s, {} transactions: {blow:?}",
                began.elapsed().as_secs_f32(),
                world.work()
            );
            strike(&world, &mut insteps, blow, &mut chance).await;
            struck.push(blow);
            assert!(!reader.is_finished(), "the reader saw something:\n{}", logs(&insteps));
        }
    }
    world.is_over.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("no writer panics");
    }
    let reads = reader.await.expect("every snapshot is of whole transactions");
    judge::converges(&world, &insteps).await;
    println!(
        "{:5.1} s: equal; {} transactions, {} blows, {reads:?}",
        began.elapsed().as_secs_f32(),
        world.work(),
        struck.len()
    );
    // What one of them led is now led by the other.
    let [mut one, mut other] = insteps;
    if chance.once_in(2) {
        std::mem::swap(&mut one, &mut other);
    }
    judge::is_whole(&one).await;
    judge::is_whole(&other).await;
    let before = judge::versions(&world);
    one.kill();
    judge::is_well(&other).await;
    assert!(
        judge::versions(&world) == before,
        "what was right was written again:\n{}",
        other.log()
    );
    block_in_place(|| other.stop());
    assert!(reads.sound > 20, "hardly anything was seen: {reads:?}");
}

/// Every blow that can strike, in some order; the copies are on their disk until the standby takes
/// over, which it does once, at the end of the first round.
fn round(world: &World, chance: &mut Chance) -> Vec<Blow> {
    let is_first = !world.has_failed_over();
    let can_strike = |blow: &Blow| match blow {
        Blow::FailedOver => false,
        Blow::Full => world.disk().is_some(),
        _ => true,
    };
    let mut left: Vec<_> = BLOWS.into_iter().filter(can_strike).collect();
    let mut round = Vec::new();
    while !left.is_empty() {
        let blow = *chance.one(&left);
        left.retain(|it| *it != blow);
        round.push(blow);
    }
    round.extend(is_first.then_some(Blow::FailedOver));
    round
}
