//! SQLite as a target, on real files.

mod alike;
mod creating;
mod files;
mod foreign_keys;
mod places;
mod reading;
mod rig;
mod suites;
mod tables;
mod values;
