//! Numbers: the counts of one lane as they may be asked, each exact at the position that comes with
//! it (P4).
//!
//! A number is given only once the count has been filled and state has come to where the log ended
//! when it was opened: before that it would be true of a past that others have long seen pass.

use crate::board::{Board, Trouble};
use crate::count::{Count, Group, Outcome, Tally};
use model::attack::{Bug, Mark, planted, reached};
use model::{Code, CountName, Fault, Lane, Offset, TableName, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The counts of one lane; clones are the same.
#[derive(Clone, Debug)]
pub struct Numbers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lane: Lane,
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<CountName, Counted>,
    /// Up to where the numbers go; between transactions.
    at: Option<Offset>,
    as_of: i64,
    /// Nothing is answered before this place.
    answers_from: Option<Offset>,
    /// Where state was complete at first; what changed before that is not known one by one.
    began: Option<Offset>,
    /// Whether it is complete by now.
    is_complete: bool,
}

/// One count.
#[derive(Debug)]
struct Counted {
    of: TableName,
    tally: Tally,
    /// The numbers as they will be once the transaction at hand is whole.
    working: Option<Tally>,
    /// When each group changed last, zero or not.
    changed: BTreeMap<Group, Offset>,
    by_change: BTreeSet<(Offset, Group)>,
    /// Whether its rows are being read, or some are not known.
    is_filled: bool,
    stopped: Option<Trouble>,
}

/// The numbers of a count, and where they are true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// What was asked for.
    pub value: T,
    /// Where in the lane it is true.
    pub position: Offset,
    /// The source's clock there, in microseconds since 1970; it never goes back.
    pub as_of: i64,
}

/// Why a count can not be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untold {
    /// There is no such count.
    Unknown,
    /// Its rows are still being read, or some have to be read again.
    Filling,
    /// State has not come to where the log ended when it was opened.
    Replaying,
    /// It has stopped, and why.
    Stopped(Trouble),
}

/// Groups whose number changed, with what they are now.
pub(crate) type Changes = BTreeMap<Group, i64>;

/// Groups that need not be kept any more, and up to where none of them has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) groups: Vec<(CountName, Group)>,
    pub(crate) upto: Offset,
}

/// How many groups of a count that are zero are kept at least, so that those who push it need not
/// begin anew.
const ZEROS_MAX: usize = 1_000;

/// What changed in several lanes, summed over all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The groups that changed, or every one that is not zero.
    pub(crate) groups: Changes,
    /// Whether these are all groups, because what changed is not known one by one.
    pub(crate) anew: bool,
    /// Where each lane's part is true.
    pub(crate) at: BTreeMap<Lane, Offset>,
    /// The sources' clock there, as far as it is known.
    pub(crate) as_of: Option<i64>,
}

/// What changed in these lanes after a place in each; every lane is looked at in the same moment.
pub(crate) fn changes_over<'a>(
    lanes: impl IntoIterator<Item = &'a Numbers>,
    count: &CountName,
    after: impl Fn(&Lane) -> Option<Offset>,
) -> Result<Changed, Untold> {
    let mut lanes: Vec<_> = lanes.into_iter().collect();
    lanes.sort_by(|one, other| one.lane().cmp(other.lane()));
    let states: Vec<_> = lanes.iter().map(|numbers| (numbers.lane(), numbers.lock())).collect();
    let (mut groups, mut found) = (BTreeSet::new(), Changed::default());
    for (lane, state) in &states {
        let counted = state.ready(count)?;
        if !state.is_complete {
            return Err(Untold::Filling);
        }
        // Another instance may have pushed, and told apart only by its epoch.
        let place = |offset: &Offset| (offset.incarnation, offset.position.clone());
        let began = state.began.as_ref().map(place);
        let after = after(lane).filter(|after| Some(place(after)) >= began);
        match &after {
            Some(after) => groups.extend(counted.changed_after(after).cloned()),
            None => found.anew = true,
        }
        found.at.insert((*lane).clone(), state.at.clone().ok_or(Untold::Replaying)?);
    }
    for (_, state) in &states {
        let counted = state.ready(count)?;
        if found.anew {
            groups.extend(counted.tally.groups().keys().cloned());
        }
    }
    for group in groups {
        let parts = states.iter().map(|(_, state)| state.counts[count].tally.of(&group));
        let sum = parts.into_iter().try_fold(0_i64, i64::checked_add);
        let too_large = || Untold::Stopped(too_large(count));
        found.groups.insert(group, sum.ok_or_else(too_large)?);
    }
    found.as_of = earliest(states.iter().map(|(_, state)| state.as_of));
    Ok(found)
}

