//! PURE: names and values as SQL, for statements that a person reads and runs.

use super::quote;
use super::target::text;
use model::{Float, Value};

/// A table as SQL.
pub fn table(name: &str) -> String {
    quote::name(name)
}

/// A column as SQL.
pub fn column(name: &str) -> String {
    quote::name(name)
}

/// A value as SQL, stored as a copy of Instep stores it.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(bool) => i32::from(*bool).to_string(),
        Value::Int(int) => int.to_string(),
        Value::Float(Float(float)) if !float.is_nan() => number(*float),
        // A text ends at a zero byte for some who read it, and bytes need not be UTF-8.
        Value::Text(text) if text.contains('\0') => {
            format!("cast({} as text)", hex(text.as_bytes()))
        }
        Value::RawText(bytes) => format!("cast({} as text)", hex(bytes)),
        Value::Text(text) => quote::text(text),
        Value::Bytes(bytes) => hex(bytes),
        other => {
            text::of(other).map_or_else(|| "NULL".to_owned(), |text| literal(&Value::from(&*text)))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{hex}'")
}

/// A number that is read as one, and as a float.
fn number(float: f64) -> String {
    match float {
        f64::INFINITY => "9e999".to_owned(),
        f64::NEG_INFINITY => "-9e999".to_owned(),
        float => format!("{float:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{column, literal};
    use model::Value;
    use proptest::prelude::*;
    use rusqlite::Connection;
    use rusqlite::types::Value as Owned;

    fn read(sql: &str) -> Owned {
        let connection = Connection::open_in_memory().unwrap();
        connection.query_row(&format!("select {sql}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_ends_of_numbers_are_themselves() {
        for int in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(read(&literal(&Value::Int(int))), Owned::Integer(int));
        }
        for float in [0.5, 1e300, -5e-324, 1.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(read(&literal(&Value::from(float))), Owned::Real(float), "{float}");
        }
        assert_eq!(read(&literal(&Value::from(f64::NAN))), Owned::Text("NaN".to_owned()));
        assert_eq!(read(&literal(&Value::Null)), Owned::Null);
        assert_eq!(
            read(&literal(&Value::Uuid([1; 16]))),
            read("'01010101-0101-0101-0101-010101010101'")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_itself_and_ends_nowhere_early(text in any::<String>(), raw in any::<Vec<u8>>()) {
            prop_assert_eq!(read(&literal(&Value::from(&*text))), Owned::Text(text.clone()));
            prop_assert_eq!(read(&literal(&Value::Bytes(raw.clone().into()))), Owned::Blob(raw.clone()));
            if let raw @ Value::RawText(_) = Value::text(&raw) {
                let sql = format!("cast({} as blob)", literal(&raw));
                prop_assert_eq!(read(&sql), Owned::Blob(raw.text_bytes().unwrap().to_vec()));
            }
            if !text.contains('\0') {
                let sql = format!("{0} from (select 1 as {0})", column(&text));
                prop_assert_eq!(read(&sql), Owned::Integer(1));
            }
        }
    }
}
