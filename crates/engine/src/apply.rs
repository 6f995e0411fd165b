//! Task: brings one group of copies forward from the log, batch by batch.
//!
//! The target's own watermark is the only memory of how far it came (E2): after any failure the
//! connection is dropped, a new one is asked, and the log is read again from there. So a lost
//! reply needs no guessing.

mod fold;
mod led;
mod plan;

use crate::board::{Phase, Reporter};
use crate::catalog::{Catalog, History};
use crate::group::Group;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::task::{Stop, Task};
use async_trait::async_trait;
use led::{Asked, Led};
use model::attack::{Bug, Mark, planted, reached};
use model::{Batch, Code, Fate, Fault, Lane, Log, Mode, Offset, Outcome, Read, Tenure, Watermark};
use plan::Plan;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Brings one group forward.
pub(crate) struct Apply {
    pub(crate) lane: Lane,
    pub(crate) group: Group,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) limits: Limits,
    pub(crate) instance: Instance,
    pub(crate) reporter: Reporter,
    pub(crate) catalog: Arc<dyn Catalog>,
    /// How many connections this run has asked for.
    pub(crate) connections: u64,
    /// The batch whose reply never came, for the marks alone.
    pub(crate) in_doubt: Option<Watermark>,
}

#[async_trait]
impl Task for Apply {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let Some(history) = stop.or(self.history()).await.transpose()? else { return Ok(()) };
        let Some(led) = stop.or(self.take_over()).await else { return Ok(()) };
        let mut led = led?;
        let mut plan = self.plan(&mut led, &history, None).await?;
        while !stop.asked() {
            self.write_planned(&mut led, &mut plan, &history, stop).await?;
            self.keep(&mut led).await?;
            if let Some(read) = self.read(&mut led, &plan, stop).await? {
                self.take(&mut plan, read)?;
            }
        }
        Ok(())
    }
}

impl Apply {
    /// The history that the lane follows; waits until capture has begun one.
    async fn history(&self) -> Result<History, Fault> {
        loop {
            match self.catalog.history(&self.lane).await? {
                Some(history) => return Ok(history),
                None => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Connects and takes the lease; waits while another instance leads.
    async fn take_over(&mut self) -> Result<Led, Fault> {
        loop {
            self.connections += 1;
            let tenure = Tenure {
                instance: self.instance.name.clone(),
                run: self.instance.run,
                connection: self.connections,
                lasting: self.limits.lease,
            };
            match Led::ask(&self.group, tenure, &self.limits).await? {
                Asked::Led(led) => return Ok(*led),
                Asked::Elsewhere(pause) => {
                    self.reporter.phase(Phase::Elsewhere);
                    sleep(pause).await;
                }
            }
        }
    }

    /// Reads on, however long the log takes; the lease is kept meanwhile.
    async fn read(&self, led: &mut Led, plan: &Plan, stop: &Stop) -> Result<Option<Read>, Fault> {
        let mut read = self.log.read(&self.lane, plan.seen(), self.limits.read_bytes_max);
        loop {
            match stop.or(timeout(self.limits.idle(), &mut read)).await {
                None => return Ok(None),
                Some(Ok(read)) => return read.map(Some),
                Some(Err(_)) => self.keep(led).await?,
            }
        }
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
        let batch = Batch {
            lane: self.lane.clone(),
            epoch: led.epoch,
            writes: Vec::new(),
            holds: Vec::new(),
            watermark,
            last: true,
        };
        if let Outcome::Written { durable: true, .. } = led.apply(&batch, Mode::Together).await? {
            self.reporter.flushed(&batch.watermark);
        }
        Ok(())
    }

    /// Plans on from where the target says it is.
    async fn plan(
        &mut self,
        led: &mut Led,
        history: &History,
        careful: Option<Offset>,
    ) -> Result<Plan, Fault> {
        let (watermark, holds) = led.standing(&self.lane).await?;
        if let Some(watermark) = &watermark {
            self.check_history(watermark, history)?;
        }
        self.note_marks(watermark.as_ref());
        self.reporter.resumed(watermark.as_ref(), holds.len());
        let mut plan = Plan::new(&self.lane, &self.group, led.epoch, &self.limits);
        plan.resume(led.claim(), watermark, holds, careful);
        Ok(plan)
    }

    /// P8: a watermark from before this history, or from another one, has a gap behind it that no
    /// log can fill.
    fn check_history(&self, watermark: &Watermark, history: &History) -> Result<(), Fault> {
        let follows =
            watermark.incarnation == history.incarnation && watermark.position >= history.began;
        if follows {
            return Ok(());
        }
        let (name, began) = (&self.group.name, &history.began);
        Err(Fault::lost(
            Code::LogHistoryLost,
            format!(
                "{name}: the copy stands at {watermark}, the log's history begins at {began:?}"
            ),
        ))
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

    /// Gives the plan what was read.
    fn take(&self, plan: &mut Plan, read: Read) -> Result<(), Fault> {
        match read {
            Read::Entries(entries) => {
                let before = plan.seen().cloned();
                entries.into_iter().try_for_each(|entry| plan.push(entry))?;
                if plan.seen() > before.as_ref() {
                    return Ok(());
                }
                let what = format!("{}: the log gave nothing after {before:?}", self.group.name);
                Err(Fault::stop(Code::Broken, what))
            }
            Read::Gone { trimmed } => Err(Fault::lost(
                Code::LogHistoryLost,
                format!(
                    "{}: the log begins after {trimmed}, the copy stands at {:?}",
                    self.group.name,
                    plan.seen()
                ),
            )),
        }
    }

    /// Writes every batch that the plan has ready.
    async fn write_planned(
        &mut self,
        led: &mut Led,
        plan: &mut Plan,
        history: &History,
        stop: &Stop,
    ) -> Result<(), Fault> {
        while !stop.asked()
            && let Some((batch, mode)) = plan.next_batch()?
        {
            match self.write(led, &batch, mode).await? {
                Outcome::Written { durable, refused } => {
                    plan.written(&batch, &refused)?;
                    if batch.last {
                        self.reporter.applied(&batch.watermark, plan.held_keys());
                        self.reporter.step();
                        if durable {
                            self.reporter.flushed(&batch.watermark);
                        }
                    }
                    self.keep(led).await?;
                }
                Outcome::Refused(reason) if mode == Mode::RowByRow => {
                    return Err(Fault::stop(
                        Code::TargetRefused,
                        format!("{}: no row could be blamed: {reason}", self.group.name),
                    ));
                }
                // Nothing was written; the same again, row by row, finds out which row it was.
                Outcome::Refused(_) => {
                    *plan = self.plan(led, history, Some(batch.watermark)).await?;
                }
            }
        }
        Ok(())
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
