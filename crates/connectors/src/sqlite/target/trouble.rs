//! What came of a statement that failed: a row that is refused, or a file that cannot be worked with.

use super::super::fault::{self, Side};
use model::{Code, Fault};
use rusqlite::{Error, ErrorCode, ffi};
use std::path::Path;

/// Why a batch was not written.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The row is none that the table takes.
    Refused(Refused),
    /// The file cannot be worked with now.
    Fault(Fault),
}

/// A row that the table does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Why, in SQLite's words, which name columns and no values.
    pub(super) reason: String,
    /// Which rule it breaks.
    pub(super) rule: Rule,
}

/// A rule of a table, as far as another row may be why a row breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Two rows are not to be equal here.
    Unique,
    /// A row refers to another.
    ForeignKey,
    /// Any other rule.
    Own,
}

impl Trouble {
    /// A refusal of ours.
    pub(super) fn refused(reason: &str) -> Self {
        Trouble::Refused(Refused { reason: reason.to_owned(), rule: Rule::Own })
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::Fault(fault)
    }
}

/// Judges the failure of a statement that wrote a row. The statement was sound when it was made, so
/// what SQLite has against it is the row, unless the file is at fault.
pub(super) fn of_row(path: &Path, error: Error) -> Trouble {
    match (error.sqlite_error_code(), &error) {
        (
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::Unknown,
            ),
            Error::SqliteFailure(failure, text),
        ) => {
            let reason = text.clone().unwrap_or_else(|| failure.to_string());
            Trouble::Refused(Refused { reason, rule: rule(failure.extended_code) })
        }
        _ => Trouble::Fault(of_file(path, error)),
    }
}

/// Whether rows that refer to others kept a transaction from its end.
pub(super) fn is_foreign_key(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|it| rule(it.extended_code) == Rule::ForeignKey)
}

/// Judges the failure of any other statement.
pub(super) fn of_file(path: &Path, error: Error) -> Fault {
    let stop = |code, what: &str| Fault::stop(code, format!("{}: {what}: {error}", path.display()));
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            stop(Code::TargetDamaged, "it is damaged, or no SQLite file").because(error)
        }
        _ => fault::judge(Side::Target, path, error),
    }
}

/// Judges the failure to make a statement: the table is not as it was looked at.
pub(super) fn of_statement(path: &Path, error: Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::Unknown) => {
            let what = format!("{}: a statement does not fit: {error}", path.display());
            Fault::stop(Code::CopyColumns, what).because(error)
        }
        _ => of_file(path, error),
    }
}

/// What Instep has noted in the file is not what it wrote.
pub(super) fn damaged(path: &Path, what: &str) -> Fault {
    Fault::stop(Code::TargetDamaged, format!("{}: {what}", path.display()))
}

fn rule(extended_code: i32) -> Rule {
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => Rule::Unique,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Rule::ForeignKey,
        _ => Rule::Own,
    }
}
