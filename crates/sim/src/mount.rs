//! A process's view of the disk. Once the process is taken for dead its view is cut off, as a
//! machine's is that lost its storage: whatever it still tries, the disk does not see.

use journal::{Disk, DiskFile, Lock};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use testkit::disk::FaultyDisk;

/// One process's view of a disk.
#[derive(Clone, Debug)]
pub struct Mount {
    disk: Arc<FaultyDisk>,
    cut_off: Arc<AtomicBool>,
}

impl Mount {
    /// A view that works.
    pub fn new(disk: Arc<FaultyDisk>) -> Self {
        Self { disk, cut_off: Arc::default() }
    }

    /// Cuts the view off; open files are the disk's to end.
    pub fn cut_off(&self) {
        self.cut_off.store(true, Ordering::SeqCst);
    }

    /// Whether it is cut off.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::SeqCst)
    }

    fn disk(&self) -> io::Result<&FaultyDisk> {
        if self.is_cut_off() {
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(&self.disk)
    }
}

impl Disk for Mount {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk()?.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk()?.list(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk()?.open(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk()?.create(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk()?.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk()?.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.disk()?.lock(path)
    }
}
