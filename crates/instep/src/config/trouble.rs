//! Trouble: one thing that is wrong in a configuration, by its place in the text.

use super::span::Span;
use model::Code;

/// One thing that is wrong, before anybody knows which file it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Its code.
    pub code: Code,
    /// Where it shows.
    pub span: Span,
    /// What is wrong.
    pub what: Box<str>,
    /// Why that is so, or why it matters.
    pub why: Box<str>,
    /// What to do about it.
    pub fix: Box<str>,
}

impl Trouble {
    /// Trouble of this kind at this place.
    pub(super) fn new(
        code: Code,
        span: Span,
        what: impl Into<Box<str>>,
        why: impl Into<Box<str>>,
        fix: impl Into<Box<str>>,
    ) -> Self {
        Self { code, span, what: what.into(), why: why.into(), fix: fix.into() }
    }
}
