//! How far a comparison has come, for whoever watches it, and how it is told to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How far a comparison has come. Cheap to read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    compared: AtomicU64,
    expected: AtomicU64,
    suspects: AtomicU64,
    differences: AtomicU64,
    /// What is being done, in a few words: the reason for waiting, if it waits.
    doing: Mutex<&'static str>,
}

impl Progress {
    /// Rows of the source that were compared.
    pub fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    /// About how many there are; zero if nobody knows.
    pub fn expected(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }

    /// Rows that did not match when they were last looked at, and may be on their way.
    pub fn suspects(&self) -> u64 {
        self.suspects.load(Ordering::Relaxed)
    }

    /// Rows that are different.
    pub fn differences(&self) -> u64 {
        self.differences.load(Ordering::Relaxed)
    }

    /// What is being done, in a few words.
    pub fn doing(&self) -> &'static str {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_compared(&self, rows: u64) {
        self.compared.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn expect(&self, rows: u64) {
        self.expected.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn suspect(&self, rows: u64) {
        self.suspects.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn differ(&self, rows: u64) {
        self.differences.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn does(&self, what: &'static str) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

/// Tells a comparison to come to its end early, with what it has.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Tells it.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told.
    pub fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
