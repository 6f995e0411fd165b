//! The faults of a world: which strike at a step, and what each does.

use super::World;
use crate::faults::Fault;
use crate::oracle::{Invariant, Violation};
use model::Claim;
use std::time::Duration;
use tokio::time::{Instant, sleep};

impl World {
    /// Lets each kind of fault strike as often as the setup says.
    pub(super) async fn strike(&mut self) -> Result<(), Violation> {
        self.end_what_is_over().await;
        for index in 0..self.lanes.len() {
            self.strike_source(index).await?;
        }
        self.strike_targets();
        for index in 0..self.instances.len() {
            self.strike_instance(index).await?;
        }
        Ok(())
    }

    async fn strike_instance(&mut self, index: usize) -> Result<(), Violation> {
        let rates = self.setup.rates.clone();
        if self.random.chance(rates.sync_error) {
            self.note(Fault::SyncError);
            self.instances[index].around.disk.fail_next_sync();
        }
        if self.random.chance(rates.disk_full) && self.instances[index].full_until.is_none() {
            self.note(Fault::DiskFull);
            self.instances[index].around.disk.full_after(self.random.below(2_000));
            self.instances[index].full_until = Some(self.step + self.random.between(1, 30));
        }
        if self.random.chance(rates.kill) {
            self.note(Fault::Kill);
            self.kill(index).await;
            self.start(index).await?;
        }
        if self.random.chance(rates.power_loss) {
            self.note(Fault::PowerLoss);
            self.lose_power(index).await;
            self.start(index).await?;
        }
        if self.random.chance(rates.undead) && self.instances[index].undead.is_none() {
            self.note(Fault::Undead);
            self.take_for_dead(index).await?;
        }
        if self.random.chance(rates.restart) {
            self.note(Fault::GracefulRestart);
            self.stop(index).await?;
            self.start(index).await?;
        }
        if self.random.chance(rates.state_lost) {
            self.note(Fault::StateLost);
            self.kill(index).await;
            self.instances[index].around.lanes.iter().for_each(|lane| lane.state.lose());
            self.start(index).await?;
        }
        if self.random.chance(rates.catalog_lost) {
            self.note(Fault::CatalogLost);
            self.is_lost = true;
            self.kill(index).await;
            self.instances[index].around.catalog.lose();
            self.start(index).await?;
        }
        Ok(())
    }

    /// The process dies and the disk keeps, tears or loses what was not synced. Half of the time
    /// the power goes in the middle of what the disk is doing.
    pub(super) async fn lose_power(&mut self, index: usize) {
        let disk = self.instances[index].around.disk.clone();
        if self.random.chance(500) {
            disk.power_off_after(self.random.below(30));
            sleep(Duration::from_millis(self.random.below(60))).await;
        }
        self.kill(index).await;
        disk.crash(&mut |end| self.random.below(end.max(1)));
        for lane in &self.instances[index].around.lanes {
            lane.state.lose_power(&mut |end| self.random.below(end.max(1)));
        }
    }

    /// Everybody takes the process for dead and starts another. It lost the disk, but goes on with
    /// what it has in hand, until its targets tell it that its time is over.
    async fn take_for_dead(&mut self, index: usize) -> Result<(), Violation> {
        let until = self.step + self.random.between(1, 20);
        let instance = &mut self.instances[index];
        if let Some(process) = instance.process.take() {
            process.cut_off();
            instance.undead = Some((process, until));
        }
        instance.around.disk.release_locks();
        self.start(index).await
    }

    /// Asks the process to stop, which it must do in time.
    pub(super) async fn stop(&mut self, index: usize) -> Result<(), Violation> {
        let instance = &mut self.instances[index];
        if let Some(process) = instance.process.take()
            && !process.stop(&self.setup).await
        {
            let what = "the process did not stop within twice its time";
            return Err(Violation::new(Invariant::Converges, what));
        }
        instance.around.disk.release_locks();
        Ok(())
    }

    /// The processes that were taken for dead end. Connections that they asked for do not count.
    pub(super) async fn end_undead(&mut self) {
        for index in 0..self.instances.len() {
            if let Some((process, _)) = self.instances[index].undead.take() {
                process.kill().await;
                self.instances[index].started = Instant::now();
                self.targets().for_each(super::TargetWorld::reset_connects);
            }
        }
    }

