//! Append: checks entries, turns them into records and writes them as one draft.
//!
//! Keeps J10 (offsets rise, epochs never fall) before a byte is written. Must not know: syncing,
//! which its caller does next, as a job of its own.

use crate::fault::{self, lock};
use crate::lane::{Active, End, Lane, Tail};
use crate::offload::Wanted;
use crate::recent::RECENT_BYTES_MAX;
use crate::roll;
use crate::stage::nothing_staged;
use crate::staging::Staging;
use crate::writer::Draft;
use model::attack::{Bug, Mark, planted, reached};
use model::codec::Record;
use model::{Append, Changes, Code, Commit, Epoch, Fault, Offset, TransactionId};

/// A buffer that has grown beyond this is given back after its append.
const BUFFER_BYTES_MAX: usize = 4 << 20;

/// A position stands in the header of the next segment, which has to stay small.
const POSITION_BYTES_MAX: usize = 64 << 10;

/// The transactions among these entries that were staged before.
pub(crate) fn staged_in(entries: &[Append]) -> Vec<TransactionId> {
    let commits = entries.iter().filter_map(|entry| match entry {
        Append::Commit(commit, Changes::Staged) => Some(commit.transaction),
        _ => None,
    });
    commits.collect()
}

/// Writes the entries; where they end, and what of them is kept nowhere and to be freed. Nobody sees
/// them before a sync.
pub(crate) fn write(
    lane: &Lane,
    entries: Vec<Append>,
    epoch: Epoch,
    wanted: Wanted<'_>,
) -> Result<(End, Vec<Record>), Fault> {
    let mut tail = lock(&lane.tail)?;
    if !wanted() {
        return Ok((lane.written()?, Vec::new()));
    }
    lane.shared.room.check_open()?;
    let last = check(&tail, &entries, epoch)?;
    let raises_epoch = tail.epoch.is_none_or(|before| before < epoch);
    if entries.is_empty() && !raises_epoch {
        return Ok((lane.written()?, Vec::new()));
    }
    let mut staging = lock(&lane.staging)?;
    let records = records(&staging, entries)?;
    let buffer = std::mem::take(&mut tail.buffer);
    let active = roll::ready(lane, &mut tail)?;
    let mut draft = active.out.draft(buffer, lane.durable_bytes()?);
    if raises_epoch {
        draft.push_epoch(&active.out.segment, epoch);
    }
    let (mut buffer, sizes) = put(lane, active, draft, &records)?;
    active.has_entries |= !records.is_empty();
    note_adopted(active, &mut staging, &records);
    let (segment, position) = (active.out.segment.number, active.out.end());
    last.iter().for_each(|last| active.out.segment.note(last, active.out.cursor()));
    buffer.clear();
    buffer.shrink_to(BUFFER_BYTES_MAX);
    tail.buffer = buffer;
    tail.note_commit(&records);
    let before = std::mem::replace(&mut tail.last, last);
    tail.epoch = tail.epoch.max(Some(epoch));
    let (last, last_commit) = (tail.last.clone(), tail.last_commit.clone());
    let left = keep(lane, (before, last.as_ref()), records, sizes)?;
    let end = End { segment, position, last, last_commit, epoch: tail.epoch };
    lane.set_written(end.clone())?;
    Ok((end, left))
}

/// Keeps the records for readers who are abreast; gives back those of which there are too many.
fn keep(
    lane: &Lane,
    (before, last): (Option<Offset>, Option<&Offset>),
    records: Vec<Record>,
    sizes: Vec<usize>,
) -> Result<Vec<Record>, Fault> {
    let mut recent = lock(&lane.recent)?;
    if sizes.iter().sum::<usize>() > RECENT_BYTES_MAX {
        recent.clear(last.cloned());
        return Ok(records);
    }
    recent.append(before, records.into_iter().zip(sizes).collect());
    Ok(Vec::new())
}

