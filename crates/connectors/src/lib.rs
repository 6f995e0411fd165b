//! The systems: each folder knows one of them, and the ports of `model`; nothing else.
//!
//! ```text
//!              source   target   inspect   audit
//!   sqlite       x        x         x        x
//!   postgres     x        x         x        x
//! ```
//!
//! `copy` is what a configuration says of a copy in any of them, `noted` what the books of a target
//! say, `parked` rows in each other's way, `pieces` what SQL is made of,
//! `written` texts that stand for other values; `sketch` is what is said of a
//! database of any kind by whoever looks at it for the first time.
//!
//! Must not know: the engine, the journal, the configuration file, one another.

mod copy;
mod noted;
mod parked;
mod pieces;
pub mod postgres;
pub mod sketch;
pub mod sqlite;
mod written;

pub use copy::{CopyTo, Fit};
