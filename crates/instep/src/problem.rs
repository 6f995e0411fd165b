//! Problem: one thing that is wrong, as a person and as a program reads it.

use model::Code;
use serde::{Serialize, Serializer};

/// One thing that is wrong, why, and what to do about it.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// Its code, which `instep explain` knows.
    #[serde(serialize_with = "name")]
    pub code: Code,
    /// What is wrong.
    pub what: String,
    /// Why it is so, or why it matters.
    pub why: String,
    /// What to do about it.
    pub fix: String,
    /// Where it shows, if that is in a file.
    #[serde(rename = "where")]
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What stands there.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// The line that a problem is in, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excerpt {
    /// The line, without what must not be shown.
    pub text: String,
    /// How many characters stand before what is meant.
    pub before: usize,
    /// How many characters are meant; at least one.
    pub width: usize,
}

impl Problem {
    /// A problem that shows in no file.
    pub fn new(
        code: Code,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { code, what: what.into(), why: why.into(), fix: fix.into(), place: None }
    }

    /// A problem whose cause and remedy are those of its code.
    pub fn of(code: Code, what: impl Into<String>) -> Self {
        Self::new(code, what, code.why(), code.fix())
    }

    /// The same problem at a place.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

fn name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}
