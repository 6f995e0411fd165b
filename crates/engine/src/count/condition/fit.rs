//! What compares with what, and as what: anything else is refused before a row comes.
//!
//! Numbers compare with numbers, text with text, bools with bools; dates, times without a zone,
//! timestamps, instants and UUIDs with their own kind, or with a text literal that is written in
//! the one way for it. Columns of any kind compare with numbers, texts and bools, but where the
//! source has an affinity for them as `affinity.rs` says. Texts compare by their bytes, so columns
//! that do it in another way are refused.
//!
//! Must not know: conditions as a whole, rows.

use super::affinity;
use super::check::{Check, Slot};
use super::compare::nearest;
use super::literal;
use super::misfit::Misfit;
use super::tree::Comparison;
use model::{Affinity, Column, Kind, Value};
use std::sync::Arc;

/// A column with its place, or a literal.
pub(super) enum Found<'a> {
    Column(usize, &'a Column),
    Literal(&'a Value),
}

/// Where its value comes from, as it stands.
pub(super) fn slot(found: &Found<'_>) -> Slot {
    match found {
        Found::Column(place, _) => Slot::Cell(*place),
        Found::Literal(value) => match value {
            Value::Decimal(decimal) => {
                Slot::Fraction { exact: (*value).clone(), nearest: Value::Float(nearest(decimal)) }
            }
            _ => Slot::Literal((*value).clone()),
        },
    }
}

/// The check that compares two.
pub(super) fn compare(
    left: &Found<'_>,
    comparison: Comparison,
    right: &Found<'_>,
) -> Result<Check, Misfit> {
    let (left, right) = match (left, right) {
        (Found::Column(_, column), Found::Literal(value)) => {
            (slot(left), against(column, comparison, value)?)
        }
        (Found::Literal(value), Found::Column(_, column)) => {
            (against(column, comparison, value)?, slot(right))
        }
        (Found::Column(_, one), Found::Column(_, other)) => {
            columns(one, comparison, other)?;
            (slot(left), slot(right))
        }
        (Found::Literal(one), Found::Literal(two)) => {
            literals(one, two)?;
            (slot(left), slot(right))
        }
    };
    Ok(Check::Compare(left, comparison, right))
}

/// Refuses a column in the list of an `in` where the source would give it another affinity there
/// than beside an `=`.
pub(super) fn listed(operand: &Found<'_>, one: &Found<'_>) -> Result<(), Misfit> {
    let Found::Column(_, column) = one else { return Ok(()) };
    let has_affinity =
        |found| matches!(found, &Found::Column(_, it) if it.compares.affinity.is_some());
    if !has_affinity(operand) && !has_affinity(one) {
        return Ok(());
    }
    Err(Misfit {
        column: Some(Arc::clone(&column.name)),
        what: "it stands in the list of an `in`, where its source compares it in a way of its own"
            .to_owned(),
        fix: "write the comparisons one by one, joined by `or`".to_owned(),
    })
}

/// What a literal is beside a column: one that stands for a value of its kind becomes that value.
fn against(column: &Column, comparison: Comparison, literal: &Value) -> Result<Slot, Misfit> {
    if let Some(affinity) = column.compares.affinity {
        let value = affinity::literal(affinity, literal).map_err(|unlike| Misfit {
            column: Some(Arc::clone(&column.name)),
            what: unlike.what,
            fix: unlike.fix,
        })?;
        if matches!(value, Value::Text(_)) {
            by_bytes(column, comparison)?;
        }
        return Ok(Slot::Literal(value));
    }
    match (family(column.kind).ok_or_else(|| opaque(column))?, literal) {
        (Family::Any | Family::Text, Value::Text(_)) => by_bytes(column, comparison)?,
        (_, Value::Null)
        | (Family::Any, _)
        | (Family::Number, Value::Int(_) | Value::Decimal(_))
        | (Family::Bool, Value::Bool(_)) => {}
        (Family::Alone(kind), Value::Text(text)) => {
            let read = literal::read(kind, text);
            return read.map(Slot::Literal).ok_or_else(|| unlike(column, literal));
        }
        _ => return Err(unlike(column, literal)),
    }
    Ok(slot(&Found::Literal(literal)))
}

fn unlike(column: &Column, literal: &Value) -> Misfit {
    let kind = column.kind;
    let (noun, column) = (noun(kind), Some(Arc::clone(&column.name)));
    let against = || format!("{noun} is compared with {}", literal_noun(literal));
    let (what, fix) = match family(kind) {
        Some(Family::Number) => (against(), "write a number without quotes".to_owned()),
        Some(Family::Bool) => (against(), "write true or false".to_owned()),
        Some(Family::Alone(kind)) => {
            let pattern = literal::pattern(kind).unwrap_or("the value");
            (format!("{noun} is compared with what is none"), format!("write it as {pattern}"))
        }
        _ => (against(), "write a text as '…'".to_owned()),
    };
    Misfit { column, what, fix }
}

fn columns(one: &Column, comparison: Comparison, two: &Column) -> Result<(), Misfit> {
    let comparable = match (one.compares.affinity, two.compares.affinity) {
        (Some(affinity), Some(other)) => affinity::compare_alike(affinity, other),
        (None, None) => {
            let family_of = |column: &Column| family(column.kind).ok_or_else(|| opaque(column));
            match (family_of(one)?, family_of(two)?) {
                (Family::Any, Family::Alone(_)) | (Family::Alone(_), Family::Any) => false,
                (Family::Any, _) | (_, Family::Any) => true,
                (one, two) => one == two,
            }
        }
        _ => false,
    };
    if comparable {
        return by_bytes(one, comparison).and_then(|()| by_bytes(two, comparison));
    }
    let what = match one.compares.affinity {
        Some(_) => format!(
            "it is compared with `{}`, where one is declared as numbers and the other is not, so \
             that its texts would be read as numbers",
            two.name
        ),
        None => {
            let (one, other) = (noun(one.kind), noun(two.kind));
            format!("{one} is compared with `{}`, {other}", two.name)
        }
    };
    Err(Misfit {
        column: Some(Arc::clone(&one.name)),
        what,
        fix: "compare columns of one kind, or keep the result in a column of its own".to_owned(),
    })
}

/// Refuses a column whose texts do not compare byte by byte here.
fn by_bytes(column: &Column, comparison: Comparison) -> Result<(), Misfit> {
    let asks_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
    match &column.compares.collation {
        Some(it) if holds_texts(column) && (asks_order || !it.equal_by_bytes) => Err(Misfit {
            column: Some(Arc::clone(&column.name)),
            what: format!("its texts compare as {} does, not byte by byte", it.name),
            fix: "compare a column that is declared without it".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether there can be texts in a column.
pub(crate) fn holds_texts(column: &Column) -> bool {
    matches!(column.kind, Kind::Text | Kind::Any)
}

fn literals(one: &Value, two: &Value) -> Result<(), Misfit> {
    let number = |value: &Value| matches!(value, Value::Int(_) | Value::Decimal(_));
    let alike = *one == Value::Null
        || *two == Value::Null
        || (number(one) && number(two))
        || std::mem::discriminant(one) == std::mem::discriminant(two);
    if !alike {
        return Err(Misfit {
            column: None,
            what: format!("{} is compared with {}", literal_noun(one), literal_noun(two)),
            fix: "compare a column with a literal".to_owned(),
        });
    }
    // No column says how its source compares, so only what all compare alike is let through.
    for value in [one, two] {
        affinity::literal(Affinity::Blob, value).map_err(|unlike| Misfit {
            column: None,
            what: unlike.what,
            fix: unlike.fix,
        })?;
    }
    Ok(())
}

/// Kinds whose values compare with each other.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    Number,
    Text,
    Bool,
    Any,
    /// Only with its own kind.
    Alone(Kind),
}

fn family(kind: Kind) -> Option<Family> {
    match kind {
        Kind::Int | Kind::Float | Kind::Decimal => Some(Family::Number),
        Kind::Text => Some(Family::Text),
        Kind::Bool => Some(Family::Bool),
        Kind::Any => Some(Family::Any),
        Kind::Date | Kind::Time | Kind::Timestamp | Kind::TimestampTz | Kind::Uuid => {
            Some(Family::Alone(kind))
        }
        Kind::TimeTz | Kind::Interval | Kind::Bytes | Kind::Json | Kind::Array => None,
    }
}

fn opaque(column: &Column) -> Misfit {
    Misfit {
        column: Some(Arc::clone(&column.name)),
        what: format!("{} has no order that a condition could use", noun(column.kind)),
        fix: "ask only whether it `is null`, or keep the result in a column of its own".to_owned(),
    }
}

fn literal_noun(literal: &Value) -> &'static str {
    match literal {
        Value::Text(_) => "a text",
        Value::Bool(_) => "true or false",
        _ => "a number",
    }
}

/// What to call a column of this kind.
pub(super) fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "a column of true and false",
        Kind::Int | Kind::Float | Kind::Decimal => "a column of numbers",
        Kind::Text => "a column of texts",
        Kind::Bytes => "a column of bytes",
        Kind::Date => "a column of dates",
        Kind::Time | Kind::TimeTz => "a column of times of day",
        Kind::Timestamp => "a column of timestamps without a zone",
        Kind::TimestampTz => "a column of timestamps with a zone",
        Kind::Interval => "a column of intervals",
        Kind::Uuid => "a column of UUIDs",
        Kind::Json => "a column of JSON",
        Kind::Array => "a column of arrays",
        Kind::Any => "a column of any kind",
    }
}
