//! A SQLite file: opens connections to it, each on a thread of its own.

use super::fault::{Side, judge};
use model::Fault;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;
use worker::Worker;

/// A SQLite file that others use, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// How long a statement waits for another program's lock.
    pub busy: Duration,
}

impl File {
    /// A file, with the patience that suits most programs.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), busy: Duration::from_secs(5) }
    }

    /// Opens a connection on a thread of its own; the file has to be there.
    pub(super) async fn connect(
        &self,
        side: Side,
        flags: OpenFlags,
    ) -> Result<Worker<Connection>, Fault> {
        let file = self.clone();
        let open = move || Ok((file.open(side, flags)?, ()));
        Ok(Worker::open("sqlite", open).await?.0)
    }

    /// Opens a connection on this thread, which it may block.
    pub(super) fn open(&self, side: Side, flags: OpenFlags) -> Result<Connection, Fault> {
        let open = || {
            let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(self.busy)?;
            Ok(connection)
        };
        open().map_err(|error| judge(side, &self.path, error))
    }
}
