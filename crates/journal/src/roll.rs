//! Roll: begins a new segment.
//!
//! Keeps J9: a segment is begun only after everything before it is durable, and takes appends only
//! after its own header and name are. So only the last segment can have a torn tail. Must not know:
//! entries.

use crate::fault;
use crate::header::{Body, Header, Links};
use crate::lane::{Active, Lane, Tail};
use crate::segment::Segment;
use crate::writer::Writer;
use model::Fault;
use model::codec::Dictionary;
use std::sync::Arc;

/// A segment adopts no more staged files than this, so that the next header stays small.
const ADOPTED_MAX: usize = 1000;

/// Makes sure that there is a segment which takes appends.
pub(crate) fn ready<'a>(lane: &Lane, tail: &'a mut Tail) -> Result<&'a mut Active, Fault> {
    let is_ready = tail.active.as_ref().is_some_and(|active| {
        active.out.end() < lane.shared.options.segment_bytes_max
            && active.adopted.len() < ADOPTED_MAX
    });
    if !is_ready {
        roll(lane, tail)?;
    }
    Ok(tail.active.as_mut().expect("BUG: a roll leaves an active segment"))
}

/// Begins a new segment after what is written.
pub(crate) fn roll(lane: &Lane, tail: &mut Tail) -> Result<(), Fault> {
    let (number, previous_bytes, adopted) = match &tail.active {
        Some(active) => {
            lane.sync_to(&lane.written()?)?;
            (active.out.segment.number + 1, active.out.end(), active.adopted.clone())
        }
        None => {
            lane.make_dir()?;
            (1, 0, Vec::new())
        }
    };
    let links = Links {
        previous_bytes,
        before: tail.last.clone(),
        last_commit: tail.last_commit.clone(),
        epoch: tail.epoch,
        adopted,
    };
    let header = Header { lane: lane.name.clone(), number, body: Body::Segment(links) };
    let segment = Arc::new(create(lane, header)?);
    let most = lane.shared.options.record_bytes_max;
    let out = Writer::new(Arc::clone(&segment), segment.start, Dictionary::new(), most);
    lane.grow(segment.start.position);
    lane.shared.room.take_anyway(segment.start.position);
    lane.add(segment)?;
    tail.active = Some(Active { out, has_entries: false, adopted: Vec::new() });
    Ok(())
}

/// Makes the file durable with its header and name.
fn create(lane: &Lane, header: Header) -> Result<Segment, Fault> {
    let (disk, room) = (&*lane.shared.disk, &lane.shared.room);
    let segment = match Segment::create(disk, &lane.dir, header) {
        Ok(segment) => segment,
        Err(error) if fault::is_full(&error) => {
            return Err(room.full(format!("the disk has no room for a segment: {error}")));
        }
        Err(error) => return Err(room.close("make a segment in", &lane.dir, error)),
    };
    segment.file.sync().map_err(|error| room.close_unsynced(&segment.path, error))?;
    disk.sync_dir(&lane.dir).map_err(|error| room.close_unsynced(&lane.dir, error))?;
    Ok(segment)
}
