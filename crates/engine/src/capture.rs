//! Task: follows one source and puts what it commits into the log, then confirms it (E1).
//!
//! It is the lane's only writer, so it also places the rows that others want read again: at the
//! head, where nothing can come in between. Everything is found again from the log's end, so a
//! restart needs no memory of its own; what a source delivers again is skipped by its position.

mod begin;
mod gather;
mod place;
mod touched;

use crate::ask::Ask;
use crate::board::{Phase, Reporter};
use crate::catalog::Catalog;
use crate::desk::Desk;
use crate::limits::Limits;
use crate::task::{Stop, Task, answer};
use async_trait::async_trait;
use begin::Beginning;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use gather::{Gather, Staging};
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Append, Code, Epoch, Fault, Lane, Log, Offset, Placed, Progress, Service, Source, Step,
    TableName, TransactionId,
};
use place::{Placing, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use touched::Memory;

/// Follows one source shard.
pub(crate) struct Capture {
    pub(crate) lane: Lane,
    pub(crate) source: Arc<dyn Service<dyn Source>>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) desk: Desk,
    pub(crate) limits: Limits,
    pub(crate) reporter: Reporter,
    /// Transactions that a run before this one may have left staged in the log.
    pub(crate) staged: BTreeSet<TransactionId>,
}

#[async_trait]
impl Task for Capture {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let worked = self.work(stop).await;
        if worked.as_ref().is_err_and(|fault| fault.code == Code::JournalFull) {
            self.reporter.log_is_full(self.limits.full_grace);
        }
        worked
    }
}

impl Capture {
    /// Follows the source from the log's end on.
    async fn work(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.drop_leftovers().await?;
        let beginning = Beginning {
            lane: &self.lane,
            log: self.log.as_ref(),
            catalog: self.catalog.as_ref(),
            desk: &self.desk,
            reporter: &self.reporter,
        };
        let begun = beginning.start(self.source.as_ref());
        let begun = answer(self.limits.answer, Code::SourceUnavailable, begun);
        let Some(begun) = stop.or(begun).await else {
            return Ok(());
        };
        let (source, head) = begun?;
        source.confirm(&head.position);
        self.reporter.begun(&head);
        self.reporter.step();
        let mut following = Following {
            gather: Gather::new(head.clone(), &self.limits),
            placing: Placing::new(&self.limits),
            memory: Memory::new(head.position.clone(), &self.limits),
            look_at: Instant::now(),
            mark_at: Instant::now(),
            is_behind: false,
            source,
            head,
        };
        while !stop.asked() {
            let Some(step) = stop.or(following.wake(&self.desk)).await else { break };
            self.follow(&mut following, step).await?;
            self.hear(&mut following).await?;
            self.place(&mut following).await?;
            self.look_ahead(&mut following)?;
            following.mark(Instant::now());
        }
        Ok(())
    }

    /// A target that is led from here stands in a later history: this one was lost count of, or
    /// another instance has begun that one. Once the lane has come past the target, it is taken up.
    fn look_ahead(&self, following: &mut Following) -> Result<(), Fault> {
        let later = self.desk.later_than(following.head.incarnation);
        following.is_behind = later.is_some();
        match later {
            Some(later) if following.head.position > later.position => {
                let what =
                    format!("lane {}: a target stands at {later}, in a later history", self.lane);
                Err(Fault::retry(Code::SourceHistoryLost, what))
            }
            _ => Ok(()),
        }
    }
}

/// What one run of capture has in hand.
struct Following {
    source: Box<dyn Source>,
    /// The log's end.
    head: Offset,
    gather: Gather,
    placing: Placing,
    memory: Memory,
    /// When somebody is to look again how far sessions see.
    look_at: Instant,
    /// When the source is to be told again that somebody waits.
    mark_at: Instant,
    /// Whether a target stands in a later history, up to which this one is followed on.
    is_behind: bool,
}

impl Following {
    /// Waits for the source's next step, or until there is something to place or to ask for.
    async fn wake(&mut self, desk: &Desk) -> Option<Result<Step, Fault>> {
        let pause = self.pause();
        let woken = async {
            match select(self.source.next(), pin!(desk.answered())).await {
                Either::Left((step, _)) => Some(step),
                Either::Right(((), _)) => None,
            }
        };
        match pause {
            Some(pause) => timeout(pause, woken).await.unwrap_or(None),
            None => woken.await,
        }
    }

