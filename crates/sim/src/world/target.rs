//! One target of a world: its store, how it answers each instance, and its judge.

use super::frame::Frame;
use crate::faults::Moody;
use crate::oracle::{Invariant, Judge, Kind, Violation, Watched};
use crate::plants::Plant;
use crate::setup::{GroupSetup, Setup};
use crate::workload::{is_poison, tables};
use engine::{Copy, Group, WhenFull};
use model::{Claim, Code, CopyName, Lane, Pass, Purpose, TableName};
use std::cell::RefCell;
use std::sync::Arc;
use testkit::faulty::Faulty;
use testkit::memory::store::{Manners, Rule, Store};
use testkit::memory::target::CopyOf;
use tokio::time::Instant;

/// One target.
pub(super) struct TargetWorld {
    pub(super) name: String,
    pub(super) setup: GroupSetup,
    pub(super) store: Store,
    /// How it answers, for each instance: as a target, and when it is read.
    pub(super) moods: Vec<(Arc<Moody>, Arc<Moody>)>,
    pub(super) judge: RefCell<Judge>,
    /// Until which step it stays away, and since when it has been.
    pub(super) away: Option<(u64, Instant)>,
    copies: Vec<(CopyName, TableName)>,
}

impl TargetWorld {
    /// A target of these lanes.
    pub(super) fn new(name: &str, setup: &GroupSetup, lanes: &[Lane], frame: &Frame<'_>) -> Self {
        let mood = |what: &str, instance: usize| {
            let name = format!("{name}{what} to {instance}");
            Moody::new(&name, frame.seed, setup.mood, frame.tally, frame.trace)
        };
        let instances = 0..frame.setup.instances();
        let refuses = setup.refuses;
        let rule: Rule = Arc::new(move |row| {
            (refuses && is_poison(row)).then(|| "the value is not allowed".to_owned())
        });
        let (claim, flush_every) = (setup.claim, setup.flush_every);
        let owned = lanes.len() > 1;
        let store = Store::new(Manners { claim, flush_every, rule, owned });
        Plant::on_store(frame.planted, &store);
        let copies: Vec<_> = tables()
            .iter()
            .take(if setup.both_tables { 2 } else { 1 })
            .map(|table| (format!("{}-copy", table.name).as_str().into(), table.name.clone()))
            .collect();
        let watched = Watched {
            name: name.to_owned(),
            lanes: lanes.to_vec(),
            store: store.clone(),
            copies: copies.clone(),
            kind: match claim {
                Claim::Transactional => Kind::Exact,
                Claim::Versioned | Claim::Idempotent => Kind::PerKey,
            },
            refuses,
        };
        Self {
            name: name.to_owned(),
            setup: setup.clone(),
            moods: instances.map(|it| (mood("", it), mood(" read", it))).collect(),
            judge: RefCell::new(Judge::new(watched)),
            away: None,
            copies,
            store,
        }
    }

    /// The group that an instance is given for it, for one of the lanes that feed it.
    pub(super) fn group(&self, lane: &Lane, instance: usize, planted: Option<Plant>) -> Group {
        let (mood, read) = &self.moods[instance];
        let service = Plant::on_target(planted, Arc::new(self.store.clone()));
        let service = Faulty::target(service, mood.clone());
        let copies = self.copies.iter().map(|(name, of)| {
            let (store, copy, lane) = (self.store.clone(), name.clone(), Some(lane.clone()));
            let copy = CopyOf { store, copy, lane };
            let code = Code::TargetUnavailable;
            let inspect = Faulty::inspect(Arc::new(copy), read.clone(), code);
            Copy { name: name.clone(), of: of.clone(), inspect: Some(inspect), keeps: false }
        });
        Group {
            name: self.name.as_str().into(),
            service,
            copies: copies.collect(),
            when_full: WhenFull::Detach,
        }
    }

    /// Whether its copies have rows.
    pub(super) fn has_rows(&self) -> bool {
        self.store.look(|kept| kept.rows.values().any(|rows| !rows.is_empty()))
    }

    pub(super) fn heal(&self) {
        self.all_moods().for_each(|mood| mood.heal());
    }

    pub(super) fn go_away(&mut self, until: u64) {
        self.all_moods().for_each(|mood| mood.set_away(true));
        self.away = Some((until, Instant::now()));
    }

    pub(super) fn come_back(&mut self) {
        self.all_moods().for_each(|mood| mood.set_away(false));
        self.away = None;
    }

    /// One instance does not reach it any more, or does again; the other one does.
    pub(super) fn part(&self, instance: usize, apart: bool) {
        if let Some((mood, read)) = self.moods.get(instance) {
            mood.set_away(apart);
            read.set_away(apart);
        }
    }

    pub(super) fn reset_connects(&self) {
        self.all_moods().for_each(|mood| mood.reset_connects());
    }

    fn all_moods(&self) -> impl Iterator<Item = &Arc<Moody>> {
        self.moods.iter().flat_map(|(mood, read)| [mood, read])
    }

    /// P8: a copy is bridged only if something was lost.
    pub(super) fn check_bridging(&self, has_cause: bool) -> Result<(), Violation> {
        let bridged = |pass: &Pass| matches!(pass, Pass::Under { purpose: Purpose::Bridge, .. });
        if !has_cause && self.store.look(|kept| kept.passes.values().any(bridged)) {
            let what = format!("{} is bridged, and nothing was lost", self.name);
            return Err(Violation::new(Invariant::NothingIsLostWithoutCause, what));
        }
        Ok(())
    }

    /// P10: while a target is away, the connections asked for are no more than the budget of
    /// retries, and one for each longest pause; and as many again by each lane that feeds it.
    pub(super) fn check_retries(
        &self,
        setup: &Setup,
        process_started: Instant,
    ) -> Result<(), Violation> {
        let Some((_, since)) = self.away else { return Ok(()) };
        let since = since.max(process_started);
        let pauses = since.elapsed().as_millis() / setup.limits.retry_pause_max.as_millis();
        let most =
            u64::from(setup.limits.retry_budget_max) + 3 + u64::try_from(pauses).unwrap_or(0);
        let most = most * self.judge.borrow().watched().lanes.len() as u64;
        for (mood, _) in &self.moods {
            if mood.connects() > most {
                let what = format!("{} was asked {} times", self.name, mood.connects());
                return Err(Violation::new(Invariant::RetriesAreBounded, what));
            }
        }
        Ok(())
    }
}
