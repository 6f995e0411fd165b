//! A connection to a target that leads it: opened, led, renewed, and given up when it does not
//! answer.
//!
//! Each connection leads under an epoch of its own. What an earlier one still has under way at the
//! server, however late it arrives there, is fenced off by it.

use crate::group::Group;
use crate::limits::Limits;
use crate::task::answer;
use model::{
    Batch, Claim, Code, Epoch, Fault, Hold, Lane, Leadership, Mode, Outcome, Target, Tenure,
    Watermark,
};
use std::time::Duration;
use tokio::time::Instant;

/// A connection that leads.
pub(super) struct Led {
    target: Box<dyn Target>,
    tenure: Tenure,
    pub(super) epoch: Epoch,
    answer_within: Duration,
    renew_at: Instant,
    /// When the target's commits want to be made durable.
    pub(super) flush_at: Instant,
    /// Whether a target transaction goes on with the next batch.
    pub(super) is_open: bool,
}

/// What came of asking for the lease.
pub(super) enum Asked {
    Led(Box<Led>),
    /// Another instance leads; ask again after this long.
    Elsewhere(Duration),
}

impl Led {
    /// Connects and asks for the lease.
    pub(super) async fn ask(
        group: &Group,
        tenure: Tenure,
        limits: &Limits,
    ) -> Result<Asked, Fault> {
        let within = limits.answer;
        let connect = group.service.connect();
        let mut target = answer(within, Code::TargetUnavailable, connect).await?;
        let lead = target.lead(&tenure);
        let epoch = match answer(within, Code::TargetUnavailable, lead).await? {
            Leadership::Held(epoch) => epoch,
            Leadership::Elsewhere { remaining, .. } => {
                return Ok(Asked::Elsewhere(remaining.min(limits.lease / 3)));
            }
        };
        let now = Instant::now();
        let (renew_at, flush_at) = (now + tenure.lasting / 3, now + limits.flush);
        let answer_within = within;
        let is_open = false;
        let led = Led { target, tenure, epoch, answer_within, renew_at, flush_at, is_open };
        Ok(Asked::Led(Box::new(led)))
    }

    /// Renews the lease when a third of it has passed.
    pub(super) async fn renew(&mut self) -> Result<(), Fault> {
        if Instant::now() < self.renew_at {
            return Ok(());
        }
        let lead = self.target.lead(&self.tenure);
        match answer(self.answer_within, Code::TargetUnavailable, lead).await? {
            Leadership::Held(epoch) if epoch == self.epoch => {
                self.renew_at = Instant::now() + self.tenure.lasting / 3;
                Ok(())
            }
            Leadership::Held(_) | Leadership::Elsewhere { .. } => {
                let what = "the lease was lost to another writer";
                Err(Fault::retry(Code::Superseded, what))
            }
        }
    }

    /// What the target claims.
    pub(super) fn claim(&self) -> Claim {
        self.target.claim()
    }

    /// Where the target stands, and what it holds.
    pub(super) async fn standing(
        &mut self,
        lane: &Lane,
    ) -> Result<(Option<Watermark>, Vec<Hold>), Fault> {
        let (within, code) = (self.answer_within, Code::TargetUnavailable);
        let watermark = answer(within, code, self.target.watermark(lane)).await?;
        let holds = answer(within, code, self.target.holds(lane)).await?;
        Ok((watermark, holds))
    }

    /// Writes a batch.
    pub(super) async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let apply = self.target.apply(batch, mode);
        let outcome = answer(self.answer_within, Code::TargetUnavailable, apply).await?;
        self.is_open = !batch.last && matches!(outcome, Outcome::Written { .. });
        Ok(outcome)
    }
}
