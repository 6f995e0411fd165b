//! The end of a world: every fault is over, and every copy must come to equal its source.

use super::World;
use crate::oracle::{Invariant, Violation};
use std::time::Duration;
use tokio::time::sleep;

/// Virtual time within which everything has to converge.
const CONVERGES_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl World {
    /// Ends every fault and demands that all copies converge.
    pub(super) async fn heal(&mut self) -> Result<(), Violation> {
        self.calm().await;
        self.finish_workloads();
        if let Some(index) = self.setup.long_outage {
            // P9: the others get there while this one is away.
            self.converge_but(Some(index), Invariant::OthersGoOn).await?;
            self.lanes[0].targets[index].mood.heal();
            self.lanes[0].targets[index].come_back();
        }
        self.converge_but(None, Invariant::Converges).await?;
        self.check_ledgers()?;
        // What converged must survive one more loss of power; the log is read through on the way.
        self.lose_power().await;
        self.start().await?;
        self.converge_but(None, Invariant::Converges).await?;
        self.check_ledgers()
    }

    /// Ends every fault but a long outage.
    pub(super) async fn calm(&mut self) {
        self.end_undead().await;
        self.around.disk.heal();
        self.full_until = None;
        let kept_away = self.setup.long_outage.filter(|_| self.setup.last_blow.is_none());
        for (lane_index, lane) in self.lanes.iter_mut().enumerate() {
            lane.source_mood.heal();
            for (index, target) in lane.targets.iter_mut().enumerate() {
                if lane_index != 0 || kept_away != Some(index) {
                    target.mood.heal();
                    target.come_back();
                }
            }
        }
    }

    /// Ends every open transaction.
    pub(super) fn finish_workloads(&mut self) {
        for lane in &mut self.lanes {
            lane.workload.finish(&mut lane.truth);
        }
    }

    /// Waits until every copy but one of the first lane equals its source.
    pub(super) async fn converge_but(
        &mut self,
        but: Option<usize>,
        or: Invariant,
    ) -> Result<(), Violation> {
        let mut tries = CONVERGES_WITHIN.as_millis() / LOOK_EVERY.as_millis();
        loop {
            sleep(LOOK_EVERY).await;
            self.check()?;
            self.mind_the_process().await?;
            let mut lanes = self.lanes.iter().enumerate();
            let judged = lanes
                .try_for_each(|(index, lane)| lane.check_converged(but.filter(|_| index == 0)));
            match judged {
                Ok(()) => return Ok(()),
                Err(violation) if tries == 0 => {
                    let board = self.process.as_ref().map(|process| process.board());
                    self.trace.note(format_args!("{}", board.unwrap_or_default()));
                    return Err(Violation { invariant: or, what: violation.what });
                }
                Err(_) => tries -= 1,
            }
        }
    }
}
