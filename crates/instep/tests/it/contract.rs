//! What is promised to those who use the program from outside, line by line: only the program
//! itself is run, and only its answers and the files around it are looked at.

mod asking;
mod auth;
mod bad_requests;
mod configured;
mod counts;
mod documents;
mod failures;
mod full;
pub(crate) mod http;
mod metrics;
mod positions;
pub(crate) mod process;
mod refusals;
mod running;
mod shards;
mod status;
mod tls;
mod unreachable;
pub(crate) mod waiting;
mod world;
