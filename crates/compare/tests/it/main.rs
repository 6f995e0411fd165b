//! Comparisons of two tables in memory: in any order of theirs, under writes, and with faults.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chance;
mod damages;
mod faults;
mod memory;
mod terms;
mod world;
mod writes;
