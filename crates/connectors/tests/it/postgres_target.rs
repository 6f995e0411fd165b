//! A PostgreSQL database as a target, against a real server.

mod refusals;
mod rig;
mod suites;
