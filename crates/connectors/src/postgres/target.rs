//! A PostgreSQL database as a target: copies and pushed counts in its tables, each batch with its
//! watermark in one transaction.
//!
//! ```text
//!   connected           the port
//!     writer            what is open, from the first batch to the commit
//!     sets              the writes of a batch as sets, each of them one statement
//!       statements      a set as SQL, with its rows as parameters
//!     swift  prepared   a small transaction in one piece, of statements that the server knows
//!     write  careful    sets as a whole; halves of halves, down to the row that is refused
//!       way             rows in each other's way
//!     flush             has the disk keep what was committed, beside the work
//!     settings          how it is connected
//!     books  lease      what Instep notes beside the rows; who leads
//!   tables              the copies' tables: shape as they are, layout for a source's rows, fits
//!                       for their types, elements of arrays, create where they are made;
//!                       columns: which rows have them
//!   cells               values on their way in and out
//!   inspect  read       rows read back, in the source's names
//! ```
//!
//! Commits are asynchronous; a batch without rows has a flush begun, of which a later answer tells.
//! Triggers of the tables run and their foreign keys are checked, since the table is its owner's; what
//! it refuses is held.

mod books;
mod careful;
mod cells;
mod columns;
mod connected;
mod create;
mod elements;
mod fits;
mod flush;
mod inspect;
mod layout;
mod lease;
mod prepared;
mod read;
mod sets;
mod settings;
mod shape;
mod statements;
mod swift;
mod tables;
mod trouble;
mod way;
mod write;
mod writer;

use super::access::Access;
use super::session::Session;
use crate::copy::{CopyTo, Fit};
use async_trait::async_trait;
use connected::Connected;
use model::{CopyName, Fault, Service, Table, Target};
use std::sync::Arc;
use tables::Tables;
use writer::Writer;

pub use inspect::PostgresCopyRows;

/// A database that copies and counts are written to.
#[derive(Clone, Debug)]
pub struct PostgresTarget {
    access: Arc<Access>,
    copies: Arc<[CopyTo]>,
}

impl PostgresTarget {
    /// The target over a database, for the copies of one group, or for one pushed count: what is
    /// wrong with one of their tables stops them all.
    pub fn new(access: Access, copies: Vec<CopyTo>) -> Self {
        Self { access: Arc::new(access), copies: copies.into() }
    }

    /// Makes the table of a copy with `create: true` now, if it is not there. Without this it comes
    /// into being with the copy's first row, which an empty source never has.
    pub async fn make_table(&self, copy: &CopyName, table: &Arc<Table>) -> Result<(), Fault> {
        Writer::open(&self.access, &self.copies).await?.make_table(copy, table).await
    }

    /// How rows of a source's table fit into that of a copy; a fault says why they do not. Changes
    /// nothing in the database.
    pub async fn fit(&self, copy: &CopyName, table: &Arc<Table>) -> Result<Fit, Fault> {
        let session = Session::connect(&self.access).await;
        let session = session.map_err(|trouble| trouble::of_server(&self.access, trouble))?;
        let mut tables = Tables::open(&session, &self.access, &self.copies).await?;
        tables.fit(&session, copy, table).await
    }
}

#[async_trait]
impl Service<dyn Target> for PostgresTarget {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        let writer = Writer::open(&self.access, &self.copies).await?;
        Ok(Box::new(Connected::new(writer)))
    }
}
