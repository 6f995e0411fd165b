//! PURE: names and texts as SQL.

/// A name, whatever is in it.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, whatever is in it and however the server reads backslashes.
pub(super) fn text(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

/// A text in the language of replication commands, which knows no backslashes.
pub(super) fn option(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_ends_a_quotation_early() {
        assert_eq!(super::name("a\"b"), "\"a\"\"b\"");
        assert_eq!(super::text("it's"), "'it''s'");
        assert_eq!(super::text("\\'"), " E'\\\\'''");
        assert_eq!(super::option("\\'"), "'\\'''");
    }
}
