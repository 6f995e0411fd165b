//! Why a condition does not fit a table.

use std::sync::Arc;

/// Why a condition does not fit a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The column that it is about.
    pub(crate) column: Option<Arc<str>>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) fix: String,
}
