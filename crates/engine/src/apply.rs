//! Task: brings one group of copies forward from the log, batch by batch.
//!
//! The target's own watermark is the only memory of how far it came (E2): after any failure the
//! connection is dropped, a new one is asked, and the log is read again from there. So a lost
//! reply needs no guessing.

mod begin;
mod copies;
mod fold;
mod plan;

use crate::ahead::Ahead;
use crate::ask::PassWish;
use crate::board::{Phase, Reporter};
use crate::catalog::Catalog;
use crate::desk::Desk;
use crate::extent::Extent;
use crate::group::Group;
use crate::instance::Instance;
use crate::led::Led;
use crate::limits::Limits;
use crate::task::{Stop, Task};
use async_trait::async_trait;
use begin::Beginning;
use copies::{Copies, News};
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Batch, Claim, Code, CopyName, Epoch, Fate, Fault, Lane, Log, Mode, Offset, Outcome, Pass, Read,
    Standing, Watermark,
};
use plan::{Plan, Planned};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// Brings one group forward.
pub(crate) struct Apply {
    pub(crate) lane: Lane,
    pub(crate) group: Group,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) desk: Desk,
    pub(crate) limits: Limits,
    pub(crate) instance: Instance,
    pub(crate) reporter: Reporter,
    pub(crate) catalog: Arc<dyn Catalog>,
    /// How many connections this run has asked for.
    pub(crate) connections: u64,
    /// The batch whose reply never came, for the marks alone.
    pub(crate) in_doubt: Option<Watermark>,
    /// The copies whose rows refer to those of others, as the target said it last.
    pub(crate) refers: BTreeMap<CopyName, BTreeSet<CopyName>>,
    /// Whether keys were held or passed since the target was last asked what it holds.
    pub(crate) holds_moved: bool,
    /// What was written and not shown yet.
    pub(crate) unshown: Unshown,
}

/// What a target transaction has written so far: it is shown once all of it is, however many calls
/// that takes.
#[derive(Debug, Default)]
pub(crate) struct Unshown {
    rows: BTreeMap<CopyName, u64>,
    passes_moved: bool,
}

#[async_trait]
impl Task for Apply {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let worked = self.work(stop).await;
        // Whoever leads the target next knows from the target itself what it wants.
        self.desk.withdraw(&self.group.name);
        worked
    }
}

impl Apply {
    async fn work(&mut self, stop: &Stop) -> Result<(), Fault> {
        let Some(led) = stop.or(self.take_over()).await else { return Ok(()) };
        let mut led = led?;
        let Some(standing) = stop.or(self.settle(&mut led)).await else { return Ok(()) };
        let standing = standing?;
        self.desk.lead(&self.group.name, led.epoch, standing.watermark.as_ref());
        let mut plan = self.plan((led.epoch, led.claim()), standing, None).await?;
        let mut ahead = self.read_on(&plan);
        while !stop.asked() {
            ahead.beside(self.write_planned(&mut led, &mut plan, stop)).await?;
            self.discard(&mut led, &mut plan).await?;
            self.show_holds(&mut led).await?;
            if let Some(gap) = plan.gap().cloned() {
                plan = self.bridge(&mut led, &gap).await?;
                ahead = self.read_on(&plan);
                continue;
            }
            self.keep(&mut led).await?;
            if !ahead.is_after(plan.seen()) {
                ahead = self.read_on(&plan);
            }
            let Some(read) = self.wait(&mut led, &mut ahead, stop).await? else { continue };
            self.take(&mut led, &mut plan, read).await?;
            ahead = self.read_on(&plan);
            // That was read when the last batch began; what has come since goes into the same.
            if plan.takes_more()
                && let Some(read) = ahead.at_hand().transpose()?
            {
                self.take(&mut led, &mut plan, read).await?;
                ahead = self.read_on(&plan);
            }
        }
        led.give_back().await;
        Ok(())
    }

    /// Plans what was read from the log.
    async fn take(&mut self, led: &mut Led, plan: &mut Plan, read: Read) -> Result<(), Fault> {
        match read {
            Read::Entries(entries) => {
                let before = plan.seen().cloned();
                entries.into_iter().try_for_each(|entry| plan.push(entry))?;
                if plan.seen() <= before.as_ref() {
                    let name = &self.group.name;
                    let what = format!("{name}: the log gave nothing after {before:?}");
                    return Err(Fault::stop(Code::Broken, what));
                }
            }
            Read::Gone { .. } => {
                reached(Mark::GoneBridged);
                let what = format!("{}: the log has been let go of", self.group.name);
                self.reporter.notice(Code::LogHistoryLost, what);
                let end = self.extent().await?.end;
                *plan = self.bridge(led, &end).await?;
            }
        }
        Ok(())
    }

