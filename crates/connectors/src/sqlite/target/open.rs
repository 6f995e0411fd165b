//! Opens the file of a target: which file it is, and how it is written.

use super::books;
use super::trouble;
use model::{Code, Fault};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Which file a path names, so that one that was put in its place is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

/// A file that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) id: FileId,
    /// Whether it has a write-ahead log.
    pub(super) has_log: bool,
}

impl FileId {
    /// The file that the path names now.
    pub(super) fn of(path: &Path) -> Result<Self, Fault> {
        let found = fs::metadata(path).map_err(|error| {
            let what = match error.kind() {
                ErrorKind::NotFound => "there is no such file; `create: true` makes it",
                _ => "it can not be looked at",
            };
            let what = format!("{}: {what}", path.display());
            Fault::retry(Code::TargetUnavailable, what).because(error)
        })?;
        Ok(identify(&found))
    }

    /// Checks that the path still names this file: whoever went on writing would write to one that
    /// nobody finds.
    pub(super) fn check(self, path: &Path) -> Result<(), Fault> {
        if Self::of(path)? == self {
            return Ok(());
        }
        let what = format!("{}: another file was put in its place", path.display());
        Err(Fault::retry(Code::TargetUnavailable, what))
    }
}

#[cfg(unix)]
fn identify(found: &fs::Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    FileId(found.dev(), found.ino())
}

/// Where files have no numbers, the time when one was made stands for it.
#[cfg(not(unix))]
fn identify(found: &fs::Metadata) -> FileId {
    let since = found.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let since = since.unwrap_or_default();
    FileId(since.as_secs(), since.subsec_nanos().into())
}

/// Opens the file for writing, with Instep's own tables in it.
///
/// A file that is made here gets a write-ahead log; one that is there keeps its journal mode, which
/// is its owner's to choose. Foreign keys are checked, as the tables declare them.
pub(super) fn for_writing(path: &Path, busy: Duration, create: bool) -> Result<Opened, Fault> {
    let judge = |error| trouble::of_file(path, error);
    if create && !path.exists() {
        make(path, busy).map_err(judge)?;
    }
    let (mut connection, id) = connect(path, busy)?;
    let ask = |connection: &Connection| -> rusqlite::Result<String> {
        connection.pragma_update(None, "foreign_keys", true)?;
        // Only macOS needs to be told that a sync has to reach the disk itself.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
    };
    let has_log = ask(&connection).map_err(judge)? == "wal";
    books::open(&mut connection, path)?;
    Ok(Opened { connection, id, has_log })
}

/// Opens the file for reading.
pub(super) fn for_reading(path: &Path, busy: Duration) -> Result<(Connection, FileId), Fault> {
    let (connection, id) = connect(path, busy)?;
    let only = connection.pragma_update(None, "query_only", true);
    only.map_err(|error| trouble::of_file(path, error))?;
    Ok((connection, id))
}

/// How many statements are kept ready.
const STATEMENTS_MAX: usize = 128;

fn connect(path: &Path, busy: Duration) -> Result<(Connection, FileId), Fault> {
    let judge = |error| trouble::of_file(path, error);
    let id = FileId::of(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(judge)?;
    connection.busy_timeout(busy).map_err(judge)?;
    id.check(path)?;
    Ok((connection, id))
}

fn make(path: &Path, busy: Duration) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.close().map_err(|(_, error)| error)
}
