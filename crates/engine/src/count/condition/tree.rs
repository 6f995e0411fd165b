//! Tree: a condition as it was written, down to columns and literals.
//!
//! Must not know: text, tables, rows.

use model::Value;
use std::cmp::Ordering;
use std::sync::Arc;

/// A condition as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// A column or literal that is itself true, false or unknown.
    Truth(Operand),
    /// `a < b`.
    Compare(Operand, Comparison, Operand),
    /// `a [not] in (b, c)`; the list is never empty.
    In { operand: Operand, negated: bool, list: Vec<Operand> },
    /// `a [not] between b and c`.
    Between { operand: Operand, negated: bool, low: Operand, high: Operand },
    /// `a is [not] null`, where `a` may be a condition too.
    Is { tree: Box<Tree>, negated: bool, state: State },
    /// `not a`.
    Not(Box<Tree>),
    /// `a and b`; two or more.
    And(Vec<Tree>),
    /// `a or b`; two or more.
    Or(Vec<Tree>),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A column, by name.
    Column(Arc<str>),
    /// Null, a bool, an integer, a decimal or a text.
    Literal(Value),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What `is` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Null,
    True,
    False,
}

impl Tree {
    /// Names every column, as often as it stands in the condition.
    pub(super) fn for_each_column<'a>(&'a self, found: &mut impl FnMut(&'a Arc<str>)) {
        let mut operand = |operand: &'a Operand| {
            if let Operand::Column(name) = operand {
                found(name);
            }
        };
        match self {
            Tree::Truth(one) => operand(one),
            Tree::Compare(left, _, right) => [left, right].into_iter().for_each(operand),
            Tree::In { operand: one, list, .. } => {
                operand(one);
                list.iter().for_each(operand);
            }
            Tree::Between { operand: one, low, high, .. } => {
                [one, low, high].into_iter().for_each(operand);
            }
            Tree::Is { tree, .. } | Tree::Not(tree) => tree.for_each_column(found),
            Tree::And(trees) | Tree::Or(trees) => {
                for tree in trees {
                    tree.for_each_column(found);
                }
            }
        }
    }
}

impl Comparison {
    /// Whether two values in this order compare so.
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::Unequal => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        }
    }

    /// How it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Unequal => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        }
    }
}

impl State {
    /// How it is written.
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Null => "null",
            State::True => "true",
            State::False => "false",
        }
    }
}
