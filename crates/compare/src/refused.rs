//! Why a comparison does not begin.

use model::Fault;
use std::fmt;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Where the truth is.
    Source,
    /// What should be like it.
    Copy,
}

/// Why a comparison does not begin.
#[derive(Debug)]
pub enum Refused {
    /// What was asked for makes no sense with these tables.
    Terms {
        /// What is wrong.
        what: String,
        /// What to do.
        fix: String,
    },
    /// A store can not be reached, or read, or compared.
    Store {
        /// Which.
        side: Side,
        /// Why.
        fault: Fault,
    },
}

impl Refused {
    /// What was asked for makes no sense.
    pub(crate) fn terms(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Refused::Terms { what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Source => "source",
            Side::Copy => "copy",
        })
    }
}
