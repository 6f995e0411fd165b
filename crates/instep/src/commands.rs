//! The commands: one verb a file. Each takes what was typed and gives a report;
//! none prints, but for what has to be said while it goes on.

mod asking;
pub mod completions;
pub mod config;
pub mod counts;
pub mod demo;
pub mod doctor;
pub mod explain;
mod failing;
pub mod failures;
pub mod init;
mod loaded;
pub mod run;
mod signals;
pub mod source;
pub mod status;
pub mod verify;
