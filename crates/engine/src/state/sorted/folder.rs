//! Folder: the directory of one store: its names, its lock, and the place for what cannot be read.

use super::trouble::disk;
use model::{Code, Fault};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The directory, locked for as long as it is held.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Files of a store that could not be read and were moved away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The directory in which they now are. It keeps the last ones only.
    pub files: PathBuf,
    /// Why they could not be read.
    pub why: String,
}

impl Folder {
    /// Makes the directory if it is not there, and locks it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Fault> {
        fs::create_dir_all(&path).map_err(disk("make", &path))?;
        let name = path.join("lock");
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(false).open(&name);
        let lock = file.map_err(disk("open", &name))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Fault::stop(Code::DataLocked, format!("{} is held", name.display()))
            }
            TryLockError::Error(error) => disk("lock", &name)(error),
        })?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves every file of the store aside, in place of those that were moved aside before.
    pub(crate) fn set_aside(&self, why: &Fault) -> Result<SetAside, Fault> {
        let files = self.path.join("aside");
        match fs::remove_dir_all(&files) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(disk("remove", &files)(error));
            }
            _ => {}
        }
        fs::create_dir(&files).map_err(disk("make", &files))?;
        for name in self.names()? {
            let from = self.path.join(&name);
            fs::rename(&from, files.join(&name)).map_err(disk("move", &from))?;
        }
        sync_names(&files)?;
        sync_names(&self.path)?;
        let cause = why.source.as_ref().map_or(String::new(), |error| format!(": {error}"));
        Ok(SetAside { files, why: format!("{}{cause}", why.what) })
    }

    /// Removes what a crash or an abandoned merge has left: every file that is not to be kept.
    pub(crate) fn sweep(&self, keep: impl Fn(&str) -> bool) -> Result<(), Fault> {
        for name in self.names()?.iter().filter(|name| !keep(name)) {
            let path = self.path.join(name);
            fs::remove_file(&path).map_err(disk("remove", &path))?;
        }
        Ok(())
    }

    /// The files of the store.
    fn names(&self) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(disk("list", &self.path))? {
            let name = entry.map_err(disk("list", &self.path))?.file_name();
            // A name that is no text is none of ours.
            names.extend(name.into_string());
        }
        names.retain(|name| {
            name.starts_with("list") || name.starts_with("sheet-") || name.starts_with("tail-")
        });
        Ok(names)
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_names(dir: &Path) -> Result<(), Fault> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(disk("sync", dir))
}

pub(crate) fn sheet_name(number: u64) -> String {
    format!("sheet-{number}")
}

pub(crate) fn tail_name(number: u64) -> String {
    format!("tail-{number}")
}
