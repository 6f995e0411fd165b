//! The commands: one verb a file. Each takes what was typed and gives a report; none prints.

mod asking;
pub mod completions;
pub mod config;
pub mod counts;
pub mod explain;
mod failing;
pub mod failures;
mod loaded;
pub mod run;
pub mod source;
pub mod status;
