//! PURE: values on their way into a column of a copy, and back in the kind that they have at their
//! source.

use super::layout::{Held, Layout};
use crate::postgres::trouble::Trouble;
use crate::postgres::types::{Form, put, read};
use model::{Cell, Decimal, Float, Key, Kind, Row, Value};

/// What a row has that no column of PostgreSQL takes.
pub(super) type Untakable = &'static str;

/// Writes the text of a cell behind what is there; false, and nothing, for NULL. A field that the
/// row lacks is NULL here.
pub(super) fn put_cell(held: &Held, cell: &Cell, out: &mut String) -> Result<bool, Untakable> {
    match cell {
        Cell::Value(value) => put_value(held, value, out),
        Cell::Missing | Cell::Unchanged => Ok(false),
    }
}

/// Writes the text of a value behind what is there; false, and nothing, for NULL.
pub(super) fn put_value(held: &Held, value: &Value, out: &mut String) -> Result<bool, Untakable> {
    let begin = out.len();
    let is_there = match (&held.form, value) {
        (_, Value::Null) => false,
        (Form::Text, Value::Uuid(uuid)) => {
            put_uuid(uuid, out);
            true
        }
        (form, value) if held.kind == Kind::Any => put_any(form, value, out)?,
        (Form::Array(element, _), Value::Array(array)) if !are_of(element, &array.elements) => {
            return Err("elements are of another kind than its column's here");
        }
        (form, value) => put(form, value, out).map_err(|_| NO_TEXT)?,
    };
    // What is too long by blanks alone would lose them, and no word said.
    let too_long = |max: usize| out[begin..].ends_with(' ') && out[begin..].chars().count() > max;
    if is_there && held.letters_max.is_some_and(too_long) {
        return Err("a text is longer than its column here, by blanks");
    }
    // Nothing but texts can have one.
    if is_there && matches!(held.form, Form::Text | Form::Json | Form::Array(..)) {
        let has_zero = out.as_bytes()[begin..].contains(&0);
        return if has_zero {
            Err("a text has a zero byte, which PostgreSQL does not take")
        } else {
            Ok(true)
        };
    }
    Ok(is_there)
}

/// Whether these elements come back as what they are from an array of a form.
fn are_of(form: &Form, elements: &[Value]) -> bool {
    let is_of = |element: &Value| match (form, element) {
        (_, Value::Null)
        | (Form::Bool, Value::Bool(_))
        | (Form::Int, Value::Int(_))
        | (Form::Float4 | Form::Float8, Value::Float(_))
        | (Form::Decimal, Value::Decimal(_))
        | (Form::Text, Value::Text(_) | Value::RawText(_))
        | (Form::Bytes, Value::Bytes(_))
        | (Form::Date, Value::Date(_))
        | (Form::Time, Value::Time(_))
        | (Form::TimeTz, Value::TimeTz(..))
        | (Form::Timestamp, Value::Timestamp(_) | Value::Text(_))
        | (Form::TimestampTz, Value::TimestampTz(_) | Value::Text(_))
        | (Form::Interval, Value::Interval(_))
        | (Form::Uuid, Value::Uuid(_))
        | (Form::Json, Value::Json(_)) => true,
        (Form::Array(form, _), Value::Array(array)) => are_of(form, &array.elements),
        _ => false,
    };
    elements.iter().all(is_of)
}

const NO_TEXT: Untakable = "a text is not UTF-8, which PostgreSQL does not take";

/// A column of any kind comes from a store that decides by value; here it has one kind, and what is
/// of another would not come back as it was.
fn put_any(form: &Form, value: &Value, out: &mut String) -> Result<bool, Untakable> {
    let suits = match (form, value) {
        (Form::Int | Form::Decimal, Value::Int(_))
        | (Form::Float8, Value::Float(_))
        | (Form::Bool, Value::Int(0 | 1))
        | (Form::Text, Value::Text(_) | Value::RawText(_))
        | (Form::Bytes, Value::Bytes(_)) => true,
        (Form::Decimal, Value::Float(Float(float))) => float.is_finite() && float.fract() != 0.0,
        _ => false,
    };
    match suits {
        true => put(form, value, out).map_err(|_| NO_TEXT),
        false => Err("a value is of another kind than its column here"),
    }
}

