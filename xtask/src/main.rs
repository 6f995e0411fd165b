//! The project's own front: build, test, tidy, bench and simulate.
//!
//! Imports no crate of ours, so that it runs when they do not build.

mod bench;
mod cli;
mod fix;
mod fuzz;
mod gate;
mod needs;
mod shell;
mod sim;
mod tidy;
mod versions;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Test => return gate::run(),
        Command::Fix => fix::run(),
        Command::Tidy { rules } => tidy::run(&rules),
        Command::Sim { arguments } => sim::run(&arguments),
        Command::Fuzz { name, seconds, seed } => fuzz::run(name.as_deref(), seconds, seed),
        Command::Bench { which } => bench::run(which),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
