//! Capture of PostgreSQL's write-ahead log into the journal, against `pg_recvlogical` to nowhere: the
//! same transactions read twice, one after the other, in the same run. Goals: 1.2 times as fast with
//! transactions of 10 rows, no slower with 100,000; memory that does not grow with a transaction.
//! Then the reading of an initial copy against a binary COPY (goal: 0.75 of it), and what a count
//! costs whoever writes (goal: 0.97 of a slot that is only drained, with no more than 1.1 of its slow
//! ones).
//!
//! Copies in another server against native logical replication. Goals: inserts 1.2 times as fast, updates
//! 1.1, deletes and large transactions as fast; from commit to visible at most twice its middle and 1.5 of
//! its slow ones.

mod apply;
mod capture;
mod cost;
mod pair;
mod reading;
mod running;
mod server;

use apply::Work;
use cost::{Cost, KEEPERS};
use pair::Pair;
use server::Place;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

/// Of copies.
const COPY_ROUNDS: usize = 5;

/// Rows of one round, by what is done and the rows of a transaction.
const SHAPES: [(&str, Shape); 5] = [
    ("inserts, 1 a transaction", Shape { size: 1, rows: 100_000, update: false }),
    ("inserts, 10 a transaction", Shape { size: 10, rows: 400_000, update: false }),
    ("updates, 10 a transaction", Shape { size: 10, rows: 200_000, update: true }),
    ("inserts, 100,000 a transaction", Shape { size: 100_000, rows: 400_000, update: false }),
    ("inserts, 1,000,000 a transaction", Shape { size: 1_000_000, rows: 1_000_000, update: false }),
];

/// What is written.
#[derive(Clone, Copy)]
struct Shape {
    size: usize,
    rows: usize,
    update: bool,
}

/// Rows of one round of copying, by what is done and the rows of a transaction.
const COPIES: [(&str, Work, Shape); 6] = [
    ("inserts, 10 a transaction", Work::Insert, Shape { size: 10, rows: 400_000, update: false }),
    ("updates, 10 a transaction", Work::Update, Shape { size: 10, rows: 200_000, update: true }),
    ("deletes, 10 a transaction", Work::Delete, Shape { size: 10, rows: 200_000, update: false }),
    (
        "inserts, 100,000 a transaction",
        Work::Insert,
        Shape { size: 100_000, rows: 400_000, update: false },
    ),
    (
        "updates, 100,000 a transaction",
        Work::Update,
        Shape { size: 100_000, rows: 200_000, update: true },
    ),
    (
        "deletes, 100,000 a transaction",
        Work::Delete,
        Shape { size: 100_000, rows: 200_000, update: false },
    ),
];

fn main() {
    let asked = |part: &str| std::env::args().any(|argument| argument == part);
    let all = !["source", "copies", "latency"].into_iter().any(asked);
    if all || asked("source") {
        follow();
    }
    if all || asked("copies") || asked("latency") {
        copy(!asked("latency"));
    }
}

/// What a source gives.
fn follow() {
    let Some(place) = Place::make() else { return };
    println!("rows of 8 columns and about 200 B; medians of {ROUNDS} rounds\n");
    println!("| transactions | pg_recvlogical changes/s | ours changes/s | ratio | our CPU, µs |");
    println!("|---|---|---|---|---|");
    for (name, shape) in SHAPES {
        let rounds: Vec<_> = (0..ROUNDS).map(|_| round(&place, shape)).collect();
        let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        let (theirs, ours) = (of(|it| it.theirs), of(|it| it.ours));
        let (ratio, cpu) = (of(|it| it.ours / it.theirs), of(|it| it.cpu));
        println!("| {name} | {theirs:.0} | {ours:.0} | {ratio:.2} | {cpu:.2} |");
    }
    println!("\nmost memory of the process after these: {} MiB\n", running::peak());
    read(&place);
    keep(&place);
}

/// Copies in another server.
fn copy(with_rates: bool) {
    let Some(pair) = Pair::make() else { return };
    if with_rates {
        rates(&pair);
    }
    latencies(&pair);
    limit(&pair);
}