/// The clock of several lanes: what all of them have reached. None if a source has not told its time
/// since the start.
pub(crate) fn earliest(times: impl Iterator<Item = i64>) -> Option<i64> {
    times.min().filter(|time| *time != 0)
}

impl Numbers {
    /// Counts of a lane that are not yet filled.
    pub fn new(lane: &Lane, counts: &[Count], groups_max: usize) -> Self {
        let counted = |count: &Count| {
            let counted = Counted {
                of: count.of.clone(),
                tally: Tally::new(count.name.clone(), groups_max),
                working: None,
                changed: BTreeMap::new(),
                by_change: BTreeSet::new(),
                is_filled: false,
                stopped: None,
            };
            (count.name.clone(), counted)
        };
        let counts = counts.iter().map(counted).collect();
        let state = Mutex::new(State { counts, ..State::default() });
        Self(Arc::new(Shared { lane: lane.clone(), state, moved: Notify::new() }))
    }

    /// The lane.
    pub fn lane(&self) -> &Lane {
        &self.0.lane
    }

    /// The number of one group.
    pub fn of(&self, count: &CountName, group: &Group) -> Result<Told<i64>, Untold> {
        self.tell(count, |counted| counted.tally.of(group))
    }

    /// The numbers of every group that is not zero.
    pub fn all(&self, count: &CountName) -> Result<Told<BTreeMap<Group, i64>>, Untold> {
        self.tell(count, |counted| counted.tally.groups().clone())
    }

    /// Hears from the lane's board up to where the source had nothing more, and at what time of its
    /// own clock: numbers that go up to there are true at that time, too.
    pub(crate) fn hear(&self, board: &Board) {
        let Some((at, source_time)) = board.idle() else { return };
        let mut state = self.lock();
        if state.at.as_ref() >= Some(&at) {
            state.as_of = state.as_of.max(source_time);
        }
    }

    /// Where the numbers of a count are true.
    pub(crate) fn place(&self, count: &CountName) -> Result<Told<()>, Untold> {
        self.tell(count, |_| ())
    }

    /// The numbers together of all groups in which each column has one of its values.
    pub(crate) fn sum(
        &self,
        count: &CountName,
        columns: &[Vec<Value>],
    ) -> Result<Told<i64>, Untold> {
        let Told { value, position, as_of } = self.tell(count, |counted| {
            let mut numbers = counted.tally.fitting(columns).into_iter();
            numbers.try_fold(0_i64, |sum, (_, number)| sum.checked_add(number))
        })?;
        let too_large = || Untold::Stopped(too_large(count));
        Ok(Told { value: value.ok_or_else(too_large)?, position, as_of })
    }

    /// The first group in which each column has one of its values, if one is not zero.
    pub(crate) fn first_fitting(&self, count: &CountName, columns: &[Vec<Value>]) -> Option<Group> {
        let first = |counted: &Counted| counted.tally.fitting(columns).into_keys().next();
        self.tell(count, first).ok()?.value
    }

