//! Reads the rows of a database as they are, with the exact place of each answer.
//!
//! ```text
//!   pace      how many rows to ask for at once, and when to pause
//!   open      a connection that is in no transaction
//!   snapshot  one transaction that reads, and where it stands
//!   stamp     whether a table still looks as it did
//!   reading   a table as it was asked for, and as it is now
//!   select    its rows, as SQL
//!   failure   what ends an answer
//! ```
//!
//! An answer is one transaction that only reads. A connection in the middle of one is given up rather
//! than used again, so that an answer which is dropped half-way leaves nothing behind.

mod failure;
mod open;
mod pace;
mod reading;
mod select;
mod snapshot;
mod stamp;

use super::access::Access;
use super::outbox::{Layout, Outbox};
use super::schema::{Described, Why};
use super::source::publication_name;
use async_trait::async_trait;
pub(super) use failure::Failure;
use model::{
    Answer, At, Digest, Fault, Inspect, Key, Row, Rows, Seed, Selection, Service, Table, TableName,
};
use open::Open;
use pace::{BYTES_MAX, Pace};
pub(super) use select::estimate;
use snapshot::{Part, Snapshot};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The rows of a database.
#[derive(Clone, Debug)]
pub struct PostgresRows {
    access: Arc<Access>,
    /// The schema of the follower for whom triggers record the changes, if they do.
    recorded_in: Option<Arc<str>>,
    /// The outbox, whose kinds are tables, too.
    outbox: Option<Arc<Outbox>>,
    /// What was learned of the server outlives a connection that it ended.
    pacer: Arc<Mutex<Pacer>>,
}

impl PostgresRows {
    /// The rows of this database.
    pub fn new(access: Access) -> Self {
        let pacer = Pacer { pace: Pace::new(), again_at: Instant::now() };
        let pacer = Arc::new(Mutex::new(pacer));
        Self { access: Arc::new(access), recorded_in: None, outbox: None, pacer }
    }

    /// The same, with the kinds of an outbox: the rows of each that were not taken out yet.
    #[must_use]
    pub fn with_outbox(self, outbox: Outbox) -> Self {
        Self { outbox: Some(Arc::new(outbox)), ..self }
    }

    /// The same, where changes are followed by triggers for this follower.
    #[must_use]
    pub fn recorded_for(self, follower: &str) -> Self {
        Self { recorded_in: Some(publication_name(follower).into()), ..self }
    }
}

#[async_trait]
impl Service<dyn Inspect> for PostgresRows {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        let Self { access, recorded_in, outbox, pacer } = self.clone();
        let open = Open::connect(&access, outbox.clone()).await;
        let open = open.map_err(|failure| failure.judged(&access))?;
        Ok(Box::new(Reader { access, recorded_in, outbox, pacer, open: Some(open) }))
    }
}

/// How fast the server is asked.
#[derive(Debug)]
struct Pacer {
    pace: Pace,
    /// Nothing is asked before.
    again_at: Instant,
}

struct Reader {
    access: Arc<Access>,
    recorded_in: Option<Arc<str>>,
    outbox: Option<Arc<Outbox>>,
    pacer: Arc<Mutex<Pacer>>,
    /// None while an answer is on its way, and after one that was given up.
    open: Option<Open>,
}

#[async_trait]
impl Inspect for Reader {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        let described = self.describe(name).await.map_err(|failure| self.failed(failure))?;
        Ok(described)
    }

    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        let answered = self.try_rows(table, selection, rows_max).await;
        answered.map_err(|failure| self.failed(failure))
    }

    async fn estimate(&mut self, table: &Arc<Table>) -> Result<Option<u64>, Fault> {
        let estimated = self.try_estimate(&table.name).await;
        estimated.map_err(|failure| self.failed(failure))
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        let answered = self.try_digests(table, selections, seed).await;
        answered.map_err(|failure| self.failed(failure))
    }
}

