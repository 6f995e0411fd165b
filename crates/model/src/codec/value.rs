//! Values, cells, rows and keys as bytes: a tag, then what the tag calls for.
//!
//! Invariant: a tag means one thing for ever; what follows it never depends on the column.
//!
//! Must not know: tables, changes, records.

use super::malformed::Malformed;
use super::wire::{Reader, put_bytes, put_count, put_signed, put_varint};
use crate::decimal::{Decimal, Digits, Finite};
use crate::row::{Cell, Key, Row};
use crate::value::{Array, Dimension, Float, Interval, Moment, Value};

/// How deep arrays may stand in arrays. Whatever is deeper is handed over as JSON.
pub const ARRAY_DEPTH_MAX: usize = 64;

const NULL: u8 = 0x00;
const FALSE: u8 = 0x01;
const TRUE: u8 = 0x02;
pub(super) const INT: u8 = 0x03;
const FLOAT: u8 = 0x04;
const DECIMAL_SHORT: u8 = 0x05;
const DECIMAL_LONG: u8 = 0x06;
const DECIMAL_NAN: u8 = 0x07;
const DECIMAL_NEGATIVE_INFINITY: u8 = 0x08;
const DECIMAL_POSITIVE_INFINITY: u8 = 0x09;
const TEXT: u8 = 0x0a;
const BYTES: u8 = 0x0b;
const TIME: u8 = 0x0c;
const TIME_TZ: u8 = 0x0d;
const INTERVAL: u8 = 0x0e;
const UUID: u8 = 0x0f;
const JSON: u8 = 0x10;
const ARRAY: u8 = 0x11;
const RAW_TEXT: u8 = 0x12;
/// Three tags from here on for each kind of moment: before all, at, after all.
const DATE: u8 = 0x20;
const TIMESTAMP: u8 = 0x23;
const TIMESTAMP_TZ: u8 = 0x26;
const TIMESTAMP_TZ_LAST: u8 = 0x28;
/// Where a cell may stand; no value has these two.
const MISSING: u8 = 0x30;
const UNCHANGED: u8 = 0x31;

pub(super) fn put_row(row: &Row, out: &mut Vec<u8>) {
    put_cells(&row.0, out);
}

pub(super) fn put_cells(cells: &[Cell], out: &mut Vec<u8>) {
    put_count(cells.len(), out);
    for cell in cells {
        match cell {
            Cell::Value(value) => put_value(value, 0, out),
            Cell::Missing => out.push(MISSING),
            Cell::Unchanged => out.push(UNCHANGED),
        }
    }
}

pub(super) fn row(reader: &mut Reader<'_>) -> Result<Row, Malformed> {
    Ok(Row(cells(reader)?))
}

pub(super) fn cells(reader: &mut Reader<'_>) -> Result<Vec<Cell>, Malformed> {
    let count = reader.count()?;
    let mut cells = Vec::with_capacity(count);
    for _ in 0..count {
        cells.push(match reader.byte()? {
            MISSING => Cell::Missing,
            UNCHANGED => Cell::Unchanged,
            tag => Cell::Value(value(tag, 0, reader)?),
        });
    }
    Ok(cells)
}

pub(super) fn put_key(key: &Key, out: &mut Vec<u8>) {
    put_values(key.values(), out);
}

fn put_values(values: &[Value], out: &mut Vec<u8>) {
    put_count(values.len(), out);
    for value in values {
        put_value(value, 0, out);
    }
}

pub(super) fn key(reader: &mut Reader<'_>) -> Result<Key, Malformed> {
    Ok(Key::new(values(reader)?))
}

fn values(reader: &mut Reader<'_>) -> Result<Vec<Value>, Malformed> {
    let count = reader.count()?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let tag = reader.byte()?;
        values.push(value(tag, 0, reader)?);
    }
    Ok(values)
}

pub(super) fn put_value(value: &Value, depth: usize, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(bool) => out.push(if *bool { TRUE } else { FALSE }),
        Value::Int(int) => put_tagged(INT, *int, out),
        Value::Float(Float(float)) => {
            out.push(FLOAT);
            out.extend_from_slice(&float.to_bits().to_le_bytes());
        }
        Value::Decimal(decimal) => put_decimal(decimal, out),
        Value::Text(text) => put_string(TEXT, text.as_bytes(), out),
        Value::RawText(bytes) => put_string(RAW_TEXT, bytes, out),
        Value::Bytes(bytes) => put_string(BYTES, bytes, out),
        Value::Date(moment) => put_moment(DATE, *moment, out),
        Value::Time(micros) => put_tagged(TIME, *micros, out),
        Value::TimeTz(micros, east) => {
            put_tagged(TIME_TZ, *micros, out);
            put_signed((*east).into(), out);
        }
        Value::Timestamp(moment) => put_moment(TIMESTAMP, *moment, out),
        Value::TimestampTz(moment) => put_moment(TIMESTAMP_TZ, *moment, out),
        Value::Interval(interval) => {
            put_tagged(INTERVAL, interval.months.into(), out);
            put_signed(interval.days.into(), out);
            put_signed(interval.micros, out);
        }
        Value::Uuid(uuid) => {
            out.push(UUID);
            out.extend_from_slice(uuid);
        }
        Value::Json(json) => put_string(JSON, json.as_bytes(), out),
        Value::Array(array) => put_array(array, depth, out),
    }
}

