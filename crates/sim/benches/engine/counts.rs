//! Counts: a source of computed rows through the journal to row memory, both on a real disk. The
//! table is filled, then rows all over it move between groups while two counts follow. Goal: 100,000
//! changes a second at ten million rows.

use crate::place::{catalog, open, scratch, space, start};
use crate::spring::{Spring, TOPICS};
use engine::count::{Condition, Count, Group};
use engine::{
    Board, Counting, Instance, Limits, Numbers, Pipeline, SortedState, StateBounds, Told, Untold,
};
use model::{CountName, Lane, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::time::sleep;

const ROWS: [u64; 2] = [1_000_000, 10_000_000];

/// Changes of a transaction.
const SIZES: [u64; 2] = [10, 1_000];

/// How long changes of each size go on.
const ROUND: Duration = Duration::from_secs(20);

const SECOND: Duration = Duration::from_secs(1);

/// How many changes the source may be ahead of the counts, so that the journal stays small.
const AHEAD: u64 = 200_000;

const GLANCE: Duration = Duration::from_millis(2);

/// Every size in a process of its own, so that no memory is left over from the one before.
pub(crate) fn run_each() {
    println!("rows of about 150 B, a count by {TOPICS} topics and one with a condition\n");
    println!(
        "| rows | filled, rows/s | changes a transaction: changes/s (slowest second) | \
         state, B/row | memory at rest, MiB |\n|---|---|---|---|---|"
    );
    let this = std::env::current_exe().expect("a bench has a file");
    for rows in ROWS {
        let ended = Command::new(&this).args(["counts", &rows.to_string()]).status();
        assert!(ended.expect("the bench starts again").success(), "{rows} rows");
    }
}

/// One size: prints its line of the table.
pub(crate) fn run(runtime: &Runtime, rows: u64) {
    let dir = scratch(&format!("counts-{rows}"));
    runtime.block_on(one(&dir, rows));
    fs::remove_dir_all(&dir).expect("our own folder goes");
}

async fn one(dir: &Path, rows: u64) {
    let spring = Spring::new(rows);
    let (log_dir, state_dir) = (dir.join("log"), dir.join("state"));
    let state = SortedState::open(&state_dir, StateBounds::default()).await;
    let state = state.expect("a store in an empty folder").store;
    let lane = Lane::from("bench");
    let counts = vec![count("by_topic", &["topic"], None), count("open", &[], Some("not deleted"))];
    let limits = Limits::default();
    let numbers = Numbers::new(&lane, &counts, limits.groups_max);
    let counting = Counting { counts, state: Arc::new(state), numbers: numbers.clone() };
    let pipeline = Pipeline {
        lane,
        source: Arc::new(spring.clone()),
        inspect: Arc::new(spring.clone()),
        log: open(&log_dir),
        catalog: catalog(),
        groups: Vec::new(),
        counting: Some(counting),
        limits,
        instance: Instance { name: "bench".into(), run: 1 },
        board: Board::new(),
    };

    let began = Instant::now();
    let (stop, work) = start(&pipeline);
    while all(&numbers).is_none() {
        sleep(GLANCE).await;
    }
    let filled = per_second(rows, began.elapsed());
    let mut followed = Vec::new();
    for size in SIZES {
        let (rate, slowest) = follow(&spring, &numbers, size).await;
        followed.push(format!("{size}: {rate} ({slowest})"));
    }
    let sum: i64 = all(&numbers).expect("it is told").value.values().sum();
    assert_eq!(u64::try_from(sum), Ok(rows), "every row is in one group");
    let bytes = rest(&state_dir).await / rows;
    let followed = followed.join(", ");
    println!("| {rows} | {filled} | {followed} | {bytes} | {} |", memory() >> 20);
    stop.ask();
    work.await.expect("it ends");
}

/// Follows changes for a round: how many a second, and in the slowest second.
async fn follow(spring: &Spring, numbers: &Numbers, size: u64) -> (u64, u64) {
    spring.set_size(size);
    let first = told(numbers);
    let (began, mut second, mut at_second) = (Instant::now(), Instant::now(), first);
    let mut slowest = u64::MAX;
    while began.elapsed() < ROUND {
        let now = told(numbers);
        spring.allow(now + AHEAD / size);
        if second.elapsed() >= SECOND {
            slowest = slowest.min(per_second((now - at_second) * size, second.elapsed()));
            (second, at_second) = (Instant::now(), now);
        }
        sleep(GLANCE).await;
    }
    let rate = per_second((told(numbers) - first) * size, began.elapsed());
    while told(numbers) < spring.handed() {
        sleep(GLANCE).await;
    }
    (rate, slowest)
}

/// Waits until nothing is written any more; the bytes of the state then.
async fn rest(state: &Path) -> u64 {
    let mut bytes = space(state);
    loop {
        sleep(3 * SECOND).await;
        let now = space(state);
        if now == bytes {
            return bytes;
        }
        bytes = now;
    }
}

/// The transaction up to which the numbers are told.
fn told(numbers: &Numbers) -> u64 {
    let open = numbers.of(&"open".into(), &Group::new(NO_VALUES)).expect("it is told");
    open.position.position.to_number().expect("the spring counts")
}

const NO_VALUES: [Value; 0] = [];

fn all(numbers: &Numbers) -> Option<Told<BTreeMap<Group, i64>>> {
    match numbers.all(&CountName::from("by_topic")) {
        Ok(told) => Some(told),
        Err(Untold::Filling | Untold::Replaying) => None,
        Err(untold) => panic!("{untold:?}"),
    }
}

fn count(name: &str, by: &[&str], condition: Option<&str>) -> Count {
    let by = by.iter().map(|&column| column.into()).collect();
    let condition = condition.map(|text| Condition::parse(text).expect("a condition"));
    Count { name: name.into(), of: "questions".into(), by, condition }
}

fn per_second(number: u64, took: Duration) -> u64 {
    let rate = u128::from(number) * 1_000_000 / took.as_micros();
    u64::try_from(rate).expect("a rate")
}

/// The bytes of memory that this process has now.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says it");
    let kib = line.trim().trim_end_matches(" kB").parse::<u64>();
    kib.expect("a number") << 10
}
