//! PURE: names and texts as they stand in statements that a person types.

/// A name, in quotes only where it needs them.
pub(super) fn name(name: &str) -> String {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match begins && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A table with its schema.
pub(super) fn table(full: &str) -> String {
    match full.split_once('.') {
        Some((schema, table)) => format!("{}.{}", name(schema), name(table)),
        None => name(full),
    }
}

/// The schema of a table.
pub(super) fn schema(full: &str) -> String {
    name(full.split_once('.').map_or("public", |(schema, _)| schema))
}

/// A text.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
