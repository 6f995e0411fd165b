//! Glance: looks at a file without writing anything, neither to it nor beside it.
//!
//! ```text
//!   Glance              what can be seen: the file's log, what is recorded, what was noted, tables
//!     way               PURE: how a file is opened such that SQLite makes no file beside it
//!     opened            one connection for one look, and whether what it saw held still
//!       door              one way in for all of this process, so that no lock is lost
//!   lock                who holds the file locked
//!   sketch              its tables, with what a person would count and copy
//! ```
//!
//! Each look opens the file anew and closes it again, so nothing of it is held between two. It blocks,
//! so callers give it a thread.

mod door;
mod fit;
mod lock;
pub(super) mod opened;
mod sketch;
mod way;

pub use lock::Holder;
pub use way::Way;

use super::source::{self, Recording};
use super::target::{self, Notes};
use super::trouble::Trouble;
use crate::copy::{CopyTo, Fit};
use crate::sketch::{Sketch, SketchBounds};
use model::{Fault, Table, TableName};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file that is looked at and never written.
#[derive(Clone, Debug)]
pub struct Glance {
    path: PathBuf,
    busy: Duration,
}

impl Glance {
    /// Looks at this file; a look waits so long for another program's lock.
    pub fn new(path: &Path, busy: Duration) -> Self {
        Self { path: path.to_owned(), busy }
    }

    /// How the file is read; a fault says why it is no file that can be.
    pub fn way(&self) -> Result<Way, Fault> {
        opened::way(&self.path)
    }

    /// Who keeps others from writing to the file now, or from reading it.
    pub fn holder(&self) -> io::Result<Option<Holder>> {
        lock::holder(&self.path)
    }

    /// Reads the list of tables: the least that shows that this is a database.
    pub fn count_tables(&self) -> Result<u32, Fault> {
        let ask = "select count(*) from main.sqlite_master where type = 'table'";
        self.look(|connection| Ok(connection.query_row(ask, [], |row| row.get(0))?))
    }

    /// What stands in the file because it is followed, and what these tables lack for that.
    pub fn recording(&self, tables: &[TableName]) -> Result<Recording, Fault> {
        self.look(|connection| source::recording(connection, tables))
    }

    /// What Instep noted in the file as a target; none if it never wrote to it.
    pub fn notes(&self) -> Result<Option<Notes>, Fault> {
        self.look(|connection| Ok(target::notes(connection)?))
    }

    /// A table as it can be followed; a fault says why it can not.
    pub fn table(&self, name: &TableName) -> Result<Arc<Table>, Fault> {
        self.look(|connection| source::followable(connection, name))
    }

    /// How the rows of a source's table fit into a copy's.
    pub fn fit(&self, copy: &CopyTo, table: &Arc<Table>) -> Result<Fit, Fault> {
        self.look(|connection| fit::fit(connection, &self.path, copy, table))
    }

    /// The tables as a person would describe them, within bounds.
    pub fn sketch(&self, bounds: &SketchBounds) -> Result<Sketch, Fault> {
        self.look(|connection| sketch::sketch(connection, bounds))
    }

    fn look<T>(
        &self,
        look: impl Fn(&rusqlite::Connection) -> Result<T, Trouble>,
    ) -> Result<T, Fault> {
        opened::look(&self.path, self.busy, look)
    }
}
