//! PURE: names and texts as SQL that every SQLite reads.

/// A name of a table, column or collation.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{name, text};

    #[test]
    fn quotes_within_are_doubled() {
        assert_eq!(name("order \"by\""), "\"order \"\"by\"\"\"");
        assert_eq!(text("it's"), "'it''s'");
    }
}
