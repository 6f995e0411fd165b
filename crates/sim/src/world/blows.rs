//! The faults of a world: which strike at a step, and what each does.

use super::World;
use crate::faults::Fault;
use crate::oracle::{Invariant, Violation};
use crate::setup::LastBlow;
use model::Claim;
use std::time::Duration;
use testkit::memory::store::Kept;
use tokio::time::{Instant, sleep};

impl World {
    /// Lets each kind of fault strike as often as the setup says.
    pub(super) async fn strike(&mut self) -> Result<(), Violation> {
        let rates = self.setup.rates.clone();
        self.end_what_is_over().await;
        for index in 0..self.lanes.len() {
            self.strike_source(index);
            self.strike_targets(index);
        }
        if self.random.chance(rates.sync_error) {
            self.note(Fault::SyncError);
            self.around.disk.fail_next_sync();
        }
        if self.random.chance(rates.disk_full) && self.full_until.is_none() {
            self.note(Fault::DiskFull);
            self.around.disk.full_after(self.random.below(2_000));
            self.full_until = Some(self.step + self.random.between(1, 30));
        }
        if self.random.chance(rates.kill) {
            self.note(Fault::Kill);
            self.kill().await;
            self.start().await?;
        }
        if self.random.chance(rates.power_loss) {
            self.note(Fault::PowerLoss);
            self.lose_power().await;
            self.start().await?;
        }
        if self.random.chance(rates.undead) && self.undead.is_none() {
            self.note(Fault::Undead);
            self.take_for_dead().await?;
        }
        if self.random.chance(rates.restart) {
            self.note(Fault::GracefulRestart);
            self.stop().await?;
            self.start().await?;
        }
        Ok(())
    }

    /// The process dies and the disk keeps, tears or loses what was not synced. Half of the time
    /// the power goes in the middle of what the disk is doing.
    pub(super) async fn lose_power(&mut self) {
        if self.random.chance(500) {
            self.around.disk.power_off_after(self.random.below(30));
            sleep(Duration::from_millis(self.random.below(60))).await;
        }
        self.kill().await;
        let disk = self.around.disk.clone();
        disk.crash(&mut |end| self.random.below(end.max(1)));
    }

    /// Everybody takes the process for dead and starts another. It lost the disk, but goes on with
    /// what it has in hand, until its targets tell it that its time is over.
    async fn take_for_dead(&mut self) -> Result<(), Violation> {
        if let Some(process) = self.process.take() {
            process.cut_off();
            self.undead = Some((process, self.step + self.random.between(1, 20)));
        }
        self.around.disk.release_locks();
        self.start().await
    }

    /// Asks the process to stop, which it must do in time.
    pub(super) async fn stop(&mut self) -> Result<(), Violation> {
        if let Some(process) = self.process.take()
            && !process.stop(&self.setup).await
        {
            let what = "the process did not stop within twice its time";
            return Err(Violation::new(Invariant::Converges, what));
        }
        self.around.disk.release_locks();
        Ok(())
    }

    /// The process that was taken for dead ends. Connections that it asked for do not count.
    pub(super) async fn end_undead(&mut self) {
        if let Some((process, _)) = self.undead.take() {
            process.kill().await;
            self.started = Instant::now();
            for target in self.lanes.iter().flat_map(|lane| &lane.targets) {
                target.mood.reset_connects();
            }
        }
    }

    fn strike_source(&mut self, index: usize) {
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
    }

    fn strike_targets(&mut self, lane: usize) {
        let rates = self.setup.rates.clone();
        for index in 0..self.lanes[lane].targets.len() {
            if self.random.chance(rates.target_crash) {
                self.note(Fault::TargetCrash);
                let target = &mut self.lanes[lane].targets[index];
                target.store.crash();
                target.judge.store_crashed();
            }
            if self.random.chance(rates.outage) && self.lanes[lane].targets[index].away.is_none() {
                self.note(Fault::Outage);
                let until = self.step + self.random.between(5, 60);
                self.lanes[lane].targets[index].go_away(until);
            }
            let by_row = self.lanes[lane].targets[index].setup.claim != Claim::Transactional;
            if by_row && self.random.chance(rates.half_applied) {
                self.note(Fault::HalfApplied);
                let rows = self.random.index(6);
                self.lanes[lane].targets[index].store.fail_after_rows(rows);
            }
        }
    }

