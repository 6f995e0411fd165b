//! Lane: the state of one lane, what of it is visible, and the group sync.
//!
//! Keeps J1 (an append is durable when it returns) and J2 (readers see nothing before it is).
//! Order of the locks: `tail`, then `staging`, then `syncing`, then `view` or `recent`; none is held
//! across an await. Must not know: how entries are encoded, read or trimmed.

use crate::disk::{Disk, Lock};
use crate::fault::{self, lock};
use crate::hints::Hints;
use crate::options::Options;
use crate::recent::Recent;
use crate::room::Room;
use crate::segment::Segment;
use crate::spare::Spare;
use crate::staging::Staging;
use crate::writer::Writer;
use model::attack::{Bug, planted};
use model::codec::Record;
use model::{Bounds, Commit, Entry, Epoch, Fault, Lane as Name, Offset};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What all lanes of a journal share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) room: Room,
    pub(crate) spare: Spare,
    /// Kept as long as any job may still run.
    pub(crate) _lock: Lock,
}

/// One lane.
pub(crate) struct Lane {
    pub(crate) name: Name,
    pub(crate) dir: PathBuf,
    pub(crate) shared: Arc<Shared>,
    /// Wakes readers when there is more to see.
    pub(crate) news: Notify,
    /// Bytes of its files.
    pub(crate) bytes: AtomicU64,
    pub(crate) tail: Mutex<Tail>,
    pub(crate) staging: Mutex<Staging>,
    pub(crate) trimming: Mutex<()>,
    pub(crate) hints: Mutex<Hints>,
    pub(crate) recent: Mutex<Recent>,
    /// Adopted files that readers have open.
    pub(crate) opened: Mutex<std::collections::BTreeMap<u64, Arc<Segment>>>,
    syncing: Mutex<()>,
    view: Mutex<View>,
}

/// What the lane's writer holds.
#[derive(Default)]
pub(crate) struct Tail {
    /// The segment that takes appends; none before the first.
    pub(crate) active: Option<Active>,
    /// The last offset written.
    pub(crate) last: Option<Offset>,
    /// The last transaction written, however long ago.
    pub(crate) last_commit: Option<Commit>,
    /// The highest epoch written.
    pub(crate) epoch: Option<Epoch>,
    /// Kept from append to append, so that none has to allocate.
    pub(crate) buffer: Vec<u8>,
}

impl Tail {
    /// Notes the last transaction among records that were written.
    pub(crate) fn note_commit(&mut self, records: &[Record]) {
        let last = records.iter().rev().find_map(|record| match record {
            Record::Commit(commit, _) | Record::Adopt(commit, _) => Some(commit),
            _ => None,
        });
        if let Some(commit) = last {
            self.last_commit = Some(commit.clone());
        }
    }
}

/// The segment that takes appends.
pub(crate) struct Active {
    pub(crate) out: Writer,
    /// Whether it has an entry.
    pub(crate) has_entries: bool,
    /// The staged files that it adopted.
    pub(crate) adopted: Vec<u64>,
}

/// A place in a lane up to which something holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The segment's number; zero before the first.
    pub(crate) segment: u64,
    /// The byte in it.
    pub(crate) position: u64,
    /// The last offset up to there.
    pub(crate) last: Option<Offset>,
    /// The last transaction up to there, trimmed or not.
    pub(crate) last_commit: Option<Commit>,
    /// The highest epoch up to there.
    pub(crate) epoch: Option<Epoch>,
}

impl End {
    fn covers(&self, other: &End) -> bool {
        (self.segment, self.position) >= (other.segment, other.position)
    }
}

/// What is there, for readers.
#[derive(Debug, Default)]
struct View {
    /// In order of their numbers, without a gap.
    segments: Vec<Arc<Segment>>,
    written: End,
    durable: End,
}

