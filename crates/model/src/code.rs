//! Every code that an error can carry, with the text that `explain` prints.
//!
//! A code is born together with its explanation; the table is the whole list.

mod names;
mod texts;

pub use names::Code;

use std::fmt;
use texts::ENTRIES;

impl Code {
    /// Every code, in the order of the reference page.
    pub fn all() -> impl Iterator<Item = Code> {
        ENTRIES.into_iter().map(|(code, ..)| code)
    }

    /// The code as users see it.
    pub const fn name(self) -> &'static str {
        ENTRIES[self as usize].1
    }

    /// Whether it only warns: what was asked for is done nevertheless.
    pub fn is_warning(self) -> bool {
        self.name().starts_with("W-")
    }

    /// What the code means, why it comes up and what to do, for `explain`.
    pub const fn explain(self) -> &'static str {
        ENTRIES[self as usize].2
    }

    /// What the code means, in a sentence.
    pub fn title(self) -> &'static str {
        let text = self.explain();
        text.find(". ").map_or(text, |end| &text[..=end])
    }

    /// What it means and why it comes up: all of the explanation but its end.
    pub fn why(self) -> &'static str {
        let text = self.explain();
        text.rfind(". ").map_or(text, |end| &text[..=end])
    }

    /// What to do: the end of the explanation.
    pub fn fix(self) -> &'static str {
        let text = self.explain();
        text.rfind(". ").map_or(text, |end| &text[end + 2..])
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
