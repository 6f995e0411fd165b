//! The board: what the tasks of a pipeline tell each other and the outside.
//!
//! Holds only facts that a task can find again after a restart; nothing decides by it but
//! retention, and that only by what targets said is durable.

mod fill;
mod latency;
mod notices;
mod status;
mod trail;

use crate::desk::Desk;
use crate::group::WhenFull;
use fill::Reached;
use model::attack::{Mark, reached};
use model::{Code, CopyName, Fault, Hold, Key, Offset, Pass, Standing, TargetName, Watermark};
use notices::Notices;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use trail::Trail;

pub use fill::{Fill, Progress};
pub use latency::Latency;
pub use notices::Notice;
pub use status::{GroupStatus, Phase, Snapshot, TaskStatus, Trouble};

/// The shared board of one pipeline.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The time as people have it, in microseconds since 1970; only told, nothing decides by it.
    clock: Option<fn() -> i64>,
    /// Waiters are told of everything that may let the log be trimmed.
    flushed: Notify,
}

#[derive(Debug, Default)]
struct State {
    shown: Snapshot,
    trail: Trail,
    notices: Notices,
    /// The desk of the tasks that report here now.
    desk: Desk,
}

impl Board {
    /// An empty board, on which nothing says how long changes take.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty board with a clock: microseconds since 1970.
    pub fn with_clock(clock: fn() -> i64) -> Self {
        Self(Arc::new(Shared { clock: Some(clock), ..Shared::default() }))
    }

    /// What stands on it now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let mut shown = state.shown.clone();
        let history = shown.logged.as_ref().map(|it| it.incarnation);
        for group in shown.groups.values_mut() {
            // Another instance may have written it in a history that can not be compared with ours.
            let comparable = |it: &&Watermark| Some(it.incarnation) == history;
            let watermark = group.watermark.as_ref();
            if watermark.is_none_or(|it| comparable(&it)) {
                group.behind = state.trail.behind(watermark);
                group.waits_since = state.trail.waits_since(watermark);
            }
        }
        shown
    }

    /// Up to where the source had nothing more, and at what time of its own clock.
    pub(crate) fn idle(&self) -> Option<(Offset, i64)> {
        self.lock().shown.idle.clone()
    }

    /// What has happened here since the notice of this number, as far as it is kept.
    pub fn notices_after(&self, number: u64) -> Vec<Notice> {
        self.lock().notices.after(number)
    }

    /// The desk of the tasks that report here now.
    pub(crate) fn desk(&self) -> Desk {
        self.lock().desk.clone()
    }

    /// A desk for tasks that begin; whatever lay on the one before is nobody's any more.
    pub(crate) fn new_desk(&self) -> Desk {
        let desk = Desk::default();
        self.lock().desk = desk.clone();
        desk
    }

    /// Capture's reporter.
    pub(crate) fn capture(&self) -> Reporter {
        Reporter { board: self.clone(), who: Who::Capture }
    }

    /// Retention's reporter.
    pub(crate) fn retention(&self) -> Reporter {
        Reporter { board: self.clone(), who: Who::Retention }
    }

    /// The reporter of who reads the source for others.
    pub(crate) fn survey(&self) -> Reporter {
        Reporter { board: self.clone(), who: Who::Survey }
    }

    /// A group's reporter; puts the group on the board.
    pub(crate) fn group(&self, name: &TargetName, when_full: WhenFull) -> Reporter {
        self.lock().shown.groups.entry(name.clone()).or_default().when_full = when_full;
        Reporter { board: self.clone(), who: Who::Group(name.clone()) }
    }

    /// Waits until a group's flushed watermark has moved since this future was made.
    pub(crate) fn flushed_moved(&self) -> impl Future<Output = ()> + '_ {
        self.0.flushed.notified()
    }

    /// Up to where each group no longer needs the log: its flushed watermark, or whatever is
    /// logged once it is detached.
    pub(crate) fn done_with(&self) -> Vec<Option<Watermark>> {
        let state = self.lock();
        let done_with = |group: &GroupStatus| group.flushed.clone().max(group.detached.clone());
        state.shown.groups.values().map(done_with).collect()
    }

    /// The log is full: lets go of the group that holds it up most, if it may be and has not moved
    /// for so long.
    fn detach_slowest(&self, grace: Duration) {
        let mut state = self.lock();
        let logged = state.shown.logged.clone();
        let now = Instant::now();
        // One that still moves, or that is to be waited for, shields none that does not.
        let State { shown, notices, .. } = &mut *state;
        let stuck = shown
            .groups
            .iter_mut()
            .filter(|(_, group)| group.flushed < logged && group.detached < logged)
            .filter(|(_, group)| group.when_full == WhenFull::Detach)
            .filter_map(|(name, group)| {
                let is_stuck = now - *group.moved_at.get_or_insert(now) >= grace;
                is_stuck.then_some((name, group))
            })
            .min_by_key(|(_, group)| group.flushed.clone().max(group.detached.clone()));
        if let Some((name, group)) = stuck {
            reached(Mark::Detached);
            group.detached = logged;
            let what = format!("the log is full, and {name} is not waited for any more");
            notices.add(Code::JournalFull, what);
            drop(state);
            self.0.flushed.notify_waiters();
        }
    }

    /// A panic elsewhere must not hide the board: each write to it is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One task's pen on the board.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    board: Board,
    who: Who,
}

