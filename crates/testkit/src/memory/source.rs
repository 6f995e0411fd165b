//! A connection to the memory database: the source port, and reading rows back.

use super::database::{Database, DatabaseSlot};
use super::server::number;
use async_trait::async_trait;
use model::{
    Answer, At, Code, Digest, Fault, Inspect, Position, Resume, Rows, Seed, Selection, Service,
    Source, Started, Step, Table, TableName,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[async_trait]
impl Service<dyn Source> for DatabaseSlot {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        Ok(Box::new(Session::new(self.clone())))
    }
}

#[async_trait]
impl Service<dyn Source> for Database {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        Ok(Box::new(Session::new(self.main())))
    }
}

#[async_trait]
impl Service<dyn Inspect> for Database {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        Ok(Box::new(Session::new(self.main())))
    }
}

struct Session {
    database: Database,
    /// As which reader it follows.
    slot: Arc<str>,
    boot: u64,
    /// Steps read from the server and not yet handed over.
    steps: VecDeque<Step>,
    /// Up to here the history was read.
    read: u64,
    /// When it may write another marker.
    mark_at: Mutex<Instant>,
}

/// How long it writes no other marker after one.
const MARK_PAUSE: Duration = Duration::from_secs(1);

impl Session {
    fn new(DatabaseSlot { database, name }: DatabaseSlot) -> Self {
        let boot = database.lock().boots;
        Self {
            database,
            slot: name,
            boot,
            steps: VecDeque::new(),
            read: 0,
            mark_at: Mutex::new(Instant::now()),
        }
    }

    fn check(&self) -> Result<(), Fault> {
        if self.database.lock().boots == self.boot {
            return Ok(());
        }
        Err(Fault::retry(Code::SourceUnavailable, "the server has closed the connection"))
    }

    /// Hands over what is at hand.
    fn take(&mut self) -> Option<Step> {
        let database = self.database.clone();
        let state = database.lock();
        if let Some(fresh) = state.steps_from(self.read) {
            self.steps.extend(fresh.iter().cloned());
            self.read = state.end();
        }
        self.steps.pop_front()
    }
}

#[async_trait]
impl Source for Session {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.check()?;
        let mut state = self.database.lock();
        self.read = state.end();
        let now = state.place();
        let Some(after) = after else {
            state.open_slot(&self.slot);
            // Transactions that are open now come whole when they commit.
            self.steps = state.steps_after(self.read).map(|(_, step)| step.clone()).collect();
            return Ok(Started::Fresh(now));
        };
        let pinned = &after.place.identity;
        if *pinned != state.identity {
            let what = format!("pinned to {pinned}, but this is {}", state.identity);
            return Err(Fault::lost(Code::SourceChanged, what));
        }
        if let Some(why) = state.contradicts(after) {
            return Ok(Started::Lost { why, same_history: false, now });
        }
        let mut from = number(&after.place.position);
        if !state.reaches(from) {
            let why = format!("asked for what comes after {from}, which is gone");
            return Ok(Started::Lost { why, same_history: true, now });
        }
        state.open_slot(&self.slot);
        let confirmed = state.confirmed(&self.slot);
        if state.delivers_again && confirmed < from && state.reaches(confirmed) {
            from = confirmed;
        }
        self.steps = state.steps_after(from).map(|(_, step)| step.clone()).collect();
        Ok(Started::Resumed)
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        loop {
            let database = self.database.clone();
            // Registered before the look, so that what comes in between is not missed.
            let grown = database.grown();
            self.check()?;
            if let Some(step) = self.take() {
                return Ok(step);
            }
            grown.await;
        }
    }

    fn confirm(&self, position: &Position) {
        let mut state = self.database.lock();
        if state.boots == self.boot {
            state.confirm(&self.slot, position);
        }
    }

    fn mark(&self) {
        let now = Instant::now();
        let mut mark_at = self.mark_at.lock().unwrap_or_else(PoisonError::into_inner);
        if self.check().is_ok() && now >= *mark_at {
            self.database.pass();
            *mark_at = now + MARK_PAUSE;
        }
    }
}

#[async_trait]
impl Inspect for Session {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        self.check()?;
        Ok(self.database.lock().table(name).cloned())
    }

    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        self.check()?;
        let state = self.database.lock();
        let (placement, rows) = state.session(&table.name);
        let selected = rows.into_iter().flatten().filter(|(key, _)| selection.contains(key));
        let mut found: Vec<_> = selected
            .take(rows_max + 1)
            .map(|(key, row)| (key.clone(), row.clone(), None))
            .collect();
        let more = found.len() > rows_max;
        found.truncate(rows_max);
        let upto = found.last().filter(|_| more).map(|(key, ..)| key.clone());
        Ok(Answer { at: At::Source(placement), found: Rows { rows: found, upto } })
    }

    async fn estimate(&mut self, table: &Arc<Table>) -> Result<Option<u64>, Fault> {
        self.check()?;
        let state = self.database.lock();
        Ok(state.session(&table.name).1.map(|rows| rows.len() as u64))
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        self.check()?;
        let state = self.database.lock();
        let (placement, rows) = state.session(&table.name);
        let digest = |selection: &Selection| {
            let mut sum = Digest::default();
            for (key, row) in rows.into_iter().flatten().filter(|(key, _)| selection.contains(key))
            {
                sum += Digest::of(seed, table, key, row);
            }
            sum
        };
        let found = selections.iter().map(digest).collect();
        Ok(Answer { at: At::Source(placement), found })
    }
}
