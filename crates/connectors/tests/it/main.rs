//! The systems, each judged by the suites of its ports and by what it alone promises.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod postgres;
mod postgres_audit;
mod postgres_target;
mod sqlite_audit;
mod sqlite_glance;
mod sqlite_source;
mod sqlite_target;
