//! The model from outside: what its bytes, numbers and digests promise to everyone who keeps them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod codec;
mod damage;
mod decimals;
mod digest_bytes;
mod digests;
mod fuzz;
mod golden;
mod hex;
mod json;
mod memo;
