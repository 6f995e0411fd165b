//! Tail: the file of the writes that no sheet holds yet, in the order in which they came.
//!
//! A crash may leave its end torn; what is torn is cut off. Every record says how much of its file
//! was known to be synced, so that damage below that is told apart from a torn end.
//!
//! ```text
//!  0      4        12       20             24             28
//!  mark   length   synced   head checksum  body checksum  body …
//! ```

use super::delta::Delta;
use super::folder::tail_name;
use super::trouble::{damaged, disk, full_or};
use super::wire::{checksum, put_bytes, take_bytes, take_u32, take_u64};
use bytes::Bytes;
use model::Fault;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The tail that takes writes.
#[derive(Debug)]
pub(crate) struct Tail {
    number: u64,
    path: PathBuf,
    file: File,
    length: u64,
    synced: u64,
    buffer: Vec<u8>,
}

/// The head of a record.
struct Head {
    length: u64,
    synced: u64,
    body_checksum: u32,
}

const MARK: &[u8; 4] = b"TAIL";
const HEAD_BYTES: usize = 28;
const DELETED: u8 = 0;
const WRITTEN: u8 = 1;

impl Tail {
    /// A new, empty tail.
    pub(crate) fn create(dir: &Path, number: u64) -> Result<Self, Fault> {
        let path = dir.join(tail_name(number));
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(full_or("create", &path))?;
        file.sync_all().map_err(disk("sync", &path))?;
        Ok(Self { number, path, file, length: 0, synced: 0, buffer: Vec::new() })
    }

    /// Reads a tail back into the delta. The last one may be torn, which is cut off; any before it
    /// was synced as a whole.
    pub(crate) fn replay(
        dir: &Path,
        number: u64,
        last: bool,
        delta: &mut Delta,
    ) -> Result<Self, Fault> {
        let path = dir.join(tail_name(number));
        if !path.exists() {
            return Err(damaged(&path, "it is on the list and not there"));
        }
        let file = File::options().read(true).write(true).open(&path);
        let file = file.map_err(disk("open", &path))?;
        let end = file.metadata().map_err(disk("open", &path))?.len();
        let mut tail = Self { number, path, file, length: 0, synced: 0, buffer: Vec::new() };
        while tail.length < end && tail.replay_one(end, delta)? {}
        if tail.length < end {
            if !last || tail.was_synced(tail.length, end)? {
                return Err(damaged(
                    &tail.path,
                    "a record that was synced is not what was written",
                ));
            }
            tail.file.set_len(tail.length).map_err(disk("cut", &tail.path))?;
        }
        tail.sync()?;
        Ok(tail)
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Appends one record with all of these writes. If the disk has no room for it, nothing of it is
    /// left, and it may be appended later.
    pub(crate) fn append(&mut self, writes: &[(Bytes, Option<Bytes>)]) -> Result<(), Fault> {
        self.buffer.clear();
        self.buffer.resize(HEAD_BYTES, 0);
        for (key, value) in writes {
            self.buffer.push(if value.is_some() { WRITTEN } else { DELETED });
            put_bytes(&mut self.buffer, key);
            if let Some(value) = value {
                put_bytes(&mut self.buffer, value);
            }
        }
        let (head, body) = self.buffer.split_at_mut(HEAD_BYTES);
        head[0..4].copy_from_slice(MARK);
        head[4..12].copy_from_slice(&(body.len() as u64).to_le_bytes());
        head[12..20].copy_from_slice(&self.synced.to_le_bytes());
        head[24..28].copy_from_slice(&checksum(&[body]).to_le_bytes());
        let sum = head_checksum(self.number, self.length, head);
        head[20..24].copy_from_slice(&sum.to_le_bytes());
        if let Err(error) = self.file.write_all_at(&self.buffer, self.length) {
            let fault = full_or("write", &self.path)(error);
            self.file.set_len(self.length).map_err(disk("cut", &self.path))?;
            return Err(fault);
        }
        self.length += self.buffer.len() as u64;
        Ok(())
    }

    /// Everything that was appended survives a crash.
    pub(crate) fn sync(&mut self) -> Result<(), Fault> {
        if self.synced < self.length || self.length == 0 {
            self.file.sync_data().map_err(disk("sync", &self.path))?;
            self.synced = self.length;
        }
        Ok(())
    }

    /// Reads the record at the place reached so far and goes behind it; false if it is no record.
    fn replay_one(&mut self, end: u64, delta: &mut Delta) -> Result<bool, Fault> {
        let mut head = [0; HEAD_BYTES];
        if end - self.length < HEAD_BYTES as u64 {
            return Ok(false);
        }
        self.file.read_exact_at(&mut head, self.length).map_err(disk("read", &self.path))?;
        let body_at = self.length + HEAD_BYTES as u64;
        let head = parse_head(self.number, self.length, &head);
        let Some(head) = head.filter(|head| head.length <= end - body_at) else {
            return Ok(false);
        };
        let length = usize::try_from(head.length).expect("BUG: a record fits into memory");
        self.buffer.resize(length, 0);
        self.file.read_exact_at(&mut self.buffer, body_at).map_err(disk("read", &self.path))?;
        if checksum(&[&self.buffer]) != head.body_checksum {
            return Ok(false);
        }
        replay_body(&self.buffer, delta)
            .ok_or_else(|| damaged(&self.path, "a record has half a write"))?;
        self.length = body_at + head.length;
        Ok(true)
    }

    /// Whether a later record says that the file was synced beyond this place.
    fn was_synced(&self, place: u64, end: u64) -> Result<bool, Fault> {
        let length = usize::try_from(end - place).expect("BUG: a tail fits into memory");
        let mut rest = vec![0; length];
        self.file.read_exact_at(&mut rest, place).map_err(disk("read", &self.path))?;
        let heads = rest.windows(HEAD_BYTES).enumerate();
        let mut heads = heads.filter_map(|(at, head)| {
            if !head.starts_with(MARK) {
                return None;
            }
            parse_head(self.number, place + at as u64, head)
        });
        Ok(heads.any(|head| head.synced > place))
    }
}

/// Covers the file and the place, so that a record passes only where it was written.
fn head_checksum(number: u64, place: u64, head: &[u8]) -> u32 {
    checksum(&[&number.to_le_bytes(), &place.to_le_bytes(), &head[0..20], &head[24..28]])
}

fn parse_head(number: u64, place: u64, head: &[u8]) -> Option<Head> {
    let mut rest = head.strip_prefix(MARK)?;
    let (length, synced) = (take_u64(&mut rest)?, take_u64(&mut rest)?);
    let (sum, body_checksum) = (take_u32(&mut rest)?, take_u32(&mut rest)?);
    let sound = sum == head_checksum(number, place, head);
    sound.then_some(Head { length, synced, body_checksum })
}

fn replay_body(mut rest: &[u8], delta: &mut Delta) -> Option<()> {
    while let Some((tag, after)) = rest.split_first() {
        rest = after;
        let key = take_bytes(&mut rest)?;
        let value = match *tag {
            DELETED => None,
            WRITTEN => Some(take_bytes(&mut rest)?),
            _ => return None,
        };
        delta.set(key, value);
    }
    Some(())
}