impl Reader {
    async fn describe(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Failure> {
        let mut open = self.take().await?;
        let described = open.describe(name).await?;
        let is_kind = open.is_kind(name);
        self.open = Some(open);
        match described {
            Ok(Described { table, .. }) if is_kind => {
                Ok(Some(Layout::of(&table)?.table(&table, name)))
            }
            Ok(described) => Ok(Some(described.table)),
            Err(unfit) if unfit.why == Why::Missing => Ok(None),
            Err(unfit) => Err(Fault::from(unfit).into()),
        }
    }

    async fn try_estimate(&mut self, name: &TableName) -> Result<Option<u64>, Failure> {
        let open = self.take().await?;
        // Nobody knows how the rows of an outbox are shared out among its kinds.
        if open.is_kind(name) {
            self.open = Some(open);
            return Ok(None);
        }
        let rows = open.session.query(&estimate(name)).await?;
        self.open = Some(open);
        let rows = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
        Ok(rows)
    }

    async fn try_rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Failure> {
        let mut snapshot = self.begin(table).await?;
        let at = At::Source(snapshot.placement().clone());
        let rows_max = self.pacer().pace.rows().min(rows_max).max(1);
        let (mut rows, mut bytes) = (Vec::new(), 0_usize);
        let began = Instant::now();
        let mut take = |key: Key, row: Row| {
            bytes += key.bytes() + row.bytes();
            rows.push((key, row, None));
            bytes < BYTES_MAX
        };
        let part = snapshot.read(selection, rows_max, &mut take).await?;
        self.took(selection, rows.len(), rows_max, bytes, began.elapsed());
        let upto = match part {
            Part::Cut(upto) => Some(upto),
            Part::Read(upto) => {
                self.open = Some(snapshot.end().await?);
                upto
            }
        };
        Ok(Answer { at, found: Rows { rows, upto } })
    }

    async fn try_digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Failure> {
        let mut snapshot = self.begin(table).await?;
        let at = At::Source(snapshot.placement().clone());
        let mut found = Vec::with_capacity(selections.len());
        for selection in selections {
            let (mut left, mut sum) = (Some(selection.clone()), Digest::default());
            while let Some(selection) = left.take() {
                let rows_max = self.pacer().pace.rows();
                let mut add = |key, row| {
                    sum += Digest::of(seed, table, &key, &row);
                    true
                };
                let part = snapshot.read(&selection, rows_max, &mut add).await?;
                left = part.rest_of(selection);
            }
            found.push(sum);
        }
        self.open = Some(snapshot.end().await?);
        Ok(Answer { at, found })
    }

    /// Begins an answer, once the last one is paid for.
    async fn begin(&mut self, table: &Arc<Table>) -> Result<Snapshot, Failure> {
        let again_at = self.pacer().again_at;
        sleep_until(again_at).await;
        let open = self.take().await?;
        Snapshot::begin(open, table, self.recorded_in.as_deref()).await
    }

    /// The connection, or a new one if the last was given up.
    async fn take(&mut self) -> Result<Open, Failure> {
        match self.open.take().filter(|open| !open.is_closed()) {
            Some(open) => Ok(open),
            None => Open::connect(&self.access, self.outbox.clone()).await,
        }
    }

    fn took(
        &self,
        selection: &Selection,
        rows: usize,
        rows_max: usize,
        bytes: usize,
        time: Duration,
    ) {
        let mut pacer = self.pacer();
        pacer.again_at = Instant::now() + pace::pause(time);
        // How long it takes to find keys says nothing about stretches.
        if matches!(selection, Selection::Range { .. }) {
            pacer.pace.took(rows, rows_max, bytes, time);
        }
    }

    fn failed(&self, failure: Failure) -> Fault {
        if failure.is_timeout() {
            let mut pacer = self.pacer();
            pacer.again_at = Instant::now() + pacer.pace.timed_out();
        }
        failure.judged(&self.access)
    }

    fn pacer(&self) -> MutexGuard<'_, Pacer> {
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
