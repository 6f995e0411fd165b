//! PURE: names and values as SQL, for statements that a person reads and runs.

use super::quote;
use super::types::{Form, write};
use model::Value;

/// A table as SQL: its schema ends at the first dot.
pub fn table(name: &str) -> String {
    match name.split_once('.') {
        Some((schema, table)) => format!("{}.{}", quote::name(schema), quote::name(table)),
        None => quote::name(name),
    }
}

/// A column as SQL.
pub fn column(name: &str) -> String {
    quote::name(name)
}

/// A value as SQL, which the server reads as its column's type; none for one that no PostgreSQL
/// takes. Even numbers stand in quotes: what they are in the end is for the column to say.
pub fn literal(value: &Value) -> Option<String> {
    let text = write(&Form::Text, value).ok()?;
    match text {
        None => Some("NULL".to_owned()),
        Some(text) if text.contains('\0') => None,
        Some(text) => Some(quote::text(&text).trim_start().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{literal, table};
    use model::Value;

    #[test]
    fn what_no_server_takes_is_none() {
        assert_eq!(literal(&Value::from("a\0b")), None);
        assert_eq!(literal(&Value::text(b"\xff")), None);
        assert_eq!(literal(&Value::from("it's \\")), Some("E'it''s \\\\'".to_owned()));
        assert_eq!(literal(&Value::Int(-7)), Some("'-7'".to_owned()));
        assert_eq!(literal(&Value::Bytes([0, 255].into())), Some("E'\\\\x00ff'".to_owned()));
        assert_eq!(table("a.b\".c"), "\"a\".\"b\"\".c\"");
    }
}
