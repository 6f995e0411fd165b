//! PURE: reads a text from its beginning to its end, piece by piece.

/// What is left of a text.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    /// All of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Takes these characters, if they come next.
    pub(super) fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
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

    /// Takes as many digits as come, at least one.
    pub(super) fn digits(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }

    /// Takes a sign, if there is one; whether it is a minus.
    pub(super) fn sign(&mut self) -> bool {
        if self.take("-").is_some() {
            return true;
        }
        self.take("+");
        false
    }

    /// Takes a whole number with its sign.
    pub(super) fn number(&mut self) -> Option<i128> {
        let negative = self.sign();
        let number: i128 = self.digits()?.parse().ok()?;
        Some(if negative { -number } else { number })
    }

    /// The text must end here.
    pub(super) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}
