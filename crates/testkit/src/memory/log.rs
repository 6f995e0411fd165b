//! A log in memory that keeps every promise of the port but surviving its process.
//!
//! Must not know: files, bytes.

use async_trait::async_trait;
use model::log::StagedPart;
use model::{
    Append, Bounds, Change, Changes, Code, Commit, CommittedPart, Entry, Epoch, Fault, Lane, Log,
    Offset, Placed, Progress, Read, TransactionId,
};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A log in memory; clones are the same log.
#[derive(Clone, Default)]
pub struct MemoryLog {
    lanes: Arc<Mutex<BTreeMap<Lane, State>>>,
    news: Arc<Notify>,
}

#[derive(Default)]
struct State {
    entries: Vec<Kept>,
    staged: BTreeMap<TransactionId, Vec<StagedPart>>,
    trimmed: Option<Offset>,
    last: Option<Offset>,
    last_commit: Option<Commit>,
    epoch: Option<Epoch>,
}

enum Kept {
    Transaction(Commit, Vec<Change>),
    Progress(Progress),
    Placed(Placed),
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<Lane, State>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog").finish_non_exhaustive()
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn bounds(&self, lane: &Lane) -> Result<Bounds, Fault> {
        let mut lanes = self.lanes();
        let state = lanes.entry(lane.clone()).or_default();
        let staged = state.staged.values().flatten().flat_map(|part| &part.changes);
        let kept: usize = state.entries.iter().map(Kept::bytes).sum();
        Ok(Bounds {
            trimmed: state.trimmed.clone(),
            last: state.last.clone(),
            last_commit: state.last_commit.clone(),
            epoch: state.epoch,
            bytes: (kept + staged.map(Change::bytes).sum::<usize>()) as u64,
            is_full: false,
        })
    }

    async fn stage(&self, lane: &Lane, part: StagedPart) -> Result<(), Fault> {
        let mut lanes = self.lanes();
        let state = lanes.entry(lane.clone()).or_default();
        state.staged.entry(part.transaction).or_default().push(part);
        Ok(())
    }

    async fn unstage(
        &self,
        lane: &Lane,
        transaction: TransactionId,
        sub: TransactionId,
    ) -> Result<(), Fault> {
        let mut lanes = self.lanes();
        let state = lanes.entry(lane.clone()).or_default();
        if sub == transaction {
            state.staged.remove(&transaction);
        } else if let Some(parts) = state.staged.get_mut(&transaction) {
            parts.retain(|part| part.sub != sub);
        }
        Ok(())
    }

    async fn append(&self, lane: &Lane, entries: Vec<Append>, epoch: Epoch) -> Result<(), Fault> {
        let mut lanes = self.lanes();
        let state = lanes.entry(lane.clone()).or_default();
        state.check(&entries, epoch)?;
        for entry in entries {
            let kept = match entry {
                Append::Commit(commit, Changes::Inline(changes)) => {
                    Kept::Transaction(commit, changes)
                }
                Append::Commit(commit, Changes::Staged) => {
                    let parts = state.staged.remove(&commit.transaction).unwrap_or_default();
                    Kept::Transaction(commit, parts.into_iter().flat_map(|it| it.changes).collect())
                }
                Append::Progress(progress) => Kept::Progress(progress),
                Append::Placed(placed) => Kept::Placed(placed),
            };
            state.last = Some(kept.offset().clone());
            if let Kept::Transaction(commit, _) = &kept {
                state.last_commit = Some(commit.clone());
            }
            state.entries.push(kept);
        }
        state.epoch = state.epoch.max(Some(epoch));
        drop(lanes);
        self.news.notify_waiters();
        Ok(())
    }

