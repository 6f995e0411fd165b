//! Resolves a condition against columns, and refuses what can never be compared.
//!
//! Numbers compare with numbers, text with text, bools with bools; dates, times without a zone,
//! timestamps, instants and UUIDs with their own kind, or with a text literal that is written in
//! the one way for it. Columns of any kind compare with numbers, texts and bools. All columns can be
//! asked for NULL, the rest for nothing else.
//!
//! Must not know: counts, rows.

use super::check::{Check, Slot};
use super::compare::nearest;
use super::literal;
use super::tree::{Comparison, Operand, State, Tree};
use model::{Kind, Value};
use std::sync::Arc;

/// Where each column's cell stands, and of what kind it is.
pub(crate) type Slots<'a> = dyn Fn(&Arc<str>) -> Result<(usize, Kind), Misfit> + 'a;

/// Why a condition does not fit a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The column that it is about.
    pub(crate) column: Option<Arc<str>>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) fix: String,
}

/// The check that a condition stands for.
pub(super) fn resolve(tree: &Tree, slots: &Slots<'_>) -> Result<Check, Misfit> {
    let each = |trees: &[Tree]| -> Result<Vec<_>, Misfit> {
        trees.iter().map(|tree| resolve(tree, slots)).collect()
    };
    Ok(match tree {
        Tree::Truth(operand) => truth(&found(operand, slots)?)?,
        Tree::Compare(left, comparison, right) => {
            compare(&found(left, slots)?, *comparison, &found(right, slots)?)?
        }
        Tree::In { operand, negated, list } => {
            let operand = found(operand, slots)?;
            let equal = |one| compare(&operand, Comparison::Equal, &found(one, slots)?);
            not(*negated, Check::Or(list.iter().map(equal).collect::<Result<_, _>>()?))
        }
        Tree::Between { operand, negated, low, high } => {
            let operand = found(operand, slots)?;
            let low = compare(&operand, Comparison::AtLeast, &found(low, slots)?)?;
            let high = compare(&operand, Comparison::AtMost, &found(high, slots)?)?;
            not(*negated, Check::And(vec![low, high]))
        }
        Tree::Is { tree, negated, state } => {
            let check = match (&**tree, state) {
                (Tree::Truth(operand), State::Null) => Check::IsNull(slot(&found(operand, slots)?)),
                (tree, state) => Check::Is(Box::new(resolve(tree, slots)?), *state),
            };
            not(*negated, check)
        }
        Tree::Not(tree) => not(true, resolve(tree, slots)?),
        Tree::And(trees) => Check::And(each(trees)?),
        Tree::Or(trees) => Check::Or(each(trees)?),
    })
}

fn not(negated: bool, check: Check) -> Check {
    if negated { Check::Not(Box::new(check)) } else { check }
}

