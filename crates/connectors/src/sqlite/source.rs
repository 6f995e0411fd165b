//! The source: follows the tables of a file through triggers that record which keys were touched.
//!
//! ```text
//!   install             makes our tables and the triggers, and finds what changed unseen
//!     shape             what of a table decides how it is followed
//!     unsure            PURE: which unique values are known only once they are written
//!     trigger           PURE: the triggers
//!     books             our tables
//!     installation      which Instep follows the file
//!   rows                rows read back, and exactly where they stand
//!     estimate          about how many there are
//!   recording           what stands in a file because of all that, changing nothing
//!   history             whether the file's history is still the one that was followed
//!   follower            one reading is one transaction
//!     spool             its rows, put aside so that the file is free again
//! ```
//!
//! SQLite tells no other program of a change, so the file's content number is looked at every few
//! milliseconds, and less often while nothing happens. Writers are never held up: what is read is one
//! short snapshot, and our own writes give up at once where another writer is at work.

mod books;
mod estimate;
mod follower;
mod history;
mod index_text;
mod install;
mod installation;
mod installed;
mod limits;
mod recording;
mod rows;
mod shape;
mod spool;
mod trigger;
mod unsure;

pub(super) use estimate::rows as estimated_rows;
pub use installation::{Installation, Noted};
pub use limits::SourceLimits;
pub use recording::Recording;
pub(super) use recording::{followable, recording};
pub use rows::SqliteRows;
pub(super) use trigger::PREFIX;

use super::fault::Side;
use super::file::File;
use super::trouble::Trouble;
use async_trait::async_trait;
use follower::{Follower, Looked, Wishes};
use model::{Fault, Position, Resume, Service, Source, Started, Step, TableName};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use worker::Worker;

/// Tables of a SQLite file to follow.
#[derive(Clone, Debug)]
pub struct SqliteSource {
    file: File,
    tables: Vec<TableName>,
    limits: SourceLimits,
    installation: Option<Installation>,
}

impl SqliteSource {
    /// Follows these tables of the file.
    pub fn new(file: File, tables: Vec<TableName>, limits: SourceLimits) -> Self {
        Self { file, tables, limits, installation: None }
    }

    /// Follows them for this installation, and only as long as the file is not another one's.
    #[must_use]
    pub fn by(self, installation: Installation) -> Self {
        Self { installation: Some(installation), ..self }
    }
}

#[async_trait]
impl Service<dyn Source> for SqliteSource {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        let Self { file, tables, limits, installation } = self.clone();
        let look_pause_max = limits.look_pause_max;
        let open = move || Ok((Follower::open(file, tables, limits, installation)?, ()));
        let (worker, ()) = Worker::open("sqlite source", open).await?;
        Ok(Box::new(Session {
            worker: Arc::new(worker),
            told: Arc::default(),
            steps: VecDeque::new(),
            look: None,
            pause: LOOK_PAUSE,
            look_pause_max,
        }))
    }
}

/// Takes out of a file everything that stands there because it was followed; whether that was
/// anything. A source that is followed again afterwards has another identity. Refused where another
/// installation follows it.
pub async fn detach(file: &File, by: Option<&Installation>) -> Result<bool, Fault> {
    let by = by.cloned();
    let detach = move |connection: &mut Connection| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        by.map_or(Ok(()), |by| installation::check(&transaction, &by))?;
        let was_there = books::is_there(&transaction)?;
        books::remove(&transaction)?;
        transaction.commit()?;
        Ok(was_there)
    };
    change(file, detach).await
}

/// A person has said that this installation follows the file from now on; whether another one did.
pub async fn adopt(file: &File, by: &Installation) -> Result<bool, Fault> {
    let by = by.clone();
    change(file, move |connection| Ok(installation::adopt(connection, &by)?)).await
}

/// Does something with our tables in a file.
async fn change<T: Send + 'static>(
    file: &File,
    change: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Fault> {
    let path = file.path.clone();
    let connection = file.connect(Side::Source, OpenFlags::SQLITE_OPEN_READ_WRITE).await?;
    let change = move |connection: &mut Connection| {
        change(connection).map_err(|trouble| trouble.judged(Side::Source, &path))
    };
    connection.run(change).await
}

/// The pause after a look that found something, and what it grows from.
const LOOK_PAUSE: Duration = Duration::from_millis(2);

/// A connection that follows.
struct Session {
    worker: Arc<Worker<Follower>>,
    told: Arc<Told>,
    /// Steps that were read and not yet handed over.
    steps: VecDeque<Step>,
    /// The look that is under way: what it brings is taken whoever waits for it then.
    look: Option<Pin<Box<Look>>>,
    pause: Duration,
    look_pause_max: Duration,
}

type Look = dyn Future<Output = Result<Looked, Fault>> + Send;

/// What the reader has said since.
#[derive(Debug, Default)]
struct Told {
    confirmed: AtomicI64,
    marker: AtomicBool,
    /// Wakes a look that pauses.
    wake: Notify,
}

impl Session {
    fn take(&mut self, looked: Looked) {
        self.pause = if looked.has_moved {
            self.told.marker.store(false, Ordering::Relaxed);
            Duration::ZERO
        } else {
            (self.pause * 2).clamp(LOOK_PAUSE, self.look_pause_max)
        };
        self.steps.extend(looked.steps);
    }
}

/// Pauses, and looks then.
async fn look(
    worker: Arc<Worker<Follower>>,
    told: Arc<Told>,
    pause: Duration,
) -> Result<Looked, Fault> {
    if !pause.is_zero() {
        let _ = timeout(pause, told.wake.notified()).await;
    }
    let wishes = Wishes {
        confirmed: told.confirmed.load(Ordering::Relaxed),
        marker: told.marker.load(Ordering::Relaxed),
        now: Instant::now(),
    };
    worker.run(move |follower| follower.look(wishes)).await
}

#[async_trait]
impl Source for Session {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.look = None;
        self.steps.clear();
        let after = after.cloned();
        self.worker.run(move |follower| follower.start(after.as_ref())).await
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Ok(step);
            }
            let (worker, told) = (&self.worker, &self.told);
            let under_way = self.look.get_or_insert_with(|| {
                Box::pin(look(Arc::clone(worker), Arc::clone(told), self.pause))
            });
            let looked = under_way.await;
            self.look = None;
            self.take(looked?);
        }
    }

    fn confirm(&self, position: &Position) {
        if let Some(number) = history::number(position) {
            self.told.confirmed.fetch_max(number, Ordering::Relaxed);
        }
    }

    fn mark(&self) {
        self.told.marker.store(true, Ordering::Relaxed);
        self.told.wake.notify_one();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("steps", &self.steps).finish_non_exhaustive()
    }
}
