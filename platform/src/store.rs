//! A SQLite file on a thread of its own, so that the runtime never waits for a disk.

use crate::trouble::Trouble;
use rusqlite::Connection;
use std::path::Path;
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A file, and the thread that alone uses it. The thread ends when nobody has the store any more.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
}

/// Comes true when the thread of a store has closed its file.
pub(crate) type Closed = oneshot::Receiver<()>;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// How many jobs may wait; whoever comes later waits with his own.
const JOBS_MAX: usize = 64;

/// How long the writer of a fact waits for another one that has the file locked.
pub(crate) const PATIENT: Duration = Duration::from_secs(10);

/// How long a second write waits: a person is waiting for the answer to the first one.
pub(crate) const HASTY: Duration = Duration::from_millis(5);

/// Commits reach the disk when the log is folded into the file: enough for a machine that stays on.
const SETTINGS: &str = "pragma journal_mode = wal; pragma synchronous = normal;";

impl Store {
    /// Opens a file, and makes what it lacks.
    pub(crate) fn open(
        file: &Path,
        tables: &str,
        patience: Duration,
    ) -> Result<(Self, Closed), Trouble> {
        let told = |error: rusqlite::Error| Trouble::Store(format!("{}: {error}", file.display()));
        let mut connection = Connection::open(file).map_err(told)?;
        connection.busy_timeout(patience).map_err(told)?;
        connection.execute_batch(&format!("{SETTINGS}{tables}")).map_err(told)?;
        let (jobs, mut waiting) = mpsc::channel::<Job>(JOBS_MAX);
        let (closing, closed) = oneshot::channel();
        let work = move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut connection);
            }
            drop(connection);
            // Whoever has started it may be gone.
            let _ = closing.send(());
        };
        let spawned = thread::Builder::new().name("platform store".to_owned()).spawn(work);
        spawned.map_err(|error| Trouble::Store(format!("no thread can be had: {error}")))?;
        Ok((Self { jobs }, closed))
    }

    /// Does some work with the file. Work that was begun is ended, even if nobody waits for it any
    /// more.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (sender, answer) = oneshot::channel();
        let job = move |connection: &mut Connection| drop(sender.send(work(connection)));
        let gone = || Trouble::Store("it is closed".to_owned());
        self.jobs.send(Box::new(job)).await.map_err(|_| gone())?;
        Ok(answer.await.map_err(|_| gone())??)
    }
}