pub(super) fn value(tag: u8, depth: usize, reader: &mut Reader<'_>) -> Result<Value, Malformed> {
    Ok(match tag {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => Value::Int(reader.signed()?),
        FLOAT => Value::Float(Float(f64::from_bits(u64::from_le_bytes(reader.array()?)))),
        DECIMAL_SHORT..=DECIMAL_POSITIVE_INFINITY => Value::Decimal(decimal(tag, reader)?),
        TEXT => Value::Text(reader.text()?.into()),
        BYTES => Value::Bytes(reader.bytes()?.into()),
        TIME => Value::Time(reader.signed()?),
        TIME_TZ => Value::TimeTz(reader.signed()?, reader.i32()?),
        INTERVAL => Value::Interval(Interval {
            months: reader.i32()?,
            days: reader.i32()?,
            micros: reader.signed()?,
        }),
        UUID => Value::Uuid(reader.array()?),
        JSON => Value::Json(reader.text()?.into()),
        RAW_TEXT => match Value::text(reader.bytes()?) {
            raw @ Value::RawText(_) => raw,
            _ => return Err(reader.malformed("a raw text is UTF-8")),
        },
        ARRAY => Value::Array(Box::new(array(depth, reader)?)),
        DATE..TIMESTAMP => Value::Date(moment(tag - DATE, reader)?),
        TIMESTAMP..TIMESTAMP_TZ => Value::Timestamp(moment(tag - TIMESTAMP, reader)?),
        TIMESTAMP_TZ..=TIMESTAMP_TZ_LAST => Value::TimestampTz(moment(tag - TIMESTAMP_TZ, reader)?),
        _ => return Err(reader.malformed("no value has this tag")),
    })
}

fn put_tagged(tag: u8, number: i64, out: &mut Vec<u8>) {
    out.push(tag);
    put_signed(number, out);
}

fn put_string(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    put_bytes(bytes, out);
}

fn put_moment(tags: u8, moment: Moment, out: &mut Vec<u8>) {
    match moment {
        Moment::BeforeAll => out.push(tags),
        Moment::At(at) => put_tagged(tags + 1, at, out),
        Moment::AfterAll => out.push(tags + 2),
    }
}

fn moment(which: u8, reader: &mut Reader<'_>) -> Result<Moment, Malformed> {
    Ok(match which {
        0 => Moment::BeforeAll,
        1 => Moment::At(reader.signed()?),
        _ => Moment::AfterAll,
    })
}

fn put_decimal(decimal: &Decimal, out: &mut Vec<u8>) {
    let finite = match decimal {
        Decimal::NaN => return out.push(DECIMAL_NAN),
        Decimal::NegativeInfinity => return out.push(DECIMAL_NEGATIVE_INFINITY),
        Decimal::PositiveInfinity => return out.push(DECIMAL_POSITIVE_INFINITY),
        Decimal::Finite(finite) => finite,
    };
    let sign = i64::from(finite.is_negative());
    let sign_and_scale = i64::from(finite.scale()) << 1 | sign;
    match finite.held_digits() {
        Digits::Short(digits) => {
            put_tagged(DECIMAL_SHORT, sign_and_scale, out);
            put_varint(*digits, out);
        }
        Digits::Long(digits) => {
            put_tagged(DECIMAL_LONG, sign_and_scale, out);
            put_bytes(digits.as_bytes(), out);
        }
    }
}

fn decimal(tag: u8, reader: &mut Reader<'_>) -> Result<Decimal, Malformed> {
    match tag {
        DECIMAL_NAN => return Ok(Decimal::NaN),
        DECIMAL_NEGATIVE_INFINITY => return Ok(Decimal::NegativeInfinity),
        DECIMAL_POSITIVE_INFINITY => return Ok(Decimal::PositiveInfinity),
        _ => {}
    }
    let sign_and_scale = reader.signed()?;
    let negative = sign_and_scale & 1 == 1;
    let scale = i32::try_from(sign_and_scale >> 1)
        .map_err(|_| reader.malformed("a decimal has an impossible scale"))?;
    let finite = if tag == DECIMAL_SHORT {
        Finite::short(negative, reader.varint()?, scale).ok()
    } else {
        let digits = reader.bytes()?;
        Finite::new(negative, digits, scale).ok().filter(
            |finite| matches!(finite.held_digits(), Digits::Long(held) if held.len() == digits.len()),
        )
    };
    finite.map(Decimal::Finite).ok_or_else(|| reader.malformed("a decimal is not well formed"))
}

fn put_array(array: &Array, depth: usize, out: &mut Vec<u8>) {
    assert!(depth < ARRAY_DEPTH_MAX, "BUG: a source handed over arrays in arrays beyond the limit");
    out.push(ARRAY);
    put_count(array.shape.len(), out);
    for dimension in &array.shape {
        put_varint(dimension.length.into(), out);
        put_signed(dimension.lower.into(), out);
    }
    put_count(array.elements.len(), out);
    for element in &array.elements {
        put_value(element, depth + 1, out);
    }
}

fn array(depth: usize, reader: &mut Reader<'_>) -> Result<Array, Malformed> {
    if depth >= ARRAY_DEPTH_MAX {
        return Err(reader.malformed("arrays stand too deep in arrays"));
    }
    let count = reader.count()?;
    let mut shape = Vec::with_capacity(count);
    for _ in 0..count {
        shape.push(Dimension { length: reader.u32()?, lower: reader.i32()? });
    }
    let count = reader.count()?;
    // Each level may claim all bytes that are left, so what is set aside halves with the depth.
    let mut elements = Vec::with_capacity(count.min(reader.left() >> depth));
    for _ in 0..count {
        let tag = reader.byte()?;
        elements.push(value(tag, depth + 1, reader)?);
    }
    Ok(Array { shape, elements })
}
