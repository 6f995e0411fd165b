//! One way into a file for all that look at it in this process.
//!
//! The system gives up every lock of a process on a file as soon as the process closes any handle of
//! it that SQLite does not know to be one. So the handle that reads a file's beginning stays open for
//! as long as somebody looks at the file, and a handle that SQLite opened without locks is closed
//! while nobody else looks. Lookers at a file without a write-ahead log come one by one: as long as
//! one of a process has it locked, others of that process slip in past a writer who waits.

use super::way::{self, HEADER_BYTES, Unreadable, Way, beside};
use crate::sqlite::inode::Inode;
use model::{Code, Fault};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::mem;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A file that somebody looks at.
pub(super) struct Door {
    header: File,
    lookers: RwLock<()>,
}

/// The files that are looked at; one that nobody looks at any more goes when another one comes.
static DOORS: Mutex<BTreeMap<Inode, Arc<Door>>> = Mutex::new(BTreeMap::new());

impl Door {
    /// The door of the file that this path names now.
    pub(super) fn of(path: &Path) -> Result<Arc<Self>, Fault> {
        let found = fs::metadata(path).map_err(|error| unopened(path, &error))?;
        if !found.is_file() {
            let what = if found.is_dir() { "is a folder" } else { "is no ordinary file" };
            return Err(Fault::stop(Code::FileUnsuitable, format!("{} {what}", path.display())));
        }
        let mut doors = DOORS.lock().unwrap_or_else(PoisonError::into_inner);
        doors.retain(|inode, door| *inode == Inode::said_of(&found) || Arc::strong_count(door) > 1);
        if let Some(door) = doors.get(&Inode::said_of(&found)) {
            return Ok(Arc::clone(door));
        }
        let open = || {
            let header = File::open(path)?;
            Ok((Inode::said_of(&header.metadata()?), header))
        };
        let (inode, header) = open().map_err(|error| unopened(path, &error))?;
        if let Some(door) = doors.get(&inode) {
            // Another file was moved here just now, one that has a door. Closing this would open that.
            mem::forget(header);
            return Ok(Arc::clone(door));
        }
        let door = Arc::new(Self { header, lookers: RwLock::new(()) });
        doors.insert(inode, Arc::clone(&door));
        Ok(door)
    }

    /// How the file can be read now.
    pub(super) fn way(&self, path: &Path) -> Result<Way, Fault> {
        let mut header = [0; HEADER_BYTES];
        let length = self.read(&mut header).map_err(|error| unopened(path, &error))?;
        let log_bytes = fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len());
        let has_index = beside(path, "-shm").exists();
        way::way(&header[..length], log_bytes, has_index).map_err(|why| match why {
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

    /// What stands at the beginning of the file; how much of it there is.
    pub(super) fn read(&self, header: &mut [u8]) -> io::Result<usize> {
        let mut length = 0;
        while length < header.len() {
            let offset = u64::try_from(length).unwrap_or(u64::MAX);
            match self.header.read_at(&mut header[length..], offset) {
                Ok(0) => break,
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(length)
    }

    /// Opens the file, looks, and closes it, in the company that this way of reading it bears.
    pub(super) fn through<C, T, E>(
        &self,
        way: Way,
        open: impl FnOnce() -> Result<C, E>,
        look: impl FnOnce(&C) -> Result<T, E>,
    ) -> Result<T, E> {
        if way == Way::Plain {
            let _alone = self.lookers.write().unwrap_or_else(PoisonError::into_inner);
            return look(&open()?);
        }
        let among = self.lookers.read().unwrap_or_else(PoisonError::into_inner);
        let opened = open()?;
        let seen = look(&opened);
        if way == Way::Still {
            drop(among);
            let _alone = self.lookers.write().unwrap_or_else(PoisonError::into_inner);
            drop(opened);
        }
        seen
    }
}

/// What it means that the file could not even be opened.
pub(super) fn unopened(path: &Path, error: &io::Error) -> Fault {
    let code = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Code::FileMissing,
        ErrorKind::PermissionDenied => Code::FileDenied,
        _ => Code::NotMeasured,
    };
    Fault::stop(code, format!("{}: {error}", path.display()))
}
