//! PostgreSQL, against a real server.

mod asking;
mod decoding;
mod ends;
mod feed;
mod glance;
mod hand;
mod keys;
mod login;
mod reader;
pub(crate) mod rig;
mod rows;
mod schema;
mod sessions;
mod source;
mod triggers;
pub(crate) mod types;
mod visibility;
