//! The desk: where the tasks of a lane leave what they want read from the source, where the reader
//! finds its next errand, and where capture finds the answers.
//!
//! Nothing on it is durable. A target's own standing says what it still wants; after a restart of
//! any task the wishes are written down again.

mod walk;
mod wishes;

use crate::ask::{Answer, Ask, Errand, PassWish, SentBack, Wanted};
use crate::limits::Limits;
use model::attack::{Bug, planted};
use model::{CopyName, Epoch, Incarnation, Key, Offset, Table, TableName, TargetName};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use walk::Walk;
use wishes::{State, Wish};

pub(crate) use wishes::Discard;

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

    /// Passes are to go on from here, or are through where there is no wish; said with each step of
    /// their target, all at once. One under way keeps its place.
    pub(crate) fn want_passes(
        &self,
        target: &TargetName,
        wanted: Vec<(CopyName, Option<PassWish>)>,
    ) {
        let mut state = self.lock();
        let passes = &mut state.wishes.entry(target.clone()).or_default().passes;
        for (copy, wish) in wanted {
            match (wish, passes.get_mut(&copy)) {
                (None, _) => _ = passes.remove(&copy),
                (Some(wish), Some(walk)) if walk.wish.began == wish.began => {
                    walk.taken(wish.upto.as_ref());
                }
                (Some(wish), _) => _ = passes.insert(copy, Walk::new(wish)),
            }
        }
        drop(state);
        // Also where one is through: others may have waited for it.
        self.0.errands.notify_one();
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
            attempts: 0,
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

/// What a person says.
impl Desk {
    /// A held key is to be tried again at once; whether it is held.
    pub(crate) fn retry_now(&self, target: &TargetName, table: &TableName, key: &Key) -> bool {
        let mut state = self.lock();
        let Some(wish) = state.key(target, table, key) else { return false };
        wish.due = Instant::now();
        drop(state);
        self.0.errands.notify_one();
        true
    }

    /// How often a held key was tried again, and how long until it is the next time.
    pub(crate) fn retries(
        &self,
        target: &TargetName,
        table: &TableName,
        key: &Key,
    ) -> Option<(u32, Duration)> {
        let mut state = self.lock();
        let wish = state.key(target, table, key)?;
        Some((wish.attempts, wish.due.saturating_duration_since(Instant::now())))
    }

    /// A hold is to be discarded by whoever writes the target; not if nobody does.
    pub(crate) fn discard(&self, target: &TargetName, discard: Discard) {
        if let Some(wishes) = self.lock().wishes.get_mut(target)
            && wishes.discards.len() < DISCARDS_MAX
        {
            wishes.discards.push(discard);
        }
    }

    /// Whether there are holds to discard.
    pub(crate) fn has_discards(&self, target: &TargetName) -> bool {
        self.lock().wishes.get(target).is_some_and(|wishes| !wishes.discards.is_empty())
    }

    /// The holds to discard.
    pub(crate) fn take_discards(&self, target: &TargetName) -> Vec<Discard> {
        let mut state = self.lock();
        let wishes = state.wishes.get_mut(target);
        wishes.map_or(Vec::new(), |wishes| std::mem::take(&mut wishes.discards))
    }
}

/// Discards that may wait to be carried out; those beyond are told that they were not.
const DISCARDS_MAX: usize = 1_000;

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

    /// A stretch of this table is read, and this is what it looks like.
    pub(crate) fn saw(&self, table: &Arc<Table>) {
        self.lock().seen.insert(table.name.clone(), Arc::clone(table));
    }

    /// What a table looked like when a stretch of it was read last.
    pub(crate) fn seen(&self, table: &TableName) -> Option<Arc<Table>> {
        self.lock().seen.get(table).cloned()
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

#[cfg(test)]
mod tests;
