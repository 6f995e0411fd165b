//! The clock of this machine.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time, in microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "compared with a server's, and shown; nothing else")]
pub(super) fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
