//! What the disk's troubles mean to a caller: the only place where an IO error is judged.
//!
//! Must not know: how the trouble came about.

use model::attack::{Mark, reached};
use model::{Code, Fault, Lane};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

/// Bytes are not what was written. Never skipped, never cut.
pub(crate) fn damage(lane: &Lane, path: &Path, at: u64, why: &str) -> Fault {
    reached(Mark::DamageRefused);
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    Fault::stop(
        Code::JournalDamaged,
        format!("lane {lane}, file {file}, byte {at}: {why} ({})", path.display()),
    )
}

/// A file was written by a newer version.
pub(crate) fn newer(path: &Path, version: u32) -> Fault {
    let known = crate::header::VERSION;
    Fault::stop(
        Code::JournalNewer,
        format!("{} has format {version}; this Instep knows up to {known}", path.display()),
    )
}

/// A sound frame holds what only a newer version knows.
pub(crate) fn newer_frame(path: &Path, at: u64) -> Fault {
    Fault::stop(
        Code::JournalNewer,
        format!(
            "{}, byte {at}: a newer version wrote what this Instep does not know",
            path.display()
        ),
    )
}

/// There will never be room.
pub(crate) fn never_fits(bytes: u64, bytes_max: u64) -> Fault {
    Fault::stop(
        Code::JournalFull,
        format!(
            "one transaction takes {bytes} bytes and more, and the whole journal may take \
             {bytes_max}: raise journal_bytes_max"
        ),
    )
}

/// There is no room now.
pub(crate) fn full(what: String) -> Fault {
    reached(Mark::JournalFull);
    Fault::retry(Code::JournalFull, what)
}

/// The disk answered with an error.
pub(crate) fn disk(what: &str, path: &Path, error: io::Error) -> Fault {
    Fault::stop(Code::JournalDisk, format!("could not {what} {}: {error}", path.display()))
        .because(error)
}

/// A promise inside Instep was broken.
pub(crate) fn broken(what: impl Into<String>) -> Fault {
    Fault::stop(Code::Broken, what)
}

/// Whether the disk only lacks room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull, WriteZero};
    matches!(error.kind(), StorageFull | QuotaExceeded | WriteZero)
}

/// Locks; a lock that a panic left behind is a broken promise, not a second panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Fault> {
    mutex.lock().map_err(|_| broken("a job of the journal panicked while it changed a lane"))
}
