//! The desk: where the tasks of a lane leave what they want read from the source, where the reader
//! finds its next errand, and where capture finds the answers.
//!
//! Nothing on it is durable. A target's own standing says what it still wants; after a restart of
//! any task the wishes are written down again.

mod walk;

use crate::ask::{Answer, Ask, Errand, PassWish, SentBack, Wanted};
use crate::limits::Limits;
use model::attack::{Bug, planted};
use model::{CopyName, Epoch, Incarnation, Key, Offset, Stretch, TableName, TargetName};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use walk::Walk;

/// The shared desk of one lane.
#[derive(Clone, Default)]
pub(crate) struct Desk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The reader waits here for an errand.
    errands: Notify,
    /// Capture waits here for answers.
    answers: Notify,
}

#[derive(Default)]
struct State {
    /// Under which epoch rows are placed.
    epoch: u64,
    wishes: BTreeMap<TargetName, Wishes>,
    /// The number of the next ticket, and those whose readings still count.
    next_ticket: u64,
    open_tickets: BTreeSet<u64>,
    /// Asks that are with the reader or with capture.
    asks_out: usize,
    answers: VecDeque<Answer>,
    /// What is to be read again, and when.
    sent_back: VecDeque<(Instant, SentBack)>,
    look_wanted: bool,
    /// The farthest standing of a target in a history that is later than the one followed here.
    later: Option<Offset>,
    /// How many stretches were asked for.
    turns: u64,
}

/// What one target wants.
#[derive(Default)]
struct Wishes {
    /// Nothing may be placed for it before this.
    behind: Option<Offset>,
    passes: BTreeMap<CopyName, Walk>,
    keys: BTreeMap<(TableName, Key), Wish>,
}

/// A key that is to be read again.
struct Wish {
    due: Instant,
    pause: Duration,
    asked: bool,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("asks_out", &self.lock().asks_out).finish_non_exhaustive()
    }
}

/// What a target says.
impl Desk {
    /// This instance writes the target now, from this place on. Whatever is placed for it from now
    /// on comes above everything that it has.
    pub(crate) fn lead(&self, target: &TargetName, lease: Epoch, standing: Option<&Offset>) {
        let mut state = self.lock();
        let standing_epoch = standing.map_or(0, |standing| standing.epoch.0);
        state.epoch = state.epoch.max(lease.0).max(standing_epoch) + 1;
        let wishes = state.wishes.entry(target.clone()).or_default();
        wishes.behind = standing.cloned();
    }

    /// The target stands in a history that is yet to come here.
    pub(crate) fn stands_later(&self, standing: &Offset) {
        let mut state = self.lock();
        state.later = state.later.take().max(Some(standing.clone()));
        drop(state);
        self.0.answers.notify_one();
    }

    /// Another instance writes the target, or nobody.
    pub(crate) fn withdraw(&self, target: &TargetName) {
        self.lock().wishes.remove(target);
    }

    /// A pass is to go on from here; said with each step of its target. One under way keeps its place.
    pub(crate) fn want_pass(&self, target: &TargetName, copy: &CopyName, wish: PassWish) {
        let mut state = self.lock();
        let wishes = state.wishes.entry(target.clone()).or_default();
        match wishes.passes.get_mut(copy) {
            Some(walk) if walk.wish.began == wish.began => walk.taken(wish.upto.as_ref()),
            Some(_) | None => _ = wishes.passes.insert(copy.clone(), Walk::new(wish)),
        }
        drop(state);
        self.0.errands.notify_one();
    }

    /// A pass has come to its end.
    pub(crate) fn pass_done(&self, target: &TargetName, copy: &CopyName) {
        if let Some(wishes) = self.lock().wishes.get_mut(target) {
            wishes.passes.remove(copy);
        }
    }

    /// A key is to be read again, with growing pauses until it is released.
    pub(crate) fn want_key(
        &self,
        target: &TargetName,
        table: &TableName,
        key: &Key,
        limits: &Limits,
    ) {
        self.want(target, table, key, limits, Duration::MAX);
    }