    async fn extent(&self) -> Result<Extent, Fault> {
        Extent::look(self.catalog.as_ref(), self.log.as_ref(), &self.lane).await
    }

    /// Where the group stands, once every copy of it has at least begun to be filled.
    async fn settle(&mut self, led: &mut Led) -> Result<Standing, Fault> {
        loop {
            let standing = led.standing().await?;
            self.note_marks(standing.watermark.as_ref());
            let extent = self.extent().await?;
            let later = |it: &&Watermark| it.incarnation > extent.history.incarnation;
            if let Some(at) = standing.watermark.as_ref().filter(later) {
                self.desk.stands_later(at);
                let name = &self.group.name;
                let what = format!("{name} stands at {at}, in a history that is yet to come here");
                return Err(Fault::retry(Code::Superseded, what));
            }
            match begin::beginning(&self.group, &standing, &extent) {
                None => return Ok(self.configured(standing)),
                Some(beginning) => {
                    self.declare(&standing, &extent);
                    self.begin(led, beginning).await?;
                }
            }
        }
    }

    /// P8: says so where the log does not go on from where the target stands, as after the disk of an
    /// instance was lost, or when one that began anew takes over.
    fn declare(&self, standing: &Standing, extent: &Extent) {
        if let Some(at) = standing.watermark.as_ref().filter(|at| !extent.follows(at)) {
            let what = format!(
                "{} stands at {at}, from where this log does not go on: it is compared with its source",
                self.group.name
            );
            self.reporter.notice(Code::LogHistoryLost, what);
        }
    }

    /// What concerns the copies of the configuration; there may have been others once.
    fn configured(&self, mut standing: Standing) -> Standing {
        let is_ours = |copy: &CopyName| self.group.copies.iter().any(|it| it.name == *copy);
        standing.holds.retain(|hold| is_ours(&hold.copy));
        standing.passes.retain(|copy, _| is_ours(copy));
        standing
    }

    /// P8: what the copies miss is in no log any more; a pass over each finds it.
    async fn bridge(&mut self, led: &mut Led, at: &Offset) -> Result<Plan, Fault> {
        let standing = led.standing().await?;
        self.begin(led, begin::bridging(&self.group, &standing, at)).await?;
        self.reporter.reattached();
        let standing = self.configured(led.standing().await?);
        self.plan((led.epoch, led.claim()), standing, None).await
    }

    /// Writes down, in the target itself, that passes begin.
    async fn begin(&self, led: &mut Led, beginning: Beginning) -> Result<(), Fault> {
        let Beginning { watermark, passes } = beginning;
        let batch = Batch { passes, ..self.empty_batch(led, watermark) };
        match led.apply(&batch, Mode::Together).await? {
            Outcome::Written { .. } => Ok(()),
            Outcome::Refused(reason) => {
                let what = format!("{}: {reason}", self.group.name);
                Err(Fault::stop(Code::TargetRefused, what))
            }
        }
    }

    /// A batch without rows.
    fn empty_batch(&self, led: &Led, watermark: Watermark) -> Batch {
        Batch {
            lane: self.lane.clone(),
            epoch: led.epoch,
            writes: Arc::default(),
            holds: Vec::new(),
            discards: Vec::new(),
            passes: Vec::new(),
            watermark,
            last: true,
        }
    }

    /// Connects and takes the lease; waits while another instance leads.
    async fn take_over(&mut self) -> Result<Led, Fault> {
        self.connections += 1;
        let tenure = self.instance.tenure(self.connections, self.limits.lease);
        let service = self.group.service.as_ref();
        Led::take_over(service, &self.lane, tenure, &self.limits, &self.reporter).await
    }

    fn read_on(&self, plan: &Plan) -> Ahead {
        Ahead::new(&self.log, &self.lane, plan.seen(), self.limits.read_bytes_max)
    }

    /// Waits for what is read, however long the log takes; the lease is kept meanwhile.
    async fn wait(
        &self,
        led: &mut Led,
        ahead: &mut Ahead,
        stop: &Stop,
    ) -> Result<Option<Read>, Fault> {
        loop {
            match stop.or(timeout(self.limits.idle(), ahead.read())).await {
                None => return Ok(None),
                Some(Ok(())) => return ahead.take().transpose(),
                Some(Err(_)) => self.keep(led).await?,
            }
            if self.desk.has_discards(&self.group.name) {
                return Ok(None);
            }
        }
    }

