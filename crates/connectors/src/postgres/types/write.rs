//! PURE: a value to text, as the server takes it for any type that can hold it.

use super::form::Form;
use super::{array, times};
use model::{Float, Value};
use std::error::Error;
use std::fmt;

/// A value that has bytes which are no text, and so no place in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoText;

impl fmt::Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text that is not UTF-8, which PostgreSQL does not take")
    }
}

impl Error for NoText {}

/// The text of a value for a column of this form; none for NULL.
pub fn write(form: &Form, value: &Value) -> Result<Option<String>, NoText> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::RawText(_) => return Err(NoText),
        Value::Bool(bool) => if *bool { "t" } else { "f" }.to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Float(Float(float)) => float_text(*float),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Text(text) | Value::Json(text) => text.to_string(),
        Value::Bytes(bytes) => format!("\\x{}", hex(bytes)),
        Value::Date(moment) => times::date_text(*moment),
        Value::Time(micros) => times::clock_text(*micros),
        Value::TimeTz(micros, east) => times::clock_text(*micros) + &times::offset_text(*east),
        Value::Timestamp(moment) => times::timestamp_text(*moment, ""),
        Value::TimestampTz(moment) => times::timestamp_text(*moment, "+00"),
        Value::Interval(interval) => times::interval_text(*interval),
        Value::Uuid(uuid) => hex(uuid),
        Value::Array(array) => {
            let (element, delimiter) = match form {
                Form::Array(element, delimiter) => (&**element, *delimiter),
                other => (other, ','),
            };
            let elements = array.elements.iter().map(|it| write(element, it));
            array::text(&array.shape, delimiter, &elements.collect::<Result<Vec<_>, _>>()?)
        }
    }))
}

/// The shortest digits that are this number again.
fn float_text(float: f64) -> String {
    match float {
        float if float.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        float => format!("{float:e}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
