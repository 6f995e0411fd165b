//! The systems, each judged by the suites of its ports and by what it alone promises.

mod sqlite_glance;
mod sqlite_source;
mod sqlite_target;