#[derive(Clone, Debug)]
enum Who {
    Capture,
    Retention,
    Survey,
    Group(TargetName),
}

impl Reporter {
    /// The task changed what it does.
    pub(crate) fn phase(&self, phase: Phase) {
        self.task(|task| task.phase = phase);
    }

    /// The task got one step on.
    pub(crate) fn step(&self) {
        self.task(|task| {
            task.steps += 1;
            task.trouble = None;
            task.phase = Phase::Following;
        });
    }

    /// How many steps it has done.
    pub(crate) fn steps(&self) -> u64 {
        self.task(|task| task.steps)
    }

    /// The task failed and will be started again.
    pub(crate) fn retrying(&self, fault: &Fault) {
        self.task(|task| {
            task.phase = Phase::Retrying;
            task.retries += 1;
            task.trouble = Some(fault.into());
        });
    }

    /// The task failed for good.
    pub(crate) fn stopped(&self, fault: &Fault) {
        self.task(|task| {
            task.phase = Phase::Stopped;
            task.trouble = Some(fault.into());
        });
    }

    /// The log is full, and somebody may hold it up.
    pub(crate) fn log_is_full(&self, grace: Duration) {
        self.board.detach_slowest(grace);
    }

    /// The group stands in the log again, and needs what comes next.
    pub(crate) fn reattached(&self) {
        self.group(|group| group.detached = None);
    }

    /// How far passes over the group's copies have come.
    pub(crate) fn passes(&self, passes: &BTreeMap<CopyName, Pass>) {
        let now = Instant::now();
        self.group(|group| {
            group.passes.clone_from(passes);
            group.fills.retain(|copy, _| passes.contains_key(copy));
            for (copy, fill) in &mut group.fills {
                match passes.get(copy) {
                    Some(Pass::Under { began, upto, .. }) if *began == fill.began => {
                        fill.reached(Reached::Upto(upto.as_ref()), now);
                    }
                    Some(Pass::Done) => fill.reached(Reached::End, now),
                    _ => {}
                }
            }
        });
    }

    /// Whether the rows of a copy's pass are counted already.
    pub(crate) fn counts_rows(
        &self,
        (target, copy): (&TargetName, &CopyName),
        began: &Offset,
    ) -> bool {
        let state = self.board.lock();
        let fill = state.shown.groups.get(target).and_then(|group| group.fills.get(copy));
        fill.is_some_and(|fill| fill.began == *began)
    }

    /// The rows of a copy's pass are counted from here on.
    pub(crate) fn count_rows(
        &self,
        (target, copy): (&TargetName, &CopyName),
        began: &Offset,
        after: Option<&Key>,
        estimated: Option<u64>,
    ) {
        let fill = Fill::new(began.clone(), after, estimated, Instant::now());
        let mut state = self.board.lock();
        if let Some(group) = state.shown.groups.get_mut(target) {
            group.fills.insert(copy.clone(), fill);
        }
    }

    /// So many rows were read for a copy between these keys.
    pub(crate) fn read_rows(
        &self,
        (target, copy): (&TargetName, &CopyName),
        after: Option<&Key>,
        upto: Option<Key>,
        rows: u64,
    ) {
        let mut state = self.board.lock();
        let group = state.shown.groups.get_mut(target);
        if let Some(fill) = group.and_then(|group| group.fills.get_mut(copy)) {
            fill.read(after, upto, rows);
        }
    }

    /// Something happened that a person should know of, however soon it is over.
    pub(crate) fn notice(&self, code: Code, what: impl Into<String>) {
        self.board.lock().notices.add(code, what.into());
    }

    /// The task ended as asked.
    pub(crate) fn ended(&self) {
        self.phase(Phase::Ended);
    }

    /// The log ended here when capture began.
    pub(crate) fn begun(&self, end: &Offset) {
        let mut state = self.board.lock();
        state.trail.begin(end);
        state.shown.logged = Some(end.clone());
        drop(state);
        self.board.0.flushed.notify_waiters();
    }

    /// The log holds everything up to here, these transactions among it: where each ends, how many
    /// changes it has, and when it committed.
    pub(crate) fn logged(&self, end: &Offset, transactions: Vec<(Offset, u64, i64)>) {
        let mut state = self.board.lock();
        for (end, changes, committed_at) in transactions {
            state.trail.logged(&end, changes, committed_at);
            state.shown.captured += changes;
        }
        state.shown.logged = Some(end.clone());
        drop(state);
        self.board.0.flushed.notify_waiters();
    }

