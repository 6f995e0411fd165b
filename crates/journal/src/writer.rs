//! Writer: puts records into one file as frames, one write a draft.
//!
//! A draft that was not written leaves the writer as it was: tables that it introduced are owed,
//! and come first in the next draft. Must not know: lanes, syncs, when a draft is worth writing.

use crate::fault;
use crate::frame::{Cursor, HEAD_BYTES, Kind, begin, finish};
use crate::room::Room;
use crate::segment::Segment;
use model::codec::{Dictionary, Record, encode};
use model::{Epoch, Fault, Table};
use std::sync::Arc;

/// The one who writes to a file.
pub(crate) struct Writer {
    pub(crate) segment: Arc<Segment>,
    end: Cursor,
    tables: Dictionary,
    /// Tables that have a number but are not in the file.
    owed: Vec<(u32, Arc<Table>)>,
    record_bytes_max: usize,
}

/// Frames that are to be written together.
pub(crate) struct Draft {
    bytes: Vec<u8>,
    end: Cursor,
    introduced: Vec<(u32, Arc<Table>)>,
    durable: u64,
}

impl Draft {
    /// How many bytes it adds to the file.
    pub(crate) fn length(&self) -> u64 {
        self.bytes() as u64
    }

    /// The same, as a size in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an epoch.
    pub(crate) fn push_epoch(&mut self, segment: &Segment, epoch: Epoch) {
        let start = begin(&mut self.bytes);
        self.bytes.extend_from_slice(&epoch.0.to_le_bytes());
        let frame = &mut self.bytes[start..];
        finish(frame, segment.seed, &mut self.end, Kind::Epoch, self.durable);
    }
}

impl Writer {
    /// A writer that goes on at `end`, with the tables that the file has so far.
    pub(crate) fn new(
        segment: Arc<Segment>,
        end: Cursor,
        tables: Dictionary,
        record_bytes_max: usize,
    ) -> Self {
        Self { segment, end, tables, owed: Vec::new(), record_bytes_max }
    }

    /// Where the next frame will stand.
    pub(crate) fn end(&self) -> u64 {
        self.end.position
    }

    /// Begins a draft in a buffer. `durable` is how much of the file is known to be synced.
    pub(crate) fn draft(&mut self, mut buffer: Vec<u8>, durable: u64) -> Draft {
        buffer.clear();
        let introduced = std::mem::take(&mut self.owed);
        let mut draft = Draft { bytes: buffer, end: self.end, introduced, durable };
        for (number, table) in draft.introduced.clone() {
            self.push(&mut draft, &Record::Table { number, table });
        }
        draft
    }

    /// Adds a record, and before it the tables that it needs.
    pub(crate) fn push_record(&mut self, draft: &mut Draft, record: &Record) -> Result<(), Fault> {
        let tables: Vec<_> = record.new_tables(&self.tables).cloned().collect();
        for table in tables {
            let number = self.tables.introduce(&table);
            draft.introduced.push((number, Arc::clone(&table)));
            self.push(draft, &Record::Table { number, table });
        }
        let length = self.push(draft, record);
        if length > self.record_bytes_max {
            let most = self.record_bytes_max;
            return Err(fault::broken(format!(
                "a record of {length} bytes is above record_bytes_max = {most}; it has to be staged"
            )));
        }
        Ok(())
    }

    /// Where the next frame will stand, for walks that are to begin there.
    pub(crate) fn cursor(&self) -> Cursor {
        self.end
    }

    /// Writes a draft. If the disk has no room the file is cut back to where it was, which is durable
    /// with the next sync; if that fails too the journal is closed.
    pub(crate) fn write(&mut self, draft: Draft, room: &Room) -> Result<Vec<u8>, Fault> {
        let file = &self.segment.file;
        let Err(error) = file.write_at(&draft.bytes, self.end.position) else {
            self.end = draft.end;
            self.teach(draft.introduced)?;
            return Ok(draft.bytes);
        };
        let path = &self.segment.path;
        if !fault::is_full(&error) {
            return Err(room.close("write", path, error));
        }
        if let Err(error) = file.truncate(self.end.position) {
            return Err(room.close("cut", path, error));
        }
        self.abandon(draft);
        Err(room.full(format!("the disk has no room left: {error}")))
    }

    /// A walk may begin here without having come by the tables before.
    fn teach(&self, introduced: Vec<(u32, Arc<Table>)>) -> Result<(), Fault> {
        for (number, table) in introduced {
            let learned = self.segment.learn(number, table);
            learned.map_err(|malformed| fault::broken(malformed.to_string()))?;
        }
        self.segment.walk_to(self.end.position);
        Ok(())
    }

    /// Takes back a draft that is not to be written.
    pub(crate) fn abandon(&mut self, draft: Draft) -> Vec<u8> {
        self.owed = draft.introduced;
        draft.bytes
    }

    /// Adds one frame; how long its payload is.
    fn push(&self, draft: &mut Draft, record: &Record) -> usize {
        let start = begin(&mut draft.bytes);
        encode(record, &self.tables, &mut draft.bytes);
        let frame = &mut draft.bytes[start..];
        finish(frame, self.segment.seed, &mut draft.end, Kind::Record, draft.durable);
        frame.len() - HEAD_BYTES
    }
}
