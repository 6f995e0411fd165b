//! Trim: removes whole segments that nobody needs.
//!
//! Keeps J12: what is above the given offset stays. How far that is, is its caller's promise: the
//! lowest watermark of all targets. Must not know: targets.

use crate::fault::lock;
use crate::header::Role;
use crate::lane::Lane;
use crate::offload::Wanted;
use crate::roll;
use crate::segment;
use model::attack::{Mark, reached};
use model::{Code, Fault, Offset};
use std::io;

/// Removes segments whose entries are all at or below `upto`, oldest first.
pub(crate) fn trim(lane: &Lane, upto: &Offset, wanted: Wanted<'_>) -> Result<(), Fault> {
    let _trimming = lock(&lane.trimming)?;
    if !wanted() {
        return Ok(());
    }
    lane.shared.room.check_open()?;
    remove_below(lane, upto)?;
    // What was freed is room for the segment that frees the last one.
    if free_active(lane, upto)? {
        remove_below(lane, upto)?;
    }
    lane.shared.spare.make(&*lane.shared.disk);
    Ok(())
}

fn remove_below(lane: &Lane, upto: &Offset) -> Result<(), Fault> {
    while let Some(first) = lane.first_below(upto)? {
        let Some(next) = first.next else { break };
        remove(lane, &first.segment.path)?;
        // Each removal is durable before the next: a crash must leave no gap.
        let disk = &lane.shared.disk;
        disk.sync_dir(&lane.dir)
            .map_err(|error| lane.shared.room.close_unsynced(&lane.dir, error))?;
        lane.forget_first()?;
        lane.shrink(first.limit);
        reached(Mark::SegmentTrimmed);
        for file in &next.links().adopted {
            remove_adopted(lane, *file)?;
        }
    }
    Ok(())
}

/// Begins a new segment if the active one holds much that is not needed, and nothing that is;
/// whether it did.
fn free_active(lane: &Lane, upto: &Offset) -> Result<bool, Fault> {
    let mut tail = lock(&lane.tail)?;
    let Some(active) = &tail.active else {
        return Ok(false);
    };
    let is_large = active.out.end() > lane.shared.options.segment_bytes_max / 2;
    let frees = is_large || lane.shared.room.is_short() || !active.adopted.is_empty();
    if !active.has_entries || tail.last.as_ref() > Some(upto) || !frees {
        return Ok(false);
    }
    let rolled = roll::roll(lane, &mut tail);
    let is_full = rolled.as_ref().is_err_and(|fault| fault.code == Code::JournalFull);
    if is_full && lane.shared.spare.spend(&*lane.shared.disk) {
        roll::roll(lane, &mut tail)?;
    } else {
        rolled?;
    }
    Ok(true)
}

/// Removes a file that the segment before adopted. A crash may bring it back; recovery sees then
/// that no segment is left which needs it.
fn remove_adopted(lane: &Lane, number: u64) -> Result<(), Fault> {
    lock(&lane.opened)?.remove(&number);
    let path = lane.dir.join(segment::name(number, Role::Staged));
    let bytes = match lane.shared.disk.open(&path).and_then(|file| file.length()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(lane.shared.room.close("open", &path, error)),
    };
    remove(lane, &path)?;
    lane.shrink(bytes);
    Ok(())
}

fn remove(lane: &Lane, path: &std::path::Path) -> Result<(), Fault> {
    let removed = lane.shared.disk.remove(path);
    removed.map_err(|error| lane.shared.room.close("remove", path, error))
}
