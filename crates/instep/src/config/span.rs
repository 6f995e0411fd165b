//! Places in the text of a configuration.

/// A place between two characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The byte of the text.
    pub byte: usize,
}

/// A stretch of the text, its end not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Where it begins.
    pub start: Mark,
    /// Where it ends.
    pub end: Mark,
}

impl Mark {
    /// The place at a byte of the text; one inside a character counts as before it.
    pub fn at(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            byte: before.len(),
        }
    }

    /// The place after some text of the same line.
    pub fn after(self, text: &str) -> Self {
        Self {
            line: self.line,
            column: self.column + text.chars().count(),
            byte: self.byte + text.len(),
        }
    }
}

impl Span {
    /// A place with nothing in it.
    pub fn empty(at: Mark) -> Self {
        Self { start: at, end: at }
    }

    /// Where some text of one line stands.
    pub fn of(start: Mark, text: &str) -> Self {
        Self { start, end: start.after(text) }
    }
}
