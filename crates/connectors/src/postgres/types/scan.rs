//! PURE: reads a text from its beginning to its end, piece by piece.

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    /// All of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Whether these characters come next; they are taken if so.
    pub(super) fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes these characters, which have to come.
    pub(super) fn must(&mut self, text: &str) -> Option<()> {
        self.takes(text).then_some(())
    }

    /// Takes the next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    /// What comes next.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes as many digits as come, at least one, and no more than fit.
    pub(super) fn digits(&mut self) -> Option<i64> {
        self.run()?.parse().ok()
    }

    /// Takes a whole number with its sign.
    pub(super) fn number(&mut self) -> Option<i64> {
        let negative = self.is_negative();
        let number = self.digits()?;
        Some(if negative { -number } else { number })
    }

    /// Takes a sign, if there is one; whether it is a minus.
    pub(super) fn is_negative(&mut self) -> bool {
        self.takes("-") || {
            self.takes("+");
            false
        }
    }

    /// Takes a point and what follows it, if they come, as millionths.
    pub(super) fn millionths(&mut self) -> Option<i64> {
        if !self.takes(".") {
            return Some(0);
        }
        let digits = self.run()?;
        match digits.len() {
            1..=6 => format!("{digits:0<6}").parse().ok(),
            _ => None,
        }
    }

    /// Whether the text has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    fn run(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }
}
