//! Capture alone: a lane without targets, read up to a position.

use crate::now;
use crate::running::Running;
use connectors::postgres::Lsn;
use std::time::Duration;

/// Reads up to there; how long it took, and how much CPU in microseconds.
pub(crate) fn read_to(url: &str, end: &str) -> (Duration, f64) {
    let end: Lsn = end.parse().expect("a position");
    let (began, running) = (now(), Running::of(url, None));
    running.wait_for_log(end.0);
    let took = began.elapsed();
    (took, running.stop())
}
