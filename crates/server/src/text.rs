//! PURE: values as JSON shows them, and the values that a text in a query may stand for.
//!
//! Invariant: the text of a value, as JSON shows it, may stand for that value. A query does not say
//! of which kind it is, so a text stands for every value that is written like it.
//!
//! Must not know: columns, counts, which server a value is from.

pub(crate) mod civil;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Array, Decimal, Float, Interval, Moment, Value};
use serde::de::IgnoredAny;
use serde_json::{Number, Value as Json};

/// A value as JSON shows it: numbers as they are where JSON can hold them exactly, else text.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => Json::from(*int),
        Value::Float(Float(float)) => match Number::from_f64(*float) {
            Some(number) => Json::Number(number),
            None => Json::String(unbounded(*float).to_owned()),
        },
        Value::Decimal(decimal) => Json::String(decimal.to_string()),
        Value::Text(text) | Value::Json(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) | Value::RawText(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::Date(day) => Json::String(moment(*day, civil::write_date)),
        Value::Time(micros) => Json::String(civil::write_time(*micros)),
        Value::TimeTz(micros, east) => {
            Json::String(civil::write_time(*micros) + &civil::write_zone(*east))
        }
        Value::Timestamp(at) => Json::String(moment(*at, civil::write_timestamp)),
        Value::TimestampTz(at) => Json::String(moment(*at, |at| civil::write_timestamp(at) + "Z")),
        Value::Interval(span) => Json::String(write_interval(*span)),
        Value::Uuid(bytes) => Json::String(write_uuid(*bytes)),
        Value::Array(array) => elements(array, &mut array.elements.iter(), 0),
    }
}

/// Every value, but for arrays, that is written like the text. Whole numbers and text come first:
/// they are the likeliest.
pub(crate) fn readings(text: &str) -> Vec<Value> {
    let int = text.parse::<i64>().ok().filter(|int| int.to_string() == text).map(Value::Int);
    let mut found: Vec<_> = int.into_iter().chain([Value::from(text)]).collect();
    let bool = match text {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => None,
    };
    let decimal = text.parse::<Decimal>().ok().map(Value::Decimal);
    let decoded = STANDARD.decode(text).ok();
    let raw_text = decoded.as_deref().map(Value::text);
    let raw_text = raw_text.filter(|text| matches!(text, Value::RawText(_)));
    let bytes = decoded.map(|bytes| Value::Bytes(bytes.into()));
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    let time_tz = || {
        let (local, east) = civil::split_zone(text)?;
        Some(Value::TimeTz(civil::read_time(local)?, east))
    };
    let others = [
        bool,
        decimal,
        read_float(text).map(|float| Value::Float(Float(float))),
        bytes,
        raw_text,
        read_moment(text, civil::read_date).map(Value::Date),
        civil::read_time(text).map(Value::Time),
        time_tz(),
        read_moment(text, civil::read_timestamp).map(Value::Timestamp),
        read_moment(text, civil::read_instant).map(Value::TimestampTz),
        read_interval(text).map(Value::Interval),
        read_uuid(text).map(Value::Uuid),
        is_json.then(|| Value::Json(text.into())),
    ];
    found.extend(others.into_iter().flatten());
    found
}

fn unbounded(float: f64) -> &'static str {
    match float {
        float if float.is_nan() => "NaN",
        float if float > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// A float as numbers are written; not every word that other programs take for one.
fn read_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            text.parse().ok()
        }
        _ => None,
    }
}

fn moment(moment: Moment, write: impl Fn(i64) -> String) -> String {
    match moment {
        Moment::BeforeAll => "-infinity".to_owned(),
        Moment::At(at) => write(at),
        Moment::AfterAll => "infinity".to_owned(),
    }
}

fn read_moment(text: &str, read: impl Fn(&str) -> Option<i64>) -> Option<Moment> {
    match text {
        "-infinity" => Some(Moment::BeforeAll),
        "infinity" => Some(Moment::AfterAll),
        _ => read(text).map(Moment::At),
    }
}

/// As ISO 8601 writes a duration, with every part that there is.
fn write_interval(Interval { months, days, micros }: Interval) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) =
        (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    format!("P{months}M{days}DT{sign}{seconds}.{fraction:06}S")
}

fn read_interval(text: &str) -> Option<Interval> {
    let (months, rest) = text.strip_prefix('P')?.split_once('M')?;
    let (days, rest) = rest.split_once("DT")?;
    let (seconds, fraction) = rest.strip_suffix('S')?.split_once('.')?;
    let is_fraction = fraction.len() == 6 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    // Microseconds are seconds with six more digits, whatever the sign.
    let micros = format!("{seconds}{fraction}").parse().ok().filter(|_| is_fraction)?;
    let interval = Interval { months: months.parse().ok()?, days: days.parse().ok()?, micros };
    (write_interval(interval) == text).then_some(interval)
}

fn write_uuid(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn read_uuid(text: &str) -> Option<[u8; 16]> {
    let hex = text.replace('-', "");
    let number = u128::from_str_radix(&hex, 16).ok()?;
    let bytes = number.to_be_bytes();
    write_uuid(bytes).eq_ignore_ascii_case(text).then_some(bytes)
}

/// The elements of one dimension of an array, nested as deep as it has dimensions.
fn elements<'a>(
    array: &Array,
    rest: &mut impl Iterator<Item = &'a Value>,
    dimension: usize,
) -> Json {
    let Some(here) = array.shape.get(dimension) else { return Json::Array(Vec::new()) };
    let mut found = Vec::new();
    for _ in 0..here.length {
        if dimension + 1 < array.shape.len() {
            found.push(elements(array, rest, dimension + 1));
        } else {
            // A shape may say more than there is.
            let Some(element) = rest.next() else { break };
            found.push(json(element));
        }
    }
    Json::Array(found)
}

#[cfg(test)]
mod tests;
