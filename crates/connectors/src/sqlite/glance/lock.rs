//! Who holds a file locked, asked of the operating system: no lock is taken for it, so nobody waits
//! because of the question.

use super::way::beside;
use rustix::process::{Flock, FlockType, fcntl_getlk};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// A program that holds a file locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process, unless it is on another machine or behind a wall that hides it.
    pub pid: Option<u32>,
    /// Whether others can not even read.
    pub excludes_readers: bool,
}

/// Bytes of a database that nobody reads, by which SQLite locks it: a writer locks `RESERVED`, and
/// the last two as well when nobody may read any more.
const PENDING: u64 = 0x4000_0000;
const RESERVED: u64 = PENDING + 1;
const SHARED: u64 = PENDING + 2;
const SHARED_BYTES: u64 = 510;

/// The byte of a log's index that its writer locks.
const LOG_WRITER: u64 = 120;

/// Who holds the file locked now.
pub(super) fn holder(path: &Path) -> io::Result<Option<Holder>> {
    let file = File::open(path)?;
    for (start, length, excludes_readers) in
        [(SHARED, SHARED_BYTES, true), (PENDING, 1, true), (RESERVED, 1, false)]
    {
        if let Some(pid) = writer(&file, start, length)? {
            return Ok(Some(Holder { pid, excludes_readers }));
        }
    }
    let index = match File::open(beside(path, "-shm")) {
        Ok(index) => index,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let pid = writer(&index, LOG_WRITER, 1)?;
    Ok(pid.map(|pid| Holder { pid, excludes_readers: false }))
}

/// The process that has these bytes to itself, if one has.
fn writer(file: &File, start: u64, length: u64) -> io::Result<Option<Option<u32>>> {
    let mut asked = Flock::from(FlockType::ReadLock);
    (asked.start, asked.length) = (start, length);
    let found = fcntl_getlk(file, &asked)?;
    let pid = |found: &Flock| found.pid.map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    Ok(found.as_ref().map(pid))
}
