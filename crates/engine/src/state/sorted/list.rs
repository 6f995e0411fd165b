//! List: which files make up the store. It is replaced whole, so a merge counts at once or not.

use super::folder::sync_names;
use super::trouble::{damaged, disk, full_or};
use super::wire::{checksum, put_varint, take_u32, take_varint};
use model::Fault;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The files of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// The first tail whose writes are not in the sheets; those with the next numbers follow.
    pub(crate) first_tail: u64,
    /// The sheets in the order of their keys: number and length.
    pub(crate) sheets: Vec<(u64, u64)>,
}

/// The name of the list.
pub(crate) const NAME: &str = "list";

/// The name under which a store in which damage was found goes into its next opening.
const BROKEN: &str = "list-broken";

const MAGIC: &[u8; 8] = b"INSTEPSS";
const VERSION: u32 = 1;

impl List {
    /// Reads the list, if there is one.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, Fault> {
        if dir.join(BROKEN).exists() {
            return Err(damaged(dir, "damage was found in it while it was in use"));
        }
        let path = dir.join(NAME);
        match fs::read(&path) {
            Ok(bytes) if newer(&bytes) => Err(damaged(&path, "a newer version wrote it")),
            Ok(bytes) => match parse(&bytes) {
                Some(list) => Ok(Some(list)),
                None => Err(damaged(&path, "it is not what was written")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk("read", &path)(error)),
        }
    }

    /// Puts this list in the place of the one before, durably.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Fault> {
        let path = dir.join("list-new");
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&self.bytes())?;
            file.sync_all()
        });
        written.map_err(full_or("write", &path))?;
        fs::rename(&path, dir.join(NAME)).map_err(disk("rename", &path))?;
        sync_names(dir)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        put_varint(&mut bytes, self.first_tail);
        put_varint(&mut bytes, self.sheets.len() as u64);
        for (number, length) in &self.sheets {
            put_varint(&mut bytes, *number);
            put_varint(&mut bytes, *length);
        }
        let sum = checksum(&[&bytes]);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }
}

/// Makes sure that the next opening moves the store aside. Done as well as it can be: the disk may
/// be what has failed.
pub(crate) fn mark_broken(dir: &Path) {
    let _ = fs::rename(dir.join(NAME), dir.join(BROKEN));
}

fn newer(bytes: &[u8]) -> bool {
    let version = bytes.strip_prefix(MAGIC).and_then(|mut rest| take_u32(&mut rest));
    version.is_some_and(|version| version > VERSION)
}

fn parse(bytes: &[u8]) -> Option<List> {
    let (body, sum) = bytes.split_last_chunk()?;
    if checksum(&[body]) != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = body.strip_prefix(MAGIC)?;
    let rest = &mut rest;
    if take_u32(rest)? != VERSION {
        return None;
    }
    let first_tail = take_varint(rest)?;
    let count = take_varint(rest)?;
    let sheets = (0..count).map(|_| Some((take_varint(rest)?, take_varint(rest)?)));
    let sheets = sheets.collect::<Option<_>>()?;
    rest.is_empty().then_some(List { first_tail, sheets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_as_it_was_and_no_flipped_bit_passes() {
        let list = List { first_tail: 300, sheets: vec![(1, 70_000), (5, u64::MAX)] };
        let bytes = list.bytes();
        assert_eq!(parse(&bytes), Some(list));
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(parse(&flipped).is_none(), "bit {at}");
        }
    }

    #[test]
    fn a_newer_list_is_told_apart() {
        let mut bytes = List { first_tail: 1, sheets: Vec::new() }.bytes();
        assert!(!newer(&bytes));
        bytes[8] = 2;
        assert!(newer(&bytes));
    }
}