    /// P9: what a person discards is a hold no longer; whatever the target has of the key stays.
    async fn discard(&mut self, led: &mut Led, plan: &mut Plan) -> Result<(), Fault> {
        let name = &self.group.name;
        let Some(watermark) = self.reporter.watermark().filter(|_| !led.is_open) else {
            return Ok(());
        };
        let discards = self.desk.take_discards(name);
        if discards.is_empty() {
            return Ok(());
        }
        let keys = discards.iter().map(|it| (it.copy.clone(), it.key.clone())).collect();
        let batch = Batch { discards: keys, ..self.empty_batch(led, watermark) };
        if let Outcome::Refused(reason) = led.apply(&batch, Mode::Together).await? {
            return Err(Fault::stop(Code::TargetRefused, format!("{name}: {reason}")));
        }
        for it in discards {
            if plan.discard(&it.copy, &it.table, &it.key) {
                self.desk.release_key(name, &it.table, &it.key);
            }
            // Whoever asked may have gone away by now.
            let _ = it.done.send(());
        }
        self.holds_moved = true;
        self.reporter.applied(&batch.watermark, plan.copies().held_keys(), &BTreeMap::new());
        Ok(())
    }

    /// Shows the keys that are held, and why, as the target has them.
    async fn show_holds(&mut self, led: &mut Led) -> Result<(), Fault> {
        if self.holds_moved && !led.is_open {
            let standing = self.configured(led.standing().await?);
            self.reporter.holds(&standing.holds);
            self.holds_moved = false;
        }
        Ok(())
    }

    /// Renews the lease, and asks for durability, when either is due.
    async fn keep(&self, led: &mut Led) -> Result<(), Fault> {
        led.renew().await?;
        if Instant::now() >= led.flush_at && !led.is_open {
            led.flush_at = Instant::now() + self.limits.flush;
            self.flush(led).await?;
        }
        Ok(())
    }

    /// What the target has is not known to be durable: asks for it, with nothing but the watermark,
    /// so that retention need not wait for the target's own time.
    async fn flush(&self, led: &mut Led) -> Result<(), Fault> {
        let Some(watermark) = self.reporter.unflushed() else { return Ok(()) };
        let batch = self.empty_batch(led, watermark);
        let outcome = led.apply(&batch, Mode::Together).await?;
        if let Outcome::Written { flushed: Some(flushed), .. } = outcome {
            self.reporter.flushed(&flushed);
        }
        Ok(())
    }

    /// Plans on from where the target stands, and writes down what it wants read.
    async fn plan(
        &mut self,
        leads: (Epoch, Claim),
        standing: Standing,
        careful: Option<Offset>,
    ) -> Result<Plan, Fault> {
        let (name, watermark) = (&self.group.name, standing.watermark.clone());
        let allowed = self.catalog.deletes_allowed(&self.lane, name).await?;
        self.reporter.resumed(watermark.as_ref(), standing.holds.len());
        self.reporter.holds(&standing.holds);
        for hold in &standing.holds {
            let copies = self.group.copies.iter().filter(|copy| copy.name == hold.copy);
            for copy in copies {
                self.desk.want_key(name, &copy.of, &hold.key, &self.limits);
            }
        }
        self.refers = standing.refers.clone();
        self.want_passes(&standing.passes);
        self.reporter.passes(&standing.passes);
        self.unshown = Unshown::default();
        let copies = Copies::new(&self.group, standing, &self.limits, allowed);
        let plan = Plan::new(&self.lane, name, leads, &self.limits, copies, watermark);
        Ok(plan.careful_until(careful))
    }

