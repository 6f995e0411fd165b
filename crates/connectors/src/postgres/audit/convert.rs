//! PURE: what the server writes, as a value of the kind that is wanted.

use super::literal;
use super::relation::{Asked, Held};
use crate::postgres::types::{Form, NoValue, read};
use crate::written;
use model::{Decimal, Float, Kind, Moment, Value};

/// The value of a column. What cannot be read as what is wanted comes as it is.
pub(super) fn value(asked: &Asked<'_>, text: Option<&str>) -> Result<Value, NoValue> {
    let Some(text) = text else { return Ok(Value::Null) };
    let own = read(&asked.held.form, text.as_bytes())?;
    Ok(other(asked, &own, text).unwrap_or(own))
}

/// The same for a column of a key. A text comes as it is unless the value is written as just that
/// text: else nothing of it would find its row again, or tell where it lies among others.
pub(super) fn key_value(asked: &Asked<'_>, cell: Option<&str>) -> Result<Value, NoValue> {
    let value = value(asked, cell)?.into_canonical();
    match cell.filter(|_| asked.held.form == Form::Text) {
        Some(cell) if literal::text(&value).as_deref() != Some(cell) => {
            read(&asked.held.form, cell.as_bytes())
        }
        _ => Ok(value),
    }
}

/// A value of another kind that means exactly the same, if there is one.
fn other(asked: &Asked<'_>, own: &Value, text: &str) -> Option<Value> {
    if asked.kind == asked.held.form.kind() {
        return None;
    }
    match (asked.kind, own) {
        (Kind::Decimal, Value::Int(int)) => Some(Value::Decimal(Decimal::from(*int))),
        // The shortest digits that are this float again, as the server writes it.
        (Kind::Decimal, Value::Float(_)) => text.parse().ok().map(Value::Decimal),
        (Kind::Int, Value::Decimal(_) | Value::Float(_)) => own.whole().map(Value::Int),
        (Kind::Float, Value::Int(int)) => exact(*int),
        (Kind::Bool, Value::Int(int @ 0..=1)) => Some(Value::Bool(*int == 1)),
        (Kind::Timestamp, Value::Date(day)) => midnight(*day).map(Value::Timestamp),
        (Kind::Date, Value::Timestamp(moment)) => whole_day(*moment).map(Value::Date),
        (Kind::Text, Value::Bytes(_)) => None,
        (Kind::Text, _) => Some(Value::Text(text.into())),
        (kind, Value::Text(_)) => told(kind, unpadded(asked.held, text)),
        _ => None,
    }
}

/// A text that a column is filled up to says nothing by that.
fn unpadded<'a>(held: &Held, text: &'a str) -> &'a str {
    if held.base.system == "bpchar" { text.trim_end_matches(' ') } else { text }
}

/// What a text says: as others write it, or as the server alone does.
fn told(kind: Kind, text: &str) -> Option<Value> {
    written::read(kind, text).or_else(|| {
        let form = match kind {
            Kind::Bytes => Form::Bytes,
            // These have no end anywhere else.
            Kind::Interval => Form::Interval,
            Kind::Date if text.ends_with(" BC") => Form::Date,
            Kind::TimestampTz if text.ends_with(" BC") => Form::TimestampTz,
            Kind::Timestamp if text.ends_with(" BC") && !has_offset(text) => Form::Timestamp,
            _ => return None,
        };
        read(&form, text.as_bytes()).ok()
    })
}

/// An offset would be taken off, and a time without a zone has none.
fn has_offset(text: &str) -> bool {
    text.split(' ').nth(1).is_none_or(|clock| clock.contains(['+', '-']))
}

fn exact(int: i64) -> Option<Value> {
    #[expect(clippy::cast_precision_loss, reason = "whether it loses any is looked at")]
    let value = Value::Float(Float(int as f64));
    (value.whole() == Some(int)).then_some(value)
}

const DAY: i64 = 86_400_000_000;

fn midnight(day: Moment) -> Option<Moment> {
    match day {
        Moment::At(days) => days.checked_mul(DAY).map(Moment::At),
        end => Some(end),
    }
}

fn whole_day(moment: Moment) -> Option<Moment> {
    match moment {
        Moment::At(micros) if micros % DAY != 0 => None,
        Moment::At(micros) => Some(Moment::At(micros / DAY)),
        end => Some(end),
    }
}
