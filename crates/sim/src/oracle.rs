//! The oracle: knows what committed, and judges what the stores show.
//!
//! It shares nothing with the engine but the nouns: what a row should be it computes from its own
//! memory of the workload, never from the engine's planning. It sees stores, the log and the
//! source from outside.

mod counts;
mod judge;
mod log;
mod truth;
mod violation;

pub use counts::{Counted, Counts, GroupOf};
pub use judge::{Judge, Kind, Truths, Watched};
pub use log::check_log;
pub use truth::{Committed, Incarnations, Truth};
pub use violation::{Invariant, Violation};