    /// Says how far passes have come, all at once: none is to be read before one that its rows refer to.
    fn want_passes<'a>(&self, passes: impl IntoIterator<Item = (&'a CopyName, &'a Pass)>) {
        let wishes = passes.into_iter().map(|(copy, pass)| (copy.clone(), self.wish(copy, pass)));
        self.desk.want_passes(&self.group.name, wishes.collect());
    }

    /// What a pass wants read; nothing once it is through.
    fn wish(&self, copy: &CopyName, pass: &Pass) -> Option<PassWish> {
        let Pass::Under { purpose, began, upto, .. } = pass else { return None };
        let of = self.group.copies.iter().find(|it| it.name == *copy)?;
        Some(PassWish {
            table: of.of.clone(),
            purpose: *purpose,
            began: began.clone(),
            upto: upto.clone(),
            // What it has and the source has not is not to be deleted, so it need not be read.
            inspect: of.inspect.clone().filter(|_| !of.keeps),
            behind: self.refers.get(copy).cloned().unwrap_or_default(),
        })
    }

    fn note_marks(&mut self, watermark: Option<&Watermark>) {
        if let Some(in_doubt) = self.in_doubt.take() {
            let written = watermark.is_some_and(|watermark| *watermark >= in_doubt);
            reached(if written {
                Mark::LostReplyFoundWritten
            } else {
                Mark::LostReplyFoundUnwritten
            });
        }
        if self.reporter.watermark().as_ref() > watermark {
            reached(Mark::WatermarkWentBack);
        }
    }

    /// Writes every batch that the plan has ready.
    async fn write_planned(
        &mut self,
        led: &mut Led,
        plan: &mut Plan,
        stop: &Stop,
    ) -> Result<(), Fault> {
        while !stop.asked()
            && let Some(Planned { batch, mode, news }) = plan.next_batch()?
        {
            match self.write(led, &batch, mode).await? {
                Outcome::Written { flushed, refused } => {
                    let held = plan.written(&batch, &refused)?;
                    self.holds_moved |= !(news.is_empty() && held.is_empty());
                    self.tell(news, &held);
                    self.want_passes(batch.passes.iter().map(|(copy, pass)| (copy, pass)));
                    self.show(&batch, plan, flushed.as_ref());
                    self.keep(led).await?;
                }
                Outcome::Refused(reason) if mode == Mode::RowByRow => {
                    return Err(Fault::stop(
                        Code::TargetRefused,
                        format!("{}: no row could be blamed: {reason}", self.group.name),
                    ));
                }
                Outcome::Refused(_) if planted(Bug::AdvancesOverHold) => {
                    let empty = self.empty_batch(led, batch.watermark);
                    self.write(led, &empty, Mode::Together).await?;
                }
                // Nothing was written; the same again, row by row, finds out which row it was.
                Outcome::Refused(_) => {
                    let standing = self.configured(led.standing().await?);
                    *plan = self
                        .plan((led.epoch, led.claim()), standing, Some(batch.watermark))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Shows what was written, once the target's transaction is whole.
    fn show(&mut self, batch: &Batch, plan: &Plan, flushed: Option<&Watermark>) {
        for write in batch.writes.iter() {
            *self.unshown.rows.entry(write.copy.clone()).or_default() += 1;
        }
        self.unshown.passes_moved |= !batch.passes.is_empty();
        if !batch.last {
            return;
        }
        let Unshown { rows, passes_moved } = std::mem::take(&mut self.unshown);
        self.reporter.applied(&batch.watermark, plan.copies().held_keys(), &rows);
        if passes_moved {
            self.reporter.passes(plan.copies().passes());
        }
        self.reporter.step();
        if let Some(flushed) = flushed {
            self.reporter.flushed(flushed);
        }
    }

    /// Tells the reader which keys to read again, and which no longer. One that was tried and
    /// refused once more keeps its growing pause.
    fn tell(&self, news: Vec<News>, refused: &[News]) {
        let (name, limits) = (&self.group.name, &self.limits);
        for news in news {
            match news {
                News::Held(table, key) => self.desk.want_key_soon(name, &table, &key, limits),
                News::Released(table, key) => {
                    if !refused.contains(&News::Held(table.clone(), key.clone())) {
                        self.desk.release_key(name, &table, &key);
                    }
                }
            }
        }
        for news in refused {
            if let News::Held(table, key) = news {
                self.desk.want_key(name, table, key, limits);
            }
        }
    }

    async fn write(&mut self, led: &mut Led, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        if !batch.last {
            reached(Mark::LargeTransactionApplied);
        }
        let mut result = led.apply(batch, mode).await;
        if planted(Bug::LostReplyTakenForRefusal)
            && matches!(&result, Err(fault) if fault.fate == Fate::Retry)
        {
            result = led.apply(batch, mode).await;
        }
        match &result {
            Err(fault) if fault.code == Code::Superseded => reached(Mark::OldWriterRefused),
            Err(fault) if fault.fate == Fate::Retry && batch.last => {
                self.in_doubt = Some(batch.watermark.clone());
            }
            Ok(_) | Err(_) => {}
        }
        result
    }
}
