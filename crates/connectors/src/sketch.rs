//! PURE: a database as a person would describe it who sees it for the first time.

use model::{Fault, Table};
use std::sync::Arc;

/// How much of a database is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SketchBounds {
    /// How many tables are looked at.
    pub tables_max: usize,
    /// How many rows of a table are read to see how its columns are used.
    pub sample_rows_max: u32,
    /// How many rows are counted.
    pub counted_rows_max: u32,
}

/// The tables of a database.
#[derive(Debug)]
pub struct Sketch {
    /// Each of them in the order of their names, Instep's own and the system's left out.
    pub tables: Vec<SketchedTable>,
    /// How many more there are than were looked at.
    pub more: u64,
}

/// A table.
#[derive(Debug)]
pub struct SketchedTable {
    /// Its name.
    pub name: String,
    /// The table as it is followed, or why it can not be.
    pub followed: Result<Arc<Table>, Fault>,
    /// Its rows, as far as they were counted.
    pub rows: u32,
    /// Whether there are more rows than were counted.
    pub has_more_rows: bool,
    /// Its columns; none where it can not be followed.
    pub columns: Vec<SketchedColumn>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SketchedColumn {
    /// Its name.
    pub name: String,
    /// Whether it refers to another table, as the database itself says.
    pub refers: bool,
    /// Whether it is part of the key.
    pub is_key: bool,
    /// How many different values the sample has in it, NULL left out.
    pub distinct: u32,
    /// How many rows of the sample have none in it.
    pub nulls: u32,
    /// How many rows of the sample have a long text or blob in it.
    pub large: u32,
    /// How many rows the sample has.
    pub sampled: u32,
}
