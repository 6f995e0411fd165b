//! PURE: where in the state store everything stands, and its bytes.
//!
//! ```text
//!   0                      the head: up to where, and what the places are
//!   1 place key            what is remembered of a row
//!   2 place group          a number, and the offset of its last change
//!   3 place key            a row that is there but not known; it will be read again
//! ```
//! A table or count has a place, a number that is never given out twice: what is emptied gets a new
//! one, and the old is cleared little by little. `docs/formats/row-memory.md` draws the bytes.

use crate::count::{Group, Memo};
use bytes::Bytes;
use model::codec::Malformed;
use model::codec::memo::{
    put_group, put_key, put_memo, put_offset, read_group, read_key, read_memo, read_offset,
};
use model::{CopyName, CountName, Key, Offset, Pass, Purpose, TableName};
use std::collections::BTreeMap;
use std::mem;

/// The number of a place.
pub(super) type Place = u32;

const HEAD: u8 = 0;
const MEMO: u8 = 1;
const NUMBER: u8 = 2;
const UNSURE: u8 = 3;

/// The first byte of the head. A change of the format takes the next number.
const VERSION: u8 = 1;

/// Up to where state goes, and what it consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Everything up to here is in it.
    pub(super) offset: Offset,
    /// Where it was begun, and once every row is known, where that was.
    pub(super) began: Offset,
    /// What the counts were when it was begun, in words.
    pub(super) definition: String,
    pub(super) next_place: Place,
    pub(super) tables: BTreeMap<TableName, TableHead>,
    pub(super) counts: BTreeMap<CountName, Place>,
    /// Places that are no longer used and not yet cleared.
    pub(super) garbage: Vec<Place>,
}

/// One table of row memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableHead {
    pub(super) place: Place,
    /// How far its rows have been read.
    pub(super) pass: Pass,
}

impl Head {
    /// A head at this offset with nothing behind it; its places come after those of before.
    pub(super) fn new(offset: Offset, definition: String, before: Option<&Head>) -> Self {
        let mut garbage = Vec::new();
        if let Some(before) = before {
            garbage.clone_from(&before.garbage);
            garbage.extend(before.tables.values().map(|table| table.place));
            garbage.extend(before.counts.values());
        }
        let next_place = before.map_or(0, |before| before.next_place);
        let (tables, counts) = (BTreeMap::new(), BTreeMap::new());
        let began = offset.clone();
        Self { offset, began, definition, next_place, tables, counts, garbage }
    }

    /// A place that was never given out.
    pub(super) fn new_place(&mut self) -> Place {
        self.next_place += 1;
        self.next_place - 1
    }
}

pub(super) fn head_key() -> Bytes {
    Bytes::from_static(&[HEAD])
}

pub(super) fn number_key(place: Place, group: &Group) -> Bytes {
    in_place(NUMBER, place, |out| put_group(group.values(), out))
}

pub(super) fn unsure_key(place: Place, key: &Key) -> Bytes {
    in_place(UNSURE, place, |out| put_key(key, out))
}

pub(super) fn numbers_in(place: Place) -> Bytes {
    in_place(NUMBER, place, |_| {})
}

pub(super) fn unsure_in(place: Place) -> Bytes {
    in_place(UNSURE, place, |_| {})
}

/// Everything that stands in a place.
pub(super) fn all_in(place: Place) -> [Bytes; 3] {
    [MEMO, NUMBER, UNSURE].map(|kind| in_place(kind, place, |_| {}))
}

/// Kind and place.
const PLACED_AT: usize = 5;

fn in_place(kind: u8, place: Place, rest: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    bytes_of(|out| {
        put_place(kind, place, out);
        rest(out);
    })
}

fn put_place(kind: u8, place: Place, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&place.to_be_bytes());
}

