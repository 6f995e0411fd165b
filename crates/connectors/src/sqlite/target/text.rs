//! PURE: values that SQLite lacks, as text that reads and sorts well and loses nothing.
//!
//! | kind | text |
//! |---|---|
//! | decimal | as the source wrote it: `1.00`, `NaN`, `-Infinity` |
//! | date | `2026-11-21`, `-infinity`, `infinity`; years beyond four digits with their sign |
//! | time | `23:59:59.5`; with a zone `23:59:59+02:00` |
//! | timestamp | `2026-11-21 23:59:59.5`; an instant in UTC, `2026-11-21 23:59:59.5+00:00` |
//! | interval | `P1M-2DT3.5S`: months, days and seconds, which do not convert into each other |
//! | uuid | `01234567-89ab-cdef-0123-456789abcdef` |
//! | json | as the source wrote it |
//! | array | JSON, see `text/array.rs` |
//!
//! Must not know: columns, statements.

mod array;
mod bits;
mod scan;
mod times;

use model::{Float, Kind, Value};

/// The text of a value that has no storage class of its own; none where SQLite has one.
pub(in crate::sqlite) fn of(value: &Value) -> Option<String> {
    match value {
        Value::Array(array) => Some(array::text(array)),
        other => scalar(other),
    }
}

/// The value of a kind that was written as this text, if it is one.
pub(super) fn read(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Array => array::read(text).map(|array| Value::Array(Box::new(array))),
        Kind::Decimal => text.parse().ok().map(Value::Decimal),
        Kind::Json => Some(Value::Json(text.into())),
        Kind::Float => (text == NAN).then_some(Value::Float(Float(f64::NAN))),
        Kind::Int => text.parse().ok().map(Value::Int),
        Kind::Uuid => bits::read_uuid(text).map(Value::Uuid),
        other => times::read(other, text),
    }
}

/// What SQLite would keep as NULL.
const NAN: &str = "NaN";

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Float(Float(float)) => float.is_nan().then(|| NAN.to_owned()),
        Value::Decimal(decimal) => Some(decimal.to_string()),
        Value::Uuid(uuid) => Some(bits::uuid(uuid)),
        Value::Json(json) => Some(json.to_string()),
        other => times::text(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{of, read};
    use model::Kind;
    use proptest::prelude::*;

    const KINDS: [Kind; 12] = [
        Kind::Array,
        Kind::Date,
        Kind::Decimal,
        Kind::Float,
        Kind::Int,
        Kind::Interval,
        Kind::Json,
        Kind::Time,
        Kind::TimeTz,
        Kind::Timestamp,
        Kind::TimestampTz,
        Kind::Uuid,
    ];

    proptest! {
        /// Whoever else writes to the file may write anything.
        #[test]
        fn any_text_is_a_value_that_has_it_or_none(
            text in prop_oneof![
                "[-+0-9:. PTMDS\\[\\]{},\"a-z]{0,40}",
                "[-+]?[0-9]{1,45}-[0-9]{1,3}-[0-9]{1,3}( [0-9]{1,45}:[0-9]{1,45}:[0-9]{1,45})?",
                "-?[0-9]{1,45}:[0-9]{1,45}:[0-9]{1,45}(.[0-9]{1,7})?[-+][0-9]{1,45}:[0-9]{1,45}",
                "P-?[0-9]{1,45}M-?[0-9]{1,45}DT-?[0-9]{1,45}S",
                "(\\[){0,200}",
                "\\{\"shape\":\\[\\[-?[0-9]{1,45},-?[0-9]{1,45}\\]\\],\"elements\":\\[\\]\\}",
            ],
        ) {
            for kind in KINDS {
                let Some(value) = read(kind, &text) else { continue };
                let again = of(&value).unwrap_or_else(|| text.clone());
                prop_assert_eq!(read(kind, &again), Some(value), "{:?}", kind);
            }
        }
    }
}
