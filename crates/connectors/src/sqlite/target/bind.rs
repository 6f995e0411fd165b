//! Binds cells and keys to the parameters of a statement.

use super::layout::Layout;
use super::stored::{Stored, StoredKey, is_unlike_itself};
use model::{Cell, Key, Row, Value};
use rusqlite::{Result, Statement};

/// The written cells of a row, from this parameter on; the next parameter.
pub(super) fn row(
    statement: &mut Statement<'_>,
    first: usize,
    layout: &Layout,
    row: &Row,
) -> Result<usize> {
    let mut next = first;
    for (_, held) in layout.written() {
        let cell = row.0.get(held.place).unwrap_or(&Cell::Missing);
        bind_cell(statement, next, cell, held.is_key)?;
        next += 1;
    }
    Ok(next)
}

/// The cells of these columns, from this parameter on; the next parameter.
pub(super) fn columns(
    statement: &mut Statement<'_>,
    first: usize,
    layout: &Layout,
    (columns, row): (&[usize], &Row),
) -> Result<usize> {
    let mut next = first;
    for &at in columns {
        let held = &layout.columns[at];
        let cell = row.0.get(held.place).unwrap_or(&Cell::Missing);
        bind_cell(statement, next, cell, held.is_key)?;
        next += 1;
    }
    Ok(next)
}

/// The values of a key, from the first parameter on; the next parameter.
pub(super) fn key(statement: &mut Statement<'_>, key: &Key) -> Result<usize> {
    for (at, value) in key.values().iter().enumerate() {
        statement.raw_bind_parameter(at + 1, StoredKey(value))?;
    }
    Ok(key.values().len() + 1)
}

/// What finds a row: the values of its key, and its lane where that is part of the key.
pub(super) fn found(
    statement: &mut Statement<'_>,
    layout: &Layout,
    of: &Key,
    lane: Option<&str>,
) -> Result<()> {
    let next = key(statement, of)?;
    if layout.shard_in_key {
        statement.raw_bind_parameter(next, lane)?;
    }
    Ok(())
}

/// The lane, where rows have one.
pub(super) fn lane(
    statement: &mut Statement<'_>,
    at: usize,
    layout: &Layout,
    lane: &str,
) -> Result<()> {
    if layout.shard.is_some() {
        statement.raw_bind_parameter(at, lane)?;
    }
    Ok(())
}

fn bind_cell(statement: &mut Statement<'_>, at: usize, cell: &Cell, is_key: bool) -> Result<()> {
    match cell {
        Cell::Value(value) if is_key && is_unlike_itself(value) => {
            let canonical: Value = value.clone().into_canonical();
            statement.raw_bind_parameter(at, StoredKey(&canonical))
        }
        cell => statement.raw_bind_parameter(at, Stored(cell)),
    }
}
