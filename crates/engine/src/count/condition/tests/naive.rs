//! Naive: a second way to decide a condition, straight from the tree as it was written.
//!
//! False, unknown and true are 0, 1 and 2; `and` is the least, `or` the most. Numbers are compared
//! as the digits in which they are written out.

use super::super::tree::{Comparison, Operand, State, Tree};
use super::{COLUMNS, random};
use model::{Cell, Value};
use std::cmp::Ordering;

const FALSE: u8 = 0;
const UNKNOWN: u8 = 1;
const TRUE: u8 = 2;

/// 0, 1 or 2.
pub(super) fn decide(tree: &Tree, cells: &[Cell]) -> u8 {
    match tree {
        Tree::Truth(operand) => match value(operand, cells) {
            Value::Bool(true) => TRUE,
            Value::Bool(false) => FALSE,
            _ => UNKNOWN,
        },
        Tree::Compare(left, comparison, right) => compare(left, *comparison, right, cells),
        Tree::In { operand, negated, list } => {
            let equal = |one| compare(operand, Comparison::Equal, one, cells);
            turned(*negated, list.iter().map(equal).max().unwrap())
        }
        Tree::Between { operand, negated, low, high } => {
            let low = compare(low, Comparison::AtMost, operand, cells);
            let high = compare(high, Comparison::AtLeast, operand, cells);
            turned(*negated, low.min(high))
        }
        Tree::Is { tree, negated, state } => {
            let holds = match (&**tree, state) {
                (Tree::Truth(operand), State::Null) => value(operand, cells) == Value::Null,
                (tree, State::Null) => decide(tree, cells) == UNKNOWN,
                (tree, State::True) => decide(tree, cells) == TRUE,
                (tree, State::False) => decide(tree, cells) == FALSE,
            };
            if holds == *negated { FALSE } else { TRUE }
        }
        Tree::Not(tree) => turned(true, decide(tree, cells)),
        Tree::And(trees) => trees.iter().map(|tree| decide(tree, cells)).min().unwrap(),
        Tree::Or(trees) => trees.iter().map(|tree| decide(tree, cells)).max().unwrap(),
    }
}

fn turned(negated: bool, truth: u8) -> u8 {
    if negated { 2 - truth } else { truth }
}

fn value(operand: &Operand, cells: &[Cell]) -> Value {
    match operand {
        Operand::Literal(value) => value.clone(),
        Operand::Column(name) => {
            let place = COLUMNS.iter().position(|(column, _)| **column == **name).unwrap();
            match &cells[place] {
                Cell::Value(value) => value.clone(),
                _ => Value::Null,
            }
        }
    }
}

fn compare(left: &Operand, comparison: Comparison, right: &Operand, cells: &[Cell]) -> u8 {
    let (one, two) = (value(left, cells), value(right, cells));
    if one == Value::Null || two == Value::Null {
        return UNKNOWN;
    }
    let (one, two) = (beside(left, &one, &two), beside(right, &two, &one));
    let order = order(&one, &two);
    let holds = match comparison {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::Unequal => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::AtMost => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::AtLeast => order != Ordering::Less,
    };
    if holds { TRUE } else { FALSE }
}

/// What a literal stands for beside a value.
fn beside(operand: &Operand, value: &Value, other: &Value) -> Value {
    match (operand, value, other) {
        (Operand::Literal(_), Value::Decimal(decimal), Value::Float(_)) => {
            Value::from(decimal.to_string().parse::<f64>().unwrap())
        }
        (Operand::Literal(_), Value::Text(text), Value::Date(_)) => random::date(text),
        _ => value.clone(),
    }
}

fn order(one: &Value, two: &Value) -> Ordering {
    match (number(one), number(two)) {
        (Some(one), Some(two)) => numbers(&one, &two),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => match (one, two) {
            (Value::Text(one), Value::Text(two)) => one.as_bytes().cmp(two.as_bytes()),
            (Value::Text(_), _) => Ordering::Less,
            (_, Value::Text(_)) => Ordering::Greater,
            (one, two) => one.cmp(two),
        },
    }
}

/// A number written out, or the name of what is none.
fn number(value: &Value) -> Option<String> {
    match value {
        Value::Bool(bool) => Some(i64::from(*bool).to_string()),
        Value::Int(int) => Some(int.to_string()),
        Value::Decimal(decimal) => Some(decimal.to_string()),
        Value::Float(float) if float.0.is_nan() => Some("NaN".to_owned()),
        Value::Float(float) if float.0 == f64::INFINITY => Some("Infinity".to_owned()),
        Value::Float(float) if float.0 == f64::NEG_INFINITY => Some("-Infinity".to_owned()),
        Value::Float(float) => Some(format!("{:.1100}", float.0)),
        _ => None,
    }
}

fn numbers(one: &str, two: &str) -> Ordering {
    let special = |text: &str| match text {
        "-Infinity" => -1,
        "Infinity" => 1,
        "NaN" => 2,
        _ => 0,
    };
    let (left, right) = (special(one), special(two));
    if left != 0 || right != 0 {
        return left.cmp(&right);
    }
    let (one, two) = (written_out(one), written_out(two));
    match (one.0, two.0) {
        (false, false) => one.1.cmp(&two.1),
        (true, true) => two.1.cmp(&one.1),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// Whether it is below zero, and its digits in a fixed width on both sides of the point.
fn written_out(text: &str) -> (bool, String) {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (whole, zeros) = whole.split_once('e').unwrap_or((whole, "0"));
    let whole = format!("{whole}{}", "0".repeat(zeros.parse().unwrap()));
    let digits = format!("{whole:0>500}.{fraction:0<1200}");
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    (text.starts_with('-') && !is_zero, digits)
}
