//! A connection to a SQLite target, as the engine has it.

use super::lease::Asked;
use super::session::Session;
use async_trait::async_trait;
use model::{Batch, Claim, Fault, Lane, Leadership, Mode, Outcome, Standing, Target, Tenure};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use worker::Worker;

/// The connection that led each lane last.
///
/// SQLite has one writer: a large transaction that an earlier connection left open would keep its
/// successor from the lease. So the successor has it taken back. Another process can only wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaders(Arc<Mutex<BTreeMap<Lane, Weak<Worker<Session>>>>>);

impl Leaders {
    /// Notes who leads a lane from now on; answers who did, if it is another that is still there.
    fn replace(&self, lane: &Lane, worker: &Arc<Worker<Session>>) -> Option<Arc<Worker<Session>>> {
        let mut leaders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = leaders.insert(lane.clone(), Arc::downgrade(worker))?.upgrade()?;
        (!Arc::ptr_eq(&earlier, worker)).then_some(earlier)
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connected {
    worker: Arc<Worker<Session>>,
    leaders: Leaders,
}

impl Connected {
    /// The connection of a session.
    pub(super) fn new(worker: Worker<Session>, leaders: Leaders) -> Self {
        Self { worker: Arc::new(worker), leaders }
    }
}

#[async_trait]
impl Target for Connected {
    fn claim(&self) -> Claim {
        Claim::Transactional
    }

    async fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault> {
        let (asked, by) = (lane.clone(), tenure.clone());
        let look = move |session: &mut Session| session.look(&asked, &by);
        if let Asked::Elsewhere { instance, remaining } = self.worker.run(look).await? {
            return Ok(Leadership::Elsewhere { instance, remaining });
        }
        if let Some(earlier) = self.leaders.replace(lane, &self.worker) {
            let lane = lane.clone();
            earlier.run(move |session| session.give_way(&lane)).await?;
        }
        let (lane, tenure) = (lane.clone(), tenure.clone());
        self.worker.run(move |session| session.lead(&lane, &tenure)).await
    }

    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        let lane = lane.clone();
        self.worker.run(move |session| session.standing(&lane)).await
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let batch = batch.clone();
        self.worker.run(move |session| session.apply(&batch, mode)).await
    }
}
