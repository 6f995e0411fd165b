//! An opened file, and the transactions that are begun and ended on it.

use super::open::{FileId, Opened};
use super::trouble::{Refused, Rule, is_foreign_key, of_file};
use model::Fault;
use rusqlite::Connection;
use std::path::PathBuf;

/// The file as it was opened for writing.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Whether it has a write-ahead log; without one every commit is synced.
    pub(super) has_log: bool,
    id: FileId,
    /// Whether a commit waits until it is on the disk, as far as it was said.
    syncs: Option<bool>,
}

impl Handle {
    /// The opened file at this path.
    pub(super) fn new(opened: Opened, path: PathBuf) -> Self {
        let Opened { connection, id, has_log } = opened;
        Self { connection, path, has_log, id, syncs: None }
    }

    /// Checks that the path still names this file.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.id.check(&self.path)
    }

    /// Begins a transaction. SQLite has one writer, so it is begun as one.
    pub(super) fn begin(&mut self, syncs: bool) -> Result<(), Fault> {
        if self.syncs != Some(syncs) {
            let how = if syncs { "full" } else { "normal" };
            self.run(&format!("pragma synchronous = {how}"))?;
            self.syncs = Some(syncs);
        }
        let begun = self.connection.prepare_cached("begin immediate");
        let begun = begun.and_then(|mut begin| begin.execute([]));
        begun.map(drop).map_err(|error| of_file(&self.path, error))
    }

    /// Commits; whether it is on the disk. Rows that refer to others which are not there refuse it,
    /// and the transaction stays open.
    pub(super) fn commit(&self) -> Result<Result<bool, Refused>, Fault> {
        let committed = self.connection.prepare_cached("commit");
        match committed.and_then(|mut commit| commit.execute([])) {
            Ok(_) => Ok(Ok(self.syncs == Some(true))),
            Err(error) if is_foreign_key(&error) => {
                Ok(Err(Refused { reason: error.to_string(), rule: Rule::ForeignKey }))
            }
            Err(error) => Err(of_file(&self.path, error)),
        }
    }

    /// Takes back whatever is open.
    pub(super) fn take_back(&self) -> Result<(), Fault> {
        if self.connection.is_autocommit() { Ok(()) } else { self.run("rollback") }
    }

    /// Ends a transaction that was begun for one note, which stands or was not written.
    pub(super) fn end<T>(&self, noted: Result<T, Fault>) -> Result<T, Fault> {
        let ended = if noted.is_ok() { self.run("commit") } else { Ok(()) };
        self.take_back()?;
        let noted = noted?;
        ended.map(|()| noted)
    }

    /// Runs a statement that answers nothing.
    pub(super) fn run(&self, sql: &str) -> Result<(), Fault> {
        self.connection.execute_batch(sql).map_err(|error| of_file(&self.path, error))
    }
}
