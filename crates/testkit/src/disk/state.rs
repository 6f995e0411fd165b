//! What the disk holds, what of it is durable, and which faults are armed.
//!
//! Must not know: how a crash chooses.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// What the disk did, and how often each fault fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that were synced; no fault.
    pub syncs: u64,
    /// Writes that a crash lost.
    pub lost_writes: u64,
    /// Writes that a crash tore.
    pub torn_writes: u64,
    /// Names that a crash took back, made or removed.
    pub lost_entries: u64,
    /// Syncs that failed.
    pub failed_syncs: u64,
    /// Writes that failed.
    pub failed_writes: u64,
    /// Reads that failed.
    pub failed_reads: u64,
    /// Writes for which the disk was full.
    pub full_writes: u64,
    /// Operations refused because the power was off.
    pub without_power: u64,
}

#[derive(Default)]
pub(super) struct State {
    /// Files opened before the last crash are dead.
    pub(super) boot: u64,
    pub(super) names: BTreeMap<PathBuf, Node>,
    pub(super) durable_names: BTreeMap<PathBuf, Node>,
    pub(super) files: BTreeMap<u64, FileState>,
    pub(super) locks: BTreeSet<PathBuf>,
    pub(super) fail_sync: bool,
    pub(super) fail_write: bool,
    pub(super) fail_read: bool,
    pub(super) power_off_after: Option<u64>,
    pub(super) room: Option<u64>,
    pub(super) counts: Counts,
    last_number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Dir,
    File(u64),
}

#[derive(Default)]
pub(super) struct FileState {
    /// As processes see it.
    pub(super) content: Vec<u8>,
    /// As it was synced last.
    pub(super) durable: Vec<u8>,
    /// What was done since.
    pub(super) pending: Vec<Pending>,
}

pub(super) enum Pending {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

impl FileState {
    pub(super) fn synced_bytes(&self) -> usize {
        let same = self.content.iter().zip(&self.durable).take_while(|(seen, kept)| seen == kept);
        same.count()
    }
}

/// Does what was pending to bytes.
pub(super) fn apply(bytes: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Truncate(length) => bytes.resize(place(*length), 0),
        Pending::Write(at, written) => {
            let end = place(*at) + written.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[place(*at)..end].copy_from_slice(written);
        }
    }
}

/// A place in memory.
pub(super) fn place(at: u64) -> usize {
    usize::try_from(at).expect("BUG: a file larger than memory")
}

