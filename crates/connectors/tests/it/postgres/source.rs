//! The source over the write-ahead log.

mod conformance;
mod rig;
mod rows;
