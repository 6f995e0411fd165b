//! Sheet: a sorted file that never changes, read a block at a time.
//!
//! Every block is checked against the checksum that the index holds for this very place.

use super::folder::sheet_name;
use super::trouble::{damaged, disk};
use super::wire::{checksum, take_bytes, take_u32, take_u64, take_varint};
use bytes::Bytes;
use model::Fault;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// One sheet, with its index in memory.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) number: u64,
    /// The length of the file.
    pub(crate) bytes: u64,
    path: PathBuf,
    file: File,
    blocks: Vec<Block>,
}

/// One block of a sheet.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its first key.
    pub(crate) first: Box<[u8]>,
    pub(crate) at: u64,
    pub(crate) length: u32,
    pub(crate) checksum: u32,
}

/// The bytes of one block, kept from one call to the next.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    bytes: Vec<u8>,
    /// Which sheet and which block it is.
    from: Option<(u64, usize)>,
    /// Where the last search ended: the next key mostly stands behind it.
    reached: usize,
}

impl Loaded {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.reached..]
    }
}

/// The end of a sheet: where its index begins, the checksum of the index, a mark.
pub(crate) const FOOT_BYTES: usize = 16;
pub(crate) const MARK: &[u8; 4] = b"SHT1";

impl Sheet {
    /// A sheet that was just written.
    pub(crate) fn new(dir: &Path, number: u64, file: File, bytes: u64, blocks: Vec<Block>) -> Self {
        Self { number, bytes, path: dir.join(sheet_name(number)), file, blocks }
    }

    /// Opens a sheet that is on the list.
    pub(crate) fn open(dir: &Path, number: u64, bytes: u64) -> Result<Self, Fault> {
        let path = dir.join(sheet_name(number));
        if !path.exists() {
            return Err(damaged(&path, "it is on the list and not there"));
        }
        let file = File::open(&path).map_err(disk("open", &path))?;
        let length = file.metadata().map_err(disk("open", &path))?.len();
        let foot_at = bytes.checked_sub(FOOT_BYTES as u64);
        let Some(foot_at) = foot_at.filter(|_| length == bytes) else {
            return Err(damaged(&path, "it has not the length that it was written with"));
        };
        let mut foot = [0; FOOT_BYTES];
        file.read_exact_at(&mut foot, foot_at).map_err(disk("read", &path))?;
        let unsound = || damaged(&path, "its index is not what was written");
        let (index_at, sum) = parse_foot(&foot).ok_or_else(unsound)?;
        let length = foot_at.checked_sub(index_at).ok_or_else(unsound)?;
        let mut index = vec![0; usize::try_from(length).map_err(|_| unsound())?];
        file.read_exact_at(&mut index, index_at).map_err(disk("read", &path))?;
        if checksum(&[&index]) != sum {
            return Err(unsound());
        }
        let blocks = parse_index(&index).ok_or_else(unsound)?;
        Ok(Self { number, bytes, path, file, blocks })
    }

    pub(crate) fn first_key(&self) -> &[u8] {
        &self.blocks[0].first
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The value of the key, if the sheet has it.
    pub(crate) fn get(&self, key: &[u8], loaded: &mut Loaded) -> Result<Option<Bytes>, Fault> {
        let Some(block) = self.block_of(key) else {
            return Ok(None);
        };
        self.load(block, loaded)?;
        let begins_behind = self.entry(&mut loaded.rest())?.0 > key;
        if begins_behind {
            loaded.reached = 0;
        }
        let mut rest = loaded.rest();
        while !rest.is_empty() {
            let reached = loaded.bytes.len() - rest.len();
            let (found, value) = self.entry(&mut rest)?;
            let value = (found == key).then(|| Bytes::copy_from_slice(value));
            let is_end = found >= key || rest.is_empty();
            if is_end {
                loaded.reached = reached;
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// The block in which the key is if the sheet has it.
    pub(crate) fn block_of(&self, key: &[u8]) -> Option<usize> {
        self.blocks.partition_point(|block| &*block.first <= key).checked_sub(1)
    }

    /// The bytes of a block, checked.
    pub(crate) fn load<'a>(&self, block: usize, loaded: &'a mut Loaded) -> Result<&'a [u8], Fault> {
        if loaded.from == Some((self.number, block)) {
            return Ok(&loaded.bytes);
        }
        (loaded.from, loaded.reached) = (None, 0);
        let Block { at, length, checksum: sum, .. } = self.blocks[block];
        let length = usize::try_from(length).expect("BUG: a block fits into memory");
        loaded.bytes.resize(length, 0);
        self.file.read_exact_at(&mut loaded.bytes, at).map_err(disk("read", &self.path))?;
        if checksum(&[&loaded.bytes]) != sum {
            return Err(damaged(&self.path, "a block is not what was written"));
        }
        loaded.from = Some((self.number, block));
        Ok(&loaded.bytes)
    }

    /// Takes the next entry of a block.
    pub(crate) fn entry<'a>(&self, rest: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Fault> {
        let entry = take_bytes(rest).and_then(|key| Some((key, take_bytes(rest)?)));
        entry.ok_or_else(|| damaged(&self.path, "a block has half an entry"))
    }
}

/// Where the index begins, and its checksum.
fn parse_foot(foot: &[u8]) -> Option<(u64, u32)> {
    let mut rest = foot;
    let found = (take_u64(&mut rest)?, take_u32(&mut rest)?);
    (rest == MARK).then_some(found)
}

fn parse_index(mut rest: &[u8]) -> Option<Vec<Block>> {
    let (mut blocks, mut at) = (Vec::new(), 0);
    while !rest.is_empty() {
        let first = take_bytes(&mut rest)?.into();
        let length = u32::try_from(take_varint(&mut rest)?).ok()?;
        let checksum = take_u32(&mut rest)?;
        blocks.push(Block { first, at, length, checksum });
        at += u64::from(length);
    }
    // A sheet without entries is never written.
    (!blocks.is_empty()).then_some(blocks)
}
