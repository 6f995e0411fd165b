//! Segment: one file of frames, either a stretch of a lane or a staged transaction.
//!
//! Keeps J7 on the way in (name, header and place agree) and knows what was learned on walks
//! through the file: its tables, and waypoints to start from. Everything before a waypoint has been
//! walked, so its tables are known. Must not know: what the records are for.

use crate::disk::{Disk, DiskFile};
use crate::fault;
use crate::frame::Cursor;
use crate::header::{Body, FROZEN_BYTES, Header, Links, NoHeader, Role};
use model::codec::{Dictionary, Malformed, Record, decode};
use model::{Fault, Lane, Offset};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Waypoints of a segment are this many bytes apart.
const WAYPOINT_BYTES: u64 = 256 << 10;

/// One file of frames.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) lane: Lane,
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    /// What the checksums of its frames begin with.
    pub(crate) seed: u32,
    /// Where its first frame stands.
    pub(crate) start: Cursor,
    /// What the header says besides lane and number.
    pub(crate) body: Body,
    walked: RwLock<Walked>,
    walked_to: AtomicU64,
}

/// A place to start a walk from, and the last offset before it.
#[derive(Clone, Debug)]
pub(crate) struct Waypoint {
    pub(crate) passed: Option<Offset>,
    pub(crate) cursor: Cursor,
}

struct Walked {
    tables: Dictionary,
    waypoints: Vec<Waypoint>,
}

impl std::fmt::Debug for Walked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walked").field("waypoints", &self.waypoints.len()).finish_non_exhaustive()
    }
}

/// Why a file could not be opened as one of ours.
#[derive(Debug)]
pub(crate) enum NoSegment {
    Disk(io::Error),
    Header(NoHeader),
}

impl NoSegment {
    /// What it means where the file has to be one of ours.
    pub(crate) fn judge(self, lane: &Lane, path: &Path) -> Fault {
        match self {
            NoSegment::Disk(error) => fault::disk("open", path, error),
            NoSegment::Header(NoHeader::Newer(version)) => fault::newer(path, version),
            NoSegment::Header(NoHeader::Bad(why)) => fault::damage(lane, path, 0, why),
        }
    }
}

/// The name of a file of the journal.
pub(crate) fn name(number: u64, role: Role) -> String {
    match role {
        Role::Segment => format!("{number:020}.segment"),
        Role::Staged => format!("{number:020}.staged"),
    }
}

/// What a name of a lane's directory says; `None` if it is none of ours.
pub(crate) fn parse_name(name: &str) -> Option<(Role, Option<u64>)> {
    let (stem, role) = match name.rsplit_once('.')? {
        (stem, "segment") => (stem, Role::Segment),
        (stem, "staged") => (stem, Role::Staged),
        _ => return None,
    };
    let number = stem.parse().ok().filter(|number| self::name(*number, role) == name);
    Some((role, number))
}