    async fn end_what_is_over(&mut self) {
        let step = self.step;
        if self.undead.as_ref().is_some_and(|(_, until)| *until <= step) {
            self.end_undead().await;
        }
        for target in self.lanes.iter_mut().flat_map(|lane| &mut lane.targets) {
            if target.away.is_some_and(|(until, _)| until <= step) {
                target.come_back();
            }
        }
        if self.full_until.is_some_and(|until| until <= step) {
            self.around.disk.lift_full();
            self.full_until = None;
        }
    }

    /// A blow after which history is gone. What is still whole must stay right, and what cannot go
    /// on must say so.
    pub(super) async fn last_blow(&mut self, blow: LastBlow) -> Result<(), Violation> {
        self.calm().await;
        match blow {
            LastBlow::BitFlip => return self.flip_a_bit().await,
            LastBlow::HistoryGone => {
                self.excused.push("E-SOURCE-HISTORY-LOST");
                self.note(Fault::HistoryGone);
                self.kill().await;
                self.finish_workloads();
                let database = &self.lanes[0].database;
                database.transact(crate::workload::one_more_change());
                database.forget_all();
            }
            LastBlow::TargetRestored => {
                self.note(Fault::TargetRestored);
                return self.restore_a_target().await;
            }
            LastBlow::OtherServer => {
                self.excused.push("E-SOURCE-CHANGED");
                self.note(Fault::OtherServer);
                self.kill().await;
                self.lanes[0].database.become_another("server-2");
            }
        }
        self.start().await?;
        self.wait_for_a_stop().await
    }

    /// A synced byte of the journal changes while the process is down. It may hit what nobody
    /// needs any more; then all goes on. Otherwise the damage is named.
    async fn flip_a_bit(&mut self) -> Result<(), Violation> {
        self.excused.extend(["E-JOURNAL-DAMAGED", "E-JOURNAL-NEWER", "E-SOURCE-HISTORY-LOST"]);
        // The catalog may know a history that the cut journal does not.
        self.excused.extend(["E-LOG-HISTORY-LOST", "E-BROKEN"]);
        self.kill().await;
        let disk = self.around.disk.clone();
        if disk.flip_bit(&mut |end| self.random.below(end.max(1))) {
            self.note(Fault::BitFlip);
        }
        self.start().await?;
        for _ in 0..400 {
            sleep(Duration::from_millis(25)).await;
            self.check()?;
            self.mind_the_process().await?;
        }
        self.check_ledgers()
    }

    /// A target comes back without anything. If the log still reaches back that far it is filled
    /// again from there; if not, the target stops and says so, and the others go on.
    async fn restore_a_target(&mut self) -> Result<(), Violation> {
        self.excused.push("E-LOG-HISTORY-LOST");
        self.finish_workloads();
        self.kill().await;
        let target = &mut self.lanes[0].targets[0];
        target.store.crash();
        target.store.tamper(|kept| *kept = Kept::default());
        target.judge.store_crashed();
        self.start().await?;
        self.converge_but(Some(0), Invariant::OthersGoOn).await?;
        for _ in 0..2_000 {
            sleep(Duration::from_millis(25)).await;
            self.check()?;
            self.mind_the_process().await?;
            let stopped = self.process.as_ref().is_some_and(|it| !it.stopped().is_empty());
            if stopped || self.lanes[0].check_converged(None).is_ok() {
                return self.check_ledgers();
            }
        }
        let what = "a target that lost everything neither recovered nor stopped";
        Err(Violation::new(Invariant::LossIsDeclared, what))
    }

    async fn wait_for_a_stop(&mut self) -> Result<(), Violation> {
        for _ in 0..2_000 {
            sleep(Duration::from_millis(25)).await;
            self.check()?;
            self.mind_the_process().await?;
            if self.process.as_ref().is_none_or(|process| !process.stopped().is_empty()) {
                return self.check_ledgers();
            }
        }
        let what = format!("{:?} was not noticed", self.setup.last_blow);
        Err(Violation::new(Invariant::LossIsDeclared, what))
    }

    fn note(&self, fault: Fault) {
        self.trace.note(format_args!("{fault:?}"));
        self.tally.fired(fault);
    }
}
