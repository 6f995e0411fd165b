//! The commands of `cargo xtask`, as they are typed; nothing here does any work.

use clap::{Parser, Subcommand, ValueEnum};

/// Build, test, tidy, bench and simulate Instep.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    before_help = "Examples:
  cargo xtask test              everything that must hold before a change is taken
  cargo xtask fix               mend what a machine can mend
  cargo xtask sim --seed 42     replay one simulated world"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One verb each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The gate: formatting, lints, house rules, tests, seeded worlds, documentation.
    ///
    /// Never writes to the tree. The last line of a run that reached the tests reads
    /// `N passed, N failed, N skipped`.
    #[command(before_help = "Examples:
  cargo xtask test              the whole gate; exits 0 only if every step holds")]
    Test,

    /// Mend what a machine can mend, and say what is left for a person.
    #[command(before_help = "Examples:
  cargo xtask fix               format, apply the lints' own suggestions, list the rest")]
    Fix,

    /// Check the house rules; exits 1 with findings.
    #[command(before_help = "Examples:
  cargo xtask tidy              every rule
  cargo xtask tidy circles      one rule
  cargo xtask tidy words sizes  some rules")]
    Tidy {
        /// The rules to check; all of them if none is named.
        #[arg(value_name = "RULE")]
        rules: Vec<String>,
    },

    /// Run the simulation; every argument goes to it unchanged.
    #[command(before_help = "Examples:
  cargo xtask sim --seed 42     replay one world
  cargo xtask sim --seeds 500   run five hundred worlds
  cargo xtask sim -- --help     what the simulation itself understands")]
    Sim {
        /// What the simulation is given.
        #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },

    /// Fuzz everything that reads bytes from outside, each for so long.
    #[command(before_help = "Examples:
  cargo xtask fuzz                      a minute each
  cargo xtask fuzz config --seconds 600 those with this in their name, ten minutes each
  cargo xtask fuzz --seed 7             other inputs")]
    Fuzz {
        /// Only targets with this in their name.
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// How long each is fuzzed.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// From which seed inputs are made.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },

    /// Run the benches and write their figures to docs/bench.md.
    #[command(before_help = "Examples:
  cargo xtask bench             all of them
  cargo xtask bench journal     one of them")]
    Bench {
        /// Which bench to run.
        #[arg(value_enum, default_value = "all")]
        which: Bench,
    },
}

/// The benches that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bench {
    /// Appending to the journal and reading it back.
    Journal,
    /// Capture, planning and applying.
    Engine,
    /// Changing the state of a lane all over its keys.
    State,
    /// The program over SQLite files.
    Sqlite,
    /// Capture of PostgreSQL's log, reading a table, and what a count costs.
    Postgres,
    /// Copies in PostgreSQL, beside native logical replication.
    Copies,
    /// A comparison of a table with its copy, beside another tool.
    Verify,
    /// One after the other.
    All,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_simulation_gets_its_arguments_unchanged() {
        let cli = Cli::parse_from(["cargo xtask", "sim", "--seeds", "7", "--plant", "lost-ack"]);
        let Command::Sim { arguments } = cli.command else { panic!("another command") };
        assert_eq!(arguments, ["--seeds", "7", "--plant", "lost-ack"]);
    }

    #[test]
    fn every_command_shows_its_examples_first() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.starts_with("Examples:\n  cargo xtask "), "{help}");
        }
    }
}
