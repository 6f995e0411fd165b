//! The doubles keep the promises of the ports that they stand for: each runs the port's suite.

mod memory_database;
mod memory_slots;
mod memory_store;
mod owners;
mod postgres;
mod restored;