    /// Groups that are not zero and fit, in order, after one if given, at most so many.
    pub(crate) fn groups_after(
        &self,
        count: &CountName,
        after: Option<&Group>,
        most: usize,
        fits: &dyn Fn(&Group) -> bool,
    ) -> Result<Told<Vec<Group>>, Untold> {
        self.tell(count, |counted| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let groups = counted.tally.groups().range::<Group, _>((from, Bound::Unbounded));
            groups.map(|(group, _)| group).filter(|group| fits(group)).take(most).cloned().collect()
        })
    }

    /// Waits until the numbers have moved since this future was made.
    pub(crate) fn moved(&self) -> impl Future<Output = ()> + '_ {
        self.0.moved.notified()
    }

    fn tell<T>(
        &self,
        count: &CountName,
        tell: impl FnOnce(&Counted) -> T,
    ) -> Result<Told<T>, Untold> {
        let state = self.lock();
        let counted = state.ready(count)?;
        let position = state.at.clone().ok_or(Untold::Replaying)?;
        Ok(Told { value: tell(counted), position, as_of: state.as_of })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with a count whose lanes together are more than a number can be.
pub(crate) fn too_large(count: &CountName) -> Trouble {
    let what = format!("count {count}: the sum does not fit into 64 bits");
    Trouble { code: Code::CountWrong, what }
}

const NOTHING: [Value; 0] = [];

impl State {
    /// The count, if it may be told.
    fn ready(&self, count: &CountName) -> Result<&Counted, Untold> {
        let counted = self.counts.get(count).ok_or(Untold::Unknown)?;
        if let Some(why) = &counted.stopped {
            return Err(Untold::Stopped(why.clone()));
        }
        let is_early = self.answers_from.is_none() || self.at < self.answers_from;
        if is_early && !planted(Bug::AnswersBeforeReplay) {
            return Err(Untold::Replaying);
        }
        if !counted.is_filled && !planted(Bug::AnswersBeforeReplay) {
            return Err(Untold::Filling);
        }
        Ok(counted)
    }
}

/// What row memory says.
impl Numbers {
    /// State was opened: it goes up to this offset, began there, and answers from there on.
    pub(crate) fn opened(&self, at: &Offset, began: &Offset, answers_from: &Offset) {
        let mut state = self.lock();
        state.at = Some(at.clone()).filter(|at| !at.is_inside());
        state.began = Some(began.clone());
        state.is_complete = false;
        state.answers_from = Some(answers_from.clone());
        for counted in state.counts.values_mut() {
            counted.tally = counted.tally.anew();
            counted.working = None;
            counted.changed.clear();
            counted.by_change.clear();
            counted.is_filled = false;
            counted.stopped = None;
        }
    }

    /// A number as state has it.
    pub(crate) fn load(
        &self,
        count: &CountName,
        group: Group,
        number: i64,
        changed: &Offset,
    ) -> Result<(), Fault> {
        let mut state = self.lock();
        let Some(counted) = state.counts.get_mut(count) else { return Ok(()) };
        counted.tally.add(&BTreeMap::from([(group.clone(), number)]))?;
        counted.note(group, changed);
        Ok(())
    }

    /// Takes what a batch did, and over which tables every row is known with it. What comes of a
    /// transaction that is not whole yet is not told. The numbers that changed, as they are to be
    /// kept.
    pub(crate) fn take(
        &self,
        outcome: &Outcome,
        known: &BTreeSet<TableName>,
        at: &Offset,
        as_of: i64,
    ) -> BTreeMap<CountName, Changes> {
        let mut state = self.lock();
        let is_whole = !at.is_inside();
        let mut changes = BTreeMap::new();
        for (name, counted) in &mut state.counts {
            counted.is_filled = known.contains(&counted.of);
            let changed = counted.take(outcome, at, is_whole);
            if !changed.is_empty() {
                changes.insert(name.clone(), changed);
            }
        }
        if is_whole {
            state.at = Some(at.clone());
            state.as_of = state.as_of.max(as_of);
            drop(state);
            self.0.moved.notify_waiters();
        }
        changes
    }

    /// Forgets groups that are zero once there are more of them than of the others: those that became
    /// so first. Whoever has not heard of that yet is told all numbers anew.
    pub(crate) fn forget_zeros(&self) -> Option<Forgotten> {
        let mut state = self.lock();
        let forget = |(name, counted): (&CountName, &mut Counted)| {
            let zeros = counted.forget_zeros();
            zeros.into_iter().map(|(at, group)| (at, (name.clone(), group))).collect::<Vec<_>>()
        };
        let forgotten = state.counts.iter_mut().flat_map(forget);
        let (places, groups): (Vec<_>, Vec<_>) = forgotten.unzip();
        let upto = places.into_iter().max()?;
        state.began = state.began.take().max(Some(upto.clone()));
        Some(Forgotten { groups, upto })
    }

    /// All rows were read by here: from here on every change is known, and none from before.
    pub(crate) fn complete(&self, at: &Offset) {
        let mut state = self.lock();
        state.began = Some(at.clone());
        state.is_complete = true;
    }

    /// Over these tables every row is known.
    pub(crate) fn filled(&self, known: &BTreeSet<TableName>) {
        for counted in self.lock().counts.values_mut() {
            counted.is_filled = known.contains(&counted.of);
        }
    }

    /// A count does not fit its table, or is wrong.
    pub(crate) fn stop(&self, count: &CountName, why: Trouble) {
        if let Some(counted) = self.lock().counts.get_mut(count) {
            counted.stopped.get_or_insert(why);
        }
    }

    /// Why counts have stopped.
    pub fn stopped(&self) -> BTreeMap<CountName, Trouble> {
        let state = self.lock();
        let stopped = state.counts.iter();
        stopped.filter_map(|(name, it)| Some((name.clone(), it.stopped.clone()?))).collect()
    }
}

impl Counted {
    fn take(&mut self, outcome: &Outcome, at: &Offset, is_whole: bool) -> Changes {
        let mut groups: BTreeSet<Group> = BTreeSet::new();
        let name = self.tally.count().clone();
        groups.extend(outcome.deltas.get(&name).into_iter().flat_map(BTreeMap::keys).cloned());
        let before = self.working.as_ref().unwrap_or(&self.tally);
        if outcome.zeroed.contains(&name) {
            groups.extend(before.groups().keys().cloned());
        }
        if self.stopped.is_some() {
            return Changes::new();
        }
        if !is_whole && self.working.is_none() {
            self.working = Some(self.tally.clone());
        }
        let tally = self.working.as_mut().unwrap_or(&mut self.tally);
        if let Err(fault) = tally.apply(outcome) {
            reached(Mark::CountStopped);
            self.stopped = Some(Trouble::from(&fault));
            return Changes::new();
        }
        let changes = groups.into_iter().map(|group| (group.clone(), tally.of(&group))).collect();
        if is_whole && let Some(working) = self.working.take() {
            self.tally = working;
        }
        for group in Changes::keys(&changes) {
            self.note(group.clone(), at);
        }
        changes
    }

    /// The older half of the groups that are zero, if there are too many, with when they became so.
    fn forget_zeros(&mut self) -> Vec<(Offset, Group)> {
        let groups = self.tally.groups();
        let zeros = self.changed.len().saturating_sub(groups.len());
        if self.working.is_some() || zeros <= groups.len().max(ZEROS_MAX) {
            return Vec::new();
        }
        let is_zero = |(_, group): &&(Offset, Group)| !groups.contains_key(group);
        let oldest = self.by_change.iter().filter(is_zero).take(zeros / 2);
        let oldest: Vec<_> = oldest.cloned().collect();
        for (at, group) in &oldest {
            self.changed.remove(group);
            self.by_change.remove(&(at.clone(), group.clone()));
        }
        oldest
    }

    /// The groups that changed after an offset.
    fn changed_after<'a>(&'a self, after: &'a Offset) -> impl Iterator<Item = &'a Group> {
        let from = (after.clone(), Group::new(NOTHING));
        let changed = self.by_change.range(from..).filter(move |(at, _)| at > after);
        changed.map(|(_, group)| group)
    }

    /// A group changed here.
    fn note(&mut self, group: Group, at: &Offset) {
        if let Some(before) = self.changed.insert(group.clone(), at.clone()) {
            self.by_change.remove(&(before, group.clone()));
        }
        self.by_change.insert((at.clone(), group));
    }
}

#[cfg(test)]
mod tests;