/// A column with its place and kind, or a literal.
enum Found<'a> {
    Column(&'a Arc<str>, usize, Kind),
    Literal(&'a Value),
}

fn found<'a>(operand: &'a Operand, slots: &Slots<'_>) -> Result<Found<'a>, Misfit> {
    Ok(match operand {
        Operand::Literal(value) => Found::Literal(value),
        Operand::Column(name) => {
            let (place, kind) = slots(name)?;
            Found::Column(name, place, kind)
        }
    })
}

fn slot(found: &Found<'_>) -> Slot {
    match found {
        Found::Column(_, place, _) => Slot::Cell(*place),
        Found::Literal(value) => match value {
            Value::Decimal(decimal) => {
                Slot::Fraction { exact: (*value).clone(), nearest: Value::Float(nearest(decimal)) }
            }
            _ => Slot::Literal((*value).clone()),
        },
    }
}

/// Only a bool is a condition by itself.
fn truth(found: &Found<'_>) -> Result<Check, Misfit> {
    let (column, what) = match found {
        Found::Column(_, _, Kind::Bool) | Found::Literal(Value::Bool(_) | Value::Null) => {
            return Ok(Check::Truth(slot(found)));
        }
        Found::Column(name, _, kind) => {
            (Some(Arc::clone(name)), format!("{} is not true or false by itself", noun(*kind)))
        }
        Found::Literal(_) => (None, "a number or text is not true or false by itself".to_owned()),
    };
    Err(Misfit { column, what, fix: "compare it with something, as in `… = 1`".to_owned() })
}

fn compare(left: &Found<'_>, comparison: Comparison, right: &Found<'_>) -> Result<Check, Misfit> {
    let (left, right) = match (left, right) {
        (Found::Column(name, _, kind), Found::Literal(value)) => {
            (slot(left), against(name, *kind, value)?.unwrap_or_else(|| slot(right)))
        }
        (Found::Literal(value), Found::Column(name, _, kind)) => {
            (against(name, *kind, value)?.unwrap_or_else(|| slot(left)), slot(right))
        }
        (Found::Column(name, _, one), Found::Column(other, _, two)) => {
            columns((name, *one), (other, *two))?;
            (slot(left), slot(right))
        }
        (Found::Literal(one), Found::Literal(two)) => {
            literals(one, two)?;
            (slot(left), slot(right))
        }
    };
    Ok(Check::Compare(left, comparison, right))
}

/// Checks a literal that is compared with a column; one that stands for a value of the column's
/// kind becomes that value.
fn against(name: &Arc<str>, kind: Kind, literal: &Value) -> Result<Option<Slot>, Misfit> {
    let column = Some(Arc::clone(name));
    let family = family(kind).ok_or_else(|| opaque(name, kind))?;
    match (family, literal) {
        (_, Value::Null)
        | (Family::Any, _)
        | (Family::Number, Value::Int(_) | Value::Decimal(_))
        | (Family::Text, Value::Text(_))
        | (Family::Bool, Value::Bool(_)) => Ok(None),
        (Family::Alone(kind), literal) => {
            let read = match literal {
                Value::Text(text) => literal::read(kind, text),
                _ => None,
            };
            let fix = || {
                let pattern = literal::pattern(kind).unwrap_or("the value");
                format!("write it as {pattern}")
            };
            let what = format!("{} is compared with what is none", noun(kind));
            read.map(|value| Some(Slot::Literal(value))).ok_or_else(|| Misfit {
                column,
                what,
                fix: fix(),
            })
        }
        (family, literal) => Err(Misfit {
            column,
            what: format!("{} is compared with {}", noun(kind), literal_noun(literal)),
            fix: match family {
                Family::Number => "write a number without quotes".to_owned(),
                Family::Bool => "write true or false".to_owned(),
                _ => "write a text as '…'".to_owned(),
            },
        }),
    }
}

fn columns(one: (&Arc<str>, Kind), two: (&Arc<str>, Kind)) -> Result<(), Misfit> {
    let family_of = |(name, kind)| family(kind).ok_or_else(|| opaque(name, kind));
    let comparable = match (family_of(one)?, family_of(two)?) {
        (Family::Any, Family::Alone(_)) | (Family::Alone(_), Family::Any) => false,
        (Family::Any, _) | (_, Family::Any) => true,
        (one, two) => one == two,
    };
    if comparable {
        return Ok(());
    }
    Err(Misfit {
        column: Some(Arc::clone(one.0)),
        what: format!("{} is compared with `{}`, {}", noun(one.1), two.0, noun(two.1)),
        fix: "compare columns of one kind, or keep the result in a column of its own".to_owned(),
    })
}

fn literals(one: &Value, two: &Value) -> Result<(), Misfit> {
    let number = |value: &Value| matches!(value, Value::Int(_) | Value::Decimal(_));
    let alike = *one == Value::Null
        || *two == Value::Null
        || (number(one) && number(two))
        || std::mem::discriminant(one) == std::mem::discriminant(two);
    if alike {
        return Ok(());
    }
    Err(Misfit {
        column: None,
        what: format!("{} is compared with {}", literal_noun(one), literal_noun(two)),
        fix: "compare a column with a literal".to_owned(),
    })
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

fn opaque(name: &Arc<str>, kind: Kind) -> Misfit {
    Misfit {
        column: Some(Arc::clone(name)),
        what: format!("{} has no order that a condition could use", noun(kind)),
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