    /// The source has nothing after this place, at this time of its own clock.
    pub(crate) fn idle(&self, at: &Offset, source_time: i64) {
        self.board.lock().shown.idle = Some((at.clone(), source_time));
    }

    /// The source keeps so many bytes because of us.
    pub(crate) fn retained(&self, bytes: u64) {
        self.board.lock().shown.retained_bytes = Some(bytes);
    }

    /// The group holds everything up to here, with a row more of each of these copies.
    pub(crate) fn applied(
        &self,
        watermark: &Watermark,
        held_keys: usize,
        written: &BTreeMap<CopyName, u64>,
    ) {
        let Who::Group(name) = &self.who else { return };
        let now = self.board.0.clock.map(|clock| clock());
        let mut state = self.board.lock();
        let State { shown, trail, .. } = &mut *state;
        let Some(group) = shown.groups.get_mut(name) else { return };
        let before = group.watermark.replace(watermark.clone());
        group.held_keys = held_keys;
        for (copy, rows) in written {
            *group.written.entry(copy.clone()).or_default() += rows;
        }
        if let (Some(now), Some(before)) = (now, before) {
            for committed_at in trail.committed(&before, watermark) {
                group.latency.note(now.saturating_sub(committed_at));
            }
        }
        let lowest = shown.groups.values().map(|group| group.watermark.as_ref()).min();
        if let Some(Some(lowest)) = lowest {
            trail.forget(lowest);
        }
    }

    /// The keys that the group's service holds.
    pub(crate) fn holds(&self, holds: &[Hold]) {
        self.group(|group| holds.clone_into(&mut group.holds));
    }

    /// The target says where it stands; it may have lost what stood here before.
    pub(crate) fn resumed(&self, watermark: Option<&Watermark>, held_keys: usize) {
        self.group(|group| {
            group.watermark = watermark.cloned();
            group.held_keys = held_keys;
            group.moved_at = Some(Instant::now());
            if group.flushed.as_ref() > watermark {
                group.flushed = watermark.cloned();
            }
        });
        self.phase(Phase::Following);
    }

    /// Another instance writes the group, and the target says how far that has come. What is durable
    /// of it only the other one knows; but what it had at the last look is most likely so, and should
    /// it be needed all the same, the log says that it is gone. Where the target stands in another
    /// history, this one does not lead it before everything was compared.
    pub(crate) fn elsewhere(&self, standing: Standing) {
        let logged = self.board.lock().shown.logged.clone();
        self.group(|group| {
            let before = std::mem::replace(&mut group.watermark, standing.watermark);
            let is_of = |logged: &Offset, at: &Watermark| at.incarnation == logged.incarnation;
            group.flushed = match (logged, before, &group.watermark) {
                (Some(end), Some(before), Some(now)) if is_of(&end, now) => {
                    Some(before.min(end)).max(group.flushed.take())
                }
                (Some(end), _, Some(now)) if !is_of(&end, now) => Some(end),
                (_, _, _) => group.flushed.take(),
            };
            group.held_keys = standing.holds.len();
            group.holds = standing.holds;
            group.passes = standing.passes;
            group.fills.clear();
            group.task.phase = Phase::Elsewhere;
            // Whatever it had trouble with is the other one's now.
            group.task.trouble = None;
        });
        self.board.0.flushed.notify_waiters();
    }

    /// The group will hold everything up to here even after a crash of its service.
    pub(crate) fn flushed(&self, watermark: &Watermark) {
        self.group(|group| {
            group.flushed = Some(watermark.clone());
            group.moved_at = Some(Instant::now());
            if group.detached <= group.flushed {
                group.detached = None;
            }
        });
        self.board.0.flushed.notify_waiters();
    }

    /// What the group's watermark was when last seen.
    pub(crate) fn watermark(&self) -> Option<Watermark> {
        self.group(|group| group.watermark.clone())?
    }

    /// The group's watermark, if it is not known to be durable.
    pub(crate) fn unflushed(&self) -> Option<Watermark> {
        self.group(|group| group.watermark.clone().filter(|it| Some(it) != group.flushed.as_ref()))?
    }

    fn group<T>(&self, change: impl FnOnce(&mut GroupStatus) -> T) -> Option<T> {
        let Who::Group(name) = &self.who else {
            return None;
        };
        self.board.lock().shown.groups.get_mut(name).map(change)
    }

    fn task<T>(&self, change: impl FnOnce(&mut TaskStatus) -> T) -> T {
        let shown = &mut self.board.lock().shown;
        match &self.who {
            Who::Capture => change(&mut shown.capture),
            Who::Retention => change(&mut shown.retention),
            Who::Survey => change(&mut shown.survey),
            Who::Group(name) => change(&mut shown.groups.entry(name.clone()).or_default().task),
        }
    }
}
