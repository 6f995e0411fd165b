//! Fault: the failure of an outside system, judged once, where its driver is known.
//!
//! The engine never looks at the words; it looks at the fate.

use crate::code::Code;
use std::error::Error;
use std::fmt;

/// What to do next about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Try again later: the system is away, busy or slow. Whether a write happened is unknown.
    Retry,
    /// Trying again will not help; a person has to look.
    Stop,
    /// The history that should come next is gone, or the server is another one.
    Lost,
}

/// The failure of an outside system.
#[derive(Debug)]
pub struct Fault {
    /// What to do next.
    pub fate: Fate,
    /// The name under which it is explained.
    pub code: Code,
    /// What failed, with the facts at hand. Never a row's values, but for
    /// the group of a count.
    pub what: String,
    /// The error underneath, where there is one.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault that time may heal.
    pub fn retry(code: Code, what: impl Into<String>) -> Self {
        Self { fate: Fate::Retry, code, what: what.into(), source: None }
    }

    /// A fault that only a person can heal.
    pub fn stop(code: Code, what: impl Into<String>) -> Self {
        Self { fate: Fate::Stop, code, what: what.into(), source: None }
    }

    /// History that is gone.
    pub fn lost(code: Code, what: impl Into<String>) -> Self {
        Self { fate: Fate::Lost, code, what: what.into(), source: None }
    }

    /// The same fault with the error that caused it.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
