//! One target of a world: its store, how it answers, and its judge.

use super::frame::Frame;
use crate::faults::Moody;
use crate::oracle::{Invariant, Judge, Kind, Violation, Watched};
use crate::plants::Plant;
use crate::setup::{GroupSetup, Setup};
use crate::workload::{is_poison, tables};
use engine::{Copy, Group};
use model::{Claim, Lane};
use std::sync::Arc;
use testkit::faulty::Faulty;
use testkit::memory::store::{Manners, Rule, Store};
use tokio::time::Instant;

/// One target.
pub(super) struct TargetWorld {
    pub(super) setup: GroupSetup,
    pub(super) store: Store,
    pub(super) mood: Arc<Moody>,
    pub(super) judge: Judge,
    /// Until which step it stays away, and since when it has been.
    pub(super) away: Option<(u64, Instant)>,
}

impl TargetWorld {
    /// A target, and the group that the engine is given for it.
    pub(super) fn new(
        name: &str,
        setup: &GroupSetup,
        lane: &Lane,
        frame: &Frame<'_>,
    ) -> (Self, Group) {
        let mood = Moody::new(name, frame.seed, setup.mood, frame.tally, frame.trace);
        let refuses = setup.refuses;
        let rule: Rule = Arc::new(move |row| {
            (refuses && is_poison(row)).then(|| "the value is not allowed".to_owned())
        });
        let (claim, flush_every) = (setup.claim, setup.flush_every);
        let store = Store::new(Manners { claim, flush_every, rule });
        let copies: Vec<_> = tables()
            .iter()
            .take(if setup.both_tables { 2 } else { 1 })
            .map(|table| {
                let name = format!("{}-copy", table.name);
                Copy { name: name.as_str().into(), of: table.name.clone() }
            })
            .collect();
        let watched = Watched {
            name: name.to_owned(),
            lane: lane.clone(),
            store: store.clone(),
            copies: copies.iter().map(|copy| (copy.name.clone(), copy.of.clone())).collect(),
            kind: match claim {
                Claim::Transactional => Kind::Exact,
                Claim::Versioned | Claim::Idempotent => Kind::PerKey,
            },
            refuses,
        };
        let service = Plant::on_target(frame.planted, Arc::new(store.clone()));
        let service = Faulty::target(service, mood.clone());
        let group = Group { name: name.into(), service, copies };
        let judge = Judge::new(watched);
        (Self { setup: setup.clone(), store, mood, judge, away: None }, group)
    }

    pub(super) fn name(&self) -> &str {
        &self.judge.watched().name
    }

    pub(super) fn go_away(&mut self, until: u64) {
        self.mood.set_away(true);
        self.away = Some((until, Instant::now()));
    }

    pub(super) fn come_back(&mut self) {
        self.mood.set_away(false);
        self.away = None;
    }

    /// P10: while a target is away, the connections asked for are no more than the budget of
    /// retries, and one for each longest pause.
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
        if self.mood.connects() > most {
            let what = format!("{} was asked {} times", self.name(), self.mood.connects());
            return Err(Violation::new(Invariant::RetriesAreBounded, what));
        }
        Ok(())
    }
}