    /// The row of a wanted key has changed: it is to be read again soon.
    pub(crate) fn want_key_soon(
        &self,
        target: &TargetName,
        table: &TableName,
        key: &Key,
        limits: &Limits,
    ) {
        self.want(target, table, key, limits, limits.hold_retry_first);
    }

    fn want(
        &self,
        target: &TargetName,
        table: &TableName,
        key: &Key,
        limits: &Limits,
        within: Duration,
    ) {
        let now = Instant::now();
        let mut state = self.lock();
        let wishes = state.wishes.entry(target.clone()).or_default();
        let wish = wishes.keys.entry((table.clone(), key.clone())).or_insert(Wish {
            due: now + limits.hold_retry_first,
            pause: limits.hold_retry_first,
            asked: false,
        });
        wish.due = now.checked_add(within).map_or(wish.due, |latest| wish.due.min(latest));
        drop(state);
        self.0.errands.notify_one();
    }

    /// A key needs not be read again.
    pub(crate) fn release_key(&self, target: &TargetName, table: &TableName, key: &Key) {
        if let Some(wishes) = self.lock().wishes.get_mut(target) {
            wishes.keys.remove(&(table.clone(), key.clone()));
        }
    }
}

/// What the reader says.
impl Desk {
    /// The next errand; waits until there is one.
    pub(crate) async fn errand(&self, limits: &Limits) -> Errand {
        loop {
            let told = self.0.errands.notified();
            let (errand, due) = self.lock().errand(limits);
            if let Some(errand) = errand {
                return errand;
            }
            match due {
                Some(due) => _ = tokio::time::timeout_at(due, told).await,
                None => told.await,
            }
        }
    }

    /// A ticket for a reading that begins now.
    pub(crate) fn ticket(&self) -> u64 {
        let mut state = self.lock();
        state.next_ticket += 1;
        let ticket = state.next_ticket;
        state.open_tickets.insert(ticket);
        ticket
    }

    /// The reading of this ticket came to nothing.
    pub(crate) fn void(&self, ticket: u64) {
        self.lock().open_tickets.remove(&ticket);
    }

    /// Hands an answer to capture, unless capture has begun anew since: then it knows no longer
    /// what the reading may have missed. A stretch says how far the pass has been read.
    pub(crate) fn answer(&self, answer: Answer) {
        let mut state = self.lock();
        if !state.open_tickets.contains(&answer.reading().ticket) {
            return;
        }
        if let Answer::First(ask, _) = &answer
            && let Wanted::Stretch(stretch, _) = &ask.wanted
        {
            let walk = state.walk(&ask.target, stretch);
            if !walk.is_some_and(|walk| walk.has_read(stretch)) {
                state.open_tickets.remove(&answer.reading().ticket);
                state.asks_out = state.asks_out.saturating_sub(1);
                return;
            }
        }
        state.answers.push_back(answer);
        drop(state);
        self.0.answers.notify_one();
    }

    /// These keys are to be asked for again.
    pub(crate) fn ask_again(&self, target: &TargetName, table: &TableName, keys: &BTreeSet<Key>) {
        self.lock().ask_again(target, table, keys, Instant::now());
    }

    /// An errand failed: it is to be done again, but not before this pause.
    pub(crate) fn failed(&self, errand: Errand, pause: Duration) {
        let due = Instant::now() + pause;
        let mut state = self.lock();
        match errand {
            Errand::Look => state.look_wanted = true,
            Errand::SentBack(sent_back) => state.sent_back.push_front((due, sent_back)),
            Errand::Keys { target, table, keys, .. } => {
                state.asks_out = state.asks_out.saturating_sub(1);
                state.ask_again(&target, &table, &keys, due);
            }
            Errand::Stretch { target, copy, .. } => {
                state.asks_out = state.asks_out.saturating_sub(1);
                let wishes = state.wishes.get_mut(&target);
                if let Some(walk) = wishes.and_then(|wishes| wishes.passes.get_mut(&copy)) {
                    walk.due = due;
                }
            }
        }
    }
}

/// What capture says.
impl Desk {
    /// Waits for answers.
    pub(crate) async fn answered(&self) {
        let told = self.0.answers.notified();
        if self.lock().answers.is_empty() {
            told.await;
        }
    }

