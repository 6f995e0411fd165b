//! Recovery: makes a lane out of the files that the last run left behind.
//!
//! Keeps J13: a torn tail is cut, damage is refused, and the two are told apart by evidence: a
//! later frame that knew a byte to be synced. Whatever is shown afterwards is durable first. Must
//! not know: readers, appends.

use crate::fault;
use crate::frame::{Cursor, proves_synced};
use crate::header::{Links, NoHeader, Role, seed};
use crate::lane::{Active, Lane, Shared, Tail};
use crate::segment::{self, NoSegment, Segment};
use crate::walk::{Item, Stumble, Walk};
use crate::writer::Writer;
use model::attack::{Bug, Mark, planted, reached};
use model::codec::Record;
use model::{Fault, Lane as Name};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// Recovers one lane from its directory.
pub(crate) fn recover(shared: &Arc<Shared>, name: Name, dir: PathBuf) -> Result<Lane, Fault> {
    let place = Place { shared, name: &name, dir: &dir };
    let files = place.list()?;
    let segments = place.open_segments(&files.segments)?;
    let tail = match segments.last() {
        Some(last) => recover_tail(shared, last)?,
        None => Tail::default(),
    };
    let adopted = tail.active.as_ref().map_or(&[][..], |active| &active.adopted);
    let last_number = place.drop_staged(&files.staged, &segments, adopted)?;
    place.sync_dir()?;
    let bytes = place.bytes(&segments, &files.staged, adopted)?;
    let lane = Lane::new(name, dir, Arc::clone(shared), segments, tail);
    lane.staging.lock().unwrap_or_else(PoisonError::into_inner).last_number = last_number;
    lane.grow(bytes);
    shared.room.take_anyway(bytes);
    Ok(lane)
}

/// The numbers of the files in a lane's directory.
struct Files {
    segments: Vec<u64>,
    staged: BTreeSet<u64>,
}

struct Place<'a> {
    shared: &'a Shared,
    name: &'a Name,
    dir: &'a Path,
}

