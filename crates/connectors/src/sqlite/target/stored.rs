//! PURE: values on their way into a SQLite table and back.
//!
//! A value is written by what it is: NULL, whole numbers, floats, text and bytes as SQLite's own,
//! booleans as 0 and 1, everything else as text (`text.rs`). It is read back by the kind that its
//! column has at the source; a value that is none of this kind comes as SQLite has it, so that what
//! somebody else wrote there is seen and not hidden. Infinities are SQLite's own; NaN is text, since
//! SQLite would keep it as NULL; a zero has no sign.
//!
//! Must not know: which table a value belongs to.

use super::text;
use model::{Cell, Decimal, Float, Kind, Value};
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Result, ToSql};

/// A cell as a parameter. A field that the row lacks is NULL here.
pub(super) struct Stored<'a>(pub(super) &'a Cell);

impl ToSql for Stored<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Cell::Value(value) => parameter(value),
            Cell::Missing | Cell::Unchanged => ToSqlOutput::Borrowed(ValueRef::Null),
        })
    }
}

/// A value of a key as a parameter.
pub(super) struct StoredKey<'a>(pub(super) &'a Value);

impl ToSql for StoredKey<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(parameter(self.0))
    }
}

/// Whether SQLite would not see that two values of this kind are the same, as with the decimals
/// `1.0` and `1.00`: in a key they are written in their canonical form.
pub(super) fn is_unlike_itself(value: &Value) -> bool {
    matches!(value, Value::Decimal(_) | Value::Array(_))
}

/// A value as the source would show it.
pub(super) fn read(kind: Kind, raw: ValueRef<'_>) -> Value {
    match (kind, raw) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Bool, ValueRef::Integer(int @ (0 | 1))) => Value::Bool(int == 1),
        (Kind::Float, ValueRef::Integer(int)) => Value::Float(Float(int as f64)),
        (Kind::Decimal, ValueRef::Integer(int)) => Value::Decimal(Decimal::from(int)),
        (_, ValueRef::Integer(int)) => Value::Int(int),
        (_, ValueRef::Real(float)) => Value::Float(Float(float)),
        (_, ValueRef::Blob(bytes)) => Value::Bytes(bytes.into()),
        (kind, ValueRef::Text(bytes)) => match str::from_utf8(bytes) {
            Ok(text) if matches!(kind, Kind::Text | Kind::Any) => Value::Text(text.into()),
            Ok(text) => text::read(kind, text).unwrap_or_else(|| Value::Text(text.into())),
            Err(_) => Value::text(bytes),
        },
    }
}

fn parameter(value: &Value) -> ToSqlOutput<'_> {
    let raw = match value {
        Value::Null => ValueRef::Null,
        Value::Bool(bool) => ValueRef::Integer((*bool).into()),
        Value::Int(int) => ValueRef::Integer(*int),
        Value::Float(Float(float)) if !float.is_nan() => ValueRef::Real(*float),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::RawText(bytes) => ValueRef::Text(bytes),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        other => return ToSqlOutput::Owned(text::of(other).map_or(Owned::Null, Owned::Text)),
    };
    ToSqlOutput::Borrowed(raw)
}
