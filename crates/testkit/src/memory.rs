//! Honest systems in memory behind the ports. Honest means weak where real ones are weak: a source
//! delivers what no session can see yet, a target loses commits that it called not durable.

pub mod database;
pub mod log;
mod overlay;
mod server;
pub mod source;
pub mod store;
mod tables;
pub mod target;
