//! What is known of a file whose changes are recorded.

use super::books::Books;
use model::Table;
use std::sync::Arc;

/// A file whose changes are recorded.
#[derive(Clone, Debug)]
pub(super) struct Installed {
    /// What the file says of itself.
    pub(super) books: Books,
    /// The followed tables, each in its version.
    pub(super) tables: Vec<Arc<Table>>,
    /// SQLite's number of the schema in which all of this is so.
    pub(super) schema: i64,
}
