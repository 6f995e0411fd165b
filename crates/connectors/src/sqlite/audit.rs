//! The audit: reads one table of a file in order to compare it, and leaves no trace of that.
//!
//! ```text
//!   look        the table as it is
//!   asked       what is asked for, as SQL
//!     spell       PURE: how a value may stand in a file
//!   rows        rows by stretch and by key, and where stretches end
//!   flaws       keys that tell nothing apart, and rows that refer to none
//!   numbers     rows by group, the newest, the position
//!   decode      PURE: a stored value as the kind that it stands for
//!   refusal     what SQLite does not take
//! ```
//!
//! Every call opens the file anew, as a glance does (`glance/opened.rs`), and reads in one short
//! transaction; a file that nobody writes to is read without even a lock.

mod asked;
mod decode;
mod flaws;
mod look;
mod numbers;
mod refusal;
mod rows;
mod spell;

use super::file::File;
use super::glance::opened;
use super::trouble::Trouble;
use asked::{Asked, Beginning};
use async_trait::async_trait;
use model::{
    Ask, Audit, Code, Fate, Fault, Flaw, Found, Groups, Key, Listed, Looked, Mark, Reference, Row,
    Selection, Service, Sum, TableName, Value, Wanted,
};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use worker::Worker;

/// The tables of a file, for whoever compares them.
#[derive(Clone, Debug)]
pub struct SqliteAudit {
    file: File,
}

impl SqliteAudit {
    /// The tables of this file.
    pub fn new(file: File) -> Self {
        Self { file }
    }
}

#[async_trait]
impl Service<dyn Audit> for SqliteAudit {
    async fn connect(&self) -> Result<Box<dyn Audit>, Fault> {
        let file = self.file.clone();
        let (worker, ()) = Worker::open("sqlite audit", move || Ok((file, ()))).await?;
        let session = Session { worker, patience: self.file.busy, beginning: Arc::default() };
        let is_database = "select count(*) from main.sqlite_master";
        session.see(|it| Ok(it.query_row(is_database, [], |row| row.get::<_, i64>(0))?)).await?;
        Ok(Box::new(session))
    }
}

struct Session {
    worker: Worker<File>,
    patience: Duration,
    beginning: Arc<Beginning>,
}

/// How long a file is left alone that did not hold still.
const PAUSE: Duration = Duration::from_millis(20);

impl Session {
    /// Sees something in one snapshot. What stands in the way for a moment only, as a writer does who
    /// opens or closes the file, is waited for.
    async fn see<T: Send + 'static>(
        &self,
        see: impl Fn(&Connection) -> Result<T, Trouble> + Send + Sync + 'static,
    ) -> Result<T, Fault> {
        let see = Arc::new(see);
        let until = Instant::now() + self.patience;
        loop {
            let see = Arc::clone(&see);
            let look = move |file: &mut File| {
                let seen = opened::look(&file.path, file.busy, |connection| {
                    let snapshot = connection.unchecked_transaction()?;
                    see(&snapshot).map_err(|trouble| refusal::judged(&file.path, trouble))
                });
                seen.map_err(of_a_moment)
            };
            match self.worker.run(look).await {
                Err(fault) if is_unsteady(&fault) && Instant::now() < until => sleep(PAUSE).await,
                seen => return seen,
            }
        }
    }

    /// The same of what is asked for.
    async fn see_asked<T: Send + 'static>(
        &self,
        ask: &Ask,
        see: impl Fn(&Asked<'_>) -> Result<T, Trouble> + Send + Sync + 'static,
    ) -> Result<T, Fault> {
        let (ask, beginning) = (ask.clone(), Arc::clone(&self.beginning));
        self.see(move |snapshot| see(&Asked::new(snapshot, &ask, &beginning)?)).await
    }
}

/// Whoever has the file locked lets go of it some time.
fn of_a_moment(fault: Fault) -> Fault {
    let fate = if fault.code == Code::FileLocked { Fate::Retry } else { fault.fate };
    Fault { fate, ..fault }
}

fn is_unsteady(fault: &Fault) -> bool {
    fault.fate == Fate::Retry && fault.code == Code::NotMeasured
}

#[async_trait]
impl Audit for Session {
    async fn look(&mut self, name: &TableName) -> Result<Option<Looked>, Fault> {
        let name = name.clone();
        self.see(move |snapshot| Ok(look::look(snapshot, &name)?)).await
    }

    async fn admit(&mut self, ask: &Ask) -> Result<(), Fault> {
        self.see_asked(ask, rows::admit).await
    }

    async fn cut(
        &mut self,
        ask: &Ask,
        after: Option<&Key>,
        rows: u64,
    ) -> Result<Option<Key>, Fault> {
        let after = after.cloned();
        self.see_asked(ask, move |asked| rows::cut(asked, after.as_ref(), rows)).await
    }

    async fn sum(&mut self, _ask: &Ask, _of: &Selection) -> Result<Sum, Fault> {
        Err(no_sums())
    }

    async fn marks(
        &mut self,
        _ask: &Ask,
        _of: &Selection,
        _rows_max: usize,
    ) -> Result<Listed<Mark>, Fault> {
        Err(no_sums())
    }

    async fn rows(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Row>, Fault> {
        let of = of.clone();
        self.see_asked(ask, move |asked| rows::rows(asked, &of, rows_max)).await
    }

    async fn find(&mut self, ask: &Ask, keys: &[Key]) -> Result<BTreeMap<Key, Found>, Fault> {
        let keys = keys.to_vec();
        self.see_asked(ask, move |asked| rows::find(asked, &keys)).await
    }

    async fn flaw(&mut self, ask: &Ask, of: &Selection) -> Result<Option<Flaw>, Fault> {
        let of = of.clone();
        self.see_asked(ask, move |asked| flaws::flaw(asked, &of)).await
    }

    async fn groups(&mut self, ask: &Ask, groups: &Groups) -> Result<Listed<i64>, Fault> {
        let groups = groups.clone();
        self.see_asked(ask, move |asked| numbers::groups(asked, &groups)).await
    }

    async fn orphans(
        &mut self,
        ask: &Ask,
        refers: &Reference,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<()>, Fault> {
        let (refers, of) = (refers.clone(), of.clone());
        self.see_asked(ask, move |asked| flaws::orphans(asked, &refers, &of, rows_max)).await
    }

    async fn newest(&mut self, ask: &Ask, by: &Wanted, rows: u64) -> Result<Option<Value>, Fault> {
        let by = by.clone();
        self.see_asked(ask, move |asked| numbers::newest(asked, &by, rows)).await
    }

    async fn position(&mut self) -> Result<Option<String>, Fault> {
        self.see(|snapshot| Ok(numbers::position(snapshot)?)).await
    }
}

fn no_sums() -> Fault {
    Fault::stop(Code::Broken, "SQLite was asked for sums, which it does not make")
}
