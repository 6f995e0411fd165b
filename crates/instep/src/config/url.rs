//! PURE: the URL of a server, which is never shown with its password.

use super::secret::MASK;
use std::fmt;
use std::ops::Range;

/// A URL that was read before, so that its password is known by its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// A URL that can be read.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The URL as it is, to connect with.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The URL with a mask in the place of its password.
    pub fn shown(&self) -> String {
        self.with_password(MASK)
    }

    /// The URL without its password.
    pub(crate) fn bare(&self) -> String {
        let mut bare = self.0.clone();
        for range in self.passwords().into_iter().rev() {
            let is_parameter = bare[..range.start].ends_with(PARAMETER);
            let before = if is_parameter { PARAMETER.len() } else { ":".len() };
            bare.replace_range(range.start - before..range.end, "");
        }
        bare.replace("?&", "?").replace("&&", "&").trim_end_matches(['?', '&']).to_owned()
    }

    /// Whether it says a password.
    pub(crate) fn has_password(&self) -> bool {
        !self.passwords().is_empty()
    }

    /// Whether a mask stands where its password should.
    pub(super) fn is_masked(&self) -> bool {
        self.passwords().into_iter().any(|range| &self.0[range] == MASK)
    }

    fn with_password(&self, password: &str) -> String {
        let mut text = self.0.clone();
        for range in self.passwords().into_iter().rev() {
            text.replace_range(range, password);
        }
        text
    }

    /// Where passwords stand: behind the user, or as a parameter.
    fn passwords(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let start = self.0.find("://").map_or(0, |at| at + 3);
        let query = self.0[start..].find('?').map_or(self.0.len(), |at| start + at);
        let end = self.0[start..query].find('/').map_or(query, |at| start + at);
        if let Some(at) = self.0[start..end].rfind('@')
            && let Some(colon) = self.0[start..start + at].find(':')
        {
            found.push(start + colon + 1..start + at);
        }
        let mut from = query + 1;
        for pair in self.0.get(from..).unwrap_or_default().split('&') {
            if pair.starts_with(PARAMETER) {
                found.push(from + PARAMETER.len()..from + pair.len());
            }
            from += pair.len() + 1;
        }
        found
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

const PARAMETER: &str = "password=";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_masked_or_left_out_wherever_it_stands() {
        for (url, shown, bare) in [
            ("postgres://a:b@c/d", "postgres://a:***@c/d", "postgres://a@c/d"),
            ("postgres://a:b:c@d:1/e", "postgres://a:***@d:1/e", "postgres://a@d:1/e"),
            ("postgres://a:b@c@d:1,e:2", "postgres://a:***@d:1,e:2", "postgres://a@d:1,e:2"),
            (
                "postgres://a@b/c?password=d&sslmode=prefer",
                "postgres://a@b/c?password=***&sslmode=prefer",
                "postgres://a@b/c?sslmode=prefer",
            ),
            (
                "postgres://b/c?x=1&password=d",
                "postgres://b/c?x=1&password=***",
                "postgres://b/c?x=1",
            ),
            ("postgres://b/c?password=d", "postgres://b/c?password=***", "postgres://b/c"),
        ] {
            let url = Url::new(url);
            assert!(url.has_password() && !url.is_masked());
            assert_eq!((url.shown(), url.bare()), (shown.to_owned(), bare.to_owned()));
            assert!(Url::new(shown).is_masked());
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn a_url_without_a_password_is_shown_as_it_is() {
        for url in ["postgres://a@b:5432/c", "postgres:///c?host=/run&user=a", "postgres://b:1"] {
            let it = Url::new(url);
            assert!(!it.has_password());
            assert_eq!((it.shown(), it.bare(), it.reveal()), (url.into(), url.into(), url));
        }
    }
}
