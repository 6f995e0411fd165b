//! PURE: arrays as JSON that `json_each` can walk, and that reads back as it was.
//!
//! An array of one dimension is a list: `["a", null]`. NULL, booleans, whole numbers and text stand
//! as JSON has them, every other value under the name of its kind: `{"date":"2026-11-21"}`. Any
//! other shape is `{"shape":[[2,1],[3,1]],"elements":[…]}`, each dimension with its length and the
//! index of its first element.
//!
//! Must not know: any JSON but its own.

use super::bits;
use super::scan::Scan;
use super::times;
use model::codec::ARRAY_DEPTH_MAX;
use model::{Array, Dimension, Float, Kind, Value};

/// The array as JSON.
pub(super) fn text(array: &Array) -> String {
    let mut out = String::new();
    put_array(array, &mut out);
    out
}

/// The array of a text that [`text`] gave.
pub(super) fn read(text: &str) -> Option<Array> {
    let scan = &mut Scan::new(text);
    let array = read_array(scan, 0)?;
    scan.end()?;
    Some(array)
}

/// The names under which values stand that JSON lacks.
const KINDS: [(&str, Kind); 11] = [
    ("bytes", Kind::Bytes),
    ("date", Kind::Date),
    ("decimal", Kind::Decimal),
    ("float", Kind::Float),
    ("interval", Kind::Interval),
    ("json", Kind::Json),
    ("time", Kind::Time),
    ("timetz", Kind::TimeTz),
    ("timestamp", Kind::Timestamp),
    ("timestamptz", Kind::TimestampTz),
    ("uuid", Kind::Uuid),
];

fn put_array(array: &Array, out: &mut String) {
    let Array { shape, elements } = array;
    let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
    let is_list = match shape.as_slice() {
        [] => elements.is_empty(),
        [only] => *only == Dimension { length, lower: 1 } && length > 0,
        _ => false,
    };
    if !is_list {
        out.push_str("{\"shape\":");
        put_list(shape, out, |it, out| out.push_str(&format!("[{},{}]", it.length, it.lower)));
        out.push_str(",\"elements\":");
    }
    put_list(elements, out, put_element);
    if !is_list {
        out.push('}');
    }
}

fn put_list<T>(items: &[T], out: &mut String, put: impl Fn(&T, &mut String)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        put(item, out);
    }
    out.push(']');
}

fn put_element(value: &Value, out: &mut String) {
    let (kind, text) = match value {
        Value::Null => return out.push_str("null"),
        Value::Bool(bool) => return out.push_str(if *bool { "true" } else { "false" }),
        Value::Int(int) => return out.push_str(&int.to_string()),
        Value::Text(text) => return put_string(text, out),
        Value::Array(array) => return put_array(array, out),
        Value::Float(Float(float)) => (Kind::Float, format!("{float:?}")),
        // No source of arrays has a text that is not UTF-8.
        Value::Bytes(bytes) | Value::RawText(bytes) => (Kind::Bytes, bits::hex(bytes)),
        Value::Uuid(uuid) => (Kind::Uuid, bits::uuid(uuid)),
        Value::Decimal(decimal) => (Kind::Decimal, decimal.to_string()),
        Value::Json(json) => (Kind::Json, json.to_string()),
        Value::Date(_) => (Kind::Date, timed(value)),
        Value::Time(_) => (Kind::Time, timed(value)),
        Value::TimeTz(..) => (Kind::TimeTz, timed(value)),
        Value::Timestamp(_) => (Kind::Timestamp, timed(value)),
        Value::TimestampTz(_) => (Kind::TimestampTz, timed(value)),
        Value::Interval(_) => (Kind::Interval, timed(value)),
    };
    let name = KINDS.iter().find(|(_, of)| *of == kind).map_or("", |(name, _)| name);
    out.push_str(&format!("{{\"{name}\":"));
    put_string(&text, out);
    out.push('}');
}

fn timed(value: &Value) -> String {
    times::text(value).expect("BUG: a date, a time or a span has a text")
}

fn put_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn read_array(scan: &mut Scan<'_>, depth: usize) -> Option<Array> {
    if depth >= ARRAY_DEPTH_MAX {
        return None;
    }
    if scan.take("{\"shape\":").is_none() {
        let elements = read_list(scan, |scan| read_element(scan, depth))?;
        let length = u32::try_from(elements.len()).ok()?;
        let shape = (length > 0).then_some(Dimension { length, lower: 1 });
        return Some(Array { shape: shape.into_iter().collect(), elements });
    }
    let shape = read_list(scan, |scan| {
        scan.take("[")?;
        let length = scan.number()?.try_into().ok()?;
        scan.take(",")?;
        let lower = scan.number()?.try_into().ok()?;
        scan.take("]")?;
        Some(Dimension { length, lower })
    })?;
    scan.take(",\"elements\":")?;
    let elements = read_list(scan, |scan| read_element(scan, depth))?;
    scan.take("}")?;
    Some(Array { shape, elements })
}

fn read_list<T>(scan: &mut Scan<'_>, read: impl Fn(&mut Scan<'_>) -> Option<T>) -> Option<Vec<T>> {
    scan.take("[")?;
    let mut items = Vec::new();
    while scan.take("]").is_none() {
        if !items.is_empty() {
            scan.take(",")?;
        }
        items.push(read(scan)?);
    }
    Some(items)
}

fn read_element(scan: &mut Scan<'_>, depth: usize) -> Option<Value> {
    for (word, value) in
        [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
    {
        if scan.take(word).is_some() {
            return Some(value);
        }
    }
    match scan.peek()? {
        '"' => read_string(scan).map(|text| Value::Text(text.into())),
        '-' | '0'..='9' => scan.number()?.try_into().ok().map(Value::Int),
        '{' => match read_named(&mut scan.clone(), scan) {
            Some(value) => Some(value),
            None => read_array(scan, depth + 1).map(|array| Value::Array(Box::new(array))),
        },
        _ => read_array(scan, depth + 1).map(|array| Value::Array(Box::new(array))),
    }
}

/// A value under the name of its kind; if it is none, nothing is taken.
fn read_named<'a>(ahead: &mut Scan<'a>, scan: &mut Scan<'a>) -> Option<Value> {
    ahead.take("{")?;
    let name = read_string(ahead)?;
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == name)?;
    ahead.take(":")?;
    let text = read_string(ahead)?;
    ahead.take("}")?;
    let value = match kind {
        Kind::Bytes => Value::Bytes(bits::read_hex(&text)?.into()),
        Kind::Float => Value::Float(Float(text.parse().ok()?)),
        Kind::Decimal => Value::Decimal(text.parse().ok()?),
        Kind::Json => Value::Json(text.into()),
        Kind::Uuid => Value::Uuid(bits::read_uuid(&text)?),
        kind => times::read(*kind, &text)?,
    };
    scan.clone_from(ahead);
    Some(value)
}

fn read_string(scan: &mut Scan<'_>) -> Option<String> {
    scan.take("\"")?;
    let mut text = String::new();
    loop {
        match scan.next()? {
            '"' => return Some(text),
            '\\' => match scan.next()? {
                'u' => {
                    let mut number = 0;
                    for _ in 0..4 {
                        number = number * 16 + scan.next()?.to_digit(16)?;
                    }
                    text.push(char::from_u32(number)?);
                }
                c => text.push(c),
            },
            c => text.push(c),
        }
    }
}
