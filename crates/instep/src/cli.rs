//! The commands of `instep`, as they are typed; nothing here does any work.

mod amount;
mod verify;

use crate::telemetry::LogFormat;
use amount::time;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;
pub use verify::{CountsBy, Output, Refers, VerifyArguments};

/// Keep every copy and every count of your data in step with its source, and prove it.
#[derive(Debug, Parser)]
#[command(
    name = "instep",
    bin_name = "instep",
    version,
    arg_required_else_help = true,
    infer_subcommands = false,
    before_help = "Examples:
  instep demo                       what it is for, in a minute; needs nothing, leaves nothing
  instep init --from sqlite:app.db  a configuration for a database
  instep config check               is the configuration right? Every mistake at once
  instep doctor                     is everything there that it names?
  instep run                        follow, copy, count and answer
  instep verify --help              is a copy equal to its source?
  instep explain E-CONFIG-TYPE      what a code means, and what to do",
    after_help = "Exit codes: 0 done or in step, 1 unexpected, 2 usage or configuration, 3 differences \
                  or failing checks found, 4 a server can not be reached, 5 not permitted, \
                  6 unverified, 7 refused by a guard, 8 timed out."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
pub struct Globals {
    /// The configuration; without it INSTEP_CONFIG says which, else it is ./instep.yaml.
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Answer with one JSON document on standard output, also on failure.
    #[arg(long, global = true)]
    pub json: bool,
}

/// One verb each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show in a minute what Instep is for: a quiz platform as it is today, beside one with Instep.
    #[command(before_help = "Examples:
  instep demo
  instep demo --duration 20s --seed 7    a short one, with the same changes each time
  instep demo --keep ./demo              its files, its configuration and its logs stay
  instep demo --json                     the comparison at the end, for programs")]
    Demo(DemoArguments),

    /// Read a database and propose a configuration for it; the database is only read.
    #[command(before_help = "Examples:
  instep init --from sqlite:app.db                          look at the proposal
  instep init --from sqlite:app.db --output instep.yaml     keep it
  instep init --from postgres://app@db:5432/quiz            the same of a PostgreSQL database")]
    Init(InitArguments),

    /// Check, show and compare configurations.
    #[command(
        subcommand,
        arg_required_else_help = true,
        before_help = "Examples:
  instep config check                    every mistake, each with its line and column
  instep --config prod.yaml config show  what holds in another file"
    )]
    Config(ConfigCommand),

    /// Follow, apply, count and answer until told to stop.
    #[command(before_help = "Examples:
  instep run
  instep --config prod.yaml run --log-format json")]
    Run(RunArguments),

    /// Show how a running Instep is doing.
    #[command(before_help = "Examples:
  instep status
  instep status --check             exits with 0 only if everything is in step
  instep status --check --wait 30s  waits for it first")]
    Status(StatusArguments),

    /// Show counts of a running Instep.
    #[command(before_help = "Examples:
  instep counts                                  which counts there are
  instep counts questions                        all groups of one
  instep counts questions topic_id=7             one group
  instep counts questions topic_id.is=null
  instep counts questions --wait 20s             just after the start, until it is filled
  instep counts questions topic_id=7 --at-least 4711 --wait 2s   not before that write")]
    Counts(CountsArguments),

    /// Compare a table with its copy, row by row, while both are written to; nothing is changed.
    #[command(before_help = verify::EXAMPLES, after_help = verify::EXITS)]
    Verify(Box<VerifyArguments>),

    /// List, show, retry and discard the keys that copies' databases refused.
    #[command(
        subcommand,
        arg_required_else_help = true,
        before_help = "Examples:
  instep failures list
  instep failures retry 0123456789abcdef    try it again now
  instep failures discard 0123456789abcdef  leave its row as the copy has it"
    )]
    Failures(FailuresCommand),

    /// Decide about sources; works without a running Instep.
    #[command(
        subcommand,
        arg_required_else_help = true,
        before_help = "Examples:
  instep source list
  instep source adopt questions    its database was replaced or restored, and is the right one
  instep source detach questions   take out what Instep put there, before a migration
  instep source allow-deletes questions --in reporting --rows 5000   after E-DELETES-GUARDED"
    )]
    Source(SourceCommand),

    /// Look at everything that the configuration names, change nothing, and say what is in the way.
    #[command(
        before_help = "Examples:
  instep doctor                     before the first run, and whenever something is odd
  instep --config prod.yaml doctor
  instep doctor --json              every check, for programs",
        after_help = "Exits with 3 if a check failed, with 6 if none failed and some could not be made; \
                      warnings alone exit with 0."
    )]
    Doctor,

    /// Explain a code, such as one that an error shows.
    #[command(before_help = "Examples:
  instep explain E-CONFIG-WHERE
  instep explain config-where   the same, in short")]
    Explain {
        /// The code.
        #[arg(value_name = "CODE")]
        code: String,
    },

    /// Print the completions for a shell.
    #[command(before_help = "Examples:
  instep completions bash > ~/.local/share/bash-completion/completions/instep
  instep completions zsh > \"${fpath[1]}/_instep\"
  instep completions fish > ~/.config/fish/completions/instep.fish")]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// How to show what Instep is for.
