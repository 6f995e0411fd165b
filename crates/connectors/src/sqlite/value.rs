//! PURE: SQLite's values and ours.
//!
//! SQLite has five kinds of values and decides by value, not by column. What it gives comes through
//! unchanged, also a text that is not UTF-8; what other sources give is stored as the value that
//! compares and prints best.

use model::{Cell, Float, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};

/// A value as SQLite has it.
pub(super) fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(float) => Value::Float(Float(float)),
        ValueRef::Text(text) => Value::text(text),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
    }
}

/// A cell as SQLite has it.
pub(super) fn cell(value: ValueRef<'_>) -> Cell {
    Cell::Value(read(value))
}

/// A value of a key that SQLite gave once, to be looked for there.
pub(super) fn bound(value: &Value) -> rusqlite::Result<ToSqlOutput<'_>> {
    let value = match value {
        Value::Null => ValueRef::Null,
        Value::Int(int) => ValueRef::Integer(*int),
        Value::Float(float) => ValueRef::Real(float.0),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::RawText(bytes) => ValueRef::Text(bytes),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        other => {
            let what = format!("SQLite has no keys like {other:?}");
            return Err(rusqlite::Error::ToSqlConversionFailure(what.into()));
        }
    };
    Ok(ToSqlOutput::Borrowed(value))
}
