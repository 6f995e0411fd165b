//! A connection to a target that leads it: opened, led, renewed, and given up when it does not
//! answer.
//!
//! Each connection leads under an epoch of its own. What an earlier one still has under way at the
//! server, however late it arrives there, is fenced off by it.

use crate::board::Reporter;
use crate::limits::Limits;
use crate::task::answer;
use model::attack::{Mark, reached};
use model::{
    Batch, Claim, Code, Epoch, Fault, Lane, Leadership, Mode, Outcome, Service, Standing, Target,
    Tenure,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A connection that leads.
pub(crate) struct Led {
    target: Box<dyn Target>,
    lane: Lane,
    tenure: Tenure,
    pub(crate) epoch: Epoch,
    answer_within: Duration,
    renew_at: Instant,
    /// When the target's commits want to be made durable.
    pub(crate) flush_at: Instant,
    /// Whether a target transaction goes on with the next batch.
    pub(crate) is_open: bool,
}

/// What came of asking for the lease.
enum Asked {
    Led(Box<Led>),
    /// Another instance leads, and has brought the target here; ask again after this long.
    Elsewhere(Standing, Duration),
}

impl Led {
    /// Connects and takes the lease; waits while another instance leads, and tells how far that has
    /// come.
    pub(crate) async fn take_over(
        service: &dyn Service<dyn Target>,
        lane: &Lane,
        tenure: Tenure,
        limits: &Limits,
        reporter: &Reporter,
    ) -> Result<Self, Fault> {
        loop {
            match Self::ask(service, lane, tenure.clone(), limits).await? {
                Asked::Led(led) => return Ok(*led),
                Asked::Elsewhere(standing, pause) => {
                    reporter.elsewhere(standing);
                    sleep(pause).await;
                }
            }
        }
    }

    /// Connects and asks for the lease.
    async fn ask(
        service: &dyn Service<dyn Target>,
        lane: &Lane,
        tenure: Tenure,
        limits: &Limits,
    ) -> Result<Asked, Fault> {
        let within = limits.answer;
        let connect = service.connect();
        let mut target = answer(within, Code::TargetUnavailable, connect).await?;
        let lead = target.lead(lane, &tenure);
        let epoch = match answer(within, Code::TargetUnavailable, lead).await? {
            Leadership::Held(epoch) => epoch,
            Leadership::Elsewhere { remaining, .. } => {
                let standing = target.standing(lane);
                let standing = answer(within, Code::TargetUnavailable, standing).await?;
                return Ok(Asked::Elsewhere(standing, remaining.min(limits.lease / 3)));
            }
        };
        let now = Instant::now();
        let (renew_at, flush_at) = (now + tenure.lasting / 3, now + limits.flush);
        let answer_within = within;
        let is_open = false;
        let lane = lane.clone();
        let led = Led { target, lane, tenure, epoch, answer_within, renew_at, flush_at, is_open };
        Ok(Asked::Led(Box::new(led)))
    }

    /// Renews the lease when a third of it has passed.
    pub(crate) async fn renew(&mut self) -> Result<(), Fault> {
        if Instant::now() < self.renew_at {
            return Ok(());
        }
        let lead = self.target.lead(&self.lane, &self.tenure);
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

    /// Gives the lease back, so that another instance need not wait for its end. It ends by itself
    /// where that cannot be said, and where a transaction is open that has to be undone first.
    pub(crate) async fn give_back(mut self) {
        if self.is_open {
            return;
        }
        reached(Mark::LeaseGivenBack);
        let tenure = Tenure { lasting: Duration::ZERO, ..self.tenure.clone() };
        let lead = self.target.lead(&self.lane, &tenure);
        let _ = answer(self.answer_within, Code::TargetUnavailable, lead).await;
    }

    /// What the target claims.
    pub(crate) fn claim(&self) -> Claim {
        self.target.claim()
    }

    /// Where the target stands.
    pub(crate) async fn standing(&mut self) -> Result<Standing, Fault> {
        let standing = self.target.standing(&self.lane);
        answer(self.answer_within, Code::TargetUnavailable, standing).await
    }

    /// Writes a batch.
    pub(crate) async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let apply = self.target.apply(batch, mode);
        let outcome = answer(self.answer_within, Code::TargetUnavailable, apply).await?;
        self.is_open = !batch.last && matches!(outcome, Outcome::Written { .. });
        Ok(outcome)
    }
}