    /// How long to wait at most; for ever where nobody waits for anything.
    fn pause(&self) -> Option<Duration> {
        match (self.is_awaited(), &self.placing.waits_for()) {
            (true, _) => Some(MARK_PAUSE),
            (false, None) if self.memory.is_empty() => None,
            (false, _) => Some(TICK),
        }
    }

    /// Whether somebody waits for what an idle source does not deliver by itself.
    fn is_awaited(&self) -> bool {
        self.is_behind || self.placing.waits_for().is_some_and(|it| *it > self.head.position)
    }

    /// Tells the source that somebody waits, again and again as long as it is so.
    fn mark(&mut self, now: Instant) {
        if self.is_awaited() && now >= self.mark_at {
            reached(Mark::SourceMarked);
            self.source.mark();
            self.mark_at = now + MARK_PAUSE;
        }
    }
}

impl Capture {
    /// Takes the step, and what is at hand behind it, and puts it into the log.
    async fn follow(
        &mut self,
        following: &mut Following,
        step: Option<Result<Step, Fault>>,
    ) -> Result<(), Fault> {
        let Some(step) = step else { return Ok(()) };
        self.take(following, step?).await?;
        // What is at hand already goes into the same append: under load groups grow by
        // themselves, and an idle source waits for nobody.
        for _ in 1..self.limits.append_steps_max {
            let is_full = following.gather.is_full();
            let step = if is_full { None } else { following.source.next().now_or_never() };
            let Some(step) = step else { break };
            self.take(following, step?).await?;
        }
        self.append_gathered(following).await
    }

