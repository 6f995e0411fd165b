//! The simulation's command line: lives through seeds, replays one, plants bugs.

use clap::{Parser, Subcommand};
use instep_sim::campaign::{Plan, Report, run};
use instep_sim::plants::Plant;
use instep_sim::world::live;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// Seeded worlds that try to break the engine.
///
/// Examples:
///   cargo xtask sim --seeds 10000          ten thousand worlds
///   cargo xtask sim --seed 4711            one world, told step by step
///   cargo xtask sim --plant lane-reordered --seeds 1000
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sim", verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many seeds to live through.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Live through this seed alone, and tell everything that happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Put a bug in, by name; an unknown name lists them all.
    #[arg(long, value_parser = plant_by_name)]
    plant: Option<Plant>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// What the gate demands: ten thousand seeds, and more while five minutes last.
    Gate,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        return tell(seed, arguments.plant);
    }
    let gate = matches!(arguments.command, Some(Command::Gate));
    let report = run(Plan {
        first: arguments.first,
        seeds: if gate { GATE_SEEDS } else { arguments.seeds },
        go_on_for: if gate { GATE_TIME } else { Duration::ZERO },
        plant: arguments.plant,
        stop_at_first: false,
    });
    judge(&report, arguments.plant)
}

const GATE_SEEDS: u64 = 10_000;
const GATE_TIME: Duration = Duration::from_secs(290);
/// Below this, luck decides whether a rare state comes up.
const SEEDS_THAT_MUST_REACH_ALL: u64 = 1_000;

/// Replays one seed and tells what happens.
fn tell(seed: u64, plant: Option<Plant>) -> ExitCode {
    let outcome = live(seed, plant, true);
    for line in &outcome.words {
        say(line);
    }
    say(&format!("trace {:016x}", outcome.trace));
    match outcome.verdict {
        Ok(()) => {
            say(&format!("seed {seed} holds"));
            ExitCode::SUCCESS
        }
        Err(violation) => {
            say(&format!("seed {seed} fails: {violation}"));
            ExitCode::from(3)
        }
    }
}

fn judge(report: &Report, plant: Option<Plant>) -> ExitCode {
    say(&report.to_string());
    let with = plant.map_or(String::new(), |plant| format!(" --plant {}", plant.name()));
    for (seed, violation) in report.failures.iter().take(10) {
        say(&format!("seed {seed} fails: {violation}"));
        say(&format!("  replay: cargo xtask sim --seed {seed}{with}"));
    }
    let rare = if report.seeds >= SEEDS_THAT_MUST_REACH_ALL && plant.is_none() {
        report.too_rare()
    } else {
        Vec::new()
    };
    for rare in &rare {
        say(&format!("too rare: {rare}"));
    }
    if report.failures.is_empty() && rare.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    }
}

fn plant_by_name(name: &str) -> Result<Plant, String> {
    Plant::all().find(|plant| plant.name() == name).ok_or_else(|| {
        let names: Vec<_> = Plant::all().map(Plant::name).collect();
        format!("there is {}", names.join(", "))
    })
}

/// A reader that went away is no reason to panic.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
