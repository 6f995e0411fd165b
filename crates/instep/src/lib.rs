//! The command line: reads the configuration, does what a command asks for, and says how it went.
//!
//! Read in this order:
//!
//! ```text
//!   cli                 every command and flag, as they are typed
//!   commands            one verb a file: each takes its arguments and gives a Report
//!   report, problem     what a command has to say, for people and as one JSON document
//!   print, paint        how it is said: standard output, standard error, colour, exit code
//!   config              from a file to a Config: places, variables, keys, references
//!   client              asks a running Instep
//!   registry            from a Config to everything that runs
//!   table, telemetry    tables for people, lines of the log
//!   reference           the pages of docs/reference, made from the code
//! ```
//!
//! Must not know: how anything works that the registry puts together.

pub mod cli;
mod client;
pub mod commands;
pub mod config;

mod paint;
mod print;
mod problem;
mod quote;
pub mod reference;
mod registry;
mod report;
mod suggest;
mod table;
pub mod telemetry;

pub use print::{print, print_usage};
pub use problem::{Place, Problem};
pub use report::{Exit, NextStep, Report, Status};
