//! PURE: a text as a value of another kind, in the ways in which people and programs commonly write one.
//!
//! A text is read only if it says exactly that value, so that nothing which is different becomes the same.
//!
//! Must not know: which system the text is from, and how that one writes values itself.

mod times;

use model::{Float, Kind, Value};

/// The value of this kind that a text says; none if it says none, or more than that.
pub(crate) fn read(kind: Kind, text: &str) -> Option<Value> {
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
pub(crate) fn hex(digits: &str) -> Option<Vec<u8>> {
    let half = |digit: u8| char::from(digit).to_digit(16).and_then(|half| u8::try_from(half).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(half(*high)? * 16 + half(*low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(byte).collect()
}