impl State {
    /// Counts an operation; refuses it when the power is off.
    pub(super) fn operate(&mut self) -> io::Result<()> {
        match &mut self.power_off_after {
            Some(0) => {
                self.counts.without_power += 1;
                Err(io::Error::other("the power is off"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(super) fn disarm(&mut self) {
        (self.fail_sync, self.fail_write, self.fail_read) = (false, false, false);
        self.power_off_after = None;
    }

    pub(super) fn end_process(&mut self) {
        self.boot += 1;
        self.locks.clear();
    }

    pub(super) fn file(&self, number: u64) -> &FileState {
        self.files.get(&number).expect("BUG: a node without a file")
    }

    fn file_mut(&mut self, number: u64) -> &mut FileState {
        self.files.get_mut(&number).expect("BUG: a node without a file")
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::Dir) => return Err(io::ErrorKind::IsADirectory.into()),
            Some(Node::File(number)) => {
                let number = *number;
                self.truncate(number, 0)?;
                return Ok(number);
            }
            None => {}
        }
        if path.parent().and_then(|dir| self.names.get(dir)) != Some(&Node::Dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.last_number += 1;
        self.files.insert(self.last_number, FileState::default());
        self.names.insert(path.to_owned(), Node::File(self.last_number));
        Ok(self.last_number)
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let Some(Node::File(number)) = self.names.get(path).copied() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        self.names.remove(path);
        let length = self.file(number).content.len() as u64;
        self.room = self.room.map(|room| room + length);
        Ok(())
    }

    pub(super) fn write(&mut self, number: u64, bytes: &[u8], at: u64) -> io::Result<()> {
        let file = self.file(number);
        let growth = (at + bytes.len() as u64).saturating_sub(file.content.len() as u64);
        if std::mem::take(&mut self.fail_write) {
            self.counts.failed_writes += 1;
            self.do_pending(number, Pending::Write(at, bytes[..bytes.len() / 2].to_vec()));
            return Err(io::Error::other("the disk failed to write"));
        }
        let Some(room) = self.room else {
            self.do_pending(number, Pending::Write(at, bytes.to_vec()));
            return Ok(());
        };
        let lacking = place(growth.saturating_sub(room));
        let written = &bytes[..bytes.len() - lacking];
        self.room = Some(room.saturating_sub(growth));
        self.do_pending(number, Pending::Write(at, written.to_vec()));
        if lacking > 0 {
            self.counts.full_writes += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, number: u64, length: u64) -> io::Result<()> {
        let freed = (self.file(number).content.len() as u64).saturating_sub(length);
        self.room = self.room.map(|room| room + freed);
        self.do_pending(number, Pending::Truncate(length));
        Ok(())
    }

    pub(super) fn read(&mut self, number: u64, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        if std::mem::take(&mut self.fail_read) {
            self.counts.failed_reads += 1;
            return Err(io::Error::other("the disk failed to read"));
        }
        let content = self.file(number).content.get(place(at)..).unwrap_or_default();
        let count = content.len().min(buffer.len());
        buffer[..count].copy_from_slice(&content[..count]);
        Ok(count)
    }

    pub(super) fn sync(&mut self, number: u64) -> io::Result<()> {
        let fails = std::mem::take(&mut self.fail_sync);
        let file = self.file_mut(number);
        let pending = std::mem::take(&mut file.pending);
        if fails {
            self.counts.failed_syncs += 1;
            return Err(io::Error::other("the disk failed to sync"));
        }
        pending.iter().for_each(|pending| apply(&mut file.durable, pending));
        self.counts.syncs += 1;
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        if std::mem::take(&mut self.fail_sync) {
            self.counts.failed_syncs += 1;
            return Err(io::Error::other("the disk failed to sync a directory"));
        }
        let is_below = |path: &PathBuf| path.parent() == Some(dir);
        self.durable_names.retain(|path, _| !is_below(path) || self.names.contains_key(path));
        let below = self.names.iter().filter(|(path, _)| is_below(path));
        self.durable_names.extend(below.map(|(path, node)| (path.clone(), *node)));
        Ok(())
    }

    pub(super) fn edit(&mut self, path: &Path, edit: impl Fn(&mut Vec<u8>)) {
        if let Some(Node::File(number)) = self.names.get(path).copied() {
            let file = self.file_mut(number);
            edit(&mut file.content);
            file.durable = file.content.clone();
            file.pending.clear();
        }
    }

    pub(super) fn put(&mut self, path: &Path, contents: &[u8]) {
        if !self.names.contains_key(path) {
            self.last_number += 1;
            self.files.insert(self.last_number, FileState::default());
            for above in path.ancestors().skip(1) {
                self.names.insert(above.to_owned(), Node::Dir);
                self.durable_names.insert(above.to_owned(), Node::Dir);
            }
            let node = Node::File(self.last_number);
            self.names.insert(path.to_owned(), node);
            self.durable_names.insert(path.to_owned(), node);
        }
        self.edit(path, |bytes| *bytes = contents.to_vec());
    }

    fn do_pending(&mut self, number: u64, pending: Pending) {
        if matches!(&pending, Pending::Write(_, bytes) if bytes.is_empty()) {
            return;
        }
        let file = self.file_mut(number);
        apply(&mut file.content, &pending);
        file.pending.push(pending);
    }
}
