//! One connection for one look. What was seen of a file that stood still counts only if nobody began
//! to write to it meanwhile; then it is looked at again, as what it has become.

use super::way::{self, HEADER_BYTES, Unreadable, Way};
use crate::sqlite::trouble::Trouble;
use model::{Code, Fault};
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a look begins anew.
const LOOKS_MAX: usize = 5;

/// How the file can be read now.
pub(super) fn way(path: &Path) -> Result<Way, Fault> {
    let found = fs::metadata(path).map_err(|error| unopened(path, &error))?;
    if !found.is_file() {
        let what = if found.is_dir() { "is a folder" } else { "is no ordinary file" };
        return Err(Fault::stop(Code::FileUnsuitable, format!("{} {what}", path.display())));
    }
    let mut header = Vec::new();
    let limit = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut header));
    read.map_err(|error| unopened(path, &error))?;
    let log_bytes = fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len());
    let has_index = beside(path, "-shm").exists();
    way::way(&header, log_bytes, has_index).map_err(|why| match why {
        Unreadable::NoDatabase => {
            let what = format!("{} does not begin as SQLite databases do", path.display());
            Fault::stop(Code::FileUnsuitable, what)
        }
        Unreadable::NoIndex => {
            let what = format!(
                "{} has a log beside it, and no index of it, so that reading it would write there",
                path.display()
            );
            Fault::retry(Code::NotMeasured, what)
        }
    })
}

/// Looks at the file.
pub(super) fn look<T>(
    path: &Path,
    busy: Duration,
    look: impl Fn(&Connection) -> Result<T, Trouble>,
) -> Result<T, Fault> {
    for _ in 0..LOOKS_MAX {
        let way = way(path)?;
        let before = Stamp::of(path).map_err(|error| unopened(path, &error))?;
        let seen = open(path, way, busy).map_err(Trouble::from).and_then(|it| look(&it));
        let is_as_before = || Stamp::of(path).is_ok_and(|after| after == before);
        if way != Way::Still || is_as_before() {
            return seen.map_err(|trouble| judged(path, trouble));
        }
    }
    let what = format!("{} never held still while it was looked at", path.display());
    Err(Fault::retry(Code::NotMeasured, what))
}

fn open(path: &Path, way: Way, busy: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(way::address(path, way), flags)?;
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// What of a file changes when somebody writes to it.
#[derive(PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    bytes: u64,
    written: (i64, i64),
    log_bytes: u64,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self {
            file: (found.dev(), found.ino()),
            bytes: found.len(),
            written: (found.mtime(), found.mtime_nsec()),
            log_bytes: fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len()),
        })
    }
}

/// The file that SQLite keeps beside another one.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn unopened(path: &Path, error: &io::Error) -> Fault {
    let code = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Code::FileMissing,
        ErrorKind::PermissionDenied => Code::FileDenied,
        _ => Code::NotMeasured,
    };
    Fault::stop(code, format!("{}: {error}", path.display()))
}

fn judged(path: &Path, trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Judged(fault) => fault,
        Trouble::Sqlite(error) => {
            let code = code(&error);
            Fault::stop(code, format!("{}: {error}", path.display())).because(error)
        }
    }
}

fn code(error: &Error) -> Code {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Code::FileUnsuitable,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Code::FileLocked,
        Some(ErrorCode::PermissionDenied) => Code::FileDenied,
        _ => Code::NotMeasured,
    }
}
