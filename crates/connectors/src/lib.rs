//! The systems: each folder knows one of them, and the ports of `model`; nothing else.
//!
//! ```text
//!              source   target   inspect
//!   sqlite       x        x         x
//! ```
//!
//! Must not know: the engine, the journal, the configuration file, one another.

pub mod postgres;
pub mod sqlite;
