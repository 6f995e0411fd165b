//! The journal, from outside: its promises on a real disk and on one that fails.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod abreast;
#[cfg(feature = "attack")]
mod attack;
mod conformance;
mod full;
mod golden;
mod group_sync;
mod hazards;
mod model;
mod recovery;
mod staging;
mod support;
