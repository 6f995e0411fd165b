//! PURE: a stored value as the kind that it stands for.
//!
//! SQLite has five kinds of values, and whoever writes to a file makes of them what he likes. So a
//! value is read in every way in which Instep or others commonly write one of the wanted kind, as long
//! as it says exactly that one. What says none comes as it is, and shows as a difference.
//!
//! Must not know: how Instep itself writes values. It reads what was written without trusting that.

mod array;
mod scalar;

use crate::sqlite::value;
use crate::written;
use model::{Kind, Value};
use rusqlite::types::ValueRef;

/// The value as this kind; as it is where it is none.
pub(super) fn read(kind: Kind, raw: ValueRef<'_>) -> Value {
    let read = match raw {
        ValueRef::Null => None,
        ValueRef::Integer(int) => scalar::of_int(kind, int),
        ValueRef::Real(float) => scalar::of_float(kind, float),
        ValueRef::Blob(bytes) => scalar::of_bytes(kind, bytes),
        ValueRef::Text(bytes) => str::from_utf8(bytes).ok().and_then(|text| of_text(kind, text)),
    };
    read.unwrap_or_else(|| value::read(raw))
}

fn of_text(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Array => array::read(text).map(|array| Value::Array(Box::new(array))),
        kind => written::read(kind, text),
    }
}

#[cfg(test)]
mod tests;
