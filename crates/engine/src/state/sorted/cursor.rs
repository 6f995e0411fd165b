//! Cursor: walks through the entries of neighbouring sheets in key order.

use super::sheet::{Loaded, Sheet};
use model::Fault;
use std::ops::Range;
use std::sync::Arc;

/// A place in front of an entry, or at the end.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    sheets: &'a [Arc<Sheet>],
    sheet: usize,
    block: usize,
    loaded: Loaded,
    /// Where in the block the next entry begins.
    at: usize,
    /// The current key, and where its value stands in the block; none at the end.
    key: Vec<u8>,
    value: Option<Range<usize>>,
}

impl<'a> Cursor<'a> {
    /// The first entry whose key is not below this one.
    pub(crate) fn seek(sheets: &'a [Arc<Sheet>], least: &[u8]) -> Result<Self, Fault> {
        let sheet = sheets.partition_point(|sheet| sheet.first_key() <= least).saturating_sub(1);
        let block = sheets.get(sheet).and_then(|sheet| sheet.block_of(least)).unwrap_or(0);
        let (loaded, key) = (Loaded::default(), Vec::new());
        let mut cursor = Self { sheets, sheet, block, loaded, at: 0, key, value: None };
        cursor.advance()?;
        while cursor.entry().is_some_and(|(key, _)| key < least) {
            cursor.advance()?;
        }
        Ok(cursor)
    }

    /// The current entry, unless there is none left.
    pub(crate) fn entry(&self) -> Option<(&[u8], &[u8])> {
        let value = self.value.clone()?;
        Some((&self.key, &self.loaded.bytes()[value]))
    }

    /// Goes to the next entry.
    pub(crate) fn advance(&mut self) -> Result<(), Fault> {
        self.value = None;
        while let Some(sheet) = self.sheets.get(self.sheet) {
            let bytes = sheet.load(self.block, &mut self.loaded)?;
            if self.at < bytes.len() {
                let mut rest = &bytes[self.at..];
                let (key, value) = sheet.entry(&mut rest)?;
                self.at = bytes.len() - rest.len();
                self.value = Some(self.at - value.len()..self.at);
                self.key.clear();
                self.key.extend_from_slice(key);
                return Ok(());
            }
            (self.block, self.at) = (self.block + 1, 0);
            if self.block == sheet.blocks() {
                (self.sheet, self.block) = (self.sheet + 1, 0);
            }
        }
        Ok(())
    }
}
