//! Task: brings one group of copies forward from the log, batch by batch.
//!
//! The target's own watermark is the only memory of how far it came (E2): after any failure the
//! connection is dropped, a new one is asked, and the log is read again from there. So a lost
//! reply needs no guessing.

mod fold;
mod plan;

use crate::board::{Phase, Reporter};
use crate::group::Group;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::task::{Stop, Task};
use async_trait::async_trait;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Batch, Code, Epoch, Fate, Fault, Lane, Leadership, Log, Mode, Offset, Outcome, Read, Target,
    Tenure, Watermark,
};
use plan::Plan;
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// Brings one group forward.
pub(crate) struct Apply {
    pub(crate) lane: Lane,
    pub(crate) group: Group,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) limits: Limits,
    pub(crate) instance: Instance,
    pub(crate) reporter: Reporter,
    /// The batch whose reply never came, for the marks alone.
    pub(crate) in_doubt: Option<Watermark>,
}

/// A connection, and the lease under which it writes.
struct Led {
    target: Box<dyn Target>,
    epoch: Epoch,
    renew_at: Instant,
}

#[async_trait]
impl Task for Apply {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let Some(led) = stop.or(self.take_over()).await else {
            return Ok(());
        };
        let mut led = led?;
        let mut plan = self.plan(&mut led, None).await?;
        while !stop.asked() {
            self.write_planned(&mut led, &mut plan, stop).await?;
            self.renew(&mut led).await?;
            let read = self.log.read(&self.lane, plan.seen(), self.limits.read_bytes_max);
            match stop.or(timeout(self.limits.idle(), read)).await {
                None => {}
                Some(Err(_)) => self.flush(&mut led).await?,
                Some(Ok(read)) => self.take(&mut plan, read?)?,
            }
        }
        Ok(())
    }
}

impl Apply {
    /// Connects and takes the lease; waits while another instance leads.
    async fn take_over(&self) -> Result<Led, Fault> {
        let mut target = self.group.service.connect().await?;
        loop {
            match target.lead(&self.tenure()).await? {
                Leadership::Held(epoch) => {
                    let renew_at = Instant::now() + self.limits.lease / 3;
                    return Ok(Led { target, epoch, renew_at });
                }
                Leadership::Elsewhere { remaining, .. } => {
                    self.reporter.phase(Phase::Elsewhere);
                    tokio::time::sleep(remaining.min(self.limits.lease / 3)).await;
                }
            }
        }
    }

    /// Renews the lease when a third of it has passed.
    async fn renew(&self, led: &mut Led) -> Result<(), Fault> {
        if Instant::now() < led.renew_at {
            return Ok(());
        }
        match led.target.lead(&self.tenure()).await? {
            Leadership::Held(epoch) if epoch == led.epoch => {
                led.renew_at = Instant::now() + self.limits.lease / 3;
                Ok(())
            }
            Leadership::Held(_) | Leadership::Elsewhere { .. } => Err(Fault::retry(
                Code::Superseded,
                format!("{}: the lease was lost to another writer", self.group.name),
            )),
        }
    }

    fn tenure(&self) -> Tenure {
        Tenure {
            instance: self.instance.name.clone(),
            run: self.instance.run,
            lasting: self.limits.lease,
        }
    }

    /// Plans on from where the target says it is.
    async fn plan(&mut self, led: &mut Led, careful: Option<Offset>) -> Result<Plan, Fault> {
        let watermark = led.target.watermark(&self.lane).await?;
        let holds = led.target.holds(&self.lane).await?;
        self.note_marks(watermark.as_ref());
        if let Some(watermark) = &watermark {
            self.reporter.applied(watermark, holds.len());
        }
        let mut plan = Plan::new(&self.lane, &self.group, led.epoch, &self.limits);
        plan.resume(led.target.claim(), watermark, holds, careful);
        Ok(plan)
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

    /// Nothing comes, and what the target has is not known to be durable: asks once more with
    /// nothing but the watermark, so that retention need not wait for the next change.
    async fn flush(&mut self, led: &mut Led) -> Result<(), Fault> {
        let Some(watermark) = self.reporter.unflushed() else {
            return Ok(());
        };
        let batch = Batch {
            lane: self.lane.clone(),
            epoch: led.epoch,
            writes: Vec::new(),
            holds: Vec::new(),
            watermark,
            last: true,
        };
        if let Outcome::Written { durable: true, .. } =
            self.write(led, &batch, Mode::Together).await?
        {
            self.reporter.flushed(&batch.watermark);
        }
        Ok(())
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
                    self.renew(led).await?;
                }
                Outcome::Refused(reason) if mode == Mode::RowByRow => {
                    return Err(Fault::stop(
                        Code::TargetRefused,
                        format!("{}: no row could be blamed: {reason}", self.group.name),
                    ));
                }
                // Nothing was written; the same again, row by row, finds out which row it was.
                Outcome::Refused(_) => *plan = self.plan(led, Some(batch.watermark)).await?,
            }
        }
        Ok(())
    }

    async fn write(&mut self, led: &mut Led, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        if !batch.last {
            reached(Mark::LargeTransactionApplied);
        }
        let mut result = led.target.apply(batch, mode).await;
        if planted(Bug::LostReplyTakenForRefusal)
            && matches!(&result, Err(fault) if fault.fate == Fate::Retry)
        {
            result = led.target.apply(batch, mode).await;
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
