//! Looks at any table of a database in order to compare it, and leaves no trace there.
//!
//! ```text
//!   open       a connection that only reads, and what is known of its database
//!   catalog    what the server says about a table
//!   relation   a table, and what is to be known of each column
//!   words      what is said of a column, so that others know whether they mean the same
//!   question   what is asked for, found in the table
//!   select     which rows are meant, as SQL
//!   literal    a value as SQL
//!   convert    what the server writes, as a value of the kind that is wanted
//!   mark       the mark of a row, as SQL
//!   reading    rows and marks, read and found
//!   telling    what is told of many rows at once
//! ```
//!
//! Each call is one statement, and no transaction stands open between two. A connection in the middle
//! of one is given up rather than used again, so that a call which fails, or is dropped half-way,
//! leaves nothing behind.

mod catalog;
mod convert;
mod literal;
mod mark;
mod open;
mod question;
mod reading;
mod relation;
mod select;
mod telling;
mod words;

use super::access::Access;
use super::rows::Failure;
use async_trait::async_trait;
use model::{
    Ask, Audit, Code, Fate, Fault, Flaw, Found, Groups, Key, Listed, Looked, Mark, Reference, Row,
    Selection, Service, Sum, TableName, Value, Wanted,
};
use open::Open;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The tables of a database, to be compared.
#[derive(Clone, Debug)]
pub struct PostgresAudit {
    access: Arc<Access>,
}

impl PostgresAudit {
    /// The tables of this database.
    pub fn new(access: Access) -> Self {
        Self { access: Arc::new(access) }
    }
}

#[async_trait]
impl Service<dyn Audit> for PostgresAudit {
    async fn connect(&self) -> Result<Box<dyn Audit>, Fault> {
        let mut auditor =
            Auditor { access: Arc::clone(&self.access), open: None, fitting: usize::MAX };
        auditor.open = Some(auditor.take().await?);
        Ok(Box::new(auditor))
    }
}

struct Auditor {
    access: Arc<Access>,
    /// None while a call is on its way, and after one that was given up.
    open: Option<Open>,
    /// As many rows as fit into an answer, which outlives the connection that too many came by.
    fitting: usize,
}

impl Auditor {
    /// The connection, or a new one if the last was given up.
    async fn take(&mut self) -> Result<Open, Fault> {
        match self.open.take().filter(|open| !open.session.is_closed()) {
            Some(open) => Ok(open),
            None => {
                let opened = Open::connect(&self.access, self.fitting).await;
                opened.map_err(|failure| self.judged(failure))
            }
        }
    }

    /// Keeps the connection for the next call, if this one has come to its end.
    fn keep<T>(&mut self, open: Open, done: Result<T, Failure>) -> Result<T, Fault> {
        let done = done.map_err(|failure| self.judged(failure))?;
        self.fitting = open.fitting;
        self.open = Some(open).filter(|open| !open.is_spent);
        Ok(done)
    }

    /// Nobody waits here until the server takes what it refuses.
    fn judged(&self, failure: Failure) -> Fault {
        let fault = failure.judged(&self.access);
        match fault.code {
            Code::PostgresRefused => Fault { fate: Fate::Stop, ..fault },
            _ => fault,
        }
    }
}

impl fmt::Debug for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auditor").field("access", &self.access).finish_non_exhaustive()
    }
}

#[async_trait]
impl Audit for Auditor {
    async fn look(&mut self, name: &TableName) -> Result<Option<Looked>, Fault> {
        let mut open = self.take().await?;
        let done = open.look(name).await;
        Ok(self.keep(open, done)?.map(|relation| relation.looked))
    }

    async fn admit(&mut self, ask: &Ask) -> Result<(), Fault> {
        let mut open = self.take().await?;
        let done = telling::admit(&mut open, ask).await;
        self.keep(open, done)
    }

    async fn cut(
        &mut self,
        ask: &Ask,
        after: Option<&Key>,
        rows: u64,
    ) -> Result<Option<Key>, Fault> {
        let mut open = self.take().await?;
        let done = telling::cut(&mut open, ask, after, rows).await;
        self.keep(open, done)
    }

    async fn sum(&mut self, ask: &Ask, of: &Selection) -> Result<Sum, Fault> {
        let mut open = self.take().await?;
        let done = telling::sum(&mut open, ask, of).await;
        self.keep(open, done)
    }

    async fn marks(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Mark>, Fault> {
        let mut open = self.take().await?;
        let done = reading::marks(&mut open, ask, of, rows_max).await;
        self.keep(open, done)
    }

    async fn rows(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Row>, Fault> {
        let mut open = self.take().await?;
        let done = reading::rows(&mut open, ask, of, rows_max).await;
        self.keep(open, done)
    }

    async fn find(&mut self, ask: &Ask, keys: &[Key]) -> Result<BTreeMap<Key, Found>, Fault> {
        let mut open = self.take().await?;
        let done = reading::find(&mut open, ask, keys).await;
        self.keep(open, done)
    }

    async fn flaw(&mut self, ask: &Ask, of: &Selection) -> Result<Option<Flaw>, Fault> {
        let mut open = self.take().await?;
        let done = telling::flaw(&mut open, ask, of).await;
        self.keep(open, done)
    }

    async fn groups(&mut self, ask: &Ask, groups: &Groups) -> Result<Listed<i64>, Fault> {
        let mut open = self.take().await?;
        let done = telling::groups(&mut open, ask, groups).await;
        self.keep(open, done)
    }

    async fn orphans(
        &mut self,
        ask: &Ask,
        refers: &Reference,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<()>, Fault> {
        let mut open = self.take().await?;
        let done = reading::orphans(&mut open, ask, refers, of, rows_max).await;
        self.keep(open, done)
    }

    async fn newest(&mut self, ask: &Ask, by: &Wanted, rows: u64) -> Result<Option<Value>, Fault> {
        let mut open = self.take().await?;
        let done = telling::newest(&mut open, ask, by, rows).await;
        self.keep(open, done)
    }

    async fn position(&mut self) -> Result<Option<String>, Fault> {
        let open = self.take().await?;
        let done = telling::position(&open).await;
        self.keep(open, done)
    }
}
