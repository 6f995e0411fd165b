//! What goes wrong while statements run: SQLite's errors on their way to being judged, and faults
//! that were found by looking at what SQLite answered.

use super::fault::{Side, judge};
use model::Fault;
use rusqlite::Error;
use std::path::Path;

/// Trouble with a file.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A statement failed.
    Sqlite(Error),
    /// It is known what it means.
    Judged(Fault),
}

impl Trouble {
    /// What it means for whoever works with the file.
    pub(super) fn judged(self, side: Side, path: &Path) -> Fault {
        match self {
            Trouble::Sqlite(error) => judge(side, path, error),
            Trouble::Judged(fault) => fault,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Sqlite(error)
    }
}
impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::Judged(fault)
    }
}
