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
    let mut text = String::new();
    Ok(put(form, value, &mut text)?.then_some(text))
}

/// Writes the text of a value behind what is there; false, and nothing, for NULL.
pub(in crate::postgres) fn put(
    form: &Form,
    value: &Value,
    out: &mut String,
) -> Result<bool, NoText> {
    match value {
        Value::Null => return Ok(false),
        Value::RawText(_) => return Err(NoText),
        Value::Bool(bool) => out.push(if *bool { 't' } else { 'f' }),
        Value::Int(int) => show(out, int),
        Value::Float(Float(float)) => put_float(*float, out),
        Value::Decimal(decimal) => show(out, decimal),
        Value::Text(text) | Value::Json(text) => out.push_str(text),
        Value::Bytes(bytes) => {
            out.push_str("\\x");
            put_hex(bytes, out);
        }
        Value::Date(moment) => out.push_str(&times::date_text(*moment)),
        Value::Time(micros) => out.push_str(&times::clock_text(*micros)),
        Value::TimeTz(micros, east) => {
            out.push_str(&times::clock_text(*micros));
            out.push_str(&times::offset_text(*east));
        }
        Value::Timestamp(moment) => out.push_str(&times::timestamp_text(*moment, "")),
        Value::TimestampTz(moment) => out.push_str(&times::timestamp_text(*moment, "+00")),
        Value::Interval(interval) => out.push_str(&times::interval_text(*interval)),
        Value::Uuid(uuid) => put_hex(uuid, out),
        Value::Array(array) => {
            let (element, delimiter) = match form {
                Form::Array(element, delimiter) => (&**element, *delimiter),
                other => (other, ','),
            };
            let elements = array.elements.iter().map(|it| write(element, it));
            let elements = elements.collect::<Result<Vec<_>, _>>()?;
            out.push_str(&array::text(&array.shape, delimiter, &elements));
        }
    }
    Ok(true)
}

fn show(out: &mut String, value: &impl fmt::Display) {
    let _ = fmt::Write::write_fmt(out, format_args!("{value}"));
}

/// The shortest digits that are this number again.
fn put_float(float: f64, out: &mut String) {
    match float {
        float if float.is_nan() => out.push_str("NaN"),
        f64::INFINITY => out.push_str("Infinity"),
        f64::NEG_INFINITY => out.push_str("-Infinity"),
        float => drop(fmt::Write::write_fmt(out, format_args!("{float:e}"))),
    }
}

fn put_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
