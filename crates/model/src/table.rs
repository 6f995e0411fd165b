//! Tables: what rows look like, in versions.

use crate::compares::Compares;
use crate::position::name;
use crate::row::{Cell, Key, Row};
use crate::value::Value;
use std::fmt;
use std::sync::Arc;

name! {
    /// A table's name at its source, with its schema where there is one: `public.questions`.
    TableName
}

/// A named set of rows with a key, as it looked from one version of its schema to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The table's name at its source.
    pub name: TableName,
    /// Rises with every change of the columns or the key.
    pub version: u32,
    /// The columns, in the order of a row's cells.
    pub columns: Vec<Column>,
    /// Which columns make the key, in key order. Never empty.
    pub key: Vec<usize>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: Arc<str>,
    /// What kind of values it holds.
    pub kind: Kind,
    /// The type as the source declares it, for making the same table elsewhere.
    pub declared: Arc<str>,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// How its values compare, where the kind alone does not say it.
    pub compares: Compares,
}

/// The kinds of values a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// True or false.
    Bool,
    /// Whole numbers of 64 bits.
    Int,
    /// Binary floating point.
    Float,
    /// Exact decimals of any size.
    Decimal,
    /// Text; also enumerations, ranges and whatever a source knows only as text.
    Text,
    /// Bytes.
    Bytes,
    /// Days.
    Date,
    /// A time of day, without a zone.
    Time,
    /// A time of day with its offset from UTC.
    TimeTz,
    /// A date and time without a zone.
    Timestamp,
    /// An instant.
    TimestampTz,
    /// Months, days and microseconds, which do not convert into each other.
    Interval,
    /// A universally unique identifier.
    Uuid,
    /// JSON, as the source wrote it.
    Json,
    /// An array of any of these.
    Array,
    /// Columns whose rows differ in kind, as in SQLite or a document.
    Any,
}

impl Table {
    /// The names of the key columns, in key order.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|&column| &*self.columns[column].name)
    }

    /// The key of a row, unless a key cell is not there to read.
    pub fn key_of(&self, row: &Row) -> Option<Key> {
        let value = |&column: &usize| match row.0.get(column) {
            Some(Cell::Value(value)) => Some(value),
            Some(Cell::Missing | Cell::Unchanged) | None => None,
        };
        let is_whole = self.key.iter().all(|column| value(column).is_some());
        is_whole.then(|| self.key_from(self.key.iter().filter_map(value).cloned()))
    }

    /// The key of these values of the key columns, in their order. In a column of any kind whole
    /// numbers are one however they are stored, since such a source calls them equal.
    pub fn key_from(&self, values: impl IntoIterator<Item = Value>) -> Key {
        let is_any =
            |&column: &usize| self.columns.get(column).map(|it| it.kind) == Some(Kind::Any);
        let columns = self.key.iter().map(is_any);
        Key::new(columns.zip(values).map(|(is_any, value)| {
            let whole = if is_any { value.whole() } else { None };
            whole.map_or(value, Value::Int)
        }))
    }
}
