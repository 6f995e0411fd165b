//! PURE: counts, which are true at a position (P4).
//!
//! ```text
//!   definition          what a count is: a name, a table, columns to group by, a condition
//!   condition           the `where` of a count: read, printed, resolved, decided row by row
//!   folds, group        the counts over one table version: what they read, which group a row is in
//!   memory, outcome     what was remembered of the rows, and what a batch of changes does to it
//!   fold                one change: takes from one group, adds to another
//!   tally               the numbers of one count in one lane
//! ```
//!
//! What a row counted for before comes from row memory alone, never from the change. A number is
//! checked and never clamped: one that cannot be stops its count.
//!
//! Must not know: the log, the state store, clocks, tasks, the API.

mod condition;
mod definition;
mod fold;
mod folds;
mod group;
mod memory;
mod outcome;
mod tally;
#[cfg(test)]
mod tests;

pub use condition::{BYTES_MAX, Condition, ConditionFault, DEPTH_MAX};
pub use definition::Count;
pub use fold::{fold, keys_of};
pub use folds::{CountFault, Folds};
pub use group::Group;
pub use memory::{Memo, Memory};
pub use outcome::{Known, Outcome};
pub use tally::Tally;
