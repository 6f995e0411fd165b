//! Copies in PostgreSQL against native logical replication: the same transactions, read from a slot
//! and written into a table of another server, by its own subscription and by a lane with a copy.

use crate::pair::Pair;
use crate::running::{Running, begin_copy};
use crate::{Shape, now};
use std::time::Duration;

/// What is done to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Insert,
    Update,
    Delete,
}

/// How long both take for the same transactions.
pub(crate) struct Both {
    pub(crate) native: Duration,
    pub(crate) ours: Duration,
    pub(crate) cpu: f64,
}

/// Lets both write the same.
pub(crate) fn both(pair: &Pair, work: Work, shape: Shape) -> Both {
    let native = {
        prepare(pair, work, shape);
        pair.subscribe();
        pair.wait_until_subscribed();
        pair.pause_subscription();
        pair.write(work, shape);
        let began = now();
        pair.resume_subscription();
        pair.wait_for_end(shape);
        let took = began.elapsed();
        pair.unsubscribe();
        took
    };
    prepare(pair, work, shape);
    begin_copy(&pair.source_url(), &pair.target_url());
    pair.write(work, shape);
    let (began, running) = (now(), Running::start(&pair.source_url(), &pair.target_url()));
    pair.wait_for_end(shape);
    let ours = began.elapsed();
    let cpu = running.stop();
    pair.check_equal();
    pair.drop_slots();
    Both { native, ours, cpu }
}

/// Both sides have the rows that are to be changed.
fn prepare(pair: &Pair, work: Work, shape: Shape) {
    pair.make_tables();
    if work != Work::Insert {
        pair.fill(shape.rows);
    }
}

/// From a commit to the moment at which it is there, in milliseconds: the middle one and the
/// slowest of a hundred.
pub(crate) struct Latency {
    pub(crate) middle: f64,
    pub(crate) slow: f64,
}

/// Both, with so many transactions a second.
pub(crate) fn latencies(pair: &Pair, rate: u32, seconds: u32) -> (Latency, Latency) {
    pair.make_tables();
    pair.subscribe();
    pair.wait_until_subscribed();
    let native = pair.latency(rate, seconds);
    pair.unsubscribe();
    pair.make_tables();
    begin_copy(&pair.source_url(), &pair.target_url());
    let running = Running::start(&pair.source_url(), &pair.target_url());
    let ours = pair.latency(rate, seconds);
    running.stop();
    pair.drop_slots();
    (native, ours)
}
