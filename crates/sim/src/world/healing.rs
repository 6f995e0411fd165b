//! The end of a world: every fault is over, and every copy must come to equal its source.

use super::World;
use super::target::TargetWorld;
use crate::faults::Fault;
use crate::oracle::{Invariant, Truths, Violation};
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
            self.lanes[0].targets[index].heal();
            self.lanes[0].targets[index].come_back();
        }
        self.converge_but(None, Invariant::Converges).await?;
        self.check_ledgers()?;
        if let Some(shared) = &self.shared {
            self.tally.add(Fault::KeyMoved, shared.judge.borrow().moved());
        }
        // What converged must survive one more loss of power; the log is read through on the way.
        for index in 0..self.instances.len() {
            self.lose_power(index).await;
            self.start(index).await?;
        }
        self.converge_but(None, Invariant::Converges).await?;
        self.check_ledgers()
    }

    /// Ends every fault but a long outage.
    pub(super) async fn calm(&mut self) {
        self.end_undead().await;
        self.end_parting(|_| true);
        for instance in &mut self.instances {
            instance.around.disk.heal();
            instance.full_until = None;
        }
        if let Some(pushed) = &self.numbers.pushed {
            pushed.moods.iter().for_each(|mood| mood.heal());
        }
        let kept_away = self.setup.long_outage.filter(|_| self.setup.last_blow.is_none());
        for (lane_index, lane) in self.lanes.iter_mut().enumerate() {
            lane.heal_source();
            for (index, target) in lane.targets.iter_mut().enumerate() {
                if lane_index != 0 || kept_away != Some(index) {
                    target.heal();
                    target.come_back();
                }
            }
        }
        if let Some(shared) = &mut self.shared {
            shared.heal();
            shared.come_back();
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
            self.mind_the_processes().await?;
            match self.check_converged(but) {
                Ok(()) => return Ok(()),
                Err(violation) if tries == 0 => {
                    let processes = self.instances.iter().flat_map(|it| &it.process);
                    let boards: Vec<_> = processes.map(|process| process.board()).collect();
                    self.trace.note(format_args!("{}", boards.join("\n")));
                    return Err(Violation { invariant: or, what: violation.what });
                }
                Err(_) => tries -= 1,
            }
        }
    }

    fn check_converged(&self, but: Option<usize>) -> Result<(), Violation> {
        let truths: Truths<'_> = self.lanes.iter().map(|lane| (&lane.lane, &lane.truth)).collect();
        for (lane_index, lane) in self.lanes.iter().enumerate() {
            for (index, target) in lane.targets.iter().enumerate() {
                if lane_index != 0 || Some(index) != but {
                    target.judge.borrow().check_converged(&truths)?;
                }
            }
        }
        if let Some(shared) = &self.shared {
            shared.judge.borrow().check_converged(&truths)?;
        }
        for (index, lane) in self.lanes.iter().enumerate() {
            for target in lane.targets.iter().chain(&self.shared) {
                self.check_shown(index, target)?;
            }
        }
        self.numbers.check_converged(&self.instances, &truths)
    }

    /// Whoever leads a target shows of it what it has.
    fn check_shown(&self, lane: usize, target: &TargetWorld) -> Result<(), Violation> {
        let of = &self.lanes[lane].lane;
        let (passes, held) = target.store.look(|kept| {
            let passes = kept.passes.iter().filter(|((lane, _), _)| lane == of);
            let passes = passes.map(|((_, copy), pass)| (copy.clone(), pass.clone()));
            (passes.collect(), kept.holds.keys().filter(|(lane, ..)| lane == of).count())
        });
        for process in self.instances.iter().flat_map(|it| &it.process) {
            let Some(shown) = process.shown(lane, &target.name) else { continue };
            if (&shown.passes, shown.held_keys) != (&passes, held) {
                let (name, shown) = (&target.name, (shown.passes, shown.held_keys));
                let what = format!("{of}: {name} has {:?}, and shown is {shown:?}", (passes, held));
                return Err(Violation { invariant: Invariant::Converges, what });
            }
        }
        Ok(())
    }
}
