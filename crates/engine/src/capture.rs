//! Task: follows one source and puts what it commits into the log, then confirms it (E1).
//!
//! Everything is found again from the log's end, so a restart needs no memory of its own; what a
//! source delivers again is skipped by its position.

mod gather;

use crate::board::{Phase, Reporter};
use crate::catalog::{Catalog, History};
use crate::limits::Limits;
use crate::task::{Stop, Task, answer};
use async_trait::async_trait;
use futures_util::FutureExt;
use gather::{Gather, Staging};
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Append, Bounds, Code, Epoch, Fault, Incarnation, Lane, Log, Offset, Place, Progress, Service,
    Source, Started, Step, TransactionId,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Follows one source shard.
pub(crate) struct Capture {
    pub(crate) lane: Lane,
    pub(crate) source: Arc<dyn Service<dyn Source>>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) limits: Limits,
    pub(crate) reporter: Reporter,
    /// Transactions that a run before this one may have left staged in the log.
    pub(crate) staged: BTreeSet<TransactionId>,
}

#[async_trait]
impl Task for Capture {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        self.drop_leftovers().await?;
        let started = answer(self.limits.answer, Code::SourceUnavailable, self.start());
        let Some(started) = stop.or(started).await else {
            return Ok(());
        };
        let (mut source, last) = started?;
        source.confirm(&last.position);
        self.reporter.logged(last.clone());
        self.reporter.step();
        let mut gather = Gather::new(last, &self.limits);
        while let Some(step) = stop.or(source.next()).await {
            self.take(&mut gather, step?).await?;
            // What is at hand already goes into the same append: under load groups grow by
            // themselves, and an idle source waits for nobody.
            for _ in 1..self.limits.append_steps_max {
                let step = if gather.is_full() { None } else { source.next().now_or_never() };
                let Some(step) = step else { break };
                self.take(&mut gather, step?).await?;
            }
            self.append(&mut gather, source.as_mut()).await?;
        }
        Ok(())
    }
}

impl Capture {
    /// Connects, and starts the source where the log ends.
    async fn start(&self) -> Result<(Box<dyn Source>, Offset), Fault> {
        let mut source = self.source.connect().await?;
        let last = self.start_at_end(source.as_mut()).await?;
        Ok((source, last))
    }

    /// Starts the source where the log ends, and says where that is.
    async fn start_at_end(&self, source: &mut dyn Source) -> Result<Offset, Fault> {
        let bounds = self.log.bounds(&self.lane).await?;
        let history = self.catalog.history(&self.lane).await?;
        let resume = history.map(|history| end_of_log(&bounds, history)).transpose()?;
        if resume.is_none() && bounds.last.is_some() {
            return Err(Fault::lost(
                Code::SourceHistoryLost,
                format!("lane {}: the log has changes, but no note of their server", self.lane),
            ));
        }
        let after = resume.as_ref().map(|(history, last)| Place {
            identity: history.identity.clone(),
            position: last.position.clone(),
        });
        match (source.start(after.as_ref()).await?, resume) {
            (Started::Resumed, Some((_, last))) => Ok(last),
            (Started::Fresh(place), None) => self.begin(place).await,
            (Started::Lost { why, .. }, _) => {
                reached(Mark::HistoryLost);
                let what = format!("lane {}: {why}", self.lane);
                Err(Fault::lost(Code::SourceHistoryLost, what))
            }
            (Started::Fresh(_), Some(_)) | (Started::Resumed, None) => Err(Fault::stop(
                Code::Broken,
                format!("lane {}: the source did not start where it was asked to", self.lane),
            )),
        }
    }

    /// A first history begins. Its note comes before any change, so that no change is ever
    /// without it.
    async fn begin(&self, place: Place) -> Result<Offset, Fault> {
        let Place { identity, position } = place;
        let incarnation = Incarnation(1);
        let history = History { incarnation, identity, began: position.clone() };
        self.catalog.begin(&self.lane, &history).await?;
        Ok(Offset::whole(incarnation, position))
    }

    /// Takes one step; what is too large for memory goes to the log's staging at once.
    async fn take(&mut self, gather: &mut Gather, step: Step) -> Result<(), Fault> {
        for staging in gather.take(step)? {
            match staging {
                Staging::Keep(part) => {
                    self.staged.insert(part.transaction);
                    self.log.stage(&self.lane, part).await?;
                }
                Staging::Drop { transaction, sub } => {
                    self.log.unstage(&self.lane, transaction, sub).await?;
                    if transaction == sub {
                        self.staged.remove(&transaction);
                    }
                }
            }
        }
        Ok(())
    }

    /// E1: appends what is gathered, and only then confirms it.
    async fn append(&mut self, gather: &mut Gather, source: &mut dyn Source) -> Result<(), Fault> {
        let entries = gather.ready();
        let Some(end) = entries.last().map(end_of) else {
            return Ok(());
        };
        if planted(Bug::ConfirmBeforeDurable) {
            source.confirm(&end.position);
        }
        let adopted: Vec<_> = entries.iter().filter_map(adopts).collect();
        self.log.append(&self.lane, entries, Epoch::LIVE).await?;
        source.confirm(&end.position);
        for transaction in adopted {
            self.staged.remove(&transaction);
        }
        self.reporter.logged(end);
        self.reporter.step();
        Ok(())
    }

    /// Parts that a failed run staged would be staged a second time: drop them first.
    async fn drop_leftovers(&mut self) -> Result<(), Fault> {
        while let Some(&transaction) = self.staged.first() {
            self.log.unstage(&self.lane, transaction, transaction).await?;
            self.staged.remove(&transaction);
        }
        Ok(())
    }
}

/// Where the log ends in this history: at its last entry, or where the history began.
fn end_of_log(bounds: &Bounds, history: History) -> Result<(History, Offset), Fault> {
    let last = match &bounds.last {
        None => Offset::whole(history.incarnation, history.began.clone()),
        Some(last) if last.incarnation == history.incarnation => last.clone(),
        Some(last) => {
            return Err(Fault::stop(
                Code::Broken,
                format!("the log ends at {last}, outside the history {:?}", history.incarnation),
            ));
        }
    };
    Ok((history, last))
}

fn end_of(entry: &Append) -> Offset {
    match entry {
        Append::Commit(commit, _) => commit.offset.clone(),
        Append::Progress(Progress { offset, .. }) => offset.clone(),
        Append::Placed(placed) => placed.offset.clone(),
    }
}

fn adopts(entry: &Append) -> Option<TransactionId> {
    match entry {
        Append::Commit(commit, model::Changes::Staged) => Some(commit.transaction),
        _ => None,
    }
}
