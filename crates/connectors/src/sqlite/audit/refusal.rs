//! What SQLite does not take, told in its own words; what else goes wrong is judged by whoever opened
//! the file.

use crate::sqlite::trouble::Trouble;
use model::{Code, Fault};
use rusqlite::{Error, ErrorCode};
use std::path::Path;

/// The trouble, judged if it lies in what was asked.
pub(super) fn judged(path: &Path, trouble: Trouble) -> Trouble {
    let Trouble::Sqlite(error) = trouble else { return trouble };
    let words = match &error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::MultipleStatement => "there is more than one statement".to_owned(),
        Error::SqliteFailure(cause, words) if is_refusal(cause.code) => {
            words.clone().unwrap_or_else(|| cause.to_string())
        }
        _ => return Trouble::Sqlite(error),
    };
    let what = format!("{}: {words}", path.display());
    Fault::stop(Code::SqliteRefused, what).because(error).into()
}

fn is_refusal(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Unknown | ErrorCode::TooBig | ErrorCode::AuthorizationForStatementDenied
    )
}
