//! Memo: what row memory keeps beside a log, as bytes: keys, memos, groups and offsets.
//!
//! Each piece begins with its version and takes all of the bytes, since a store keeps it as one key
//! or one value. Invariant: what is written is read back equal, and equal keys or groups have equal
//! bytes; any other bytes are an error. `docs/formats/row-memory.md` draws every byte.
//!
//! Must not know: files, the store, which columns the cells of a memo belong to.

use super::malformed::Malformed;
use super::offset::{self, offset};
use super::sorted::{put_sorted, sorted};
use super::value::{cells, put_cells};
use super::wire::Reader;
use crate::position::Offset;
use crate::row::{Cell, Key};
use crate::value::Value;

/// The first byte of every piece. A change of the format takes the next number.
pub const VERSION: u8 = 1;

/// Appends the key of a row.
pub fn put_key(key: &Key, out: &mut Vec<u8>) {
    put_group(key.values(), out);
}

/// Reads the key of a row.
pub fn read_key(bytes: &[u8]) -> Result<Key, Malformed> {
    read_group(bytes).map(Key::new)
}

/// Appends the values of a group, which must be canonical.
pub fn put_group(group: &[Value], out: &mut Vec<u8>) {
    out.push(VERSION);
    put_sorted(group, out);
}

/// Reads the values of a group; they are canonical, or it is no group.
pub fn read_group(bytes: &[u8]) -> Result<Vec<Value>, Malformed> {
    whole(bytes, |reader| {
        let values = sorted(reader)?;
        if values.iter().all(|value| value.clone().into_canonical() == *value) {
            Ok(values)
        } else {
            Err(reader.malformed("a value is not canonical"))
        }
    })
}

/// Appends what is remembered of a row: the offset of its last change, and cells that are known.
pub fn put_memo(offset: &Offset, cells: &[Cell], out: &mut Vec<u8>) {
    out.push(VERSION);
    offset::put_offset(offset, out);
    put_cells(cells, out);
}

/// Reads what is remembered of a row.
pub fn read_memo(bytes: &[u8]) -> Result<(Offset, Vec<Cell>), Malformed> {
    whole(bytes, |reader| {
        let offset = offset(reader)?;
        let cells = cells(reader)?;
        if cells.contains(&Cell::Unchanged) {
            return Err(reader.malformed("a remembered cell is not known"));
        }
        Ok((offset, cells))
    })
}

/// Appends an offset that is kept by itself.
pub fn put_offset(offset: &Offset, out: &mut Vec<u8>) {
    out.push(VERSION);
    offset::put_offset(offset, out);
}

/// Reads an offset that is kept by itself.
pub fn read_offset(bytes: &[u8]) -> Result<Offset, Malformed> {
    whole(bytes, offset)
}

/// Reads one piece, which must take all of the bytes.
fn whole<T>(
    bytes: &[u8],
    piece: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let reader = &mut Reader::new(bytes);
    match reader.byte()? {
        VERSION => {}
        0 => return Err(reader.malformed("no piece of row memory has this version")),
        _ => return Err(reader.malformed(Malformed::NEWER)),
    }
    let piece = piece(reader)?;
    reader.end()?;
    Ok(piece)
}
