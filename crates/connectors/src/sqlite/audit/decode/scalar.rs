//! PURE: single values of each kind, but for texts.

use model::{Decimal, Kind, Value};

/// A whole number as this kind.
pub(super) fn of_int(kind: Kind, int: i64) -> Option<Value> {
    match (kind, int) {
        (Kind::Bool, 0 | 1) => Some(Value::Bool(int == 1)),
        (Kind::Float, int) => {
            let float = int as f64;
            (Value::from(float).whole() == Some(int)).then_some(Value::from(float))
        }
        (Kind::Decimal, int) => Some(Value::Decimal(Decimal::from(int))),
        (Kind::Json, int) => Some(Value::Json(int.to_string().into())),
        _ => None,
    }
}

/// A fraction as this kind; its decimal has as many digits as tell it from other fractions.
pub(super) fn of_float(kind: Kind, float: f64) -> Option<Value> {
    match kind {
        Kind::Bool if float == 0.0 => Some(Value::Bool(false)),
        Kind::Bool if float == 1.0 => Some(Value::Bool(true)),
        Kind::Int => Value::from(float).whole().map(Value::Int),
        Kind::Decimal => format!("{float:e}").parse().ok().map(Value::Decimal),
        Kind::Json if float.is_finite() => Some(Value::Json(format!("{float:?}").into())),
        _ => None,
    }
}

/// Bytes as this kind.
pub(super) fn of_bytes(kind: Kind, bytes: &[u8]) -> Option<Value> {
    match kind {
        Kind::Uuid => bytes.try_into().ok().map(Value::Uuid),
        _ => None,
    }
}
