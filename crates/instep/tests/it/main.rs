//! What holds of the program from outside, and of its configuration for any text at all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod any_text;
mod attacks;
mod config_commands;
mod contract;
mod damages;
mod defaults;
mod demo;
mod doctor;
mod documents;
mod files;
mod fuzz;
mod init;
mod places;
mod postgres;
mod program;
mod reference;
mod rig;
mod schema;
mod sqlite_counts;
mod verify;
mod verify_types;
