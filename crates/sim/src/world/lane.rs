//! One lane of a world: its source, its targets, and what really happened there.

use super::frame::Frame;
use super::target::TargetWorld;
use crate::counting::counts;
use crate::faults::Moody;
use crate::keep::{Notes, Stored};
use crate::oracle::{Incarnations, Invariant, Truth, Violation, check_log};
use crate::process::LaneAround;
use crate::setup::GroupSetup;
use crate::workload::{Workload, is_poison, tables};
use model::{Code, Lane, Log, Position};
use std::sync::Arc;
use testkit::faulty::Faulty;
use testkit::memory::database::{Database, Saved};

/// A source, its workload, and the targets that follow it.
pub(super) struct LaneWorld {
    pub(super) lane: Lane,
    pub(super) database: Database,
    pub(super) source_moods: Vec<(Arc<Moody>, Arc<Moody>)>,
    pub(super) workload: Workload,
    pub(super) truth: Truth,
    pub(super) incarnations: Incarnations,
    pub(super) targets: Vec<TargetWorld>,
    /// A backup of the source, and where it stood then.
    pub(super) saved: Option<(Saved, Position)>,
    /// Where the source stood when it was restored, until the log is opened next.
    pub(super) restored: Option<Position>,
    /// The history that the lane followed when the source no longer had all of it: until another
    /// begins, what the log has belongs to the timeline of before.
    astray: Option<model::Offset>,
}

impl LaneWorld {
    /// A lane with these targets.
    pub(super) fn new(shard: &str, groups: &[GroupSetup], frame: &Frame<'_>) -> Self {
        let &Frame { seed, setup, tally, trace, .. } = frame;
        let lane = Lane::from(format!("questions/{shard}").as_str());
        let database = Database::new("server-1");
        tables().iter().for_each(|table| database.define(table));
        database.deliver_again(setup.delivers_again);
        let mood = |what: &str, instance: usize| {
            let name = format!("source-{shard}{what} to {instance}");
            Moody::new(&name, seed, setup.source_mood, tally, trace)
        };
        let instances = 0..setup.instances();
        let target = |(index, group): (usize, &GroupSetup)| {
            let name = format!("target-{shard}{index}");
            TargetWorld::new(&name, group, std::slice::from_ref(&lane), frame)
        };
        let incarnations = Incarnations::default();
        Self {
            targets: groups.iter().enumerate().map(target).collect(),
            source_moods: instances.map(|it| (mood("", it), mood(" read", it))).collect(),
            workload: Workload::new(shard, seed, &database, setup, trace),
            truth: Truth::new(is_poison, incarnations.clone()),
            incarnations,
            saved: None,
            restored: None,
            astray: None,
            lane,
            database,
        }
    }

    /// What an instance is given of it.
    pub(super) fn around(
        &self,
        instance: usize,
        shared: Option<&TargetWorld>,
        frame: &Frame<'_>,
    ) -> LaneAround {
        let (mood, read) = &self.source_moods[instance];
        let slot = self.database.slot(&slot_of(instance));
        let database: Arc<Database> = Arc::new(self.database.clone());
        let targets = self.targets.iter().chain(shared);
        let counts = counts().into_iter().map(|(count, _)| count);
        LaneAround {
            lane: self.lane.clone(),
            source: Faulty::source(Arc::new(slot), mood.clone()),
            inspect: Faulty::inspect(database, read.clone(), Code::SourceUnavailable),
            groups: targets
                .map(|target| target.group(&self.lane, instance, frame.planted))
                .collect(),
            counts: if frame.setup.counts { counts.collect() } else { Vec::new() },
            state: Arc::new(Stored::default()),
        }
    }

    pub(super) fn heal_source(&self) {
        for (mood, read) in &self.source_moods {
            mood.heal();
            read.heal();
        }
    }

    /// After the source was restored: whether the log that was just opened has a transaction that
    /// the source no longer has. If not, nothing was lost, as long as nothing is committed where
    /// the log, or the note of where its history began, says that nothing was.
    pub(super) async fn settle_restored(&mut self, journal: &dyn Log, notes: &Notes) {
        if let Some(restored) = self.restored.take()
            && let Ok(bounds) = journal.bounds(&self.lane).await
        {
            if !self.has_all_of(&bounds, notes, &restored) {
                self.astray = notes.began(&self.lane).into_iter().max();
                return;
            }
            let ends = bounds.last.max(notes.began(&self.lane).into_iter().max());
            while ends.as_ref().is_some_and(|it| it.position > self.database.end()) {
                self.database.pass();
            }
            self.incarnations.goes_on();
        }
    }

    /// Whether the source, gone back to this position, still has the last transaction of the log in
    /// the history that the log follows now; or the last before that history began, which is all
    /// that its beginning is known by. What takes a position and means nothing is not missed.
    fn has_all_of(&self, bounds: &model::Bounds, notes: &Notes, restored: &Position) -> bool {
        let Some(began) = notes.began(&self.lane).into_iter().max() else { return true };
        if self.astray.as_ref() == Some(&began) {
            return false;
        }
        let commit = bounds.last_commit.as_ref().map(|commit| &commit.offset);
        let last = commit.filter(|offset| **offset > began).unwrap_or(&began);
        let transactions = self.truth.transactions(last.incarnation).iter();
        let mut known = transactions.filter(|it| it.position <= last.position);
        let newest = known.rfind(|it| !it.changes.is_empty());
        newest.is_none_or(|newest| newest.position <= *restored)
    }

    /// P1: what was confirmed, and what any target holds, is in the log that was just opened.
    pub(super) async fn check_durable(
        &self,
        journal: &dyn Log,
        instance: usize,
        is_alone: bool,
        notes: &Notes,
    ) -> Result<(), Violation> {
        let failed = |invariant, what: String| Err(Violation::new(invariant, what));
        let bounds = match journal.bounds(&self.lane).await {
            Ok(bounds) => bounds,
            Err(fault) => {
                let what = format!("the journal opened and cannot be read: {fault}");
                return failed(Invariant::NothingStopsWithoutCause, what);
            }
        };
        let confirmed = self.database.confirmed_by(&slot_of(instance));
        let ends = bounds.last.clone().max(notes.began(&self.lane).into_iter().max());
        let last = ends.as_ref().map(|last| &last.position);
        if confirmed.to_number() > Some(0) && Some(&confirmed) > last {
            let what = format!("{confirmed:?} is confirmed, the log ends at {last:?}");
            return failed(Invariant::ConfirmedIsDurable, what);
        }
        for target in self.targets.iter().filter(|_| is_alone) {
            let watermark = target.store.look(|kept| kept.watermarks.get(&self.lane).cloned());
            let place = |it: &model::Offset| (it.incarnation, it.position.clone());
            if watermark.as_ref().map(place) > ends.as_ref().map(place) {
                let (name, last) = (&target.name, &ends);
                let what = format!("{name} has {watermark:?}, the log ends at {last:?}");
                return failed(Invariant::AppliedIsDurable, what);
            }
        }
        check_log(journal, &self.lane, &self.truth, &notes.began(&self.lane)).await
    }
}

/// The name under which an instance reads a source.
pub(super) fn slot_of(instance: usize) -> String {
    format!("instance-{instance}")
}
