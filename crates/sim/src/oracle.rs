//! The oracle: knows what committed, and judges what the stores show.
//!
//! It shares nothing with the engine but the nouns: what a row should be it computes from its own
//! memory of the workload, never from the engine's planning. It sees stores, the log and the
//! source from outside.

mod judge;
mod log;
mod truth;
mod violation;

pub use judge::{Judge, Kind, Watched};
pub use log::check_log;
pub use truth::{Committed, Truth};
pub use violation::{Invariant, Violation};
