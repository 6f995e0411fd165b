//! The time as people have it: to say when something is to come, and whether a certificate is valid.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "certificates and people go by the wall clock")]
pub(crate) fn now() -> i64 {
    micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A span, in microseconds.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
