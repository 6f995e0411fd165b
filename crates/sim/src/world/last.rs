//! The blows that end a world: what is lost by them must be declared, and then be made good.

use super::World;
use crate::faults::Fault;
use crate::oracle::{Invariant, Violation};
use crate::setup::LastBlow;
use model::Pass;
use std::time::Duration;
use testkit::memory::store::Kept;
use tokio::time::sleep;

impl World {
    /// Strikes once more, and demands what can still be demanded.
    pub(super) async fn last_blow(&mut self, blow: LastBlow) -> Result<(), Violation> {
        self.calm().await;
        self.finish_workloads();
        self.is_lost = true;
        match blow {
            LastBlow::BitFlip => self.flip_a_bit().await,
            LastBlow::HistoryGone => self.lose_history().await,
            LastBlow::TargetRestored => self.restore_a_target().await,
            LastBlow::OtherServer => self.meet_another_server().await,
            LastBlow::EmptyServer => self.meet_an_empty_server().await,
            LastBlow::TakeOver => self.take_over_half_way().await,
        }
    }

    /// The source forgets what nobody has; it is found by comparing.
    async fn lose_history(&mut self) -> Result<(), Violation> {
        self.note(Fault::HistoryGone);
        self.kill(0).await;
        let lane = &mut self.lanes[0];
        lane.workload.change_once_more(&mut lane.truth);
        lane.database.forget_all();
        self.start(0).await?;
        self.end_well().await
    }

    /// Another server stops capture until a person says that it is the right one.
    async fn meet_another_server(&mut self) -> Result<(), Violation> {
        self.note(Fault::OtherServer);
        self.excused.push("E-SOURCE-CHANGED");
        self.wait_until_captured().await;
        self.kill(0).await;
        self.lanes[0].database.become_another("server-2");
        self.start(0).await?;
        self.wait_for_a_stop("E-SOURCE-CHANGED").await?;
        self.adopt().await?;
        self.end_well().await
    }

    /// P7: an empty server, even one that a person took for the right one, empties no copy before
    /// a person has said so for that copy.
    async fn meet_an_empty_server(&mut self) -> Result<(), Violation> {
        self.note(Fault::EmptyServer);
        self.wait_until_captured().await;
        self.converge_but(None, Invariant::Converges).await?;
        self.excused.extend(["E-SOURCE-CHANGED", "E-DELETES-GUARDED"]);
        self.kill(0).await;
        let had_rows: Vec<_> = self.lanes[0].targets.iter().map(|it| it.has_rows()).collect();
        let lane = &mut self.lanes[0];
        lane.database.become_another("server-2");
        lane.database.empty();
        lane.truth.replaced();
        self.start(0).await?;
        self.wait_for_a_stop("E-SOURCE-CHANGED").await?;
        self.adopt().await?;
        for _ in 0..200 {
            sleep(Duration::from_millis(25)).await;
            self.check()?;
            self.mind_the_processes().await?;
            for (target, had_rows) in self.lanes[0].targets.iter().zip(&had_rows) {
                if *had_rows && !target.has_rows() {
                    let what = format!("{} was emptied by an empty source", target.name);
                    return Err(Violation::new(Invariant::NeverEmptied, what));
                }
            }
        }
        // A person has looked, and it is meant so.
        self.excused.retain(|code| *code != "E-DELETES-GUARDED");
        self.end_well().await
    }

    async fn adopt(&mut self) -> Result<(), Violation> {
        let lane = self.lanes[0].lane.clone();
        self.instances[0].around.catalog.adopt(&lane, "server-2");
        if self.random.below(2) == 0 {
            return Ok(());
        }
        self.kill(0).await;
        self.start(0).await
    }

    /// A synced byte of the journal changes while the process is down. It may hit what nobody
    /// needs any more; then all goes on. Otherwise the damage is named.
    async fn flip_a_bit(&mut self) -> Result<(), Violation> {
        self.excused.extend(["E-JOURNAL-DAMAGED", "E-JOURNAL-NEWER", "E-BROKEN"]);
        self.excused.push("E-OUT-OF-ORDER");
        self.kill(0).await;
        let disk = self.instances[0].around.disk.clone();
        if disk.flip_bit(&mut |end| self.random.below(end.max(1))) {
            self.note(Fault::BitFlip);
        }
        self.start(0).await?;
        for _ in 0..400 {
            sleep(Duration::from_millis(25)).await;
            self.check()?;
            self.mind_the_processes().await?;
        }
        self.check_ledgers()
    }

    /// A target comes back without anything: it is filled again, and the others go on.
    async fn restore_a_target(&mut self) -> Result<(), Violation> {
        self.note(Fault::TargetRestored);
        self.kill(0).await;
        let target = &self.lanes[0].targets[0];
        target.store.crash();
        target.store.tamper(|kept| *kept = Kept::default());
        target.judge.borrow_mut().store_crashed();
        self.start(0).await?;
        self.converge_but(Some(0), Invariant::OthersGoOn).await?;
        self.end_well().await
    }

    /// While the sources are idle a target is filled by one instance, which dies half-way: the other
    /// one goes on at the same place of the lane.
    async fn take_over_half_way(&mut self) -> Result<(), Violation> {
        self.converge_but(None, Invariant::Converges).await?;
        self.note(Fault::TargetRestored);
        let target = &self.lanes[0].targets[0];
        target.store.tamper(|kept| *kept = Kept::default());
        target.store.crash();
        target.judge.borrow_mut().store_crashed();
        let half_way = |pass: &Pass| matches!(pass, Pass::Under { upto: Some(_), .. });
        let mut leader = None;
        for _ in 0..2_000 {
            sleep(Duration::from_millis(3)).await;
            let store = &self.lanes[0].targets[0].store;
            leader = store.look(|kept| {
                let leaders = kept.passes.values().any(half_way).then_some(&kept.leaders);
                leaders?.values().next().map(|((name, ..), _)| name.clone())
            });
            if leader.is_some() {
                break;
            }
        }
        if let Some(index) =
            self.instances.iter().position(|it| Some(&it.around.name) == leader.as_ref())
        {
            self.note(Fault::TakenOver);
            self.kill(index).await;
        }
        self.end_well().await
    }

    async fn end_well(&mut self) -> Result<(), Violation> {
        self.converge_but(None, Invariant::Converges).await?;
        self.check_ledgers()
    }

    async fn wait_for_a_stop(&mut self, code: &str) -> Result<(), Violation> {
        for _ in 0..2_000 {
            sleep(Duration::from_millis(25)).await;
            self.check()?;
            self.mind_the_processes().await?;
            if self.instances[0].stopped().iter().any(|it| it.why.starts_with(code)) {
                return Ok(());
            }
        }
        let what = format!("{:?} was not noticed", self.setup.last_blow);
        Err(Violation::new(Invariant::LossIsDeclared, what))
    }
}
