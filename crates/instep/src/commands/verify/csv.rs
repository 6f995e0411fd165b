//! PURE: differences as RFC 4180 has them: a line for each column that differs.
//!
//! NULL is an empty field and an empty text is one in quotes; a side that has no such row is empty,
//! too, which `kind` tells. A field that a program for tables would take for a formula begins with an
//! apostrophe.

use super::document::key;
use super::human::MASKED;
use super::whole::{Compared, Whole};
use compare::{ColumnDifference, Difference};
use model::Value;
use serde_json::Value as Json;

/// The names over the columns.
const HEADER: &str = "table,key,kind,cause,column,source,copy\r\n";

/// The differences, under their header.
pub(super) fn csv(whole: &Whole, shows_values: bool) -> String {
    let mut text = HEADER.to_owned();
    for Compared { sides: [_, copy], verdict, .. } in &whole.parts {
        for difference in &verdict.differences {
            let columns = match &difference.columns[..] {
                [] => vec![None],
                columns => columns.iter().map(Some).collect(),
            };
            for column in columns {
                text.push_str(&line(&copy.table, difference, column, shows_values));
            }
        }
    }
    text
}

fn line(
    table: &str,
    difference: &Difference,
    column: Option<&ColumnDifference>,
    shows_values: bool,
) -> String {
    let value = |value: Option<&Value>| match value {
        None => String::new(),
        Some(_) if !shows_values => MASKED.to_owned(),
        Some(Value::Null) => String::new(),
        Some(value) => field(&written(value)),
    };
    let fields = [
        field(table),
        field(&key(difference).to_string()),
        field(difference.kind.word()),
        field(difference.cause.word()),
        column.map_or_else(String::new, |column| field(&column.name)),
        value(column.and_then(|column| column.source.as_ref())),
        value(column.and_then(|column| column.copy.as_ref())),
    ];
    format!("{}\r\n", fields.join(","))
}

/// A value as JSON has it, texts without quotes.
fn written(value: &Value) -> String {
    match server::json(value) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// A text as a field.
fn field(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    let is_plain = !text.is_empty() && !text.contains([',', '"', '\r', '\n']);
    let has_ends = text.trim() != text;
    match is_plain && !has_ends {
        true => text,
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

/// Digits, with a sign, a fraction and an exponent or without.
fn is_number(text: &str) -> bool {
    let is_written_so = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    is_written_so && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::field;
    use proptest::prelude::*;

    /// The fields of one record, read as RFC 4180 says.
    fn read(record: &str) -> Vec<String> {
        let (mut fields, mut rest) = (Vec::new(), record);
        loop {
            let mut field = String::new();
            if let Some(quoted) = rest.strip_prefix('"') {
                let mut chars = quoted.char_indices().peekable();
                let end = loop {
                    match chars.next() {
                        Some((_, '"')) if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                            chars.next();
                            field.push('"');
                        }
                        Some((at, '"')) => break at + 1,
                        Some((_, other)) => field.push(other),
                        None => panic!("a quotation without its end: {record}"),
                    }
                };
                rest = &quoted[end..];
            } else {
                let end = rest.find([',', '\r', '\n']).unwrap_or(rest.len());
                field.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            fields.push(field);
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    assert_eq!(rest, "\r\n", "{record}");
                    return fields;
                }
            }
        }
    }

    #[test]
    fn formulas_are_taken_apart_from_numbers() {
        for formula in ["=1+1", "+cmd", "-x", "@a", "\t=1", "\r1", "-1+2", "--1", "-Infinity", "+"]
        {
            assert!(field(formula).trim_matches('"').starts_with('\''), "{formula}");
        }
        for plain in ["-1", "+1.5e-7", "1", "a=b", "-0.00"] {
            assert_eq!(field(plain), plain);
        }
        assert_eq!(field(""), "\"\"");
        assert_eq!(field("a\"b"), "\"a\"\"b\"");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_and_never_a_formula(texts in prop::collection::vec(
            prop_oneof![any::<String>(), "[-=+@\t\r\n\",'a1. ]{0,8}"], 1..5)) {
            let fields: Vec<_> = texts.iter().map(|text| field(text)).collect();
            let again = read(&format!("{}\r\n", fields.join(",")));
            prop_assert_eq!(again.len(), texts.len());
            for (read, text) in again.iter().zip(&texts) {
                let is_same = read == text || read.strip_prefix('\'') == Some(text);
                prop_assert!(is_same, "{:?} of {:?}", read, text);
                let is_formula = read.starts_with(['=', '+', '-', '@', '\t', '\r']);
                prop_assert!(!is_formula || read.parse::<f64>().is_ok(), "{:?}", read);
            }
        }
    }
}
