//! `completions`: what a shell needs to complete commands and flags.

use crate::cli::Cli;
use crate::report::Report;
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use serde_json::json;

/// Prints the completions for a shell.
pub fn run(shell: Shell) -> Report {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "instep", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let data = json!({ "shell": shell.to_string(), "script": script });
    Report::done(format!("completions for {shell}")).with(script, data)
}
