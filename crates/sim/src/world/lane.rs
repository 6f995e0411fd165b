//! One lane of a world: its source, its targets, and what really happened there.

use super::frame::Frame;
use super::target::TargetWorld;
use crate::faults::Moody;
use crate::oracle::{Invariant, Truth, Violation, check_log};
use crate::process::LaneAround;
use crate::setup::GroupSetup;
use crate::workload::{Workload, is_poison};
use model::{Lane, Log};
use std::sync::Arc;
use testkit::faulty::Faulty;
use testkit::memory::database::Database;

/// A source, its workload, and the targets that follow it.
pub(super) struct LaneWorld {
    pub(super) lane: Lane,
    pub(super) database: Database,
    pub(super) source_mood: Arc<Moody>,
    pub(super) workload: Workload,
    pub(super) truth: Truth,
    pub(super) targets: Vec<TargetWorld>,
}

impl LaneWorld {
    /// A lane with these targets, and what the engine is given of it.
    pub(super) fn new(shard: &str, groups: &[GroupSetup], frame: &Frame<'_>) -> (Self, LaneAround) {
        let &Frame { seed, setup, tally, trace, .. } = frame;
        let lane = Lane::from(format!("questions/{shard}").as_str());
        let database = Database::new("server-1");
        database.deliver_again(setup.delivers_again);
        let name = format!("source-{shard}");
        let source_mood = Moody::new(&name, seed, setup.source_mood, tally, trace);
        let (mut targets, mut given) = (Vec::new(), Vec::new());
        for (index, group) in groups.iter().enumerate() {
            let (target, group) =
                TargetWorld::new(&format!("target-{shard}{index}"), group, &lane, frame);
            targets.push(target);
            given.push(group);
        }
        let source = Faulty::source(Arc::new(database.clone()), source_mood.clone());
        let around = LaneAround { lane: lane.clone(), source, groups: given };
        let workload = Workload::new(shard, seed, &database, setup, trace);
        let truth = Truth::new(is_poison);
        (Self { lane, database, source_mood, workload, truth, targets }, around)
    }

    /// P1: what was confirmed, and what any target holds, is in the log that was just opened.
    pub(super) async fn check_durable(&self, journal: &dyn Log) -> Result<(), Violation> {
        let failed = |invariant, what: String| Err(Violation::new(invariant, what));
        let bounds = match journal.bounds(&self.lane).await {
            Ok(bounds) => bounds,
            Err(fault) => {
                let what = format!("the journal opened and cannot be read: {fault}");
                return failed(Invariant::NothingStopsWithoutCause, what);
            }
        };
        let last = bounds.last.as_ref().map(|last| &last.position);
        let confirmed = self.database.confirmed();
        if confirmed.to_number() > Some(0) && Some(&confirmed) > last {
            let what = format!("{confirmed:?} is confirmed, the log ends at {last:?}");
            return failed(Invariant::ConfirmedIsDurable, what);
        }
        for target in &self.targets {
            let watermark = target.store.look(|kept| kept.watermarks.get(&self.lane).cloned());
            if watermark.as_ref().map(|it| &it.position) > last {
                let name = target.name();
                let what = format!("{name} has {watermark:?}, the log ends at {last:?}");
                return failed(Invariant::AppliedIsDurable, what);
            }
        }
        check_log(journal, &self.lane, &self.truth).await
    }

    /// Whether every copy but that of one target equals the source.
    pub(super) fn check_converged(&self, but: Option<usize>) -> Result<(), Violation> {
        let judged = self.targets.iter().enumerate().filter(|(index, _)| Some(*index) != but);
        judged.map(|(_, target)| target).try_for_each(|it| it.judge.check_converged(&self.truth))
    }
}