fn rates(pair: &Pair) {
    println!("| a copy in another server | native rows/s | ours rows/s | ratio | our CPU, µs |");
    println!("|---|---|---|---|---|");
    for (name, work, shape) in COPIES {
        let rounds: Vec<_> = (0..COPY_ROUNDS).map(|_| apply::both(pair, work, shape)).collect();
        let of = |figure: &dyn Fn(&apply::Both) -> f64| median(rounds.iter().map(figure).collect());
        let native = of(&|it| rate(shape.rows, it.native));
        let ours = of(&|it| rate(shape.rows, it.ours));
        let ratio = of(&|it| it.native.as_secs_f64() / it.ours.as_secs_f64());
        let cpu = of(&|it| it.cpu / rows(shape.rows));
        println!("| {name} | {native:.0} | {ours:.0} | {ratio:.2} | {cpu:.2} |");
    }
}

fn latencies(pair: &Pair) {
    println!("\n| from commit to visible | native p50 / p99, ms | ours p50 / p99, ms | ratios |");
    println!("|---|---|---|---|");
    for per_second in [200, 2_000] {
        let rounds: Vec<_> =
            (0..COPY_ROUNDS).map(|_| apply::latencies(pair, per_second, 8)).collect();
        let of = |figure: &dyn Fn(&(apply::Latency, apply::Latency)) -> f64| {
            median(rounds.iter().map(figure).collect())
        };
        println!(
            "| {per_second} transactions a second | {:.2} / {:.2} | {:.2} / {:.2} | {:.2} / {:.2} |",
            of(&|it| it.0.middle),
            of(&|it| it.0.slow),
            of(&|it| it.1.middle),
            of(&|it| it.1.slow),
            of(&|it| it.1.middle / it.0.middle),
            of(&|it| it.1.slow / it.0.slow)
        );
    }
}

/// What the target takes at most.
fn limit(pair: &Pair) {
    const ROWS: usize = 400_000;
    pair.make_tables();
    pair.fill(ROWS);
    let began = now();
    pair.write_limit(ROWS);
    println!(
        "\nCOPY binary of the same rows into the indexed table, and out of it before: {:.0} rows/s",
        rate(ROWS, began.elapsed())
    );
}

/// A table read as a pass reads it.
fn read(place: &Place) {
    const ROWS: usize = 1_000_000;
    place.make_table();
    place.write(100_000, ROWS, false);
    println!("| a million rows read | rows/s |\n|---|---|");
    let rounds: Vec<_> = (0..ROUNDS).map(|_| reading::both(place, ROWS)).collect();
    let theirs = median(rounds.iter().map(|(theirs, _)| rate(ROWS, *theirs)).collect());
    let ours = median(rounds.iter().map(|(_, ours)| rate(ROWS, *ours)).collect());
    println!("| COPY binary to nowhere | {theirs:.0} |");
    println!("| ours, in stretches, as values | {ours:.0} ({:.2}) |\n", ours / theirs);
}

/// What it costs to keep a count; the kinds take turns.
fn keep(place: &Place) {
    const SECONDS: u32 = 8;
    println!("| who keeps the count | transactions/s | ratio | slowest of 100, ms |");
    println!("|---|---|---|---|");
    let mut all: Vec<Vec<Cost>> = KEEPERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (costs, (_, keeper)) in all.iter_mut().zip(KEEPERS) {
            costs.push(cost::cost(place, keeper, SECONDS));
        }
    }
    let rate = |costs: &Vec<Cost>| median(costs.iter().map(|cost| cost.rate).collect());
    let slow = |costs: &Vec<Cost>| median(costs.iter().map(|cost| cost.slow).collect());
    let without = rate(&all[0]);
    for (costs, (name, _)) in all.iter().zip(KEEPERS) {
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} |",
            rate(costs),
            rate(costs) / without,
            slow(costs)
        );
    }
}

/// What one round has shown: changes a second, and what one cost us.
struct Round {
    theirs: f64,
    ours: f64,
    cpu: f64,
}

fn round(place: &Place, shape: Shape) -> Round {
    place.make_table();
    if shape.update {
        place.write(shape.size, shape.rows, false);
    }
    let database = place.database();
    running::begin_capture(&database);
    place.make_slot();
    place.write(shape.size, shape.rows, shape.update);
    let end = place.end();
    let began = now();
    place.receive(&end);
    let theirs = began.elapsed();
    let (ours, cpu) = capture::read_to(&database, &end);
    place.drop_slots();
    Round {
        theirs: rate(shape.rows, theirs),
        ours: rate(shape.rows, ours),
        cpu: cpu / rows(shape.rows),
    }
}

fn rate(count: usize, took: Duration) -> f64 {
    rows(count) / took.as_secs_f64()
}

fn rows(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("some rows"))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}
