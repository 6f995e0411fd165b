//! `instep verify` over two databases of one server, against two limits and another tool, side by side
//! in each round: the sum of a hash of each row that both servers make in chunks, both tables written
//! nowhere by COPY, and reladiff. Then over two SQLite files. Every tool has to find what is there.
//!
//! Goals: identical rows in at most 1.5 times the time of the sums; 10 differing rows in at most 1.25
//! and 1,000 in at most 1.5 times the time of identical ones; reladiff takes at least 1.9 times as long
//! for identical rows, and 7 times for 1,000; less than 64 MiB of memory.

mod files;
mod limits;
mod ours;
mod place;
mod ran;
mod theirs;

use files::Files;
use place::Place;
use ran::Ran;
use std::path::PathBuf;
use std::time::Instant;
use theirs::Reladiff;

const ROUNDS: usize = 5;

/// Of each table.
const ROWS: u32 = 1_000_000;

/// How many rows differ, and how that is called.
const CASES: [(u32, &str); 3] = [(0, "identical"), (10, "10 differ"), (1_000, "1,000 differ")];

fn main() {
    let Some(place) = Place::make() else { return };
    let files = Files::make(&dir().join("files"));
    let reladiff = Reladiff::installed(&dir().join("venv"));
    // Whoever came first would read from the disk.
    limits::sums(&place);
    let rounds: Vec<_> =
        (0..ROUNDS).map(|_| Round::run(&place, &files, reladiff.as_ref())).collect();
    println!(
        "{ROWS} rows of 8 columns and about 200 B a side, medians of {ROUNDS} rounds; verify is the \
         program as it is installed, with --settle 0s, and reladiff has as many connections\n"
    );
    tell_times(&rounds);
    tell_ratios(&rounds);
}

/// What one round has shown, in seconds where it is nothing else.
struct Round {
    sums: f64,
    copies: f64,
    ours: [Ran; 3],
    theirs: Option<[Ran; 3]>,
    files: Ran,
}

impl Round {
    fn run(place: &Place, files: &Files, reladiff: Option<&Reladiff>) -> Self {
        let (sums, copies) = (limits::sums(place), limits::copies(place));
        let mut theirs = Vec::new();
        let ours = CASES.map(|(differing, _)| {
            place.make_differ(differing);
            theirs.extend(reladiff.map(|it| it.compare(place, differing)));
            ours::compare(&place.tables(), differing)
        });
        place.make_differ(0);
        let theirs = theirs.try_into().ok();
        Self { sums, copies, ours, theirs, files: ours::compare(&files.tables(), 0) }
    }
}

fn tell_times(rounds: &[Round]) {
    println!("| a million rows on both sides | s | CPU of the tool, s | its peak memory, MiB |");
    println!("|---|---|---|---|");
    println!("| sums of hashes, 10,000 ids a query | {:.2} | | |", median(rounds, |it| it.sums));
    println!("| COPY binary to nowhere | {:.2} | | |", median(rounds, |it| it.copies));
    for (at, (_, case)) in CASES.into_iter().enumerate() {
        tell(&format!("verify, {case}"), &rounds.iter().map(|it| &it.ours[at]).collect::<Vec<_>>());
    }
    for (at, (_, case)) in CASES.into_iter().enumerate() {
        let theirs = rounds.iter().filter_map(|it| Some(&it.theirs.as_ref()?[at]));
        tell(&format!("reladiff, {case}"), &theirs.collect::<Vec<_>>());
    }
    tell(
        "verify, two SQLite files, identical",
        &rounds.iter().map(|it| &it.files).collect::<Vec<_>>(),
    );
}

fn tell(what: &str, runs: &[&Ran]) {
    if runs.is_empty() {
        println!("| {what} | | | |");
        return;
    }
    let [seconds, cpu] = [|it: &&Ran| it.seconds, |it: &&Ran| it.cpu].map(|it| median(runs, it));
    println!("| {what} | {seconds:.2} | {cpu:.2} | {:.0} |", most(runs.iter().map(|it| it.peak)));
}

fn tell_ratios(rounds: &[Round]) {
    println!("\n| ratio of times within a round | median | goal |\n|---|---|---|");
    let ours = |at: usize| move |round: &Round| round.ours[at].seconds;
    let is = |what: &str, ratio: f64, goal: &str| println!("| {what} | {ratio:.2} | {goal} |");
    is("verify, to the sums", median(rounds, |it| ours(0)(it) / it.sums), "at most 1.5");
    is("verify, to COPY", median(rounds, |it| ours(0)(it) / it.copies), "");
    for (at, goal) in [(1, "at most 1.25"), (2, "at most 1.5")] {
        let ratio = median(rounds, |it| ours(at)(it) / ours(0)(it));
        is(&format!("verify, {}, to identical", CASES[at].1), ratio, goal);
    }
    for (at, goal) in [(0, "at least 1.9"), (1, ""), (2, "at least 7")] {
        let what = format!("reladiff to verify, {}", CASES[at].1);
        if rounds.iter().any(|it| it.theirs.is_none()) {
            println!("| {what} | | {goal} |");
            continue;
        }
        let theirs = |it: &Round| it.theirs.as_ref().map_or(f64::NAN, |it| it[at].seconds);
        is(&what, median(rounds, |it| theirs(it) / ours(at)(it)), goal);
    }
    let peaks = rounds.iter().flat_map(|it| it.ours.iter().chain([&it.files])).map(|it| it.peak);
    println!("\nmost memory of verify: {:.0} MiB (goal: under 64)", most(peaks));
}

fn median<T>(of: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut figures: Vec<f64> = of.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn most(figures: impl Iterator<Item = f64>) -> f64 {
    figures.fold(0.0, f64::max)
}

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-verify")
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}
