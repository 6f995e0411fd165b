//! One connection for one look. What was seen of a file that stood still counts only if nobody began
//! to write to it meanwhile; then it is looked at again, as what it has become.

use super::door::{Door, unopened};
use super::way::{self, Way, beside};
use crate::sqlite::trouble::Trouble;
use model::{Code, Fault};
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How often a look begins anew.
const LOOKS_MAX: usize = 5;

/// How the file can be read now.
pub(super) fn way(path: &Path) -> Result<Way, Fault> {
    Door::of(path)?.way(path)
}

/// Looks at the file. What fails because others have it in another way meanwhile is looked at again.
pub(in crate::sqlite) fn look<T>(
    path: &Path,
    busy: Duration,
    look: impl Fn(&Connection) -> Result<T, Trouble>,
) -> Result<T, Fault> {
    let mut failed = None;
    for _ in 0..LOOKS_MAX {
        let door = Door::of(path)?;
        let way = door.way(path)?;
        let before = Stamp::of(path, &door).map_err(|error| unopened(path, &error))?;
        let seen = door.through(way, || Ok(open(path, way, busy)?), |it| look(it));
        let holds = match (way, &seen) {
            (Way::Still, _) => Stamp::of(path, &door).is_ok_and(|after| after == before),
            (_, Err(Trouble::Sqlite(error))) => !is_of_its_log(error),
            _ => true,
        };
        match seen {
            seen if holds => return seen.map_err(|trouble| judged(path, trouble)),
            Err(Trouble::Sqlite(error)) => failed = Some(error),
            _ => failed = None,
        }
    }
    let what = format!("{} never held still while it was looked at", path.display());
    Err(match failed {
        None => Fault::retry(Code::NotMeasured, what),
        Some(error) => Fault::retry(Code::NotMeasured, format!("{what}: {error}")).because(error),
    })
}

/// Whether the file's log or the log's index is being made or taken away, or was left as they are by
/// a writer that ended without a word.
fn is_of_its_log(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
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

/// What of a file changes when somebody writes to it. Its times alone move too seldom: the file says
/// itself how often it was written.
#[derive(PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    bytes: u64,
    written: [(i64, i64); 2],
    log_bytes: u64,
    header: [u8; 100],
}

impl Stamp {
    fn of(path: &Path, door: &Door) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        let mut header = [0; 100];
        door.read(&mut header)?;
        Ok(Self {
            file: (found.dev(), found.ino()),
            bytes: found.len(),
            written: [(found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())],
            log_bytes: fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len()),
            header,
        })
    }
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