#[derive(Clone, Debug, Args)]
pub struct DemoArguments {
    /// How long questions are changed and things are broken, 3s to 60m.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub duration: Duration,
    /// Which changes are made; the same number gives the same ones.
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub seed: u64,
    /// Leave everything in this folder, which must be new or empty; without it nothing is left.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// What to propose a configuration for.
#[derive(Clone, Debug, Args)]
pub struct InitArguments {
    /// The database: sqlite:PATH, or postgres://USER@SERVER:PORT/DATABASE.
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// Write it into this new file; without it, to standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace that file if it is there.
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// How to run.
#[derive(Clone, Debug, Args)]
pub struct RunArguments {
    /// How log lines are written; for people on a terminal, else as JSON.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug, or by module.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
}

/// How to show how an instance is doing.
#[derive(Clone, Debug, Args)]
pub struct StatusArguments {
    /// The instance to ask; without it the one of the configuration.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Exit with 0 only if everything is in step: 3 if rows differ, 6 if nobody knows.
    #[arg(long)]
    pub check: bool,
    /// Wait so long for everything to be in step; exit with 8 if it is not by then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub wait: Option<Duration>,
}

/// Which count to show, and how.
#[derive(Clone, Debug, Args)]
pub struct CountsArguments {
    /// The count; without it all are listed.
    #[arg(value_name = "COUNT")]
    pub name: Option<String>,
    /// Only groups in which this column has this value; NULL is COLUMN.is=null.
    #[arg(value_name = "COLUMN=VALUE", requires = "name")]
    pub group: Vec<String>,
    /// The instance to ask; without it the one of the configuration.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Not before this position of the source.
    #[arg(long, value_name = "POSITION", requires = "name")]
    pub at_least: Option<String>,
    /// Wait so long until it can be told, at that position if there is one; 30s at most.
    #[arg(long, value_name = "TIME", requires = "name", value_parser = time)]
    pub wait: Option<Duration>,
}

/// One verb each, about keys that are held back.
#[derive(Debug, Subcommand)]
pub enum FailuresCommand {
    /// List the keys that are held back, the oldest first.
    List {
        /// The instance to ask; without it the one of the configuration.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Show one of them.
    Show {
        /// Its id.
        id: String,
        /// The instance to ask; without it the one of the configuration.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Try one of them again now.
    Retry {
        /// Its id.
        id: String,
        /// The instance to ask; without it the one of the configuration.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Hold it back no longer; its row stays as the copy has it.
    Discard {
        /// Its id.
        id: String,
        /// The instance to ask; without it the one of the configuration.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
}

impl FailuresCommand {
    /// The instance to ask.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::List { url }
            | Self::Show { url, .. }
            | Self::Retry { url, .. }
            | Self::Discard { url, .. } => url.as_deref(),
        }
    }
}

/// One verb each, about sources.
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// List the sources, and which server each is followed at.
    List,
    /// Follow a source here, though another server answers than before, or another Instep follows it.
    Adopt {
        /// The source.
        #[arg(value_name = "SOURCE")]
        name: String,
    },
    /// Let a comparison delete rows from the copies that the source lacks, more than it may by itself.
    #[command(before_help = "Examples:
  instep source allow-deletes questions --in reporting --rows 5000")]
    AllowDeletes {
        /// The source.
        #[arg(value_name = "SOURCE")]
        name: String,
        /// The service that the copies are in.
        #[arg(long = "in", value_name = "SERVICE")]
        service: String,
        /// How many rows it may delete there.
        #[arg(long, value_name = "NUMBER")]
        rows: u64,
    },
    /// Take out of a source's databases what Instep put there to follow them.
    Detach {
        /// The source.
        #[arg(value_name = "SOURCE")]
        name: String,
    },
}

/// One verb each, about configurations.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration; exits with 2 if anything is wrong.
    #[command(before_help = "Examples:
  instep config check
  instep --config prod.yaml --json config check")]
    Check,

    /// Print the configuration as it holds: variables in place, defaults filled in, secrets masked.
    #[command(before_help = "Examples:
  instep config show
  instep config show --json")]
    Show,

    /// Print the JSON Schema of the configuration, for editors.
    #[command(before_help = "Examples:
  instep config schema > instep.schema.json
  # then begin instep.yaml with: # yaml-language-server: $schema=./instep.schema.json")]
    Schema,

    /// Compare the configuration with another one; exits with 3 if they differ.
    #[command(before_help = "Examples:
  instep --config staging.yaml config diff prod.yaml")]
    Diff {
        /// The other configuration.
        #[arg(value_name = "OTHER")]
        other: PathBuf,
    },
}

impl Command {
    /// Whether it asks by itself for one JSON document.
    pub fn asks_for_json(&self) -> bool {
        matches!(self, Self::Verify(arguments) if arguments.output == Output::Json)
    }
}

impl Globals {
    /// Which file is the configuration: flag, variable, default.
    pub fn config_file(&self) -> PathBuf {
        self.named().unwrap_or_else(|| PathBuf::from("./instep.yaml"))
    }

    /// Whether somebody has said which file is the configuration.
    pub fn names_config(&self) -> bool {
        self.named().is_some()
    }

    fn named(&self) -> Option<PathBuf> {
        let variable = std::env::var_os("INSTEP_CONFIG").filter(|path| !path.is_empty());
        self.config.clone().or(variable.map(PathBuf::from))
    }
}