fn put_uuid(uuid: &[u8; 16], out: &mut String) {
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
}

/// The text of each value of a key, in key order.
pub(super) fn key_texts(layout: &Layout, key: &Key) -> Result<Vec<Option<String>>, Untakable> {
    let text = |(held, value): (&Held, &Value)| {
        let mut text = String::new();
        Ok(put_value(held, value, &mut text)?.then_some(text))
    };
    layout.key_columns().zip(key.values()).map(text).collect()
}

/// A value as the source would show it; one that is none of its kind comes as the server has it, so
/// that what somebody else wrote there is seen and not hidden.
pub(super) fn value(held: &Held, text: Option<&str>) -> Result<Value, Trouble> {
    let Some(text) = text else { return Ok(Value::Null) };
    let here =
        || read(&held.form, text.as_bytes()).map_err(|wrong| Trouble::malformed(wrong.to_string()));
    Ok(match (held.kind, &held.form) {
        (Kind::Any, Form::Bool) => Value::Int((text == "t").into()),
        (Kind::Any, Form::Decimal) => any_number(text).map_or_else(here, Ok)?,
        (Kind::Int, Form::Decimal) => match text.parse::<Decimal>() {
            Ok(decimal) => match Value::Decimal(decimal).whole() {
                Some(int) => Value::Int(int),
                // Somebody else's fraction sorts among integers as a float does.
                None => text.parse().map_or_else(|_| here(), |it: f64| Ok(Value::from(it)))?,
            },
            Err(_) => here()?,
        },
        (kind, Form::Text) => match of_kind(kind) {
            Some(form) => read(&form, text.as_bytes()).or_else(|_| here())?,
            None => here()?,
        },
        _ => here()?,
    })
}

/// The number as a store keeps it that has whole numbers and floats.
fn any_number(text: &str) -> Option<Value> {
    if let Ok(int) = text.parse::<i64>() {
        return Some(Value::Int(int));
    }
    let whole = text.parse::<Decimal>().ok().and_then(|it| Value::Decimal(it).whole());
    whole.map(Value::Int).or_else(|| text.parse::<f64>().ok().map(Value::from))
}

/// What a text stands for, of a kind that may be kept as text.
fn of_kind(kind: Kind) -> Option<Form> {
    Some(match kind {
        Kind::Int => Form::Int,
        Kind::Decimal => Form::Decimal,
        Kind::Date => Form::Date,
        Kind::Time => Form::Time,
        Kind::TimeTz => Form::TimeTz,
        Kind::Timestamp => Form::Timestamp,
        Kind::TimestampTz => Form::TimestampTz,
        Kind::Interval => Form::Interval,
        Kind::Uuid => Form::Uuid,
        Kind::Json => Form::Json,
        Kind::Bool | Kind::Float | Kind::Text | Kind::Bytes | Kind::Array | Kind::Any => {
            return None;
        }
    })
}

/// The row of these cells, which are those of the layout's columns, as the source would have it. A
/// column that the copy lacks is missing.
pub(super) fn row(layout: &Layout, cells: &[Option<String>]) -> Result<(Key, Row), Trouble> {
    if cells.len() != layout.columns.len() {
        return Err(Trouble::malformed("a row has more or fewer cells than were asked for"));
    }
    let mut row = Row(vec![Cell::Missing; layout.table.columns.len()]);
    for (held, cell) in layout.columns.iter().zip(cells) {
        row.0[held.place] = Cell::Value(value(held, cell.as_deref())?);
    }
    let key = layout.table.key_of(&row);
    Ok((key.ok_or_else(|| Trouble::malformed("a row has no key"))?, row))
}
