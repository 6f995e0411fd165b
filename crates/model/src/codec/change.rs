//! Changes as bytes: the operation, the number of the table, then keys and rows.
//!
//! Must not know: which record the changes belong to.

use super::dictionary::Dictionary;
use super::malformed::Malformed;
use super::value::{key, put_key, put_row, row};
use super::wire::{Reader, put_count, put_varint};
use crate::change::{Change, Op};
use crate::table::Table;
use std::sync::Arc;

const INSERT: u8 = 0;
const UPDATE: u8 = 1;
const DELETE: u8 = 2;
const TRUNCATE: u8 = 3;

/// The least that a change takes: its operation and its table.
const CHANGE_BYTES_MIN: usize = 2;

pub(super) fn put_changes(changes: &[Change], tables: &Dictionary, out: &mut Vec<u8>) {
    put_count(changes.len(), out);
    let mut last: Option<(&Arc<Table>, u32)> = None;
    for change in changes {
        let number = match last {
            Some((table, number)) if Arc::ptr_eq(table, &change.table) => number,
            _ => tables.number_of(&change.table).expect("BUG: a table was not introduced"),
        };
        last = Some((&change.table, number));
        put_change(&change.op, number, out);
    }
}

pub(super) fn changes(
    tables: &Dictionary,
    reader: &mut Reader<'_>,
) -> Result<Vec<Change>, Malformed> {
    let count = reader.count()?;
    let mut changes = Vec::with_capacity(count.min(reader.left() / CHANGE_BYTES_MIN));
    for _ in 0..count {
        changes.push(change(tables, reader)?);
    }
    Ok(changes)
}

fn put_change(op: &Op, table: u32, out: &mut Vec<u8>) {
    let mut head = |op| {
        out.push(op);
        put_varint(table.into(), out);
    };
    match op {
        Op::Insert(row) => {
            head(INSERT);
            put_row(row, out);
        }
        Op::Update { before, row } => {
            head(UPDATE);
            put_key(before, out);
            put_row(row, out);
        }
        Op::Delete(key) => {
            head(DELETE);
            put_key(key, out);
        }
        Op::Truncate => head(TRUNCATE),
    }
}

fn change(tables: &Dictionary, reader: &mut Reader<'_>) -> Result<Change, Malformed> {
    let op = reader.byte()?;
    let number = reader.u32()?;
    let table = tables
        .get(number)
        .ok_or_else(|| reader.malformed("a change names a table that was not introduced"))?;
    let op = match op {
        INSERT => Op::Insert(row(reader)?),
        UPDATE => Op::Update { before: key(reader)?, row: row(reader)? },
        DELETE => Op::Delete(key(reader)?),
        TRUNCATE => Op::Truncate,
        _ => return Err(reader.malformed("no change is of this kind")),
    };
    Ok(Change { table: Arc::clone(table), op })
}
