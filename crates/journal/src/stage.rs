//! Stage: the verbs that keep changes of uncommitted transactions aside.
//!
//! Nothing is synced here; the commit does that, once, for all parts. Must not know: how an adopted
//! file is read.

use crate::fault::{self, lock};
use crate::header::{Body, Header};
use crate::lane::Lane;
use crate::offload::Wanted;
use crate::segment::Segment;
use crate::staging::{StagedFile, Staging};
use crate::writer::Writer;
use model::codec::{Dictionary, Record};
use model::log::StagedPart;
use model::{Fault, TransactionId};
use std::sync::Arc;

/// Keeps a part aside.
pub(crate) fn stage(lane: &Lane, part: StagedPart, wanted: Wanted<'_>) -> Result<(), Fault> {
    let mut staging = lock(&lane.staging)?;
    if !wanted() {
        return Ok(());
    }
    let room = &lane.shared.room;
    room.check_open()?;
    let transaction = part.transaction;
    if !staging.open.contains_key(&transaction) {
        let file = begin(lane, &mut staging, transaction)?;
        staging.open.insert(transaction, file);
    }
    let file = staging.open.get_mut(&transaction).expect("BUG: it was put there");
    file.check_sub(part.sub)?;
    let (sub, changes) = (part.sub, part.changes.len());
    let synced = file.synced;
    let mut draft = file.out.draft(Vec::new(), synced);
    let length = match file.out.push_record(&mut draft, &Record::Part(part)) {
        Ok(()) => draft.length(),
        Err(fault) => {
            file.out.abandon(draft);
            return Err(fault);
        }
    };
    // A transaction is one file: what it has so far counts with what comes.
    if let Err(fault) = room.check_fits(file.out.end() + length).and_then(|()| room.take(length)) {
        file.out.abandon(draft);
        return Err(fault);
    }
    if let Err(fault) = file.out.write(draft, room) {
        room.take_back(length);
        return Err(fault);
    }
    lane.grow(length);
    file.count(sub, changes);
    Ok(())
}

/// Drops a sub-transaction, or the whole transaction with its file.
pub(crate) fn unstage(
    lane: &Lane,
    transaction: TransactionId,
    sub: TransactionId,
    wanted: Wanted<'_>,
) -> Result<(), Fault> {
    let mut staging = lock(&lane.staging)?;
    if !wanted() {
        return Ok(());
    }
    let room = &lane.shared.room;
    room.check_open()?;
    if transaction != sub {
        if let Some(file) = staging.open.get_mut(&transaction) {
            file.abort(sub);
        }
        return Ok(());
    }
    if let Some(file) = staging.open.remove(&transaction) {
        // A crash may bring the file back; without a record that adopts it it is removed then.
        let path = &file.segment().path;
        if let Err(error) = lane.shared.disk.remove(path) {
            return Err(room.close("remove", path, error));
        }
        lane.shrink(file.out.end());
    }
    Ok(())
}

/// Syncs the staged files of transactions that are about to be committed.
pub(crate) fn seal(lane: &Lane, transactions: &[TransactionId]) -> Result<(), Fault> {
    let room = &lane.shared.room;
    for transaction in transactions {
        let (segment, end) = match lock(&lane.staging)?.open.get(transaction) {
            Some(file) => (Arc::clone(file.segment()), file.out.end()),
            None => return Err(nothing_staged(*transaction)),
        };
        room.check_open()?;
        if let Err(error) = segment.file.sync() {
            return Err(room.close_unsynced(&segment.path, error));
        }
        if let Err(error) = lane.shared.disk.sync_dir(&lane.dir) {
            return Err(room.close_unsynced(&lane.dir, error));
        }
        if let Some(file) = lock(&lane.staging)?.open.get_mut(transaction) {
            file.synced = end;
        }
    }
    Ok(())
}

/// A commit whose parts are not there.
pub(crate) fn nothing_staged(transaction: TransactionId) -> Fault {
    let number = transaction.0;
    fault::broken(format!("transaction {number} is committed as staged, but nothing was staged"))
}

/// Makes the file for a transaction.
fn begin(
    lane: &Lane,
    staging: &mut Staging,
    transaction: TransactionId,
) -> Result<StagedFile, Fault> {
    let room = &lane.shared.room;
    lane.make_dir()?;
    let number = staging.last_number + 1;
    let header = Header { lane: lane.name.clone(), number, body: Body::Staged(transaction) };
    let length = header.encode().1.position;
    room.take(length)?;
    let segment = match Segment::create(&*lane.shared.disk, &lane.dir, header) {
        Ok(segment) => Arc::new(segment),
        Err(error) => {
            room.take_back(length);
            return Err(match fault::is_full(&error) {
                true => room.full(format!("the disk has no room for a staged file: {error}")),
                false => room.close("make a staged file in", &lane.dir, error),
            });
        }
    };
    staging.last_number = number;
    lane.grow(length);
    let most = lane.shared.options.record_bytes_max;
    Ok(StagedFile::new(Writer::new(Arc::clone(&segment), segment.start, Dictionary::new(), most)))
}
