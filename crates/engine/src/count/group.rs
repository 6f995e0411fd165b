//! Group: the values of a count's `by` columns.
//!
//! Invariant: canonical, so that two groups are equal exactly when the source would put their rows
//! together. Text groups are bytewise, exactly as stored. NULL is a value like any other.
//!
//! Must not know: columns, counts.

use model::{Cell, Value};
use std::fmt;

/// The longest text with which a group is shown in an error.
const SHOWN_CHARS_MAX: usize = 120;

/// The values of a count's `by` columns, in the order in which the count names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(Box<[Value]>);

impl Group {
    /// A group of these values.
    pub fn new(values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        Self(values.into_iter().map(|value| value.into().into_canonical()).collect())
    }

    /// The values, canonical.
    pub fn values(&self) -> &[Value] {
        &self.0
    }
}

/// The value by which a cell is grouped; a missing one is NULL. In a column of any kind whole
/// numbers are one however they are stored, as `1` and `1.0` are to a source with such columns.
pub(super) fn grouped(cell: &Cell, any_kind: bool) -> Value {
    match cell {
        Cell::Value(value) if any_kind => value.whole().map_or_else(|| value.clone(), Value::Int),
        Cell::Value(value) => value.clone(),
        Cell::Missing | Cell::Unchanged => Value::Null,
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.0.iter().map(shown).collect();
        let text = format!("({})", shown.join(", "));
        match text.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => write!(f, "{}…", &text[..end]),
            None => f.write_str(&text),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, grouped};
    use model::{Cell, Decimal, Value};

    #[test]
    fn whole_numbers_of_any_kind_are_one_group() {
        let decimal = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
        for value in [Value::Int(7), Value::from(7.0), decimal("7.00")] {
            assert_eq!(grouped(&Cell::Value(value), true), Value::Int(7));
        }
        assert_eq!(grouped(&Cell::from(-0.0), true), Value::Int(0));
        for value in [Value::from(7.5), Value::from(1e300), decimal("1e99"), Value::from("7")] {
            assert_eq!(grouped(&Cell::Value(value.clone()), true), value);
        }
        assert_eq!(grouped(&Cell::Value(decimal("7.00")), false), decimal("7.00"));
    }

    #[test]
    fn a_group_is_shown_shortly() {
        let group = Group::new([Value::Null, Value::Int(3), Value::from("it's")]);
        assert_eq!(group.to_string(), "(null, 3, 'it''s')");
        let long = Group::new([Value::from("é".repeat(500).as_str())]);
        assert!(long.to_string().len() < 300);
    }
}