/// J10: what the lane would end with after these entries, if they may follow at all.
fn check(tail: &Tail, entries: &[Append], epoch: Epoch) -> Result<Option<Offset>, Fault> {
    if let Some(highest) = tail.epoch.filter(|highest| epoch < *highest) {
        let what = format!("epoch {} appends after epoch {}", epoch.0, highest.0);
        return Err(Fault::stop(Code::Superseded, what));
    }
    let mut last = tail.last.as_ref();
    for entry in entries {
        let offset = match entry {
            Append::Commit(commit, _) => &commit.offset,
            Append::Progress(progress) => &progress.offset,
            Append::Placed(placed) => &placed.offset,
        };
        if offset.is_inside() {
            return Err(fault::broken(format!("an entry stands inside a transaction: {offset}")));
        }
        if offset.position.as_bytes().len() > POSITION_BYTES_MAX {
            return Err(fault::broken(format!(
                "a position has more than {POSITION_BYTES_MAX} bytes"
            )));
        }
        if let Some(last) = last.filter(|last| *last >= offset && !planted(Bug::NoDedupeOnReplay)) {
            let what = format!("{offset} was to follow {last}");
            return Err(Fault::stop(Code::OutOfOrder, what));
        }
        last = Some(offset);
    }
    Ok(last.cloned())
}

fn records(staging: &Staging, entries: Vec<Append>) -> Result<Vec<Record>, Fault> {
    entries
        .into_iter()
        .map(|entry| match entry {
            Append::Commit(commit, Changes::Inline(changes)) => {
                if staging.open.contains_key(&commit.transaction) {
                    let number = commit.transaction.0;
                    let what = format!("transaction {number} is committed whole and staged, too");
                    return Err(fault::broken(what));
                }
                Ok(Record::Commit(commit, changes))
            }
            Append::Commit(commit, Changes::Staged) => adopt(staging, commit),
            Append::Progress(progress) => Ok(Record::Progress(progress)),
            Append::Placed(placed) => Ok(Record::Placed(placed)),
        })
        .collect()
}

fn adopt(staging: &Staging, commit: Commit) -> Result<Record, Fault> {
    let transaction = commit.transaction;
    let Some(file) = staging.open.get(&transaction) else {
        return Err(nothing_staged(transaction));
    };
    if file.synced != file.out.end() {
        let number = transaction.0;
        return Err(fault::broken(format!("transaction {number} goes on beside its commit")));
    }
    Ok(Record::Adopt(commit, file.adopted()))
}

/// Writes the records, or leaves everything as it was; the buffer again, and how many bytes each
/// record takes.
fn put(
    lane: &Lane,
    active: &mut Active,
    mut draft: Draft,
    records: &[Record],
) -> Result<(Vec<u8>, Vec<usize>), Fault> {
    let room = &lane.shared.room;
    let mut sizes = Vec::with_capacity(records.len());
    let pushed = records.iter().try_for_each(|record| {
        let before = draft.bytes();
        active.out.push_record(&mut draft, record)?;
        sizes.push(draft.bytes() - before);
        Ok(())
    });
    let length = draft.length();
    if let Err(fault) = pushed.and_then(|()| room.take(length)) {
        active.out.abandon(draft);
        return Err(fault);
    }
    match active.out.write(draft, room) {
        Ok(buffer) => {
            lane.grow(length);
            Ok((buffer, sizes))
        }
        Err(fault) => {
            room.take_back(length);
            // A crash must not bring back what was refused: a whole record among it may adopt a staged
            // file that is removed by then.
            lane.sync_cut(&active.out.segment)?;
            Err(fault)
        }
    }
}

/// The adopted files belong to the segment now.
fn note_adopted(active: &mut Active, staging: &mut Staging, records: &[Record]) {
    for record in records {
        let Record::Adopt(commit, adopted) = record else {
            continue;
        };
        reached(Mark::StagedAdopted);
        if !adopted.aborted.is_empty() {
            reached(Mark::SubAborted);
        }
        staging.open.remove(&commit.transaction);
        active.adopted.push(adopted.file);
    }
}