impl Place<'_> {
    fn list(&self) -> Result<Files, Fault> {
        let names = self.shared.disk.list(self.dir);
        let names = names.map_err(|error| fault::disk("list", self.dir, error))?;
        let mut files = Files { segments: Vec::new(), staged: BTreeSet::new() };
        for name in names {
            let Some((role, number)) = segment::parse_name(&name) else {
                continue;
            };
            let Some(number) = number else {
                let why = "its name is not one that the journal gives";
                return Err(fault::damage(self.name, &self.dir.join(name), 0, why));
            };
            match role {
                Role::Segment => files.segments.push(number),
                Role::Staged => _ = files.staged.insert(number),
            }
        }
        files.segments.sort_unstable();
        for pair in files.segments.windows(2) {
            if pair[0] + 1 != pair[1] {
                let path = self.path(pair[0] + 1, Role::Segment);
                return Err(fault::damage(self.name, &path, 0, "the file is not there"));
            }
        }
        Ok(files)
    }

    /// Opens the segments, and checks that each has the length that the next one says.
    fn open_segments(&self, numbers: &[u64]) -> Result<Vec<Arc<Segment>>, Fault> {
        let mut segments: Vec<Arc<Segment>> = Vec::with_capacity(numbers.len());
        for (index, number) in numbers.iter().enumerate() {
            let path = self.path(*number, Role::Segment);
            let disk = &*self.shared.disk;
            let opened = Segment::open(disk, self.dir, self.name, *number, Role::Segment);
            let segment = match opened {
                Ok(segment) => segment,
                Err(NoSegment::Header(NoHeader::Bad(_)))
                    if index + 1 == numbers.len() && self.was_never_durable(*number)? =>
                {
                    self.remove(&path)?;
                    self.sync_dir()?;
                    reached(Mark::EmptySegmentRemoved);
                    break;
                }
                Err(no_segment) => return Err(no_segment.judge(self.name, &path)),
            };
            if let Some(before) = segments.last() {
                let length = length(before)?;
                if length != segment.links().previous_bytes {
                    let why = "it is not as long as the next segment says";
                    return Err(before.damage(length.min(segment.links().previous_bytes), why));
                }
            }
            segments.push(Arc::new(segment));
        }
        Ok(segments)
    }

    /// Whether the last segment has nothing to lose: its header is synced before any frame is
    /// written, so a frame proves that it was. The first segment that trimming left behind is also
    /// the only one to say where the lane begins, and stays.
    fn was_never_durable(&self, number: u64) -> Result<bool, Fault> {
        let path = self.path(number, Role::Segment);
        let file = self.shared.disk.open(&path);
        let file = file.map_err(|error| fault::disk("open", &path, error))?;
        let bytes = read_from(&*file, 0).map_err(|error| fault::disk("read", &path, error))?;
        let follows = number == 1 || self.list()?.segments.contains(&(number - 1));
        let seed = seed(self.name, number, Role::Segment);
        Ok(follows && !proves_synced(&bytes, 0, seed, 0))
    }

    /// Removes staged files that no segment adopts; the highest number that was ever given.
    fn drop_staged(
        &self,
        staged: &BTreeSet<u64>,
        segments: &[Arc<Segment>],
        adopted: &[u64],
    ) -> Result<u64, Fault> {
        let in_closed = segments.iter().skip(1).flat_map(|segment| &segment.links().adopted);
        let needed: BTreeSet<u64> = in_closed.chain(adopted).copied().collect();
        if let Some(missing) = needed.difference(staged).next() {
            let path = self.path(*missing, Role::Staged);
            return Err(fault::damage(self.name, &path, 0, "the file is not there"));
        }
        let trimmed = segments.first().map_or(&[][..], |first| &first.links().adopted);
        for number in staged.difference(&needed) {
            self.remove(&self.path(*number, Role::Staged))?;
            if !trimmed.contains(number) {
                reached(Mark::StagedPartsDropped);
            }
        }
        Ok(staged.union(&needed).chain(trimmed).copied().max().unwrap_or(0))
    }

    fn bytes(
        &self,
        segments: &[Arc<Segment>],
        staged: &BTreeSet<u64>,
        adopted: &[u64],
    ) -> Result<u64, Fault> {
        let mut bytes = 0;
        for segment in segments {
            bytes += length(segment)?;
        }
        let in_closed = segments.iter().skip(1).flat_map(|segment| &segment.links().adopted);
        for number in in_closed.chain(adopted).filter(|number| staged.contains(number)) {
            let path = self.path(*number, Role::Staged);
            let file = self.shared.disk.open(&path).and_then(|file| file.length());
            bytes += file.map_err(|error| fault::disk("open", &path, error))?;
        }
        Ok(bytes)
    }

    fn path(&self, number: u64, role: Role) -> PathBuf {
        self.dir.join(segment::name(number, role))
    }

    fn remove(&self, path: &Path) -> Result<(), Fault> {
        self.shared.disk.remove(path).map_err(|error| fault::disk("remove", path, error))
    }

    fn sync_dir(&self) -> Result<(), Fault> {
        let synced = self.shared.disk.sync_dir(self.dir);
        synced.map_err(|error| fault::disk("sync", self.dir, error))
    }
}

