//! PURE: what the answers of a PostgreSQL mean.
//!
//! ```text
//!   way                 how we get there: names, encryption, login
//!   server              what it is and has: version, settings, clock
//!   rights              what the role that we are may do, with the statements that grant it
//!   written             what it takes to write to its tables, and to keep books there
//!   recorded            what it takes to have changes recorded by triggers
//!   kept                slots and what they keep back
//!   open                transactions that hold up a slot
//! ```

mod kept;
mod lacking;
mod open;
mod recorded;
mod rights;
mod server;
mod sql;
mod way;
mod written;

pub(super) use kept::{bound, kept};
pub(super) use open::{OPEN, has_hidden, open};
pub(super) use recorded::{records, schema};
pub(super) use rights::{Wanted, publication, reads, replicates};
pub(super) use server::{clock, followable, latency, primary, room, version, wal_level};
pub(super) use way::{answers, encryption, let_in, may_be_asked, names, pooler, refused};
pub(super) use written::{books, takes_writes, writes};

#[cfg(test)]
mod tests;
