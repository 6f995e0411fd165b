//! The order of values in conditions: numbers by value, text bytewise.
//!
//! The order is total. Values of different kinds meet only in columns of any kind; there numbers,
//! a bool being 0 or 1 among them, come before text, and text before bytes, as in SQLite.
//!
//! Must not know: columns, NULL.

use model::{Decimal, Float, Value};
use std::cmp::Ordering;

/// How two values that are not NULL compare.
pub(super) fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Bool(left), right) => order(&Value::Int((*left).into()), right),
        (left, Value::Bool(right)) => order(left, &Value::Int((*right).into())),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => floats(*left, *right),
        (Value::Decimal(left), Value::Decimal(right)) => left.cmp_value(right),
        (Value::Int(left), Value::Decimal(right)) => Decimal::from(*left).cmp_value(right),
        (Value::Decimal(left), Value::Int(right)) => left.cmp_value(&Decimal::from(*right)),
        (Value::Int(left), Value::Float(right)) => decimal_float(&Decimal::from(*left), *right),
        (Value::Float(left), Value::Int(right)) => {
            decimal_float(&Decimal::from(*right), *left).reverse()
        }
        (Value::Decimal(left), Value::Float(right)) => decimal_float(left, *right),
        (Value::Float(left), Value::Decimal(right)) => decimal_float(right, *left).reverse(),
        (left, right) => rank(left).cmp(&rank(right)).then_with(|| same_kind(left, right)),
    }
}

/// Texts compare by their bytes, whether or not these are UTF-8.
fn same_kind(left: &Value, right: &Value) -> Ordering {
    match (left.text_bytes(), right.text_bytes()) {
        (Some(left), Some(right)) => left.cmp(right),
        _ => left.cmp(right),
    }
}

/// The float nearest to a decimal.
pub(super) fn nearest(decimal: &Decimal) -> Float {
    let text = decimal.to_string();
    Float(text.parse().expect("BUG: a decimal is written as floats are, too"))
}

/// One zero, and one NaN above everything, as among decimals.
fn floats(left: Float, right: Float) -> Ordering {
    left.0.partial_cmp(&right.0).unwrap_or_else(|| left.0.is_nan().cmp(&right.0.is_nan()))
}

/// Rounding to a float never turns an order round, so only where it ends in the same float do the
/// exact digits decide.
fn decimal_float(decimal: &Decimal, float: Float) -> Ordering {
    floats(nearest(decimal), float).then_with(|| {
        if float.0.is_finite() { decimal.cmp_value(&exact(float)) } else { beyond(decimal, float) }
    })
}

/// A finite decimal beyond all floats rounds to an infinity, which it still does not reach.
fn beyond(decimal: &Decimal, float: Float) -> Ordering {
    match decimal {
        Decimal::Finite(_) if float.0 > 0.0 => Ordering::Less,
        Decimal::Finite(_) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// A finite float has at most 1074 digits after its point.
fn exact(float: Float) -> Decimal {
    let text = format!("{:.1074}", float.0);
    text.parse().expect("BUG: a float written out is a decimal")
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_) => 1,
        Value::Text(_) | Value::RawText(_) => 2,
        Value::Bytes(_) => 3,
        _ => 4,
    }
}
