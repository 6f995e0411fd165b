//! A PostgreSQL database as a target, against a real server.

mod alike;
mod changing;
mod connections;
mod creating;
mod foreign_keys;
mod leases;
mod parked;
mod places;
mod prepared;
mod reading;
mod refusals;
mod rig;
mod rights;
mod suites;
mod values;