    async fn strike_source(&mut self, index: usize) -> Result<(), Violation> {
        let rates = self.setup.rates.clone();
        if self.random.chance(rates.source_crash) {
            self.note(Fault::SourceCrash);
            let lane = &mut self.lanes[index];
            lane.database.crash();
            lane.workload.source_crashed();
            if self.setup.delivers_again {
                self.tally.fired(Fault::DeliversAgain);
            }
        }
        if self.random.chance(rates.forget) {
            self.note(Fault::SourceForgets);
            self.lanes[index].database.flush_confirmed();
            self.lanes[index].database.forget();
        } else if self.random.chance(100) {
            self.lanes[index].database.flush_confirmed();
        }
        if self.random.chance(rates.slot_lost) {
            self.note(Fault::SlotLost);
            self.is_lost = true;
            let lane = &mut self.lanes[index];
            self.trace.note(format_args!("{} forgets all", lane.lane));
            lane.database.forget_all();
            lane.database.crash();
            lane.workload.source_crashed();
        }
        if self.random.chance(rates.source_restored * 4) {
            let lane = &mut self.lanes[index];
            lane.saved = Some((lane.database.save(), lane.database.end()));
        }
        if self.random.chance(rates.source_restored)
            && let Some((saved, position)) = self.lanes[index].saved.take()
        {
            self.kill(0).await;
            self.note(Fault::SourceRestored);
            self.is_lost = true;
            let lane = &mut self.lanes[index];
            self.trace.note(format_args!("{} goes back to {position:?}", lane.lane));
            lane.database.restore(&saved);
            lane.truth.restored(&position);
            lane.restored = Some(position);
            lane.workload.source_crashed();
            self.start(0).await?;
        }
        Ok(())
    }

    fn strike_targets(&mut self) {
        let rates = self.setup.rates.clone();
        let step = self.step;
        let count = self.targets().count();
        for index in 0..count {
            let mut random = self.random.clone();
            let mut fired = Vec::new();
            let target = self.targets_mut().nth(index).expect("BUG: it was counted");
            if random.chance(rates.target_crash) {
                fired.push(Fault::TargetCrash);
                target.store.crash();
                target.judge.borrow_mut().store_crashed();
            }
            if random.chance(rates.outage) && target.away.is_none() {
                fired.push(Fault::Outage);
                target.go_away(step + random.between(5, 60));
            }
            let by_row = target.setup.claim != Claim::Transactional;
            if by_row && random.chance(rates.half_applied) {
                fired.push(Fault::HalfApplied);
                target.store.fail_after_rows(random.index(6));
            }
            self.random = random;
            fired.into_iter().for_each(|fault| self.note(fault));
        }
        if self.random.chance(rates.parting) && self.parted.is_none() {
            self.note(Fault::Parted);
            let (instance, target) = (self.random.index(2), self.random.index(count));
            let until = step + self.random.between(20, 200);
            self.parted = Some((until, instance, target));
            let target = self.targets().nth(target).expect("BUG: it was counted");
            target.part(instance, true);
        }
        if let Some(pushed) = &self.numbers.pushed
            && self.random.chance(rates.target_crash)
        {
            pushed.store.crash();
        }
    }

    async fn end_what_is_over(&mut self) {
        let step = self.step;
        let is_over = |until: u64| until <= step;
        if self.instances.iter().any(|it| it.undead.as_ref().is_some_and(|it| is_over(it.1))) {
            self.end_undead().await;
        }
        for target in self.targets_mut() {
            if target.away.is_some_and(|(until, _)| is_over(until)) {
                target.come_back();
            }
        }
        self.end_parting(is_over);
        for instance in &mut self.instances {
            if instance.full_until.is_some_and(is_over) {
                instance.around.disk.lift_full();
                instance.full_until = None;
            }
        }
    }

    /// The instance reaches the target again.
    pub(super) fn end_parting(&mut self, is_over: impl Fn(u64) -> bool) {
        if let Some((until, instance, index)) = self.parted
            && is_over(until)
        {
            self.parted = None;
            let target = self.targets().nth(index).expect("BUG: it was counted");
            if target.away.is_none() {
                target.part(instance, false);
            }
        }
    }

    pub(super) fn note(&self, fault: Fault) {
        self.trace.note(format_args!("{fault:?}"));
        self.tally.fired(fault);
    }
}
