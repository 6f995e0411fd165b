//! Prints a condition so that reading it again gives the same, with no parentheses but those needed.

use super::token::{Keyword, begins_column, continues_column};
use super::tree::{Operand, Tree};
use model::Value;
use std::fmt::{Formatter, Result, Write};

/// How tightly a tree holds together; one that stands in a tighter place needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Or,
    And,
    Not,
    Is,
    Comparison,
}

/// Writes a condition.
pub(super) fn print(tree: &Tree, f: &mut Formatter<'_>) -> Result {
    within(Bond::Or, tree, f)
}

/// Writes a tree in a place that takes what holds together at least so tightly.
fn within(place: Bond, tree: &Tree, f: &mut Formatter<'_>) -> Result {
    if bond(tree) >= place {
        return bare(tree, f);
    }
    f.write_char('(')?;
    bare(tree, f)?;
    f.write_char(')')
}

fn bond(tree: &Tree) -> Bond {
    match tree {
        Tree::Or(_) => Bond::Or,
        Tree::And(_) => Bond::And,
        Tree::Not(_) => Bond::Not,
        Tree::Is { .. } => Bond::Is,
        Tree::Truth(_) | Tree::Compare(..) | Tree::In { .. } | Tree::Between { .. } => {
            Bond::Comparison
        }
    }
}

fn bare(tree: &Tree, f: &mut Formatter<'_>) -> Result {
    match tree {
        Tree::Truth(one) => operand(one, f),
        Tree::Compare(left, comparison, right) => {
            operand(left, f)?;
            write!(f, " {} ", comparison.symbol())?;
            operand(right, f)
        }
        Tree::In { operand: one, negated, list } => {
            operand(one, f)?;
            write!(f, "{} in (", not(*negated))?;
            for (place, one) in list.iter().enumerate() {
                f.write_str(if place == 0 { "" } else { ", " })?;
                operand(one, f)?;
            }
            f.write_char(')')
        }
        Tree::Between { operand: one, negated, low, high } => {
            operand(one, f)?;
            write!(f, "{} between ", not(*negated))?;
            operand(low, f)?;
            f.write_str(" and ")?;
            operand(high, f)
        }
        Tree::Is { tree, negated, state } => {
            within(Bond::Comparison, tree, f)?;
            write!(f, " is{} {}", not(*negated), state.word())
        }
        Tree::Not(tree) => {
            f.write_str("not ")?;
            within(Bond::Not, tree, f)
        }
        Tree::And(trees) => chain(trees, " and ", Bond::Not, f),
        Tree::Or(trees) => chain(trees, " or ", Bond::And, f),
    }
}

fn chain(trees: &[Tree], joint: &str, place: Bond, f: &mut Formatter<'_>) -> Result {
    for (index, tree) in trees.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { joint })?;
        within(place, tree, f)?;
    }
    Ok(())
}

fn not(negated: bool) -> &'static str {
    if negated { " not" } else { "" }
}

fn operand(operand: &Operand, f: &mut Formatter<'_>) -> Result {
    match operand {
        Operand::Column(name) => column(name, f),
        Operand::Literal(value) => literal(value, f),
    }
}

fn column(name: &str, f: &mut Formatter<'_>) -> Result {
    let is_bare = name.starts_with(begins_column)
        && name.chars().all(continues_column)
        && Keyword::of(name).is_none();
    if is_bare { f.write_str(name) } else { quoted('"', name, f) }
}

fn literal(value: &Value, f: &mut Formatter<'_>) -> Result {
    match value {
        Value::Null => f.write_str("null"),
        Value::Bool(bool) => write!(f, "{bool}"),
        Value::Int(int) => write!(f, "{int}"),
        Value::Decimal(decimal) => write!(f, "{decimal}"),
        Value::Text(text) => quoted('\'', text, f),
        other => unreachable!("BUG: {other:?} was read as a literal"),
    }
}

/// Writes a text between quotes, with each quote inside it doubled.
fn quoted(quote: char, text: &str, f: &mut Formatter<'_>) -> Result {
    f.write_char(quote)?;
    for char in text.chars() {
        f.write_char(char)?;
        if char == quote {
            f.write_char(char)?;
        }
    }
    f.write_char(quote)
}
