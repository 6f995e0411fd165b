//! What lies on the desk: what each target wants read, and what is under way.

use super::walk::Walk;
use crate::ask::{Answer, Errand, PassWish, SentBack};
use crate::limits::Limits;
use model::{CopyName, Key, Offset, Stretch, Table, TableName, TargetName};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

#[derive(Default)]
pub(super) struct State {
    /// Under which epoch rows are placed.
    pub(super) epoch: u64,
    pub(super) wishes: BTreeMap<TargetName, Wishes>,
    /// The number of the next ticket, and those whose readings still count.
    pub(super) next_ticket: u64,
    pub(super) open_tickets: BTreeSet<u64>,
    /// Asks that are with the reader or with capture.
    pub(super) asks_out: usize,
    pub(super) answers: VecDeque<Answer>,
    /// What is to be read again, and when.
    pub(super) sent_back: VecDeque<(Instant, SentBack)>,
    pub(super) look_wanted: bool,
    /// The farthest standing of a target in a history that is later than the one followed here.
    pub(super) later: Option<Offset>,
    /// How many stretches were asked for.
    pub(super) turns: u64,
    /// What each table looked like when a stretch of it was read last.
    pub(super) seen: BTreeMap<TableName, Arc<Table>>,
}

/// What one target wants.
#[derive(Default)]
pub(super) struct Wishes {
    /// Nothing may be placed for it before this.
    pub(super) behind: Option<Offset>,
    pub(super) passes: BTreeMap<CopyName, Walk>,
    pub(super) keys: BTreeMap<(TableName, Key), Wish>,
    pub(super) discards: Vec<Discard>,
}

/// A key that is to be read again.
pub(super) struct Wish {
    pub(super) due: Instant,
    pub(super) pause: Duration,
    pub(super) asked: bool,
    /// How often it was read again already.
    pub(super) attempts: u32,
}

/// A hold that a person wants gone, and who waits to be told.
#[derive(Debug)]
pub(crate) struct Discard {
    pub(crate) copy: CopyName,
    pub(crate) table: TableName,
    pub(crate) key: Key,
    pub(crate) done: oneshot::Sender<()>,
}

impl State {
    /// The next errand, or when one may be due.
    pub(super) fn errand(&mut self, limits: &Limits) -> (Option<Errand>, Option<Instant>) {
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
            let waiting = waiting(passes);
            for (copy, walk) in passes.iter_mut().filter(|(copy, _)| !waiting.contains(*copy)) {
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

    pub(super) fn walk(&mut self, target: &TargetName, stretch: &Stretch) -> Option<&mut Walk> {
        let walk = self.wishes.get_mut(target)?.passes.get_mut(&stretch.copy)?;
        (walk.wish.began == stretch.began).then_some(walk)
    }

    pub(super) fn key(
        &mut self,
        target: &TargetName,
        table: &TableName,
        key: &Key,
    ) -> Option<&mut Wish> {
        self.wishes.get_mut(target)?.keys.get_mut(&(table.clone(), key.clone()))
    }

    pub(super) fn ask_again(
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
    pub(super) fn keys_placed(
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
                wish.attempts = wish.attempts.saturating_add(1);
                wish.pause = wish.pause.saturating_mul(2).min(limits.hold_retry_max);
                wish.due = Instant::now() + wish.pause;
            }
        }
    }
}

/// The passes that wait for others of the same target: over the copies that their rows refer to,
/// until these stand in the log before them, since each of their rows would be refused. Copies that
/// refer to each other in a circle wait for none.
fn waiting(passes: &BTreeMap<CopyName, Walk>) -> BTreeSet<CopyName> {
    let is_to_come =
        |other: &CopyName| passes.get(other).is_some_and(|walk: &Walk| !walk.is_placed());
    let waits = |walk: &Walk| walk.wish.behind.iter().any(&is_to_come);
    let waiting: BTreeSet<_> =
        passes.iter().filter(|(_, walk)| waits(walk)).map(|(copy, _)| copy.clone()).collect();
    let to_come = passes.values().filter(|walk| !walk.is_placed()).count();
    if waiting.len() == to_come { BTreeSet::new() } else { waiting }
}

impl Wishes {
    /// Keys of one table that are due, as many as one ask takes.
    pub(super) fn due_keys(
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