/// One segment as a reader may see it.
pub(crate) struct Stretch {
    pub(crate) segment: Arc<Segment>,
    /// How far it may be read.
    pub(crate) limit: u64,
    /// The segment that follows; if there is none, more may come.
    pub(crate) next: Option<Arc<Segment>>,
}

/// What a reader finds at first sight.
pub(crate) enum Sight {
    /// What it asks for is gone up to here.
    Gone(Offset),
    /// Nothing yet.
    Nothing,
    /// It begins in the segment with this number.
    From(u64),
}

impl Lane {
    /// A lane with these segments, all of them durable, and what goes on from there.
    pub(crate) fn new(
        name: Name,
        dir: PathBuf,
        shared: Arc<Shared>,
        segments: Vec<Arc<Segment>>,
        tail: Tail,
    ) -> Self {
        let end = End {
            segment: segments.last().map_or(0, |segment| segment.number),
            position: tail.active.as_ref().map_or(0, |active| active.out.end()),
            last: tail.last.clone(),
            last_commit: tail.last_commit.clone(),
            epoch: tail.epoch,
        };
        Self {
            name,
            dir,
            shared,
            news: Notify::new(),
            bytes: AtomicU64::new(0),
            tail: Mutex::new(tail),
            staging: Mutex::default(),
            trimming: Mutex::default(),
            hints: Mutex::default(),
            recent: Mutex::default(),
            opened: Mutex::default(),
            syncing: Mutex::default(),
            view: Mutex::new(View { segments, written: end.clone(), durable: end }),
        }
    }

    /// Where the lane begins and durably ends.
    pub(crate) fn bounds(&self) -> Result<Bounds, Fault> {
        let view = lock(&self.view)?;
        Ok(Bounds {
            trimmed: view.trimmed().cloned(),
            last: view.durable.last.clone(),
            last_commit: view.durable.last_commit.clone(),
            epoch: view.durable.epoch,
            bytes: self.bytes.load(Ordering::Relaxed),
            is_full: self.shared.room.is_full(),
        })
    }

    /// Makes what is written durable up to `end`, and whatever else is written by then: of many
    /// appends that wait for a sync, the first does it for all.
    pub(crate) fn sync_to(&self, end: &End) -> Result<(), Fault> {
        let _leader = lock(&self.syncing)?;
        let (written, segment) = {
            let view = lock(&self.view)?;
            match view.segments.last() {
                Some(segment) if !view.durable.covers(end) => {
                    (view.written.clone(), Arc::clone(segment))
                }
                _ => return Ok(()),
            }
        };
        self.shared.room.check_open()?;
        if let Err(error) = segment.file.sync() {
            return Err(self.shared.room.close_unsynced(&segment.path, error));
        }
        lock(&self.view)?.durable = written;
        self.news.notify_waiters();
        Ok(())
    }

    /// Makes it durable that what a refused append left in its segment was cut off, unless the journal
    /// is closed.
    pub(crate) fn sync_cut(&self, segment: &Segment) -> Result<(), Fault> {
        // A failure is told to one sync alone; another of the same file may not pass it by.
        let _leader = lock(&self.syncing)?;
        if self.shared.room.is_closed() {
            return Ok(());
        }
        let synced = segment.file.sync();
        synced.map_err(|error| self.shared.room.close_unsynced(&segment.path, error))
    }

    /// Makes durable what is written. A closed journal has nothing left to make durable.
    pub(crate) fn settle(&self) -> Result<(), Fault> {
        // A write that is under way belongs to an append that nobody may wait for any more.
        let written = lock(&self.tail).and_then(|_tail| self.written())?;
        if self.shared.room.is_closed() { Ok(()) } else { self.sync_to(&written) }
    }

    /// What is written by now.
    pub(crate) fn written(&self) -> Result<End, Fault> {
        Ok(lock(&self.view)?.written.clone())
    }

    /// How much of the segment that takes appends is known to be synced.
    pub(crate) fn durable_bytes(&self) -> Result<u64, Fault> {
        Ok(lock(&self.view)?.durable.position)
    }

