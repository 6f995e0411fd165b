//! A disk in memory that keeps only what was synced, and fails when it is told to.
//!
//! Between a write and its sync a crash may keep the write, lose it, or tear it at sectors; names
//! are kept or lost on their own until their directory is synced. A failed sync drops what was
//! pending and shows it all the same, as Linux does. Every choice is the caller's, so that a seed
//! replays. Must not know: what the files mean.

mod crash;
mod state;

use journal::{Disk, DiskFile, Lock};
use state::{Node, State};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use state::Counts;

/// A disk in memory; clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

impl FaultyDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The power goes off and on again: of what was not synced, `choose(n)`, a number below `n`,
    /// says what survives. Open files and locks are gone, and so are armed faults.
    pub fn crash(&self, choose: &mut dyn FnMut(u64) -> u64) {
        crash::crash(&mut self.state(), choose);
    }

    /// Only the process ends: its locks and open files are gone, and everything that it wrote
    /// stays, synced or not.
    pub fn release_locks(&self) {
        self.state().end_process();
    }

    /// The power goes off after this many more operations: every later one fails until
    /// [`FaultyDisk::crash`].
    pub fn power_off_after(&self, operations: u64) {
        self.state().power_off_after = Some(operations);
    }

    /// The next sync of a file or a directory fails, and what was pending is dropped.
    pub fn fail_next_sync(&self) {
        self.state().fail_sync = true;
    }

    /// The next write fails and may have written some of its bytes.
    pub fn fail_next_write(&self) {
        self.state().fail_write = true;
    }

    /// The next read fails.
    pub fn fail_next_read(&self) {
        self.state().fail_read = true;
    }

    /// Files can grow by this many bytes altogether before the disk is full.
    pub fn full_after(&self, bytes: u64) {
        self.state().room = Some(bytes);
    }

    /// The disk has room again.
    pub fn lift_full(&self) {
        self.state().room = None;
    }

    /// Whether a fault is armed that has not fired.
    pub fn is_armed(&self) -> bool {
        let state = self.state();
        state.fail_sync || state.fail_write || state.fail_read || state.power_off_after.is_some()
    }

    /// Disarms every fault.
    pub fn heal(&self) {
        let mut state = self.state();
        state.disarm();
        state.room = None;
    }

    /// Turns over one bit, of the caller's choice, among those that are synced; false if none is.
    pub fn flip_bit(&self, choose: &mut dyn FnMut(u64) -> u64) -> bool {
        let files: Vec<_> =
            self.files().into_iter().filter(|path| self.synced_bytes(path) > 0).collect();
        if files.is_empty() {
            return false;
        }
        let path = &files[state::place(choose(files.len() as u64))];
        let byte = state::place(choose(self.synced_bytes(path) as u64));
        self.flip(path, byte, u8::try_from(choose(8)).unwrap_or(0));
        true
    }

    /// Turns one bit of a file over, for good.
    pub fn flip(&self, path: &Path, byte: usize, bit: u8) {
        self.state().edit(path, |bytes| bytes[byte] ^= 1 << bit);
    }

    /// Gives a file these bytes, for good; it is made if there is none.
    pub fn put(&self, path: &Path, contents: &[u8]) {
        self.state().put(path, contents);
    }

    /// Renames a file behind the journal's back, for good.
    pub fn misplace(&self, from: &Path, to: &Path) {
        let mut state = self.state();
        if let Some(node) = state.names.remove(from) {
            state.durable_names.remove(from);
            state.names.insert(to.to_owned(), node);
            state.durable_names.insert(to.to_owned(), node);
        }
    }

    /// What a file holds, as processes see it.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        match state.names.get(path)? {
            Node::File(number) => Some(state.files.get(number)?.content.clone()),
            Node::Dir => None,
        }
    }

    /// How many bytes at the beginning of a file are as they would be after a crash that lost
    /// everything pending.
    pub fn synced_bytes(&self, path: &Path) -> usize {
        let state = self.state();
        let Some(Node::File(number)) = state.names.get(path) else {
            return 0;
        };
        state.files.get(number).map_or(0, state::FileState::synced_bytes)
    }

    /// The files, in order of their paths.
    pub fn files(&self) -> Vec<PathBuf> {
        let state = self.state();
        let files = state.names.iter().filter(|(_, node)| matches!(node, Node::File(_)));
        files.map(|(path, _)| path.clone()).collect()
    }

    /// The bytes of all files together.
    pub fn bytes(&self) -> u64 {
        let state = self.state();
        let length = |node: &Node| match node {
            Node::File(number) => state.file(*number).content.len() as u64,
            Node::Dir => 0,
        };
        state.names.values().map(length).sum()
    }

    /// What the disk did, and how often each fault fired.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyDisk").field("files", &self.files()).finish_non_exhaustive()
    }
}

impl Disk for FaultyDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let mut above: Vec<_> = dir.ancestors().collect();
        above.reverse();
        for dir in above {
            state.names.entry(dir.to_owned()).or_insert(Node::Dir);
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.operate()?;
        if state.names.get(dir) != Some(&Node::Dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let below = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(below.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.operate()?;
        match state.names.get(path) {
            Some(Node::File(number)) => Ok(self.handle(*number, state.boot)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.operate()?;
        let number = state.create(path)?;
        Ok(self.handle(number, state.boot))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let mut state = self.state();
        state.operate()?;
        if !state.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let boot = state.boot;
        Ok(Box::new(Held { disk: self.clone(), path: path.to_owned(), boot }))
    }
}

impl FaultyDisk {
    fn handle(&self, number: u64, boot: u64) -> Arc<dyn DiskFile> {
        Arc::new(FaultyFile { disk: self.clone(), number, boot })
    }
}

/// A lock; given back when it is dropped, unless a crash took it before.
struct Held {
    disk: FaultyDisk,
    path: PathBuf,
    boot: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.boot == self.boot {
            state.locks.remove(&self.path);
        }
    }
}

/// An open file; dead after a crash.
struct FaultyFile {
    disk: FaultyDisk,
    number: u64,
    boot: u64,
}

impl FaultyFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.disk.state();
        if state.boot != self.boot {
            return Err(io::Error::other("the file was opened before the last crash"));
        }
        state.operate()?;
        Ok(state)
    }
}

impl fmt::Debug for FaultyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyFile").field("number", &self.number).finish_non_exhaustive()
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.state()?.write(self.number, bytes, at)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.state()?.read(self.number, buffer, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.state()?.sync(self.number)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.state()?.file(self.number).content.len() as u64)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.state()?.truncate(self.number, length)
    }
}
