//! PostgreSQL, against a real server.

mod decoding;
mod ends;
mod feed;
mod login;
mod rig;
mod schema;
mod sessions;
mod source;
mod types;
