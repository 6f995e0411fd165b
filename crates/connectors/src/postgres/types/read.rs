//! PURE: text, as the server writes it, to a value.

use super::form::Form;
use super::{array, times};
use model::{Array, Float, Value};
use std::error::Error;
use std::fmt;

/// A text that is none of what its type writes. The text is not shown: it is somebody's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoValue {
    /// What it was to become.
    pub form: Form,
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value that came is no {:?}", self.form)
    }
}

impl Error for NoValue {}

/// The value that the server has written.
pub fn read(form: &Form, bytes: &[u8]) -> Result<Value, NoValue> {
    let text = std::str::from_utf8(bytes).ok();
    // A database without an encoding holds any bytes.
    if text.is_none() && *form == Form::Text {
        return Ok(Value::text(bytes));
    }
    text.and_then(|text| value(form, text)).ok_or_else(|| NoValue { form: form.clone() })
}

fn value(form: &Form, text: &str) -> Option<Value> {
    Some(match form {
        Form::Text => Value::Text(text.into()),
        Form::Int => Value::Int(text.parse().ok()?),
        Form::Bool => match text {
            "t" => Value::Bool(true),
            "f" => Value::Bool(false),
            _ => return None,
        },
        // A narrow float read as a wide one would be another number.
        Form::Float4 => Value::Float(Float(text.parse::<f32>().ok()?.into())),
        Form::Float8 => Value::Float(Float(text.parse().ok()?)),
        Form::Decimal => Value::Decimal(text.parse().ok()?),
        Form::Bytes => Value::Bytes(hex(text.strip_prefix("\\x")?)?.into()),
        Form::Date => moment(text, times::date(text)?, Value::Date),
        Form::Timestamp => moment(text, times::timestamp(text)?, Value::Timestamp),
        Form::TimestampTz => moment(text, times::timestamp(text)?, Value::TimestampTz),
        Form::Time => Value::Time(times::clock(text)?),
        Form::TimeTz => {
            let (micros, east) = times::clock_with_offset(text)?;
            Value::TimeTz(micros, east)
        }
        Form::Interval => Value::Interval(times::interval(text)?),
        Form::Uuid => Value::Uuid(uuid(text)?),
        Form::Json => Value::Json(text.into()),
        Form::Array(element, delimiter) => {
            Value::Array(Box::new(elements(element, *delimiter, text)?))
        }
    })
}

fn elements(element: &Form, delimiter: char, text: &str) -> Option<Array> {
    array::parse(text, delimiter, |text| value(element, text))
}

/// What our numbers do not reach stays the text that it is.
fn moment(text: &str, read: times::Read, value: impl Fn(model::Moment) -> Value) -> Value {
    match read {
        times::Read::Is(moment) => value(moment),
        times::Read::TooFar => Value::Text(text.into()),
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let hyphens = [8, 13, 18, 23];
    let is_shaped = text.len() == 36 && hyphens.iter().all(|&at| text.as_bytes()[at] == b'-');
    is_shaped.then(|| hex(&text.replace('-', "")))??.try_into().ok()
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}
