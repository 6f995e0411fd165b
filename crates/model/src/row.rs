//! Rows and keys: cells in the order of a table's columns.

use crate::value::Value;
use std::cmp::Ordering;
use std::{fmt, slice};

/// One column's state in a row. NULL is a value; *missing* and *unchanged* are not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// The column has this value, NULL included.
    Value(Value),
    /// The row has no such field, as a document may.
    Missing,
    /// The source did not say, because the column kept what it had.
    Unchanged,
}

impl<T: Into<Value>> From<T> for Cell {
    fn from(value: T) -> Self {
        Cell::Value(value.into())
    }
}

/// Cells in the order of the table's columns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(pub Vec<Cell>);

impl Row {
    /// A row of these cells.
    pub fn new(cells: impl IntoIterator<Item = impl Into<Cell>>) -> Self {
        Self(cells.into_iter().map(Into::into).collect())
    }

    /// Whether every cell is known.
    pub fn is_complete(&self) -> bool {
        !self.0.contains(&Cell::Unchanged)
    }

    /// About how much memory the row takes.
    pub fn bytes(&self) -> usize {
        let held: usize = self
            .0
            .iter()
            .map(|cell| match cell {
                Cell::Value(value) => value.heap_bytes(),
                Cell::Missing | Cell::Unchanged => 0,
            })
            .sum();
        held + self.0.len() * size_of::<Cell>()
    }

    /// Fills each unchanged cell from an earlier state of the same row.
    pub fn fill_unchanged_from(&mut self, earlier: &Row) {
        for (cell, before) in self.0.iter_mut().zip(&earlier.0) {
            if *cell == Cell::Unchanged {
                cell.clone_from(before);
            }
        }
    }
}

/// The values of a table's key columns, in a form in which two keys are equal exactly when the
/// source calls them equal (`1.0` and `1.00`, `0.0` and `-0.0`).
///
/// Keys sort column by column: whole numbers and floats among each other by what they are worth, as
/// every store does that lets both into one column; other kinds one behind the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Columns);

/// Most keys have one column. There are many of them, and one in its place costs no allocation.
#[derive(Clone, PartialEq, Eq)]
enum Columns {
    One(Value),
    /// Any other number of columns, never one.
    Several(Box<[Value]>),
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Columns::One(one), Columns::One(other)) = (&self.0, &other.0) {
            return compare(one, other);
        }
        let columns = self.values().iter().zip(other.values());
        let first = columns.map(|(one, other)| compare(one, other)).find(|it| it.is_ne());
        first.unwrap_or_else(|| self.values().len().cmp(&other.values().len()))
    }
}
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.values()).finish()
    }
}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Int(int), Value::Float(float)) => compare_mixed(*int, float.0),
        (Value::Float(float), Value::Int(int)) => compare_mixed(*int, float.0).reverse(),
        (Value::Text(text), Value::RawText(bytes)) => text.as_bytes().cmp(bytes),
        (Value::RawText(bytes), Value::Text(text)) => bytes.as_ref().cmp(text.as_bytes()),
        _ => one.cmp(other),
    }
}

/// Exact: a float of 64 bits does not hold every integer, an integer of 128 bits holds the whole
/// part of every float that lies among the integers. What is worth the same is still two values.
fn compare_mixed(int: i64, float: f64) -> Ordering {
    let sign = if float.is_sign_negative() { Ordering::Greater } else { Ordering::Less };
    if float.is_nan() || float.abs() >= INTEGERS_END {
        return sign;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies among the integers")]
    let whole = float.trunc() as i128;
    let beyond = float.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal);
    // The fraction points away from zero, on its own side of the whole part.
    i128::from(int).cmp(&whole).then(beyond.reverse()).then(Ordering::Less)
}

/// From here on every float is beyond every integer.
const INTEGERS_END: f64 = 18_446_744_073_709_551_616.0;

impl Key {
    /// A key of these values.
    pub fn new(values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        let mut values = values.into_iter().map(|value| value.into().into_canonical());
        Self(match (values.next(), values.next()) {
            (Some(one), None) => Columns::One(one),
            (first, second) => {
                Columns::Several(first.into_iter().chain(second).chain(values).collect())
            }
        })
    }

    /// About how much memory the key takes.
    pub fn bytes(&self) -> usize {
        self.values().iter().map(|value| value.heap_bytes() + size_of::<Value>()).sum()
    }

    /// The values, canonical.
    pub fn values(&self) -> &[Value] {
        match &self.0 {
            Columns::One(value) => slice::from_ref(value),
            Columns::Several(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::value::Value;

    #[test]
    fn keys_sort_numbers_by_worth_and_texts_and_bytes_behind_them() {
        let big = 9_007_199_254_740_993; // No float is worth this.
        let sorted = [
            Value::Null,
            Value::from(f64::NEG_INFINITY),
            Value::from(-1e300),
            Value::Int(i64::MIN),
            Value::from(-2.5),
            Value::Int(-2),
            Value::from(-1.5),
            Value::Int(-1),
            Value::from(-0.5),
            Value::Int(0),
            Value::from(0.5),
            Value::Int(1),
            Value::from(1.0),
            Value::from(1.5),
            Value::Int(2),
            Value::Int(big - 1),
            Value::Int(big),
            Value::from(9_007_199_254_740_994.0),
            Value::Int(i64::MAX),
            Value::from(9_223_372_036_854_775_808.0),
            Value::from(1e300),
            Value::from(f64::INFINITY),
            Value::from(""),
            Value::from("9"),
            Value::text(b"9\xff"),
            Value::from("a"),
            Value::text(b"\xff"),
            Value::Bytes([].into()),
        ];
        let keys: Vec<_> = sorted.into_iter().map(|value| Key::new([value])).collect();
        for (at, key) in keys.iter().enumerate() {
            for (other_at, other) in keys.iter().enumerate() {
                assert_eq!(key.cmp(other), at.cmp(&other_at), "{key:?} and {other:?}");
            }
        }
    }
}