    /// Notes what was written. The caller holds the tail.
    pub(crate) fn set_written(&self, end: End) -> Result<(), Fault> {
        lock(&self.view)?.written = end;
        if planted(Bug::ReadUnsyncedTail) {
            self.news.notify_waiters();
        }
        Ok(())
    }

    /// Adds a segment whose header is durable. The caller holds the tail, and everything written
    /// before is durable.
    pub(crate) fn add(&self, segment: Arc<Segment>) -> Result<(), Fault> {
        let mut view = lock(&self.view)?;
        view.written.segment = segment.number;
        view.written.position = segment.start.position;
        view.durable = view.written.clone();
        view.segments.push(segment);
        Ok(())
    }

    /// The first segment, if everything in it is at or below `upto` and another follows.
    pub(crate) fn first_below(&self, upto: &Offset) -> Result<Option<Stretch>, Fault> {
        let view = lock(&self.view)?;
        let [first, next, ..] = view.segments.as_slice() else {
            return Ok(None);
        };
        let is_below = next.before().is_none_or(|last| last <= upto);
        Ok(is_below.then(|| view.stretch(first.number)).flatten())
    }

    /// Forgets the first segment.
    pub(crate) fn forget_first(&self) -> Result<(), Fault> {
        lock(&self.view)?.segments.remove(0);
        Ok(())
    }

    /// Where a reader that has everything up to `after` goes on.
    pub(crate) fn sight(&self, after: Option<&Offset>) -> Result<Sight, Fault> {
        let view = lock(&self.view)?;
        if let Some(trimmed) = view.trimmed().filter(|trimmed| after < Some(trimmed)) {
            return Ok(Sight::Gone(trimmed.clone()));
        }
        if view.visible().last.as_ref() <= after {
            return Ok(Sight::Nothing);
        }
        let count = view.segments.partition_point(|segment| segment.before() <= after);
        Ok(Sight::From(view.segments[count.saturating_sub(1)].number))
    }

    /// What comes after `after`, where it is still in memory.
    pub(crate) fn recent(
        &self,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Option<Vec<Entry>>, Fault> {
        let upto = lock(&self.view)?.visible().last.clone();
        Ok(lock(&self.recent)?.read(after, upto.as_ref(), bytes_max))
    }

    /// The segment with this number as a reader may see it; `None` once it is trimmed.
    pub(crate) fn stretch(&self, number: u64) -> Result<Option<Stretch>, Fault> {
        Ok(lock(&self.view)?.stretch(number))
    }

    /// Makes the lane's directory durable before its first file.
    pub(crate) fn make_dir(&self) -> Result<(), Fault> {
        let Shared { disk, dir, room, .. } = &*self.shared;
        if let Err(error) = disk.create_dir_all(&self.dir) {
            return Err(match fault::is_full(&error) {
                true => room.full(format!("the disk has no room for a directory: {error}")),
                false => room.close("make", &self.dir, error),
            });
        }
        disk.sync_dir(dir).map_err(|error| room.close_unsynced(dir, error))
    }

    /// Counts bytes that its files take.
    pub(crate) fn grow(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that its files no longer take.
    pub(crate) fn shrink(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.shared.room.give_back(bytes);
    }
}

impl View {
    fn trimmed(&self) -> Option<&Offset> {
        self.segments.first()?.before()
    }

    /// J2: what readers see is durable.
    fn visible(&self) -> &End {
        if planted(Bug::ReadUnsyncedTail) { &self.written } else { &self.durable }
    }

    fn stretch(&self, number: u64) -> Option<Stretch> {
        let first = self.segments.first()?.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        let segment = Arc::clone(self.segments.get(index)?);
        let next = self.segments.get(index + 1).cloned();
        let limit = match &next {
            Some(next) => next.links().previous_bytes,
            None => self.visible().position,
        };
        Some(Stretch { segment, limit, next })
    }
}
