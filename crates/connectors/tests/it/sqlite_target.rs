//! SQLite as a target, on real files.

mod alike;
mod creating;
mod files;
mod foreign_keys;
mod places;
mod reading;
pub(crate) mod rig;
mod suites;
mod tables;
pub(crate) mod values;
