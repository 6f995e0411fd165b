//! Spare: a little room on the disk that is kept for trimming.
//!
//! Keeps the other half of J6: when the disk is full, the segment that frees the others can still
//! be begun. Must not know: segments.

use crate::disk::Disk;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// No header takes more.
const BYTES_MAX: u64 = 16 << 10;

/// A file that holds nothing, and is removed when room is needed.
#[derive(Debug)]
pub(crate) struct Spare {
    path: PathBuf,
    bytes: u64,
    is_kept: AtomicBool,
}

impl Spare {
    /// The spare of the journal in `dir`, made if there is room for it.
    pub(crate) fn keep(disk: &dyn Disk, dir: &Path, journal_bytes_max: u64) -> Self {
        let bytes = BYTES_MAX.min(journal_bytes_max / 64);
        let spare = Self { path: dir.join("spare"), bytes, is_kept: AtomicBool::new(false) };
        spare.make(disk);
        spare
    }

    /// How many bytes it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes it again if it was spent. Without room for it there is none; that is no fault.
    pub(crate) fn make(&self, disk: &dyn Disk) {
        if self.is_kept.load(Ordering::Relaxed) {
            return;
        }
        let bytes = vec![0; usize::try_from(self.bytes).unwrap_or(0)];
        let made = disk.create(&self.path).and_then(|file| file.write_at(&bytes, 0));
        if made.is_err() {
            // What little there is is left to others.
            let _ = disk.remove(&self.path);
        }
        self.is_kept.store(made.is_ok(), Ordering::Relaxed);
    }

    /// Gives its room away; whether it had any.
    pub(crate) fn spend(&self, disk: &dyn Disk) -> bool {
        self.is_kept.swap(false, Ordering::Relaxed) && disk.remove(&self.path).is_ok()
    }
}
