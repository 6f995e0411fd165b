//! Canonical: the bytes of a value that are hashed; equal exactly for values that mean the same.
//!
//! Invariant: the bytes of a value tell where they end, so no two sequences of values have the
//! same bytes; kinds have tags of their own, even where their numbers are equal. A change of these
//! bytes makes every stored digest worthless.
//!
//! Must not know: hashes, keys, columns; which kinds a mapping calls equivalent.

use super::json::{self, Json};
use crate::codec::{put_bytes, put_count, put_signed, put_varint};
use crate::decimal::{Decimal, Finite, without_end_zeros};
use crate::value::{Array, Interval, Moment, Value};

const NULL: u8 = 0x00;
const BOOL: u8 = 0x01;
const INT: u8 = 0x02;
const FLOAT: u8 = 0x03;
const DECIMAL: u8 = 0x04;
const TEXT: u8 = 0x05;
const BYTES: u8 = 0x06;
const DATE: u8 = 0x07;
const TIME: u8 = 0x08;
const TIME_TZ: u8 = 0x09;
const TIMESTAMP: u8 = 0x0a;
const TIMESTAMP_TZ: u8 = 0x0b;
const INTERVAL: u8 = 0x0c;
const UUID: u8 = 0x0d;
const JSON: u8 = 0x0e;
/// What was called JSON and is none, or stands too deep to be read.
const JSON_TEXT: u8 = 0x0f;
const ARRAY: u8 = 0x10;

const NEGATIVE_INFINITY: u8 = 0;
const NEGATIVE: u8 = 1;
const ZERO: u8 = 2;
const POSITIVE: u8 = 3;
const POSITIVE_INFINITY: u8 = 4;
const NAN: u8 = 5;

const JSON_NULL: u8 = 0;
const JSON_FALSE: u8 = 1;
const JSON_TRUE: u8 = 2;
const JSON_NUMBER: u8 = 3;
/// A number beyond the limits of a decimal, as it is written.
const JSON_HUGE: u8 = 4;
const JSON_STRING: u8 = 5;
const JSON_ARRAY: u8 = 6;
const JSON_OBJECT: u8 = 7;

/// Appends the canonical bytes of a value.
pub(super) fn put_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(bool) => out.extend([BOOL, u8::from(*bool)]),
        Value::Int(int) => put_tagged(INT, *int, out),
        Value::Float(float) => put_float(float.0, out),
        Value::Decimal(decimal) => {
            out.push(DECIMAL);
            put_decimal(decimal, out);
        }
        Value::Text(text) => put_string(TEXT, text.as_bytes(), out),
        // No other text has these bytes.
        Value::RawText(bytes) => put_string(TEXT, bytes, out),
        Value::Bytes(bytes) => put_string(BYTES, bytes, out),
        Value::Date(moment) => put_moment(DATE, *moment, out),
        Value::Time(micros) => put_tagged(TIME, *micros, out),
        Value::TimeTz(micros, east) => {
            put_tagged(TIME_TZ, *micros, out);
            put_signed((*east).into(), out);
        }
        Value::Timestamp(moment) => put_moment(TIMESTAMP, *moment, out),
        Value::TimestampTz(moment) => put_moment(TIMESTAMP_TZ, *moment, out),
        Value::Interval(Interval { months, days, micros }) => {
            put_tagged(INTERVAL, (*months).into(), out);
            put_signed((*days).into(), out);
            put_signed(*micros, out);
        }
        Value::Uuid(uuid) => {
            out.push(UUID);
            out.extend_from_slice(uuid);
        }
        Value::Json(text) => match json::parse(text) {
            Some(json) => {
                out.push(JSON);
                put_json(&json, out);
            }
            None => put_string(JSON_TEXT, text.as_bytes(), out),
        },
        Value::Array(array) => put_array(array, out),
    }
}

fn put_tagged(tag: u8, number: i64, out: &mut Vec<u8>) {
    out.push(tag);
    put_signed(number, out);
}

fn put_string(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    put_bytes(bytes, out);
}

/// One zero and one NaN, whatever their sign and payload.
fn put_float(float: f64, out: &mut Vec<u8>) {
    let bits = match float {
        0.0 => 0,
        _ if float.is_nan() => 0x7ff8_0000_0000_0000,
        _ => float.to_bits(),
    };
    out.push(FLOAT);
    out.extend_from_slice(&bits.to_le_bytes());
}

fn put_moment(tag: u8, moment: Moment, out: &mut Vec<u8>) {
    match moment {
        Moment::BeforeAll => out.extend([tag, 0]),
        Moment::At(at) => {
            out.extend([tag, 1]);
            put_signed(at, out);
        }
        Moment::AfterAll => out.extend([tag, 2]),
    }
}

fn put_decimal(decimal: &Decimal, out: &mut Vec<u8>) {
    match decimal {
        Decimal::NegativeInfinity => out.push(NEGATIVE_INFINITY),
        Decimal::Finite(finite) if finite.is_zero() => out.push(ZERO),
        Decimal::Finite(finite) => put_finite(finite, out),
        Decimal::PositiveInfinity => out.push(POSITIVE_INFINITY),
        Decimal::NaN => out.push(NAN),
    }
}

/// The digits from the first to the last that is not zero, as a fraction `0.digits`, and the power
/// of ten that it is multiplied by.
fn put_finite(finite: &Finite, out: &mut Vec<u8>) {
    out.push(if finite.is_negative() { NEGATIVE } else { POSITIVE });
    put_signed(finite.whole_digits(), out);
    finite.held_digits().with_ascii(|digits| put_bytes(without_end_zeros(digits), out));
}

fn put_json(json: &Json<'_>, out: &mut Vec<u8>) {
    match json {
        Json::Null => out.push(JSON_NULL),
        Json::Bool(bool) => out.push(if *bool { JSON_TRUE } else { JSON_FALSE }),
        Json::Number(text) => match text.parse() {
            Ok(decimal) => {
                out.push(JSON_NUMBER);
                put_decimal(&decimal, out);
            }
            Err(_) => put_string(JSON_HUGE, text.as_bytes(), out),
        },
        Json::String(text) => put_string(JSON_STRING, text.as_bytes(), out),
        Json::Array(elements) => {
            out.push(JSON_ARRAY);
            put_count(elements.len(), out);
            elements.iter().for_each(|element| put_json(element, out));
        }
        Json::Object(members) => {
            out.push(JSON_OBJECT);
            put_count(members.len(), out);
            for (name, value) in members {
                put_bytes(name.as_bytes(), out);
                put_json(value, out);
            }
        }
    }
}

fn put_array(array: &Array, out: &mut Vec<u8>) {
    out.push(ARRAY);
    put_count(array.shape.len(), out);
    for dimension in &array.shape {
        put_varint(dimension.length.into(), out);
        put_signed(dimension.lower.into(), out);
    }
    put_count(array.elements.len(), out);
    array.elements.iter().for_each(|element| put_value(element, out));
}
