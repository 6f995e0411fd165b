//! Pack: writes sorted entries into as many sheets as they need.

use super::folder::sheet_name;
use super::sheet::{Block, MARK, Sheet};
use super::trouble::full_or;
use super::wire::{checksum, put_bytes, put_varint};
use model::Fault;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Sheets that are being written. What is not finished counts for nothing, and is swept away.
#[derive(Debug)]
pub(crate) struct Pack<'a> {
    dir: &'a Path,
    sheet_bytes_max: u64,
    /// The number of the next sheet.
    next: u64,
    open: Option<Open>,
    block: Vec<u8>,
    first: Vec<u8>,
    done: Vec<Sheet>,
}

/// The sheet that takes blocks.
#[derive(Debug)]
struct Open {
    number: u64,
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    blocks: Vec<Block>,
}

/// The length from which on a block is closed: about one page, since a single row costs a whole
/// block to read.
const BLOCK_BYTES: usize = 4_000;
const BUFFER_BYTES: usize = 1 << 20;

impl<'a> Pack<'a> {
    pub(crate) fn new(dir: &'a Path, sheet_bytes_max: u64, next: u64) -> Self {
        let (block, first) = (Vec::new(), Vec::new());
        Self { dir, sheet_bytes_max, next, open: None, block, first, done: Vec::new() }
    }

    /// Appends an entry, whose key is above the one before it.
    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        if self.block.is_empty() {
            self.first.clear();
            self.first.extend_from_slice(key);
        }
        put_bytes(&mut self.block, key);
        put_bytes(&mut self.block, value);
        if self.block.len() < BLOCK_BYTES { Ok(()) } else { self.close_block() }
    }

    /// Closes the sheet that is open; the next entry begins another one.
    pub(crate) fn cut(&mut self) -> Result<(), Fault> {
        if !self.block.is_empty() {
            self.close_block()?;
        }
        match self.open.take() {
            Some(open) => {
                self.done.push(open.finish(self.dir)?);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The sheets that were finished since the last call.
    pub(crate) fn take(&mut self) -> Vec<Sheet> {
        std::mem::take(&mut self.done)
    }

    fn close_block(&mut self) -> Result<(), Fault> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                self.next += 1;
                Open::create(self.dir, self.next - 1)?
            }
        };
        let open = self.open.insert(open);
        open.write(&self.block)?;
        let length = u32::try_from(self.block.len()).expect("BUG: an entry of four gigabytes");
        let first = self.first.as_slice().into();
        let checksum = checksum(&[&self.block]);
        open.blocks.push(Block { first, at: open.bytes, length, checksum });
        open.bytes += u64::from(length);
        self.block.clear();
        if open.bytes < self.sheet_bytes_max { Ok(()) } else { self.cut() }
    }
}

impl Open {
    fn create(dir: &Path, number: u64) -> Result<Self, Fault> {
        let path = dir.join(sheet_name(number));
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(full_or("create", &path))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { number, path, file, bytes: 0, blocks: Vec::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file.write_all(bytes).map_err(full_or("write", &self.path))
    }

    /// Appends the index and makes the file durable; its name is made so with the list.
    fn finish(mut self, dir: &Path) -> Result<Sheet, Fault> {
        let mut index = Vec::new();
        for block in &self.blocks {
            put_bytes(&mut index, &block.first);
            put_varint(&mut index, u64::from(block.length));
            index.extend_from_slice(&block.checksum.to_le_bytes());
        }
        let sum = checksum(&[&index]);
        index.extend_from_slice(&self.bytes.to_le_bytes());
        index.extend_from_slice(&sum.to_le_bytes());
        index.extend_from_slice(MARK);
        self.write(&index)?;
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error);
        let file = file.and_then(|file| file.sync_all().map(|()| file));
        let file = file.map_err(full_or("write", &self.path))?;
        let bytes = self.bytes + index.len() as u64;
        Ok(Sheet::new(dir, self.number, file, bytes, self.blocks))
    }
}
