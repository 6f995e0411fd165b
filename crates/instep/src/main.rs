//! The program `instep`: from what was typed to the command that does it.

use clap::Parser;
use instep::cli::{Cli, Command, ConfigCommand};
use instep::commands::{
    completions, config, counts, demo, doctor, explain, failures, init, run, source, status, verify,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return instep::print_usage(&error, asks_for_json()),
    };
    let globals = &cli.globals;
    let report = match &cli.command {
        Command::Config(command) => match command {
            ConfigCommand::Check => config::check::run(globals),
            ConfigCommand::Show => config::show::run(globals),
            ConfigCommand::Schema => config::schema::run(),
            ConfigCommand::Diff { other } => config::diff::run(globals, other),
        },
        Command::Demo(arguments) => demo::run(globals, arguments),
        Command::Run(arguments) => run::run(globals, arguments),
        Command::Status(arguments) => status::run(globals, arguments),
        Command::Counts(arguments) => counts::run(globals, arguments),
        Command::Verify(arguments) => verify::run(globals, arguments),
        Command::Failures(command) => failures::run(globals, command),
        Command::Source(command) => source::run(globals, command),
        Command::Doctor => doctor::run(globals),
        Command::Init(arguments) => init::run(arguments),
        Command::Explain { code } => explain::run(code),
        Command::Completions { shell } => completions::run(*shell),
    };
    instep::print(&report, globals.json || cli.command.asks_for_json())
}

/// Whether a line that could not be understood asks for JSON.
fn asks_for_json() -> bool {
    let typed = std::env::args_os().skip(1).take_while(|argument| argument != "--");
    typed.into_iter().any(|argument| argument == "--json")
}