impl Segment {
    /// Makes the file and writes its header; neither is synced.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path, header: Header) -> io::Result<Self> {
        let (bytes, start) = header.encode();
        let role = match header.body {
            Body::Segment(_) => Role::Segment,
            Body::Staged(_) => Role::Staged,
        };
        let path = dir.join(name(header.number, role));
        let file = disk.create(&path)?;
        if let Err(error) = file.write_at(&bytes, 0) {
            // What cannot be removed now has no whole header and is removed by recovery.
            let _ = disk.remove(&path);
            return Err(error);
        }
        Ok(Self::assemble(header, path, file, role, start))
    }

    /// Opens the file that has this lane, number and kind by its name, if its header agrees.
    pub(crate) fn open(
        disk: &dyn Disk,
        dir: &Path,
        lane: &Lane,
        number: u64,
        role: Role,
    ) -> Result<Self, NoSegment> {
        let path = dir.join(name(number, role));
        let file = disk.open(&path).map_err(NoSegment::Disk)?;
        let mut bytes = vec![0; FROZEN_BYTES];
        let count = file.read_at(&mut bytes, 0).map_err(NoSegment::Disk)?;
        let length = Header::length(&bytes[..count], role).map_err(NoSegment::Header)?;
        bytes.resize(length, 0);
        let count = file.read_at(&mut bytes, 0).map_err(NoSegment::Disk)?;
        let (header, start) =
            Header::decode(&bytes[..count], lane, number, role).map_err(NoSegment::Header)?;
        Ok(Self::assemble(header, path, file, role, start))
    }

    fn assemble(
        header: Header,
        path: PathBuf,
        file: Arc<dyn DiskFile>,
        role: Role,
        start: Cursor,
    ) -> Self {
        let passed = match &header.body {
            Body::Segment(links) => links.before.clone(),
            Body::Staged(_) => None,
        };
        let walked = Walked {
            tables: Dictionary::new(),
            waypoints: vec![Waypoint { passed, cursor: start }],
        };
        Self {
            seed: crate::header::seed(&header.lane, header.number, role),
            lane: header.lane,
            number: header.number,
            path,
            file,
            start,
            body: header.body,
            walked: RwLock::new(walked),
            walked_to: AtomicU64::new(start.position),
        }
    }

    /// How the segment is tied to what came before it.
    pub(crate) fn links(&self) -> &Links {
        match &self.body {
            Body::Segment(links) => links,
            Body::Staged(_) => panic!("BUG: a staged file has no links"),
        }
    }

    /// The last offset of the lane before this segment.
    pub(crate) fn before(&self) -> Option<&Offset> {
        self.links().before.as_ref()
    }

    /// A copy of the tables learned so far, for the one who goes on writing.
    pub(crate) fn tables(&self) -> Dictionary {
        self.walked.read().unwrap_or_else(PoisonError::into_inner).tables.clone()
    }

    /// How far it has been walked; all tables up to there are known.
    pub(crate) fn walked_to(&self) -> u64 {
        self.walked_to.load(Ordering::Acquire)
    }

    /// Notes that a walk has come to this byte.
    pub(crate) fn walk_to(&self, position: u64) {
        self.walked_to.fetch_max(position, Ordering::Release);
    }

    /// Decodes a record by the tables learned so far.
    pub(crate) fn decode(&self, payload: &[u8]) -> Result<Record, Malformed> {
        decode(payload, &self.walked.read().unwrap_or_else(PoisonError::into_inner).tables)
    }

    /// Learns a table that a walk came by.
    pub(crate) fn learn(&self, number: u32, table: Arc<model::Table>) -> Result<(), Malformed> {
        let mut walked = self.walked.write().unwrap_or_else(PoisonError::into_inner);
        if walked.tables.get(number).is_some() {
            return Ok(());
        }
        walked.tables.insert(number, table)
    }

    /// Remembers a place that a walk from a waypoint or a hint has come to.
    pub(crate) fn note(&self, passed: &Offset, cursor: Cursor) {
        let is_far = |walked: &Walked| {
            let last = walked.waypoints.last().expect("BUG: the start is a waypoint");
            cursor.position >= last.cursor.position + WAYPOINT_BYTES
        };
        if is_far(&self.walked.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut walked = self.walked.write().unwrap_or_else(PoisonError::into_inner);
            if is_far(&walked) {
                walked.waypoints.push(Waypoint { passed: Some(passed.clone()), cursor });
            }
        }
    }

    /// The last waypoint that has everything after `after` before it.
    pub(crate) fn waypoint(&self, after: Option<&Offset>) -> Waypoint {
        let walked = self.walked.read().unwrap_or_else(PoisonError::into_inner);
        let count = walked.waypoints.partition_point(|point| point.passed.as_ref() <= after);
        walked.waypoints[count.saturating_sub(1)].clone()
    }

    /// Bytes of this file are not what was written.
    pub(crate) fn damage(&self, at: u64, why: &str) -> Fault {
        fault::damage(&self.lane, &self.path, at, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_ours_only_in_its_one_spelling() {
        for role in [Role::Segment, Role::Staged] {
            assert_eq!(parse_name(&name(7, role)), Some((role, Some(7))));
        }
        assert_eq!(parse_name("7.segment"), Some((Role::Segment, None)));
        assert_eq!(parse_name("+0000000000000000007.staged"), Some((Role::Staged, None)));
        assert_eq!(parse_name("lost+found"), None);
    }
}
