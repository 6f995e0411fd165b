//! PURE: what makes two values of a column the same.

use model::decimal::Decimal;
use model::{Float, Moment, Value};
use std::fmt;
use std::str::FromStr;

/// What makes two values of a column the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// They mean the same: `1.0` and `1.00`, either zero, JSON whatever its spaces.
    #[default]
    Exact,
    /// Numbers are the same whether they are kept as whole numbers or not.
    Worth,
    /// Texts are the same without the blanks at their ends.
    Trim,
    /// Floats are the same in 32 bits.
    Single,
    /// Times are the same without what is behind so many digits of a second.
    Digits(u32),
    /// NULL and a value that is not there are the same.
    NullAsMissing,
}