/// Keys and memos of a batch, one behind the other: there are many, and they are needed no longer
/// than the batch.
#[derive(Default)]
pub(super) struct Slab {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Slab {
    pub(super) fn put_memo_key(&mut self, place: Place, key: &Key) {
        put_place(MEMO, place, &mut self.bytes);
        put_key(key, &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    pub(super) fn put_memo(&mut self, memo: &Memo) {
        put_memo(&memo.offset, &memo.cells, &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// What was put, in its order.
    pub(super) fn pieces(self) -> impl Iterator<Item = Bytes> {
        let (bytes, mut begin) = (Bytes::from(self.bytes), 0);
        self.ends.into_iter().map(move |end| bytes.slice(mem::replace(&mut begin, end)..end))
    }
}

/// Bytes that take no more room than they need: one key or value is small, and there are many.
fn bytes_of(put: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::with_capacity(128);
    put(&mut out);
    Bytes::copy_from_slice(&out)
}

pub(super) fn key_of(bytes: &[u8]) -> Result<Key, Malformed> {
    read_key(bytes.get(PLACED_AT..).unwrap_or_default())
}

pub(super) fn group_of(bytes: &[u8]) -> Result<Group, Malformed> {
    read_group(bytes.get(PLACED_AT..).unwrap_or_default()).map(Group::new)
}

pub(super) fn memo(bytes: &[u8]) -> Result<Memo, Malformed> {
    let (offset, cells) = read_memo(bytes)?;
    Ok(Memo { offset, cells })
}

pub(super) fn number_bytes(number: i64, changed: &Offset) -> Bytes {
    bytes_of(|out| {
        out.extend_from_slice(&number.to_le_bytes());
        put_offset(changed, out);
    })
}

pub(super) fn number(bytes: &[u8]) -> Result<(i64, Offset), Malformed> {
    let short = Malformed { what: "a number is cut short", at: bytes.len() };
    let (number, changed) = bytes.split_first_chunk().ok_or(short)?;
    Ok((i64::from_le_bytes(*number), read_offset(changed)?))
}

pub(super) fn head_bytes(head: &Head) -> Bytes {
    let mut out = vec![VERSION];
    put_piece(&mut out, |out| put_offset(&head.offset, out));
    put_piece(&mut out, |out| put_offset(&head.began, out));
    put_piece(&mut out, |out| out.extend_from_slice(head.definition.as_bytes()));
    put_number(&mut out, head.next_place);
    put_number(&mut out, count(head.tables.len()));
    for (name, table) in &head.tables {
        put_piece(&mut out, |out| out.extend_from_slice(name.as_str().as_bytes()));
        put_number(&mut out, table.place);
        put_pass(&mut out, &table.pass);
    }
    put_number(&mut out, count(head.counts.len()));
    for (name, place) in &head.counts {
        put_piece(&mut out, |out| out.extend_from_slice(name.as_str().as_bytes()));
        put_number(&mut out, *place);
    }
    put_number(&mut out, count(head.garbage.len()));
    head.garbage.iter().for_each(|place| put_number(&mut out, *place));
    out.into()
}

/// Reads a head; nothing if it is none of this version.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let bytes = &mut bytes.strip_prefix(&[VERSION])?;
    let offset = read_offset(piece(bytes)?).ok()?;
    let began = read_offset(piece(bytes)?).ok()?;
    let definition = text(bytes)?.to_owned();
    let mut head = Head { began, next_place: take(bytes)?, ..Head::new(offset, definition, None) };
    for _ in 0..take(bytes)? {
        let name = text(bytes)?.into();
        let table = TableHead { place: take(bytes)?, pass: pass(bytes)? };
        head.tables.insert(name, table);
    }
    for _ in 0..take(bytes)? {
        let name = text(bytes)?.into();
        head.counts.insert(name, take(bytes)?);
    }
    for _ in 0..take(bytes)? {
        head.garbage.push(take(bytes)?);
    }
    bytes.is_empty().then_some(head)
}

fn put_pass(out: &mut Vec<u8>, pass: &Pass) {
    let Pass::Under { began, upto, deleted, .. } = pass else {
        return out.push(0);
    };
    out.push(if upto.is_some() { 2 } else { 1 });
    put_piece(out, |out| put_offset(began, out));
    if let Some(upto) = upto {
        put_piece(out, |out| put_key(upto, out));
    }
    out.extend_from_slice(&deleted.to_le_bytes());
}

/// Row memory is only ever filled: what was lost is begun anew.
fn pass(bytes: &mut &[u8]) -> Option<Pass> {
    let (flag, rest) = bytes.split_first()?;
    *bytes = rest;
    if *flag == 0 {
        return Some(Pass::Done);
    }
    let began = read_offset(piece(bytes)?).ok()?;
    let upto = if *flag == 2 { Some(read_key(piece(bytes)?).ok()?) } else { None };
    let (deleted, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    let deleted = u64::from_le_bytes(*deleted);
    Some(Pass::Under { purpose: Purpose::Fill, began, upto, deleted })
}

fn put_piece(out: &mut Vec<u8>, piece: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    put_number(out, 0);
    piece(out);
    let length = count(out.len() - at - 4);
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

fn piece<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take(bytes)?).ok()?;
    let (piece, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(piece)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(piece(bytes)?).ok()
}

fn put_number(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn take(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("BUG: a head beyond its bounds")
}

/// The name under which row memory asks for a stretch of a table.
pub(super) fn copy_of(table: &TableName) -> CopyName {
    table.as_str().into()
}

#[cfg(test)]
mod tests;
