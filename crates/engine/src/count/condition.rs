//! Condition: the `where` of a count.
//!
//! It is read from text once, printed so that reading it again gives the same, and resolved against
//! the columns of a table before it decides anything. It is three-valued as in SQL: a row counts
//! when its condition is TRUE, and neither when it is FALSE nor when it is unknown.
//!
//! Must not know: counts, groups, row memory.

mod affinity;
mod check;
mod compare;
mod fault;
mod fit;
mod literal;
mod misfit;
mod parse;
mod print;
mod resolve;
#[cfg(test)]
mod tests;
mod token;
mod tree;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use tree::Tree;

pub(super) use check::Check;
pub use fault::ConditionFault;
pub(super) use fit::holds_texts;
pub(super) use misfit::Misfit;
pub use parse::{BYTES_MAX, DEPTH_MAX};
pub(super) use resolve::Slots;

/// The condition under which a row counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Condition(Tree);

impl Condition {
    /// Reads a condition; one longer than [`BYTES_MAX`] or nested deeper than [`DEPTH_MAX`] is
    /// refused like any other text that is none. What is printed is bound by the same length, so
    /// that it can be read again.
    pub fn parse(text: &str) -> Result<Self, ConditionFault> {
        let condition = Self(parse::parse(text)?);
        parse::check_length(&condition.to_string())?;
        Ok(condition)
    }

    /// The columns that it reads.
    pub fn columns(&self) -> BTreeSet<&Arc<str>> {
        let mut columns = BTreeSet::new();
        self.0.for_each_column(&mut |column| {
            columns.insert(column);
        });
        columns
    }

    /// The same condition over the cells of a table's columns.
    pub(super) fn resolve(&self, slots: &Slots<'_>) -> Result<Check, Misfit> {
        resolve::resolve(&self.0, slots)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::print(&self.0, f)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
