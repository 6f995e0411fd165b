//! Compare: whether a copy is its source, found out while both are written to.
//!
//! ```text
//!   terms       what is asked for
//!   prepared    both tables, looked at and agreed on
//!   agree       how each column of one is compared with one of the other        (pure)
//!     rule        what makes two values the same                               (pure)
//!   plan        who is asked what                                              (pure)
//!   run         who does what at the same time, up to the verdict
//!   walk        the source's keys, cut into stretches
//!   scan        each stretch on both sides; what does not match is suspected
//!   scatter     the same in buckets, where the stores sort keys in two ways
//!     matching    the marks of a stretch, side by side                         (pure)
//!     pace        how many rows at once, and when to pause                     (pure)
//!   settle      suspects are looked at again until they are equal or stay different
//!     suspect     what a look makes of one                                     (pure)
//!   numbers     groups and their counts
//!   cause       what a difference looks like                                   (pure)
//!   progress    how far it has come, for whoever watches
//!   verdict     what came of it
//! ```
//!
//! Invariants: nothing is called equal that was not read on both sides to its end; nothing is called
//! different that was not so for as long as was asked for, while the source's row stood still. Order
//! decides what is read when, and never what is equal. Memory does not grow with the table.
//!
//! Must not know: which systems there are, files, the command line.

mod agree;
mod line;
mod matching;
mod numbers;
mod orphans;
mod pace;
mod plan;
mod prepared;
pub mod progress;
pub mod refused;
pub mod rule;
mod run;
mod scan;
mod scatter;
mod settle;
mod suspect;
pub mod terms;
pub mod verdict;
mod walk;

pub use prepared::{Prepared, prepare};
pub use progress::{Progress, Stop};
pub use refused::{Refused, Side};
pub use rule::Rule;
pub use terms::{Counts, End, Reference, Scope, Terms};
pub use verdict::{
    Agreed, Cause, ColumnDifference, Difference, Kind, Method, Outcome, Unread, Verdict,
};
