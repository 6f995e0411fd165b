//! Room: how many bytes the journal may still take, and whether it takes any at all.
//!
//! Keeps J6 (bounded, with room left for trimming) and the gate of J5 (closed for good after a
//! failed sync). Must not know: lanes, files.

use crate::fault;
use model::attack::{Mark, reached};
use model::{Code, Fault};
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes of all lanes together, and the gate for new ones.
#[derive(Debug)]
pub(crate) struct Room {
    bytes_max: u64,
    used: AtomicU64,
    /// Whether there was too little at last.
    is_full: AtomicBool,
    closed: OnceLock<String>,
}

impl Room {
    /// Nothing used yet.
    pub(crate) fn new(bytes_max: u64) -> Self {
        let (used, is_full) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { bytes_max, used, is_full, closed: OnceLock::new() }
    }

    /// Takes room for entries, or says that there is none. A part of the room is never given to
    /// entries, so that the segment that trimming may have to begin always fits.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), Fault> {
        self.check_fits(bytes)?;
        let bytes_max = self.entries_max();
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| *used <= bytes_max)
        });
        match taken {
            Ok(_) => {
                self.is_full.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(used) => Err(self.full(format!(
                "the journal holds {used} bytes and may take {}; {bytes} more do not fit",
                self.bytes_max
            ))),
        }
    }

    /// There is too little room, here or on the disk.
    pub(crate) fn full(&self, what: String) -> Fault {
        self.is_full.store(true, Ordering::Relaxed);
        fault::full(what)
    }

    /// Whether there was too little at last: nothing was taken since, and nothing given back.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Refuses for good what would not even fit into an empty journal.
    pub(crate) fn check_fits(&self, bytes: u64) -> Result<(), Fault> {
        if bytes > self.entries_max() {
            return Err(fault::never_fits(bytes, self.bytes_max));
        }
        Ok(())
    }

    fn entries_max(&self) -> u64 {
        self.bytes_max - self.bytes_max / 32
    }

    /// Takes room that is there without asking: what recovery found, and headers.
    pub(crate) fn take_anyway(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back what was taken for something that was not written.
    pub(crate) fn take_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Gives room back that something has had.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.is_full.store(false, Ordering::Relaxed);
    }

    /// Whether so much is used that trimming should free what it can.
    pub(crate) fn is_short(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.bytes_max / 2
    }

    /// Refuses input once the journal is closed.
    pub(crate) fn check_open(&self) -> Result<(), Fault> {
        match self.closed.get() {
            None => Ok(()),
            Some(why) => Err(Fault::stop(
                Code::JournalDisk,
                format!("the journal takes no input until it is opened anew, because it {why}"),
            )),
        }
    }

    /// Whether the journal is closed for input.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// J5: closes the journal for input after an error that leaves unknown what the disk has.
    pub(crate) fn close(&self, what: &str, path: &Path, error: io::Error) -> Fault {
        let _ = self.closed.set(format!("could not {what} {}: {error}", path.display()));
        fault::disk(what, path, error)
    }

    /// The same after a failed sync, which is never tried again: the system may have dropped the
    /// bytes and would answer a second one with success.
    pub(crate) fn close_unsynced(&self, path: &Path, error: io::Error) -> Fault {
        reached(Mark::SyncFailed);
        self.close("sync", path, error)
    }
}
