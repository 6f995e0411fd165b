//! Ready: whether the instance takes work, as `/readyz` answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the instance takes work; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Not yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it does, or does not.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }

    /// Whether it does.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
