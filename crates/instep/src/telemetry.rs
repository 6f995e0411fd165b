//! What is logged, and how: lines on standard error, for people or for programs.

use clap::ValueEnum;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// From now on logs are written. Without a format, people are written for on a terminal, and
/// programs otherwise.
pub fn begin(format: Option<LogFormat>, level: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = io::stderr().is_terminal();
    let has_colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let is_pretty = format.map_or(is_terminal, |format| format == LogFormat::Pretty);
    // Whoever has set a subscriber before keeps it.
    let _ = match is_pretty {
        true => lines.with_ansi(has_colour).try_init(),
        false => lines.json().flatten_event(true).with_ansi(false).try_init(),
    };
}
