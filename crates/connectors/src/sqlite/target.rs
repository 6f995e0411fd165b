//! A SQLite file as a target: copies and pushed counts in its tables, each batch with its watermark
//! in one transaction.
//!
//! ```text
//!   open  handle        which file it is, how it is opened, and how transactions are ended
//!   connection          the port; session: what is open, from the first batch to the commit
//!     write             one row; careful: row by row; way: rows in each other's way
//!     books  lease      what Instep notes beside the rows; notes: seen, changing nothing
//!   tables              the copies' tables: shape as they are, layout for a source's rows,
//!                       create and affinity where they are made; columns: which rows have them
//!   stored  text        values on their way in and out
//!   inspect  read       rows read back, in the source's names
//! ```
//!
//! One transaction at a time is open in a file: while a large source transaction comes in parts,
//! other programs can read the file and wait with their writes. In a file with a write-ahead log
//! commits are not synced one by one; a batch without rows syncs all that came before it. Triggers of
//! the tables run, their foreign keys are checked at the end of each transaction, and what a table
//! refuses is held.

mod affinity;
mod bind;
mod books;
mod careful;
mod columns;
mod connection;
mod create;
mod handle;
mod inspect;
mod layout;
mod lease;
mod notes;
mod open;
mod order;
mod read;
mod session;
mod shape;
mod sql;
mod stored;
mod tables;
pub(super) mod text;
mod trouble;
mod way;
mod write;

use super::file::File;
use crate::copy::CopyTo;
use async_trait::async_trait;
use connection::{Connected, Leaders};
use model::{CopyName, Fault, Service, Table, Target};
use session::Session;
use std::sync::Arc;
use worker::Worker;

pub use inspect::SqliteCopyRows;
pub use notes::Notes;
pub(super) use notes::notes;
pub(super) use tables::look_at;
pub(super) use text::of as text_of;

/// A SQLite file that copies and counts are written to.
///
/// The file has to be there, unless one of the copies makes its table.
#[derive(Clone, Debug)]
pub struct SqliteTarget {
    file: File,
    copies: Vec<CopyTo>,
    leaders: Leaders,
}

impl SqliteTarget {
    /// The target over a file, for the copies of one group, or for one pushed count: what is wrong
    /// with one of their tables stops them all. The lanes of a group share one target, or clones.
    pub fn new(file: File, copies: Vec<CopyTo>) -> Self {
        Self { file, copies, leaders: Leaders::default() }
    }

    /// Makes the table of a copy with `create: true` now, if it is not there. Without this it comes
    /// into being with the copy's first row, which an empty source never has.
    pub async fn make_table(&self, copy: &CopyName, table: &Arc<Table>) -> Result<(), Fault> {
        let (copy, table) = (copy.clone(), Arc::clone(table));
        self.open().await?.run(move |session| session.make_table(&copy, &table)).await
    }

    async fn open(&self) -> Result<Worker<Session>, Fault> {
        let Self { file, copies, .. } = self.clone();
        let open = move || {
            let create = copies.iter().any(|copy| copy.create);
            let opened = open::for_writing(&file.path, file.busy, create)?;
            let session = Session::new(opened, file.path, copies);
            session.check_tables()?;
            Ok((session, ()))
        };
        Ok(Worker::open("sqlite target", open).await?.0)
    }
}

#[async_trait]
impl Service<dyn Target> for SqliteTarget {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        Ok(Box::new(Connected::new(self.open().await?, self.leaders.clone())))
    }
}