    async fn read(
        &self,
        lane: &Lane,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Read, Fault> {
        loop {
            let mut news = pin!(self.news.notified());
            news.as_mut().enable();
            let found = self.lanes().entry(lane.clone()).or_default().read(after, bytes_max);
            match found {
                Some(read) => return Ok(read),
                None => news.await,
            }
        }
    }

    async fn trim(&self, lane: &Lane, upto: &Offset) -> Result<(), Fault> {
        let mut lanes = self.lanes();
        let state = lanes.entry(lane.clone()).or_default();
        let gone = state.entries.partition_point(|kept| kept.offset() <= upto);
        if let Some(last) = state.entries.drain(..gone).next_back() {
            state.trimmed = Some(last.offset().clone());
        }
        Ok(())
    }
}

impl State {
    /// Everything that can be wrong with an append, before any of it is done.
    fn check(&self, entries: &[Append], epoch: Epoch) -> Result<(), Fault> {
        if self.epoch > Some(epoch) {
            let what = format!("epoch {} appends after {:?}", epoch.0, self.epoch);
            return Err(Fault::stop(Code::Superseded, what));
        }
        let mut last = self.last.as_ref();
        for entry in entries {
            let (offset, commit) = match entry {
                Append::Commit(commit, changes) => (&commit.offset, Some((commit, changes))),
                Append::Progress(progress) => (&progress.offset, None),
                Append::Placed(placed) => (&placed.offset, None),
            };
            if last >= Some(offset) {
                let what = format!("{offset} was to follow {last:?}");
                return Err(Fault::stop(Code::OutOfOrder, what));
            }
            last = Some(offset);
            let Some((commit, changes)) = commit else {
                continue;
            };
            let is_staged = self.staged.contains_key(&commit.transaction);
            if is_staged != matches!(changes, Changes::Staged) {
                let what = format!("transaction {}: staged {is_staged}", commit.transaction.0);
                return Err(Fault::stop(Code::Broken, what));
            }
        }
        Ok(())
    }

    fn read(&self, after: Option<&Offset>, bytes_max: usize) -> Option<Read> {
        if let Some(trimmed) = self.trimmed.as_ref().filter(|trimmed| after < Some(trimmed)) {
            return Some(Read::Gone { trimmed: trimmed.clone() });
        }
        let first = self.entries.partition_point(|kept| Some(kept.offset()) <= after);
        let (mut entries, mut room) = (Vec::new(), bytes_max);
        for kept in &self.entries[first..] {
            let bytes = kept.bytes();
            if bytes > room && !entries.is_empty() {
                break;
            }
            let (entry, whole) = kept.entry(after, room);
            entries.push(entry);
            room = room.saturating_sub(bytes);
            if !whole || room == 0 {
                break;
            }
        }
        (!entries.is_empty()).then_some(Read::Entries(entries))
    }
}

impl Kept {
    fn offset(&self) -> &Offset {
        match self {
            Kept::Transaction(commit, _) => &commit.offset,
            Kept::Progress(progress) => &progress.offset,
            Kept::Placed(placed) => &placed.offset,
        }
    }

    fn bytes(&self) -> usize {
        let changes = match self {
            Kept::Transaction(_, changes) => changes,
            Kept::Progress(_) => return size_of::<Progress>(),
            Kept::Placed(placed) => &placed.changes,
        };
        size_of::<Commit>() + changes.iter().map(Change::bytes).sum::<usize>()
    }

    /// What comes after `after`, as much as there is room for, and whether that is all of it.
    fn entry(&self, after: Option<&Offset>, room: usize) -> (Entry, bool) {
        let (commit, all) = match self {
            Kept::Transaction(commit, changes) => (commit, changes),
            Kept::Progress(progress) => return (Entry::Progress(progress.clone()), true),
            Kept::Placed(placed) => return (Entry::Placed(placed.clone()), true),
        };
        let inside =
            after.filter(|after| after.is_inside() && after.change(Offset::WHOLE) == commit.offset);
        let first = inside.map_or(0, |after| after.ordinal + 1).min(all.len() as u64);
        let mut taken = 0;
        let left = all.iter().skip(usize::try_from(first).unwrap_or(usize::MAX));
        let changes: Vec<_> = left
            .take_while(|change| {
                let is_first = taken == 0;
                taken += change.bytes().max(1);
                is_first || taken <= room
            })
            .cloned()
            .collect();
        let last = first + changes.len() as u64 == all.len() as u64;
        (Entry::Part(CommittedPart { commit: commit.clone(), first, changes, last }), last)
    }
}
