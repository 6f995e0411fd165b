//! `instep doctor` through the program: each fault is put in on purpose, and has to be found.

mod files;
mod instep;
mod running;
pub(crate) mod seen;
