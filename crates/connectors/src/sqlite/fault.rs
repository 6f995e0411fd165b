//! SQLite's errors, judged: the one place that looks at their codes.

use model::{Code, Fault};
use rusqlite::{Error, ErrorCode};
use std::path::Path;

/// Which side of Instep a file stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Its changes are followed.
    Source,
    /// Changes are applied to it.
    Target,
}

impl Side {
    fn unavailable(self) -> Code {
        match self {
            Side::Source => Code::SourceUnavailable,
            Side::Target => Code::TargetUnavailable,
        }
    }
}

/// What an error of a statement means for whoever works with the file.
pub(super) fn judge(side: Side, path: &Path, error: Error) -> Fault {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds it locked"
        }
        Some(ErrorCode::CannotOpen) => "it can not be opened",
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => "it may not be written",
        Some(ErrorCode::DiskFull) => "its disk is full",
        Some(ErrorCode::SystemIoFailure) => "its disk answered with an error",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "it is damaged",
        _ => "a statement failed",
    };
    let what = format!("{}: {what}: {error}", path.display());
    Fault::retry(side.unavailable(), what).because(error)
}
