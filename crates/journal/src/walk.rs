//! Walk: through the frames of one file in order, each checked before it is decoded.
//!
//! Keeps J3: nothing is skipped; a frame that fails a check ends the walk where it stands. Must not
//! know: whether that is damage or a torn tail.

use crate::fault;
use crate::frame::{Cursor, HEAD_BYTES, Kind, Parsed, parse};
use crate::segment::Segment;
use model::codec::Record;
use model::{Epoch, Fault};
use std::io;
use std::ops::Range;

/// What is read from the disk at once.
const CHUNK_BYTES: u64 = 256 << 10;

/// A walk through a file up to a limit.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    segment: &'a Segment,
    cursor: Cursor,
    limit: u64,
    proven: u64,
    window: Vec<u8>,
    window_at: u64,
}

/// What a walk comes by. Tables are learned on the way and not shown.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where its frame stands.
    pub(crate) at: Cursor,
    /// How many bytes it takes.
    pub(crate) bytes: usize,
    pub(crate) item: Item,
}

/// What a frame holds.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and nearly all are records")]
pub(crate) enum Item {
    Record(Record),
    Epoch(Epoch),
}

/// Why a walk could not go on.
#[derive(Debug)]
pub(crate) enum Stumble {
    Disk(io::Error),
    /// The frame at the walk's place is not the one that has to follow.
    Bad(&'static str),
    /// The frame is as a newer version wrote it.
    Newer,
    /// The frame is as it was written, but makes no sense.
    Senseless(String),
}

impl<'a> Walk<'a> {
    /// A walk from `cursor` to the byte `limit`, which has to be the end of a frame.
    pub(crate) fn new(segment: &'a Segment, cursor: Cursor, limit: u64) -> Self {
        Self { segment, cursor, limit, proven: 0, window: Vec::new(), window_at: cursor.position }
    }

    /// Where the walk stands.
    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// How much of the file the frames so far prove to have been synced.
    pub(crate) fn proven(&self) -> u64 {
        self.proven
    }

    /// The next record or epoch; `None` at the limit. If the walk stumbles, it stands before the
    /// frame that it stumbled over.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, Stumble> {
        while self.cursor.position < self.limit {
            let at = self.cursor;
            let (kind, payload, next) = self.frame()?;
            let payload = &self.window[payload];
            let item = match kind {
                Kind::Record => match self.segment.decode(payload) {
                    Ok(Record::Table { number, table }) => {
                        self.segment.learn(number, table).map_err(senseless)?;
                        self.step_to(next);
                        continue;
                    }
                    Ok(record) => Item::Record(record),
                    Err(malformed) => return Err(senseless(malformed)),
                },
                Kind::Epoch => match payload.try_into() {
                    Ok(number) => Item::Epoch(Epoch(u64::from_le_bytes(number))),
                    Err(_) => return Err(Stumble::Senseless("an epoch has 8 bytes".to_owned())),
                },
            };
            let bytes = HEAD_BYTES + payload.len();
            self.step_to(next);
            return Ok(Some(Found { at, bytes, item }));
        }
        Ok(None)
    }

    /// The same, where whatever stops the walk is damage.
    pub(crate) fn next_sound(&mut self) -> Result<Option<Found>, Fault> {
        self.next().map_err(|stumble| match stumble {
            Stumble::Disk(error) => fault::disk("read", &self.segment.path, error),
            Stumble::Bad(why) => self.segment.damage(self.cursor.position, why),
            Stumble::Senseless(why) => self.segment.damage(self.cursor.position, &why),
            Stumble::Newer => fault::newer_frame(&self.segment.path, self.cursor.position),
        })
    }

    /// Moves on behind a frame.
    fn step_to(&mut self, next: Cursor) {
        self.cursor = next;
        self.segment.walk_to(next.position);
    }

    /// Checks the frame at the cursor; its payload's place in the window.
    fn frame(&mut self) -> Result<(Kind, Range<usize>, Cursor), Stumble> {
        let mut wanted = HEAD_BYTES;
        loop {
            let held = self.held();
            match parse(&self.window[held..], self.segment.seed, &self.cursor) {
                Parsed::Frame(frame) => {
                    let payload = held + HEAD_BYTES..held + HEAD_BYTES + frame.payload.len();
                    self.proven = self.proven.max(frame.durable);
                    return Ok((frame.kind, payload, frame.next));
                }
                Parsed::Bad(why) => return Err(Stumble::Bad(why)),
                Parsed::Newer => return Err(Stumble::Newer),
                Parsed::Short(needed) => wanted = wanted.max(needed),
            }
            // An impossible length ends here, before anything is allocated for it.
            let end = self.cursor.position.saturating_add(wanted as u64);
            if end > self.limit || self.window.len() - held >= wanted {
                return Err(Stumble::Bad("it is cut short, or its length is impossible"));
            }
            if self.fill(end)? == 0 {
                return Err(Stumble::Bad("the file ends before it should"));
            }
        }
    }

    /// Where the cursor stands in the window.
    fn held(&self) -> usize {
        let held = usize::try_from(self.cursor.position - self.window_at);
        held.unwrap_or(usize::MAX).min(self.window.len())
    }

    /// Reads on until `end`, and a chunk at least; how many bytes that were.
    fn fill(&mut self, end: u64) -> Result<usize, Stumble> {
        self.window.drain(..self.held());
        self.window_at = self.cursor.position;
        let chunk = (self.window_at + CHUNK_BYTES).min(self.limit).max(end);
        let kept = self.window.len();
        let length = usize::try_from(chunk - self.window_at)
            .map_err(|_| Stumble::Bad("its length is impossible"))?;
        self.window.resize(length, 0);
        let count = self
            .segment
            .file
            .read_at(&mut self.window[kept..], self.window_at + kept as u64)
            .map_err(Stumble::Disk)?;
        self.window.truncate(kept + count);
        Ok(count)
    }
}

fn senseless(malformed: model::codec::Malformed) -> Stumble {
    if malformed.is_newer() {
        return Stumble::Newer;
    }
    Stumble::Senseless(malformed.to_string())
}
