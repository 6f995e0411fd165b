//! The numbers of a world: what each instance tells, and what was pushed to a store.

use super::frame::Frame;
use super::instance::InstanceWorld;
use crate::counting::counts;
use crate::faults::Moody;
use crate::oracle::{Counted, Counts, Invariant, Truths, Violation};
use crate::process::PushAround;
use crate::setup::Setup;
use engine::push::{lane_of, lanes_at};
use engine::{Numbers, Push};
use model::{Cell, CountName, Key, Lane, Offset, Row, Service, Target, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use testkit::faulty::Faulty;
use testkit::memory::store::{Kept, KeptRow, Manners, Store};

/// What is counted, and what was last told of it.
pub(super) struct NumbersWorld {
    counts: Vec<Counted>,
    /// The last position told, by instance, lane and count.
    told: RefCell<BTreeMap<(usize, Lane, String), Offset>>,
    pub(super) pushed: Option<Pushed>,
}

/// A store that a count is pushed to.
pub(super) struct Pushed {
    pub(super) store: Store,
    pub(super) moods: Vec<Arc<Moody>>,
    count: Counted,
}

impl NumbersWorld {
    pub(super) fn new(frame: &Frame<'_>) -> Self {
        let counted: Vec<_> = counts().into_iter().map(|(_, counted)| counted).collect();
        let pushed = frame.setup.push.as_ref().map(|setup| {
            let manners = Manners { flush_every: setup.flush_every, ..Manners::plain(setup.claim) };
            let mood = |instance: usize| {
                let name = format!("pushed to {instance}");
                Moody::new(&name, frame.seed, setup.mood, frame.tally, frame.trace)
            };
            Pushed {
                store: Store::new(manners),
                moods: (0..frame.setup.instances()).map(mood).collect(),
                count: counted[0].clone(),
            }
        });
        Self { counts: counted, told: RefCell::default(), pushed }
    }

    /// The push that an instance does.
    pub(super) fn push(&self, instance: usize, setup: &Setup) -> Option<PushAround> {
        let pushed = self.pushed.as_ref()?;
        let service: Arc<dyn Service<dyn Target>> = Arc::new(pushed.store.clone());
        let service = Faulty::target(service, pushed.moods[instance].clone());
        let name = CountName::from(pushed.count.name.as_str());
        let count = counts().into_iter().map(|(count, _)| count).find(|it| it.name == name)?;
        let limits = setup.limits.clone();
        Some(Arc::new(move |shards, source, instance, board| Push {
            name: "pushed".into(),
            service: service.clone(),
            copy: "pushed".into(),
            count: count.name.clone(),
            of: count.of.clone(),
            by: count.by.clone(),
            source,
            shards,
            limits: limits.clone(),
            instance,
            board,
        }))
    }

    /// P4: what is told, and what was pushed, equals a recount at its position.
    pub(super) fn check(
        &self,
        instances: &[InstanceWorld],
        truths: &Truths<'_>,
    ) -> Result<(), Violation> {
        for (index, instance) in instances.iter().enumerate() {
            for numbers in instance.process.iter().flat_map(|process| process.numbers()) {
                for counted in &self.counts {
                    self.check_told(index, numbers, counted, truths)?;
                }
            }
        }
        self.pushed.as_ref().map_or(Ok(()), |pushed| pushed.check(truths))
    }

    fn check_told(
        &self,
        index: usize,
        numbers: &Numbers,
        counted: &Counted,
        truths: &Truths<'_>,
    ) -> Result<(), Violation> {
        let Ok(told) = numbers.all(&CountName::from(counted.name.as_str())) else { return Ok(()) };
        let name = (index, numbers.lane().clone(), counted.name.clone());
        let before = self.told.borrow_mut().insert(name, told.position.clone());
        if before.as_ref() == Some(&told.position) {
            return Ok(());
        }
        if before.as_ref() > Some(&told.position) {
            let what = format!(
                "{} of {} was told at {before:?}, now at {}",
                counted.name,
                numbers.lane(),
                told.position
            );
            return Err(Violation::new(Invariant::CountMovesForward, what));
        }
        let at = [(numbers.lane().clone(), told.position)].into();
        counted.check(truths, &at, &by_values(told.value))
    }

    /// Whether every number is told, and is the one of now.
    pub(super) fn check_converged(
        &self,
        instances: &[InstanceWorld],
        truths: &Truths<'_>,
    ) -> Result<(), Violation> {
        let processes = instances.iter().flat_map(|instance| &instance.process);
        for numbers in processes.flat_map(|process| process.numbers()) {
            for counted in &self.counts {
                let told = match numbers.all(&CountName::from(counted.name.as_str())) {
                    Ok(told) => told,
                    Err(engine::Untold::Unknown) => continue,
                    Err(untold) => {
                        let what = format!("{} is not told: {untold:?}", counted.name);
                        return Err(Violation::new(Invariant::Converges, what));
                    }
                };
                let of_lane = truths.iter().filter(|(lane, _)| ***lane == *numbers.lane());
                let of_lane = of_lane.map(|(lane, truth)| (*lane, *truth)).collect();
                counted.check_converged(&of_lane, &by_values(told.value))?;
            }
        }
        let Some(pushed) = &self.pushed else { return Ok(()) };
        pushed.count.check_converged(truths, &pushed.store.look(rows))
    }
}

impl Pushed {
    fn check(&self, truths: &Truths<'_>) -> Result<(), Violation> {
        let lane = lane_of(&CountName::from(self.count.name.as_str()), &"pushed".into());
        let (at, rows) =
            self.store.look(|kept| (kept.watermarks.get(&lane).and_then(lanes_at), rows(kept)));
        let Some(at) = at else { return Ok(()) };
        self.count.check(truths, &at, &rows).map_err(|violation| Violation {
            what: format!("pushed: {}", violation.what),
            ..violation
        })?;
        self.store.look(|kept| pushed_rows(kept).try_for_each(|(_, kept)| check_place(kept)))
    }
}

/// The numbers that a store has: each row is the count's name, its group, the number, and where that
/// was true.
fn rows(kept: &Kept) -> Counts {
    pushed_rows(kept).map(|(key, kept)| (group(key), number(&group(key), &kept.row))).collect()
}

fn pushed_rows(kept: &Kept) -> impl Iterator<Item = (&Key, &KeptRow)> {
    kept.rows.get(&"pushed".into()).into_iter().flatten()
}

/// P4: the place that a row names is the one at which it was written.
fn check_place(kept: &KeptRow) -> Result<(), Violation> {
    let at = lanes_at(&kept.version).unwrap_or_default();
    let written = |(lane, offset): (&Lane, &Offset)| {
        let number = offset.position.to_number().expect("BUG: a position that is no number");
        if at.len() == 1 { number.to_string() } else { format!("{lane}:{number}") }
    };
    let expected: BTreeSet<_> = at.iter().map(written).collect();
    let told = match &kept.row.0[..] {
        [.., Cell::Value(Value::Text(position)), _] => position.split(',').map(str::to_owned),
        other => panic!("BUG: {other:?} names no position"),
    };
    if told.collect::<BTreeSet<_>>() == expected {
        return Ok(());
    }
    let what = format!("pushed: {:?} was written at {expected:?}", kept.row);
    Err(Violation::new(Invariant::CountIsTrue, what))
}

fn group(key: &Key) -> Vec<Value> {
    key.values()[1..].to_vec()
}

fn number(group: &[Value], row: &Row) -> i64 {
    match row.0.get(group.len() + 1) {
        Some(Cell::Value(Value::Int(number))) => *number,
        other => panic!("BUG: {other:?} is no number"),
    }
}

fn by_values(told: BTreeMap<engine::count::Group, i64>) -> Counts {
    told.into_iter().map(|(group, number)| (group.values().to_vec(), number)).collect()
}
