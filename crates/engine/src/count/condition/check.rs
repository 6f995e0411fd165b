//! Check: a condition over cells in a fixed order, ready to decide.
//!
//! Must not know: names of columns, kinds.

use super::compare::order;
use super::tree::{Comparison, State};
use model::{Cell, Value};

/// A condition over cells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Check {
    /// A bool or NULL.
    Truth(Slot),
    /// `a < b`.
    Compare(Slot, Comparison, Slot),
    /// `a is null`.
    IsNull(Slot),
    /// Whether another check is unknown, true or false.
    Is(Box<Check>, State),
    /// `not a`.
    Not(Box<Check>),
    /// All of them.
    And(Vec<Check>),
    /// Any of them.
    Or(Vec<Check>),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Slot {
    /// The cell in this place.
    Cell(usize),
    /// This value.
    Literal(Value),
    /// This decimal, but its nearest float where it meets a float: `0.1` is the float that any
    /// server takes it for there.
    Fraction { exact: Value, nearest: Value },
}

impl Check {
    /// Whether a row counts: what is unknown does not.
    pub(crate) fn is_true(&self, cells: &[Cell]) -> bool {
        self.decide(cells) == Some(true)
    }

    /// True, false, or unknown.
    fn decide(&self, cells: &[Cell]) -> Option<bool> {
        match self {
            Check::Truth(slot) => match slot.value(cells) {
                Value::Bool(bool) => Some(*bool),
                _ => None,
            },
            Check::Compare(left, comparison, right) => {
                let (left, right) = (left.beside(right, cells), right.beside(left, cells));
                let known = *left != Value::Null && *right != Value::Null;
                known.then(|| comparison.holds(order(left, right)))
            }
            Check::IsNull(slot) => Some(*slot.value(cells) == Value::Null),
            Check::Is(check, state) => {
                let decided = check.decide(cells);
                Some(match state {
                    State::Null => decided.is_none(),
                    State::True => decided == Some(true),
                    State::False => decided == Some(false),
                })
            }
            Check::Not(check) => check.decide(cells).map(|decided| !decided),
            Check::And(checks) => strongest(checks, false, cells),
            Check::Or(checks) => strongest(checks, true, cells),
        }
    }
}

/// One that decides the whole is enough; without it, one that is unknown leaves it open.
fn strongest(checks: &[Check], decides: bool, cells: &[Cell]) -> Option<bool> {
    let mut whole = Some(!decides);
    for check in checks {
        match check.decide(cells) {
            Some(decided) if decided == decides => return Some(decides),
            Some(_) => {}
            None => whole = None,
        }
    }
    whole
}

impl Slot {
    /// Its value; a missing cell is NULL.
    fn value<'a>(&'a self, cells: &'a [Cell]) -> &'a Value {
        match self {
            Slot::Cell(place) => match &cells[*place] {
                Cell::Value(value) => value,
                Cell::Missing | Cell::Unchanged => &Value::Null,
            },
            Slot::Literal(value) | Slot::Fraction { exact: value, .. } => value,
        }
    }

    /// Its value where it is compared with that of another.
    fn beside<'a>(&'a self, other: &'a Slot, cells: &'a [Cell]) -> &'a Value {
        match (self, other.value(cells)) {
            (Slot::Fraction { nearest, .. }, Value::Float(_)) => nearest,
            _ => self.value(cells),
        }
    }
}
