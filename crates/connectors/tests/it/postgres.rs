//! PostgreSQL, against a real server.

mod decoding;
mod ends;
mod feed;
mod login;
mod rig;
mod rows;
mod schema;
mod sessions;
mod source;
mod types;
mod visibility;
