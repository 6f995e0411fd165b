//! What the driver says, in our words.

use crate::postgres::trouble::{Refused, Trouble};
use std::io;

/// The trouble that an error of the driver is.
#[expect(clippy::needless_pass_by_value, reason = "it is handed over by `map_err`")]
pub(super) fn trouble(error: tokio_postgres::Error) -> Trouble {
    let text = |text: Option<&str>| text.map(str::to_owned);
    if let Some(refused) = error.as_db_error() {
        return Trouble::Refused(Box::new(Refused {
            sqlstate: refused.code().code().to_owned(),
            message: refused.message().to_owned(),
            detail: text(refused.detail()),
            hint: text(refused.hint()),
            schema: text(refused.schema()),
            table: text(refused.table()),
            column: text(refused.column()),
            constraint: text(refused.constraint()),
        }));
    }
    let mut words = error.to_string();
    let mut inner = std::error::Error::source(&error);
    while let Some(error) = inner {
        words = format!("{words}: {error}");
        inner = error.source();
    }
    let is_login = ["authentication error", "invalid configuration"];
    match is_login.iter().any(|begin| words.starts_with(begin)) {
        true => Trouble::Login(words),
        false => Trouble::Broken(io::Error::other(words)),
    }
}
