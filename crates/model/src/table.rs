//! Tables: what rows look like, in versions.

use crate::position::name;
use crate::row::{Cell, Key, Row};
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
    /// The key of a row, unless a key cell is not there to read.
    pub fn key_of(&self, row: &Row) -> Option<Key> {
        let mut values = Vec::with_capacity(self.key.len());
        for &column in &self.key {
            match row.0.get(column)? {
                Cell::Value(value) => values.push(value.clone()),
                Cell::Missing | Cell::Unchanged => return None,
            }
        }
        Some(Key::new(values))
    }
}