    /// Where a target stands in a history later than this one, if any does.
    pub(crate) fn later_than(&self, incarnation: Incarnation) -> Option<Offset> {
        self.lock().later.clone().filter(|later| later.incarnation > incarnation)
    }

    /// Takes the answers at hand, and the number of the next ticket with each.
    pub(crate) fn take_answers(&self) -> (Vec<Answer>, u64) {
        let mut state = self.lock();
        (state.answers.drain(..).collect(), state.next_ticket + 1)
    }

    /// The oldest ticket whose reading still counts.
    pub(crate) fn oldest_ticket(&self) -> Option<u64> {
        self.lock().open_tickets.first().copied()
    }

    /// These readings count no longer.
    pub(crate) fn close(&self, tickets: impl IntoIterator<Item = u64>) {
        let mut state = self.lock();
        for ticket in tickets {
            state.open_tickets.remove(&ticket);
        }
    }

    /// Somebody is to look how far sessions see.
    pub(crate) fn want_look(&self) {
        self.lock().look_wanted = true;
        self.0.errands.notify_one();
    }

    /// Something is to be read again, a little later: what it missed can not be seen yet.
    pub(crate) fn send_back(&self, sent_back: SentBack, limits: &Limits) {
        let due = Instant::now() + limits.reread_pause;
        self.lock().sent_back.push_back((due, sent_back));
        self.0.errands.notify_one();
    }

    /// The ask was placed, or dropped because nobody wants it any more.
    pub(crate) fn settled(&self, ask: &Ask, limits: &Limits) {
        let mut state = self.lock();
        state.asks_out = state.asks_out.saturating_sub(1);
        match &ask.wanted {
            Wanted::Keys(keys) => state.keys_placed(&ask.target, &ask.table.name, keys, limits),
            Wanted::Stretch(stretch, _) => {
                if let Some(walk) = state.walk(&ask.target, stretch) {
                    walk.has_placed(stretch);
                }
            }
        }
        drop(state);
        self.0.errands.notify_one();
    }

    /// The ask can not be placed as it was read; it is to be made again, a little later.
    pub(crate) fn dropped(&self, ask: &Ask, limits: &Limits) {
        let due = Instant::now() + limits.reread_pause;
        let mut state = self.lock();
        state.asks_out = state.asks_out.saturating_sub(1);
        match &ask.wanted {
            Wanted::Keys(keys) => state.ask_again(&ask.target, &ask.table.name, keys, due),
            Wanted::Stretch(stretch, _) => {
                if let Some(walk) = state.walk(&ask.target, stretch) {
                    walk.go_back();
                    walk.due = due;
                }
            }
        }
        drop(state);
        self.0.errands.notify_one();
    }

    /// Whether the target still wants this, under the same lead.
    pub(crate) fn is_wanted(&self, ask: &Ask) -> bool {
        let state = self.lock();
        let wishes = state.wishes.get(&ask.target);
        let Some(wishes) = wishes.filter(|it| it.behind == ask.behind) else { return false };
        match ask.wanted.pass() {
            None => true,
            Some((copy, began)) => {
                wishes.passes.get(copy).is_some_and(|walk| walk.wish.began == *began)
            }
        }
    }

    /// Capture begins anew: whatever was on its way is to be asked for again.
    pub(crate) fn begin_anew(&self, epoch: Option<Epoch>) {
        let mut state = self.lock();
        state.epoch = state.epoch.max(epoch.map_or(0, |epoch| epoch.0)).max(1);
        state.answers.clear();
        state.sent_back.clear();
        state.open_tickets.clear();
        state.asks_out = 0;
        for wishes in state.wishes.values_mut() {
            for walk in wishes.passes.values_mut() {
                walk.go_back();
            }
            for wish in wishes.keys.values_mut() {
                wish.asked = false;
            }
        }
        drop(state);
        self.0.errands.notify_one();
    }

