//! Paint: colour on a terminal that has it, and on nothing else.

use std::env;
use std::io::{self, IsTerminal};

/// Whether text is coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Colour on standard error, where that is a terminal which has it, unless NO_COLOR asks for none.
    pub(crate) fn for_stderr() -> Self {
        Self(io::stderr().is_terminal() && is_wanted())
    }

    /// The same for standard output.
    pub(crate) fn for_stdout() -> Self {
        Self(io::stdout().is_terminal() && is_wanted())
    }

    /// No colour.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(false)
    }

    /// Colour, wherever it goes.
    #[cfg(test)]
    pub(crate) fn all() -> Self {
        Self(true)
    }

    /// Whether there is any.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with("31;1", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.with("32;1", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33;1", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, style: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn is_wanted() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb
}
