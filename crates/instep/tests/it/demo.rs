//! `instep demo` as people and programs start it: what it tells, what it exits with, and that nothing
//! of it is left.

mod ending;
mod keeping;
mod performance;
mod telling;