    /// The epoch under which this instance places.
    pub(crate) fn epoch(&self) -> Epoch {
        if planted(Bug::IgnoresEpochs) {
            return Epoch(1);
        }
        Epoch(self.lock().epoch.max(1))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next errand, or when one may be due.
    fn errand(&mut self, limits: &Limits) -> (Option<Errand>, Option<Instant>) {
        if std::mem::take(&mut self.look_wanted) {
            return (Some(Errand::Look), None);
        }
        let now = Instant::now();
        if self.sent_back.front().is_some_and(|(due, _)| *due <= now)
            && let Some((_, sent_back)) = self.sent_back.pop_front()
        {
            return (Some(Errand::SentBack(sent_back)), None);
        }
        let mut next_due = self.sent_back.front().map(|(due, _)| *due);
        if self.asks_out >= limits.asks_max {
            return (None, next_due);
        }
        for (target, wishes) in &mut self.wishes {
            if let Some((table, keys)) = wishes.due_keys(now, limits, &mut next_due) {
                self.asks_out += 1;
                let (target, behind) = (target.clone(), wishes.behind.clone());
                return (Some(Errand::Keys { target, table, keys, behind }), None);
            }
        }
        let mut due: Option<(&TargetName, &Option<Offset>, &CopyName, &mut Walk, PassWish)> = None;
        for (target, Wishes { behind, passes, .. }) in &mut self.wishes {
            for (copy, walk) in passes {
                let Some(wish) = walk.next(limits) else { continue };
                if walk.due > now {
                    next_due = Some(next_due.map_or(walk.due, |due| due.min(walk.due)));
                } else if due.as_ref().is_none_or(|(.., other, _)| walk.turn < other.turn) {
                    due = Some((target, &*behind, copy, walk, wish));
                }
            }
        }
        if let Some((target, behind, copy, walk, wish)) = due {
            self.turns += 1;
            walk.turn = self.turns;
            self.asks_out += 1;
            let (target, copy, behind) = (target.clone(), copy.clone(), behind.clone());
            return (Some(Errand::Stretch { target, copy, wish, behind }), None);
        }
        (None, next_due)
    }

    fn walk(&mut self, target: &TargetName, stretch: &Stretch) -> Option<&mut Walk> {
        let walk = self.wishes.get_mut(target)?.passes.get_mut(&stretch.copy)?;
        (walk.wish.began == stretch.began).then_some(walk)
    }

    fn ask_again(
        &mut self,
        target: &TargetName,
        table: &TableName,
        keys: &BTreeSet<Key>,
        due: Instant,
    ) {
        let Some(wishes) = self.wishes.get_mut(target) else { return };
        for key in keys {
            if let Some(wish) = wishes.keys.get_mut(&(table.clone(), key.clone())) {
                wish.asked = false;
                wish.due = due;
            }
        }
    }

    /// The target has them now in the log; if it refuses them again, they come up later.
    fn keys_placed(
        &mut self,
        target: &TargetName,
        table: &TableName,
        keys: &BTreeSet<Key>,
        limits: &Limits,
    ) {
        let Some(wishes) = self.wishes.get_mut(target) else { return };
        for key in keys {
            if let Some(wish) = wishes.keys.get_mut(&(table.clone(), key.clone())) {
                wish.asked = false;
                wish.pause = wish.pause.saturating_mul(2).min(limits.hold_retry_max);
                wish.due = Instant::now() + wish.pause;
            }
        }
    }
}

impl Wishes {
    /// Keys of one table that are due, as many as one ask takes.
    fn due_keys(
        &mut self,
        now: Instant,
        limits: &Limits,
        next_due: &mut Option<Instant>,
    ) -> Option<(TableName, BTreeSet<Key>)> {
        let mut found: Option<(TableName, BTreeSet<Key>)> = None;
        for ((table, key), wish) in &mut self.keys {
            if wish.asked {
                continue;
            }
            if wish.due > now {
                *next_due = Some(next_due.map_or(wish.due, |due| due.min(wish.due)));
                continue;
            }
            let (of, keys) = found.get_or_insert_with(|| (table.clone(), BTreeSet::new()));
            if of != table || keys.len() >= limits.ask_rows_max {
                break;
            }
            wish.asked = true;
            keys.insert(key.clone());
        }
        found
    }
}

#[cfg(test)]
mod tests;
