//! Codec: records as bytes, the only bytes that any log ever holds.
//!
//! A record names the tables of its changes by number; the [`Dictionary`] of the file says which
//! table that is, and a table is introduced in a record of its own before its first change.
//! Invariant: what is encoded decodes to an equal record; any other bytes decode to an error, in
//! memory that is a small multiple of their length. `docs/formats/codec.md` draws every byte.
//!
//! Must not know: files, checksums, where a record begins or ends.

mod change;
mod dictionary;
mod malformed;
pub mod memo;
mod offset;
mod record;
mod sorted;
mod table;
mod value;
mod wire;

use crate::entry::{Commit, Placed, Progress, Purpose, Stretch};

use crate::log::StagedPart;
use crate::position::TransactionId;
use change::{changes, put_changes};
use offset::{offset, put_offset};
use std::sync::Arc;
use table::{put_table, table};
use value::{key, put_key};
use wire::{Reader, number_in};

pub use dictionary::Dictionary;
pub use malformed::Malformed;
pub use record::{Adopted, Record};
pub use value::ARRAY_DEPTH_MAX;
pub(crate) use wire::{put_bytes, put_count, put_signed, put_varint};

/// The first byte of every record. A change of the format takes the next number.
pub const VERSION: u8 = 1;

const TABLE: u8 = 0;
const COMMIT: u8 = 1;
const ADOPT: u8 = 2;
const PROGRESS: u8 = 3;
const PLACED: u8 = 4;
const PART: u8 = 5;

/// The number of a purpose is its place here.
const PURPOSES: [Purpose; 4] = [Purpose::Fill, Purpose::Reread, Purpose::Repair, Purpose::Bridge];

/// Appends a record to `out`. The tables of its changes must have been introduced.
pub fn encode(record: &Record, tables: &Dictionary, out: &mut Vec<u8>) {
    out.push(VERSION);
    match record {
        Record::Table { number, table } => {
            out.push(TABLE);
            put_varint((*number).into(), out);
            put_table(table, out);
        }
        Record::Commit(commit, changes) => {
            out.push(COMMIT);
            put_commit(commit, out);
            put_changes(changes, tables, out);
        }
        Record::Adopt(commit, adopted) => {
            out.push(ADOPT);
            put_commit(commit, out);
            put_adopted(adopted, out);
        }
        Record::Progress(progress) => {
            out.push(PROGRESS);
            put_offset(&progress.offset, out);
            put_signed(progress.source_time, out);
        }
        Record::Placed(placed) => {
            out.push(PLACED);
            put_offset(&placed.offset, out);
            put_count(placed.targets.len(), out);
            for target in &placed.targets {
                put_bytes(target.as_str().as_bytes(), out);
            }
            out.push(number_in(&PURPOSES, &placed.purpose));
            put_stretch(placed.stretch.as_ref(), out);
            put_changes(&placed.changes, tables, out);
        }
        Record::Part(part) => {
            out.push(PART);
            put_varint(part.transaction.0, out);
            put_varint(part.sub.0, out);
            put_changes(&part.changes, tables, out);
        }
    }
}

/// Reads a record, which must take all of the bytes.
pub fn decode(bytes: &[u8], tables: &Dictionary) -> Result<Record, Malformed> {
    let reader = &mut Reader::new(bytes);
    match reader.byte()? {
        VERSION => {}
        0 => return Err(reader.malformed("no record has this version")),
        _ => return Err(reader.malformed(Malformed::NEWER)),
    }
    let record = match reader.byte()? {
        TABLE => Record::Table { number: reader.u32()?, table: Arc::new(table(reader)?) },
        COMMIT => Record::Commit(commit(reader)?, changes(tables, reader)?),
        ADOPT => Record::Adopt(commit(reader)?, adopted(reader)?),
        PROGRESS => {
            Record::Progress(Progress { offset: offset(reader)?, source_time: reader.signed()? })
        }
        PLACED => Record::Placed(Placed {
            offset: offset(reader)?,
            targets: reader.list(|reader| Ok(reader.text()?.into()))?,
            purpose: reader.numbered(&PURPOSES)?,
            stretch: stretch(reader)?,
            changes: changes(tables, reader)?,
        }),
        PART => Record::Part(StagedPart {
            transaction: TransactionId(reader.varint()?),
            sub: TransactionId(reader.varint()?),
            changes: changes(tables, reader)?,
        }),
        _ => return Err(reader.malformed("no record is of this kind")),
    };
    reader.end()?;
    Ok(record)
}

fn put_commit(commit: &Commit, out: &mut Vec<u8>) {
    put_offset(&commit.offset, out);
    put_varint(commit.transaction.0, out);
    put_signed(commit.committed_at, out);
}

fn commit(reader: &mut Reader<'_>) -> Result<Commit, Malformed> {
    Ok(Commit {
        offset: offset(reader)?,
        transaction: TransactionId(reader.varint()?),
        committed_at: reader.signed()?,
    })
}

fn put_adopted(adopted: &Adopted, out: &mut Vec<u8>) {
    put_varint(adopted.file, out);
    put_varint(adopted.bytes, out);
    put_varint(adopted.changes, out);
    put_count(adopted.aborted.len(), out);
    for sub in &adopted.aborted {
        put_varint(sub.0, out);
    }
}

fn adopted(reader: &mut Reader<'_>) -> Result<Adopted, Malformed> {
    Ok(Adopted {
        file: reader.varint()?,
        bytes: reader.varint()?,
        changes: reader.varint()?,
        aborted: reader.list(|reader| Ok(TransactionId(reader.varint()?)))?,
    })
}

/// A byte of flags; zero where there is no stretch.
fn put_stretch(stretch: Option<&Stretch>, out: &mut Vec<u8>) {
    let Some(Stretch { copy, began, after, upto, source_is_empty }) = stretch else {
        return out.push(0);
    };
    let flag = |holds, flag| if holds { flag } else { 0 };
    out.push(
        STRETCH
            | flag(after.is_some(), HAS_AFTER)
            | flag(upto.is_some(), HAS_UPTO)
            | flag(*source_is_empty, SOURCE_IS_EMPTY),
    );
    put_bytes(copy.as_str().as_bytes(), out);
    put_offset(began, out);
    for end in [after, upto].into_iter().flatten() {
        put_key(end, out);
    }
}

fn stretch(reader: &mut Reader<'_>) -> Result<Option<Stretch>, Malformed> {
    let flags = reader.byte()?;
    if flags == 0 {
        return Ok(None);
    }
    if flags & STRETCH == 0 || flags >= STRETCH * 2 {
        return Err(reader.malformed("no stretch begins so"));
    }
    let end = |flag, reader: &mut Reader<'_>| match flags & flag {
        0 => Ok(None),
        _ => key(reader).map(Some),
    };
    Ok(Some(Stretch {
        copy: reader.text()?.into(),
        began: offset(reader)?,
        after: end(HAS_AFTER, reader)?,
        upto: end(HAS_UPTO, reader)?,
        source_is_empty: flags & SOURCE_IS_EMPTY != 0,
    }))
}

const HAS_AFTER: u8 = 1;
const HAS_UPTO: u8 = 2;
const SOURCE_IS_EMPTY: u8 = 4;
const STRETCH: u8 = 8;
