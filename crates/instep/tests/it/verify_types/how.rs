//! How types are compared.

use std::collections::BTreeMap;

/// How one type is compared with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct How {
    /// What a person is told of it.
    pub(super) told: String,
    /// Whether both servers make sums.
    pub(super) has_sums: bool,
}

/// How each type of a source is compared with each of a copy, by their places; nothing where it is not.
pub(super) type Matrix = BTreeMap<[usize; 2], How>;
