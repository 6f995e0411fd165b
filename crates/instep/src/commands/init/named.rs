//! PURE: what things are called in a configuration, where names are plain and tables are not.

use std::collections::BTreeSet;

/// The longest name that is made, so that something fits behind it.
const CHARS_MAX: usize = 40;

/// A text as a name; another word where nothing of it can stand in one.
pub(super) fn plain(text: &str, otherwise: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        let fits = c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' && !name.is_empty();
        if fits {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(CHARS_MAX);
    let name = name.trim_end_matches(['-', '_']);
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

/// Names that are not taken yet.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name, or with a number behind it the first one that is free.
    pub(super) fn take(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let mut number = 1_u32;
        while !self.0.insert(free.clone()) {
            number += 1;
            free = format!("{name}-{number}");
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_plain_name() {
        for (text, name) in [
            ("questions", "questions"),
            ("Order Items", "order-items"),
            ("_private__", "private"),
            ("\"; drop table x --", "drop-table-x"),
            ("日本語", "table"),
            ("été 2026", "t-2026"),
            ("", "table"),
        ] {
            assert_eq!(plain(text, "table"), name, "{text}");
        }
        assert_eq!(plain(&"x".repeat(99), "table").len(), CHARS_MAX);
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::default();
        assert_eq!(["a", "a", "a-2", "a"].map(|it| names.take(it)), ["a", "a-2", "a-2-2", "a-3"]);
    }
}
