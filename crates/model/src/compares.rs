//! Compares: how the values of a column compare at their source, where its kind does not say it.
//!
//! Whoever compares values in place of the source, as a count does, has to come to the same answer.
//!
//! Must not know: rows, who compares.

use std::sync::Arc;

/// How the values of a column compare at their source. By default numbers by value, texts byte by
/// byte, and literals as the kind of the column takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compares {
    /// The collation by which texts compare, where that is not byte by byte.
    pub collation: Option<Collation>,
    /// What a value becomes before it is compared with the column, at sources that decide by value.
    pub affinity: Option<Affinity>,
}

/// An order of texts that is not that of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collation {
    /// Its name at the source.
    pub name: Arc<str>,
    /// Whether texts are still equal exactly when their bytes are, so that only their order is
    /// another.
    pub equal_by_bytes: bool,
}

/// What a value becomes before it is compared with a column, as in SQLite: each value keeps a kind
/// of its own, all fractions are floats, and numbers come before texts, and texts before bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affinity {
    /// Nothing else.
    Blob,
    /// A number becomes the text that it is written as.
    Text,
    /// A text that is a number becomes that.
    Numeric,
}
