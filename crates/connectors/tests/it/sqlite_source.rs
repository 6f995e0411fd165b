//! A SQLite file as a source, on real files: the suites of both ports, and what only SQLite can do
//! wrong.

mod conformance;
mod history;
mod keys;
mod random;
mod rig;
mod schema;
mod statements;
mod writers;
