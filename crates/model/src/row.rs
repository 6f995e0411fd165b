//! Rows and keys: cells in the order of a table's columns.

use crate::value::Value;

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Box<[Value]>);

impl Key {
    /// A key of these values.
    pub fn new(values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        Self(values.into_iter().map(|value| value.into().into_canonical()).collect())
    }

    /// About how much memory the key takes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|value| value.heap_bytes() + size_of::<Value>()).sum()
    }

    /// The values, canonical.
    pub fn values(&self) -> &[Value] {
        &self.0
    }
}