    /// Takes one step; what is too large for memory goes to the log's staging at once.
    async fn take(&mut self, following: &mut Following, step: Step) -> Result<(), Fault> {
        if let Step::Progress { position, source_time } = &step
            && *position == following.head.position
        {
            self.reporter.idle(&following.head, *source_time);
        }
        for staging in following.gather.take(step)? {
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

    async fn append_gathered(&mut self, following: &mut Following) -> Result<(), Fault> {
        let entries = following.gather.ready();
        let touched = following.gather.touched();
        let adopted: Vec<_> = entries.iter().filter_map(adopts).collect();
        let mut kept: Vec<_> =
            entries.iter().filter_map(|entry| kept_changes(entry, &following.placing)).collect();
        let counted = transactions(&entries, &following.gather.counted());
        self.append(following, entries, counted).await?;
        for transaction in adopted {
            self.staged.remove(&transaction);
        }
        for (position, transaction, touched) in touched {
            let of = |(number, _): &mut (TransactionId, _)| *number == transaction;
            let changes = kept.extract_if(.., of).next().map(|(_, changes)| changes);
            let changes = changes.unwrap_or_default();
            following.memory.log(position, transaction, touched, changes);
        }
        Ok(())
    }

    /// E1: appends, and only then confirms.
    async fn append(
        &self,
        following: &mut Following,
        entries: Vec<Append>,
        counted: Vec<(Offset, u64, i64)>,
    ) -> Result<(), Fault> {
        let Some(end) = entries.last().map(end_of) else {
            return Ok(());
        };
        if planted(Bug::ConfirmBeforeDurable) {
            following.source.confirm(&end.position);
        }
        let epoch = self.desk.epoch();
        self.log.append(&self.lane, entries, epoch).await?;
        following.source.confirm(&end.position);
        self.reporter.logged(&end, counted);
        self.reporter.step();
        following.head = end;
        Ok(())
    }

    /// Passes on what became known of the source beside its steps.
    async fn hear(&self, following: &mut Following) -> Result<(), Fault> {
        let news = following.source.news();
        if let Some(witness) = &news.witness {
            self.catalog.renew(&self.lane, witness).await?;
        }
        news.retained_bytes.inspect(|&bytes| self.reporter.retained(bytes));
        for (code, what) in news.notices {
            self.reporter.notice(code, format!("lane {}: {what}", self.lane));
        }
        Ok(())
    }

    /// Places what was read and is right at the head; the rest waits, or is read again.
    async fn place(&mut self, following: &mut Following) -> Result<(), Fault> {
        let (answers, next_ticket) = self.desk.take_answers();
        for answer in answers {
            following.memory.look(&answer.reading().placement.sees, next_ticket);
            self.desk.close(following.placing.take(answer));
        }
        for (ask, tickets) in following.placing.drop_unwanted(|ask| self.desk.is_wanted(ask)) {
            self.desk.close(tickets);
            self.desk.dropped(&ask, &self.limits);
        }
        let (mut placed, mut settled) = (Vec::new(), Vec::new());
        let mut end = following.head.clone();
        for verdict in following.placing.settle(&following.head, &mut following.memory) {
            match verdict {
                Verdict::SendBack(sent_back) => self.desk.send_back(sent_back, &self.limits),
                Verdict::Drop(asks, tickets) => {
                    self.desk.close(tickets);
                    asks.iter().for_each(|ask| self.desk.dropped(ask, &self.limits));
                }
                Verdict::Place(ask, changes, tickets) => {
                    end = next_placed(&end, self.desk.epoch());
                    placed.push(Append::Placed(entry(&ask, end.clone(), changes)));
                    settled.push((ask, tickets));
                }
            }
        }
        self.append(following, placed, Vec::new()).await?;
        for (ask, tickets) in settled {
            self.desk.close(tickets);
            self.desk.settled(&ask, &self.limits);
        }
        following.memory.forget(self.desk.oldest_ticket());
        let now = Instant::now();
        if !following.memory.is_empty() && now >= following.look_at {
            self.desk.want_look();
            following.look_at = now + TICK;
        }
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

/// How often somebody looks how far sessions see while it matters.
const TICK: Duration = Duration::from_secs(1);

/// How often a source is told that somebody waits for it. What it does then is cheap, or it bounds
/// that itself.
const MARK_PAUSE: Duration = Duration::from_millis(20);

/// The offset of the next entry that this instance places.
fn next_placed(end: &Offset, epoch: Epoch) -> Offset {
    let ordinal = if end.epoch == epoch { end.ordinal + 1 } else { 0 };
    Offset { epoch, ordinal, ..end.clone() }
}

fn entry(ask: &Ask, offset: Offset, changes: Vec<model::Change>) -> Placed {
    let (targets, purpose) = (vec![ask.target.clone()], ask.purpose);
    Placed { offset, targets, purpose, stretch: ask.wanted.stretch().cloned(), changes }
}

fn end_of(entry: &Append) -> Offset {
    match entry {
        Append::Commit(commit, _) => commit.offset.clone(),
        Append::Progress(Progress { offset, .. }) => offset.clone(),
        Append::Placed(placed) => placed.offset.clone(),
    }
}

/// The transactions among the entries: where each ends, how many changes it has, when it committed.
fn transactions(
    entries: &[Append],
    staged: &BTreeMap<TransactionId, u64>,
) -> Vec<(Offset, u64, i64)> {
    let of = |entry: &Append| match entry {
        Append::Commit(commit, changes) => {
            let count = match changes {
                model::Changes::Inline(changes) => changes.len() as u64,
                model::Changes::Staged => staged.get(&commit.transaction).copied().unwrap_or(0),
            };
            Some((commit.offset.clone(), count, commit.committed_at))
        }
        Append::Progress(_) | Append::Placed(_) => None,
    };
    entries.iter().filter_map(of).collect()
}

fn adopts(entry: &Append) -> Option<TransactionId> {
    match entry {
        Append::Commit(commit, model::Changes::Staged) => Some(commit.transaction),
        _ => None,
    }
}

/// The changes of a transaction that somebody may have laid over a row, by table.
fn kept_changes(entry: &Append, placing: &Placing) -> Option<(TransactionId, Kept)> {
    let Append::Commit(commit, model::Changes::Inline(changes)) = entry else { return None };
    let mut kept = Kept::new();
    for change in changes.iter().filter(|change| placing.watches(&change.table)) {
        kept.entry(change.table.name.clone()).or_default().push(change.clone());
    }
    Some((commit.transaction, kept))
}

type Kept = BTreeMap<TableName, Vec<model::Change>>;