/// Walks through the last segment, cuts a torn tail off, and makes the rest durable.
fn recover_tail(shared: &Shared, segment: &Arc<Segment>) -> Result<Tail, Fault> {
    let Links { before, last_commit, epoch, .. } = segment.links().clone();
    let mut tail = Tail { last: before, last_commit, epoch, ..Tail::default() };
    let (mut adopted, mut has_entries) = (Vec::new(), false);
    let mut walk = Walk::new(segment, segment.start, length(segment)?);
    let end = loop {
        let found = match walk.next() {
            Ok(Some(found)) => found,
            // The walk's own place counts, not the last record's: a table frame in between is
            // learned, so it must stay in the file.
            Ok(None) => break walk.cursor(),
            Err(Stumble::Bad(why)) => match torn(segment, walk.cursor(), why)? {
                Torn::Cut => break walk.cursor(),
                Torn::Kept(end) => break end,
                Torn::Mended => {
                    walk = Walk::new(segment, walk.cursor(), length(segment)?);
                    continue;
                }
            },
            Err(Stumble::Disk(error)) => return Err(fault::disk("read", &segment.path, error)),
            Err(Stumble::Newer) => {
                return Err(fault::newer_frame(&segment.path, walk.cursor().position));
            }
            Err(Stumble::Senseless(why)) => {
                return Err(segment.damage(walk.cursor().position, &why));
            }
        };
        match found.item {
            Item::Epoch(epoch) => tail.epoch = tail.epoch.max(Some(epoch)),
            Item::Record(record) => {
                let offset = record.offset().cloned();
                if offset <= tail.last && !planted(Bug::NoDedupeOnReplay) {
                    return Err(
                        segment.damage(found.at.position, "it is no entry, or out of order")
                    );
                }
                if let Record::Adopt(_, file) = &record {
                    adopted.push(file.file);
                }
                tail.note_commit(std::slice::from_ref(&record));
                tail.last = offset;
                has_entries = true;
                tail.last.iter().for_each(|last| segment.note(last, walk.cursor()));
            }
        }
    };
    write_again(segment, walk.proven())?;
    let most = shared.options.record_bytes_max;
    let out = Writer::new(Arc::clone(segment), end, segment.tables(), most);
    tail.active = Some(Active { out, has_entries, adopted });
    Ok(tail)
}

/// What became of a tail that is not whole.
enum Torn {
    /// It is gone.
    Cut,
    /// A planted bug left it there; the next frame follows behind it.
    Kept(Cursor),
    /// A planted bug made it look whole.
    Mended,
}

/// Cuts a torn tail off, unless a later frame proves that it was synced once.
fn torn(segment: &Segment, at: Cursor, why: &str) -> Result<Torn, Fault> {
    let disk = |what, error| fault::disk(what, &segment.path, error);
    let rest = read_from(&*segment.file, at.position).map_err(|error| disk("read", error))?;
    let after = rest.get(1..).unwrap_or_default();
    if proves_synced(after, at.position + 1, segment.seed, at.position) {
        return Err(segment.damage(at.position, why));
    }
    if planted(Bug::TornTailAccepted) {
        return accept(segment, at, rest);
    }
    segment.file.truncate(at.position).map_err(|error| disk("cut", error))?;
    reached(Mark::TornTailCut);
    Ok(Torn::Cut)
}

/// The planted bug: what can be read at all counts as written, and the rest stays where it is.
fn accept(segment: &Segment, at: Cursor, mut rest: Vec<u8>) -> Result<Torn, Fault> {
    use crate::frame::{HEAD_BYTES, Kind, finish};
    let length = rest.get(8..12).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
    let total = length.and_then(|length| HEAD_BYTES.checked_add(usize::try_from(length).ok()?));
    let mut end = at;
    if let Some(frame) = total.and_then(|total| rest.get_mut(..total))
        && segment.decode(&frame[HEAD_BYTES..]).is_ok()
    {
        finish(frame, segment.seed, &mut end, Kind::Record, 0);
        let written = segment.file.write_at(frame, at.position);
        written.map_err(|error| fault::disk("write", &segment.path, error))?;
        return Ok(Torn::Mended);
    }
    Ok(Torn::Kept(Cursor { position: at.position + rest.len() as u64, ..at }))
}

/// Writes everything again that is not proven to be synced, and syncs it. After a failed sync the
/// system may hold bytes that it believes to be on the disk and that are not; a sync alone would
/// not bring them there.
fn write_again(segment: &Segment, proven: u64) -> Result<(), Fault> {
    let disk = |what, error| fault::disk(what, &segment.path, error);
    let bytes = read_from(&*segment.file, proven).map_err(|error| disk("read", error))?;
    segment.file.write_at(&bytes, proven).map_err(|error| disk("write", error))?;
    segment.file.sync().map_err(|error| disk("sync", error))
}

fn length(segment: &Segment) -> Result<u64, Fault> {
    segment.file.length().map_err(|error| fault::disk("measure", &segment.path, error))
}

fn read_from(file: &dyn crate::disk::DiskFile, from: u64) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(file.length()?.saturating_sub(from));
    let mut bytes = vec![0; length.map_err(|_| std::io::ErrorKind::FileTooLarge)?];
    let count = file.read_at(&mut bytes, from)?;
    bytes.truncate(count);
    Ok(bytes)
}
