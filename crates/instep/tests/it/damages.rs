//! A verifier that is verified: random tables in real stores, harm done to the copy at random places
//! while both are written to, and a comparison that has to find exactly that.
//!
//! What is done comes from seeds; `INSTEP_DAMAGES_SEED` runs one alone, and the last line says how
//! many damages there were.

mod cell;
mod harm;
mod schema;
mod store;
mod world;
mod writer;

use crate::rig::Chance;
use compare::{End, Outcome, Progress, Stop, Terms, Verdict, prepare};
use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;
use store::Kind;
use world::World;

/// Worlds of each pair of stores.
const WORLDS: u64 = 14;
/// Worlds at the same time.
const AT_ONCE: usize = 4;

const PAIRS: [[Kind; 2]; 4] = [
    [Kind::Sqlite, Kind::Sqlite],
    [Kind::Postgres, Kind::Postgres],
    [Kind::Postgres, Kind::Sqlite],
    [Kind::Sqlite, Kind::Postgres],
];

fn terms(seed: u64) -> Terms {
    Terms {
        settle: Duration::from_millis(700),
        patience: Duration::from_secs(60),
        seed,
        ..Terms::default()
    }
}

async fn compare(world: &World, terms: Terms) -> Verdict {
    let [source, copy] = world.ends();
    let prepared = prepare(&source, &copy, terms).await.unwrap_or_else(|refused| {
        panic!("seed {}: {refused:?}\n{}", world.seed, world.schema.shown())
    });
    prepared.run(&Arc::new(Progress::default()), &Stop::default()).await
}

/// One world: what is wrong with its copy is found, and nothing else.
async fn is_found(seed: u64, kinds: [Kind; 2]) -> usize {
    let Some(mut world) = World::new(seed, kinds).await else { return 0 };
    let mut chance = Chance::new(seed ^ 0xda3a);
    for _ in 0..3 + chance.below(8) {
        world.harm().await;
    }
    let writing = writer::write(&world, Duration::from_millis(1_500));
    let verdict = compare(&world, terms(seed)).await;
    writing.await.expect("it does not panic");
    let shown = || format!("seed {seed}, {kinds:?}\n{}\n{verdict:#?}", world.schema.shown());
    let found: BTreeMap<_, _> =
        verdict.differences.iter().map(|it| (world.name_of(it), it.kind)).collect();
    assert_eq!(found.len(), verdict.differences.len(), "twice the same: {}", shown());
    assert_eq!(found, world.wrong, "{}", shown());
    assert_eq!(verdict.found(), world.wrong.len() as u64, "{}", shown());
    assert!(verdict.unread.is_empty() && verdict.unsettled == 0, "{}", shown());
    // And what is mended is equal.
    world.mend().await;
    let verdict = compare(&world, terms(seed)).await;
    assert_eq!(verdict.outcome(), Outcome::Equal, "seed {seed}, {kinds:?}: {verdict:#?}");
    world.wrong.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_is_wrong_with_a_copy_is_found_and_nothing_else() {
    let only: Option<u64> = env::var("INSTEP_DAMAGES_SEED").ok().and_then(|it| it.parse().ok());
    let mut worlds: Vec<(u64, [Kind; 2])> = (0..WORLDS * 4)
        .map(|seed| (seed, PAIRS[usize::try_from(seed % 4).expect("it is small")]))
        .filter(|(seed, _)| only.is_none_or(|only| only == *seed))
        .collect();
    let (mut running, mut damages) = (tokio::task::JoinSet::new(), 0);
    loop {
        while running.len() < AT_ONCE
            && let Some((seed, kinds)) = worlds.pop()
        {
            running.spawn(is_found(seed, kinds));
        }
        match running.join_next().await {
            Some(found) => damages += found.unwrap_or_else(|error| panic!("{error}")),
            None => break,
        }
    }
    println!("{damages} damages in {} worlds, each found, and nothing else", WORLDS * 4);
    let is_all = only.is_none() && testkit::postgres::shared().is_some();
    assert!(!is_all || damages >= 300, "{damages}");
}

/// A comparison of two tables of which one can not be read to its end says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_on_the_way_is_never_called_equal() {
    let Some(server) = testkit::postgres::start(&testkit::postgres::Settings::default()) else {
        return;
    };
    let database = server.database();
    let fill = "insert into t select n, repeat('x', 200) from generate_series(1, 60000) n";
    for table in ["public.one", "public.other"] {
        let fill = fill.replace(" t ", &format!(" {table} "));
        server
            .sql(&database, &format!("create table {table} (id int primary key, v text); {fill}"));
    }
    let end = |table: &str| End {
        store: store::postgres(&server.url(&database)),
        table: table.into(),
        condition: None,
    };
    let terms = Terms { patience: Duration::from_millis(300), load: 20, ..terms(1) };
    let (source, copy) = (end("public.one"), end("public.other"));
    let prepared = prepare(&source, &copy, terms).await.expect("both are there");
    let progress = Arc::new(Progress::default());
    let watched = Arc::clone(&progress);
    let comparing = tokio::spawn(async move { prepared.run(&watched, &Stop::default()).await });
    while progress.compared() == 0 && !comparing.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::task::block_in_place(|| server.die());
    let verdict = comparing.await.expect("it ends");
    assert_eq!(verdict.outcome(), Outcome::Unverified, "{verdict:#?}");
    assert!(!verdict.unread.is_empty() && verdict.compared < 60_000, "{verdict:#?}");
}
