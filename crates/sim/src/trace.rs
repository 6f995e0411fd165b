//! The trace of a world: a hash over everything that happened, and the words of it if wanted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// What happened so far; clones write into the same trace.
#[derive(Clone, Debug)]
pub struct Trace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    began: Instant,
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace that begins now; keeps the words only if they are wanted.
    pub fn new(in_words: bool) -> Self {
        let began = Instant::now();
        let lines = in_words.then(Vec::new);
        Self(Arc::new(Mutex::new(State { began, hash: 0xcbf2_9ce4_8422_2325, lines })))
    }

    /// Something happened.
    pub fn note(&self, what: fmt::Arguments<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{:>8} ms  {what}", state.began.elapsed().as_millis());
        for byte in line.bytes() {
            state.hash = (state.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if let Some(lines) = &mut state.lines {
            lines.push(line);
        }
    }

    /// The hash over everything that happened.
    pub fn hash(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hash
    }

    /// The words, where they were kept.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lines.clone().unwrap_or_default()
    }
}
