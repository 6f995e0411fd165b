//! The source over the write-ahead log.

mod conformance;
mod history;
mod idle;
mod outbox;
mod partitions;
mod publication;
mod rig;
mod rows;
mod shapes;
mod shown;
mod slot;
mod storm;
mod transactions;
