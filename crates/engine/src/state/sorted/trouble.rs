//! Trouble: how failures of the disk and damage in files become faults.

use model::{Code, Fault};
use std::io;
use std::path::Path;

/// What the disk answered when it was asked to do something with a path. A file that ends too
/// early is damage.
pub(crate) fn disk(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
    let what = format!("cannot {what} {}", path.display());
    move |error| {
        let ends = error.kind() == io::ErrorKind::UnexpectedEof;
        let code = if ends { Code::StateDamaged } else { Code::StateDisk };
        Fault::stop(code, what).because(error)
    }
}

/// The same for a write that may be made again once its disk has room: nothing counts on it yet.
pub(crate) fn full_or(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
    let full = format!("{} has no room on its disk", path.display());
    let other = disk(what, path);
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Fault::retry(Code::StateDisk, full).because(error)
        }
        _ => other(error),
    }
}

/// Bytes that are not what was written.
pub(crate) fn damaged(path: &Path, what: &str) -> Fault {
    Fault::stop(Code::StateDamaged, format!("{}: {what}", path.display()))
}
