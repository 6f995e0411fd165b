//! Resolves a condition against columns, and refuses what can never be compared.
//!
//! All columns can be asked for NULL; what compares with what stands in `fit.rs`.
//!
//! Must not know: counts, rows.

use super::check::Check;
use super::fit::{Found, compare, listed, noun, slot};
use super::misfit::Misfit;
use super::tree::{Comparison, Operand, State, Tree};
use model::{Column, Kind, Value};
use std::sync::Arc;

/// Where each column's cell stands, and what column it is.
pub(crate) type Slots<'a> = dyn Fn(&Arc<str>) -> Result<(usize, &'a Column), Misfit> + 'a;

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
            let equal = |one| {
                let one = found(one, slots)?;
                listed(&operand, &one)?;
                compare(&operand, Comparison::Equal, &one)
            };
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

fn found<'a, 'b: 'a>(operand: &'a Operand, slots: &Slots<'b>) -> Result<Found<'a>, Misfit> {
    Ok(match operand {
        Operand::Literal(value) => Found::Literal(value),
        Operand::Column(name) => {
            let (place, column) = slots(name)?;
            Found::Column(place, column)
        }
    })
}

/// Only a bool is a condition by itself.
fn truth(found: &Found<'_>) -> Result<Check, Misfit> {
    let (column, what) = match found {
        Found::Column(_, Column { kind: Kind::Bool, .. })
        | Found::Literal(Value::Bool(_) | Value::Null) => {
            return Ok(Check::Truth(slot(found)));
        }
        Found::Column(_, column) => {
            let what = format!("{} is not true or false by itself", noun(column.kind));
            (Some(Arc::clone(&column.name)), what)
        }
        Found::Literal(_) => (None, "a number or text is not true or false by itself".to_owned()),
    };
    Err(Misfit { column, what, fix: "compare it with something, as in `… = 1`".to_owned() })
}
