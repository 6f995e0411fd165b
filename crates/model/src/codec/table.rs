//! Tables as bytes: everything that a reader needs to make sense of their rows.
//!
//! Must not know: rows, numbers of tables.

use super::malformed::Malformed;
use super::wire::{Reader, number_in, put_bytes, put_count, put_varint};
use crate::compares::{Affinity, Collation, Compares};
use crate::table::{Column, Kind, Table};

/// The number of a kind is its place here.
const KINDS: [Kind; 16] = [
    Kind::Bool,
    Kind::Int,
    Kind::Float,
    Kind::Decimal,
    Kind::Text,
    Kind::Bytes,
    Kind::Date,
    Kind::Time,
    Kind::TimeTz,
    Kind::Timestamp,
    Kind::TimestampTz,
    Kind::Interval,
    Kind::Uuid,
    Kind::Json,
    Kind::Array,
    Kind::Any,
];

/// The number of an affinity is its place here.
const AFFINITIES: [Option<Affinity>; 4] =
    [None, Some(Affinity::Blob), Some(Affinity::Text), Some(Affinity::Numeric)];

/// Texts compare byte by byte.
const BY_BYTES: u8 = 0;
/// Texts are equal by their bytes, but sort otherwise.
const ORDERED: u8 = 1;
/// Texts are equal, and sort, otherwise.
const COLLATED: u8 = 2;

pub(super) fn put_table(table: &Table, out: &mut Vec<u8>) {
    put_bytes(table.name.as_str().as_bytes(), out);
    put_varint(table.version.into(), out);
    put_count(table.columns.len(), out);
    for column in &table.columns {
        put_bytes(column.name.as_bytes(), out);
        out.push(number_in(&KINDS, &column.kind));
        put_bytes(column.declared.as_bytes(), out);
        out.push(column.nullable.into());
        put_compares(&column.compares, out);
    }
    put_count(table.key.len(), out);
    for &column in &table.key {
        put_count(column, out);
    }
}

pub(super) fn table(reader: &mut Reader<'_>) -> Result<Table, Malformed> {
    Ok(Table {
        name: reader.text()?.into(),
        version: reader.u32()?,
        columns: reader.list(column)?,
        key: reader.list(|reader| {
            let column = reader.varint()?;
            usize::try_from(column).map_err(|_| reader.malformed("a table has no such column"))
        })?,
    })
}

fn column(reader: &mut Reader<'_>) -> Result<Column, Malformed> {
    Ok(Column {
        name: reader.text()?.into(),
        kind: reader.numbered(&KINDS)?,
        declared: reader.text()?.into(),
        nullable: match reader.byte()? {
            0 => false,
            1 => true,
            _ => return Err(reader.malformed("neither yes nor no")),
        },
        compares: compares(reader)?,
    })
}

fn put_compares(compares: &Compares, out: &mut Vec<u8>) {
    out.push(number_in(&AFFINITIES, &compares.affinity));
    let Some(collation) = &compares.collation else { return out.push(BY_BYTES) };
    out.push(if collation.equal_by_bytes { ORDERED } else { COLLATED });
    put_bytes(collation.name.as_bytes(), out);
}

fn compares(reader: &mut Reader<'_>) -> Result<Compares, Malformed> {
    let affinity = reader.numbered(&AFFINITIES)?;
    let equal_by_bytes = match reader.byte()? {
        BY_BYTES => return Ok(Compares { collation: None, affinity }),
        ORDERED => true,
        COLLATED => false,
        _ => return Err(reader.malformed("texts do not compare so")),
    };
    let collation = Some(Collation { name: reader.text()?.into(), equal_by_bytes });
    Ok(Compares { collation, affinity })
}
