//! PURE: single values of each kind.

use super::times;
use model::{Decimal, Float, Kind, Value};

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

/// A text as this kind.
pub(super) fn of_text(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Bool => bool(text).map(Value::Bool),
        Kind::Int => text.parse().ok().map(Value::Int),
        Kind::Float => float(text).map(|float| Value::Float(Float(float))),
        Kind::Decimal => text.parse().ok().map(Value::Decimal),
        Kind::Uuid => uuid(text).map(Value::Uuid),
        Kind::Json => Some(Value::Json(text.into())),
        kind => times::read(kind, text),
    }
}

fn bool(text: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "t", "1"]) {
        return Some(true);
    }
    is(["false", "f", "0"]).then_some(false)
}

/// A number so large that it would be rounded to infinity is none.
fn float(text: &str) -> Option<f64> {
    let is_number = text.contains(|c: char| c.is_ascii_digit());
    text.parse().ok().filter(|float: &f64| float.is_finite() == is_number)
}

/// 32 digits in either case, with the four hyphens or without.
fn uuid(text: &str) -> Option<[u8; 16]> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_hyphen = |(at, byte): (usize, u8)| HYPHENS.contains(&at) == (byte == b'-');
    let digits = match text.len() {
        32 => text.to_owned(),
        36 if text.bytes().enumerate().all(is_hyphen) => text.replace('-', ""),
        _ => return None,
    };
    hex(&digits)?.try_into().ok()
}

/// Bytes from two digits each.
pub(super) fn hex(digits: &str) -> Option<Vec<u8>> {
    let half = |digit: u8| char::from(digit).to_digit(16).and_then(|half| u8::try_from(half).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(half(*high)? * 16 + half(*low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(byte).collect()
}
