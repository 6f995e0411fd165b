//! Writes a batch so that a row which is refused stands alone.
//!
//! Halves of halves: what is written as a whole needs no more looking, and what is not is cut in two
//! until the row is found. A row that refers to another which is yet to come waits until no other can
//! go before it; one whose unique value another still has sends that out of its way (`way.rs`). A row
//! that is moved out of the way and does not get its turn was truly in the way: the batch is written
//! once more, without the row that wanted its place.

use super::layout::Layout;
use super::sets::{self, Numbered, Set};
use super::trouble::{Failure, Refusal, Rule};
use super::way::{self, InTheWay};
use super::write::{OWNED, Writing};
use crate::parked::Parked;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use model::{Batch, Cell, CopyName, Effect, Fault, Key, Write};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often room is made for one row; more unique indexes no table has.
const WAYS_MAX: usize = 64;

/// Marks where the batch begins, so that it can be taken back alone.
pub(super) const BEGIN: &str = "savepoint instep_batch";
/// Takes the batch back, and begins it again.
pub(super) const TAKE_BACK: &str = "rollback to instep_batch";

/// A batch that is written with care.
pub(super) struct Careful<'a> {
    pub(super) writing: Writing<'a>,
    pub(super) batch: &'a Batch,
    /// In the order of the batch's writes.
    pub(super) layouts: &'a [Arc<Layout>],
    pub(super) parked: Parked,
    /// The keys that are held, which later batches of the transaction do not write.
    pub(super) held: &'a BTreeSet<(CopyName, Key)>,
    /// Writes that wait until those were written which they refer to, or which refer to them.
    pub(super) waiting: BTreeSet<usize>,
    /// Whether a single refusal is enough to know.
    pub(super) stops_at_first: bool,
}

impl Careful<'_> {
    /// Writes every row that can be written; the others by their numbers, with the reasons.
    pub(super) async fn write(&mut self) -> Result<BTreeMap<usize, Refusal>, Fault> {
        let parked_before = self.parked.clone();
        let mut known = BTreeMap::new();
        loop {
            let refused = self.attempt(&known).await?;
            if self.stops_at_first && !refused.is_empty() {
                return Ok(refused);
            }
            let before = known.len();
            // Those of an earlier batch of the transaction were answered for already.
            for row in self.parked.since(&parked_before) {
                let reason = row.reason.clone();
                let refusal = Refusal { reason, rule: Rule::Unique, constraint: None };
                known.insert(row.by, refusal);
            }
            if !self.batch.last || known.len() == before {
                return Ok(refused);
            }
            self.parked = parked_before.clone();
            self.writing.note(TAKE_BACK).await?;
        }
    }

    /// Writes what is not known to be refused. What fails for another row is tried again as long as
    /// others were written meanwhile.
    async fn attempt(
        &mut self,
        known: &BTreeMap<usize, Refusal>,
    ) -> Result<BTreeMap<usize, Refusal>, Fault> {
        let mut refused = known.clone();
        self.waiting.clear();
        let all = 0..self.batch.writes.len();
        let mut waiting: Vec<usize> = all.filter(|number| !known.contains_key(number)).collect();
        loop {
            let before = waiting.len();
            let mut failed = BTreeMap::new();
            self.part(&waiting, &mut failed).await?;
            if self.is_lost(&failed) {
                return Ok(failed);
            }
            waiting = failed
                .iter()
                .filter(|(number, refusal)| {
                    refusal.rule == Rule::ForeignKey && !self.is_over(**number, &failed)
                })
                .map(|(number, _)| *number)
                .collect();
            let goes_on = !waiting.is_empty() && waiting.len() < before;
            refused.extend(failed.into_iter().filter(|(it, _)| !goes_on || !waiting.contains(it)));
            if !goes_on {
                return Ok(refused);
            }
        }
    }

    /// Whether enough is known: nothing that comes mends it.
    fn is_lost(&self, failed: &BTreeMap<usize, Refusal>) -> bool {
        self.stops_at_first && failed.values().any(|it| it.rule != Rule::ForeignKey)
    }

    /// Whether a later write of the same row was written, so that this one has nothing more to say.
    fn is_over(&self, number: usize, failed: &BTreeMap<usize, Refusal>) -> bool {
        let writes = &self.batch.writes;
        let is_later = |(later, write): (usize, &Write)| {
            later > number
                && !failed.contains_key(&later)
                && write.copy == writes[number].copy
                && (write.effect == Effect::Truncate
                    || write
                        .effect
                        .keys()
                        .any(|key| writes[number].effect.keys().any(|it| it == key)))
        };
        writes.iter().enumerate().any(is_later)
    }

    /// Writes some rows, as a whole if that can be.
    fn part<'s>(
        &'s mut self,
        numbers: &'s [usize],
        failed: &'s mut BTreeMap<usize, Refusal>,
    ) -> BoxFuture<'s, Result<(), Fault>> {
        async move {
            match numbers {
                [] => return Ok(()),
                [number] => {
                    self.waiting.remove(number);
                    if let Some(refusal) = self.one(*number).await? {
                        if refusal.rule == Rule::ForeignKey {
                            self.waiting.insert(*number);
                        }
                        failed.insert(*number, refusal);
                    }
                    return Ok(());
                }
                _ if self.is_lost(failed) => return Ok(()),
                _ => {}
            }
            if self.whole(numbers).await? {
                return Ok(());
            }
            let (first, rest) = numbers.split_at(numbers.len() / 2);
            self.part(first, failed).await?;
            self.part(rest, failed).await
        }
        .boxed()
    }

    /// Writes some rows as a whole, or none of them.
    async fn whole(&self, numbers: &[usize]) -> Result<bool, Fault> {
        let writes = &self.batch.writes;
        let waits = |key: &Key, copy: &CopyName| self.parked.had(copy, key).is_some();
        let meets_parked = |&number: &usize| {
            let write: &Write = &writes[number];
            write.effect == Effect::Truncate
                || write.effect.keys().any(|key| waits(key, &write.copy))
        };
        if !self.parked.is_empty() && numbers.iter().any(meets_parked) {
            return Ok(false);
        }
        let numbered = numbers.iter().map(|&number| self.numbered(number));
        let sets = sets::sets(numbered, false);
        self.writing.note("savepoint instep_part").await?;
        match self.writing.sets(&sets, writes).await {
            Ok(()) => {
                self.writing.note("release instep_part").await?;
                Ok(true)
            }
            Err(Failure::Refused(_)) => {
                self.writing.note("rollback to instep_part; release instep_part").await?;
                Ok(false)
            }
            Err(Failure::Fault(fault)) => Err(fault),
        }
    }

    fn numbered(&self, number: usize) -> Numbered<'_> {
        (number, &self.batch.writes[number], &self.layouts[number])
    }

    /// Writes one row, or nothing of it, and says why.
    async fn one(&mut self, number: usize) -> Result<Option<Refusal>, Fault> {
        let layout = Arc::clone(&self.layouts[number]);
        let write = self.with_what_it_had(number, &layout);
        let set = sets::sets([(0, &write, &layout)], false).pop();
        let set: Set = set.expect("BUG: a write is a set");
        for _ in 0..WAYS_MAX {
            self.writing.note("savepoint instep_row").await?;
            let refusal = match self.writing.one(&set, &write).await {
                Ok(()) => {
                    self.writing.note("release instep_row").await?;
                    self.has_had_its_turn(&write);
                    return Ok(None);
                }
                Err(Failure::Refused(refusal)) => refusal,
                Err(Failure::Fault(fault)) => return Err(fault),
            };
            self.writing.note("rollback to instep_row; release instep_row").await?;
            if refusal.rule != Rule::Unique
                || !self.make_way((number, &write), &layout, &refusal).await?
            {
                return self.judged(&write, &layout, refusal).await;
            }
        }
        let reason = "as many rows are in its way as no table has indexes".to_owned();
        Ok(Some(Refusal { reason, rule: Rule::Own, constraint: None }))
    }

    /// What a refusal comes to: a key that the table can not have needs no deleting, and a row that
    /// moves may have met another lane's.
    async fn judged(
        &self,
        write: &Write,
        layout: &Layout,
        refusal: Refusal,
    ) -> Result<Option<Refusal>, Fault> {
        let key = match &write.effect {
            Effect::Delete(key) if refusal.rule == Rule::Own => key,
            Effect::Move { key, .. } if refusal.rule == Rule::Unique => key,
            _ => return Ok(Some(refusal)),
        };
        self.writing.note("savepoint instep_row").await?;
        let found = self.writing.look(layout, key).await;
        self.writing.note("rollback to instep_row; release instep_row").await?;
        match (found, &write.effect) {
            (Err(Failure::Fault(fault)), _) => Err(fault),
            (Err(Failure::Refused(_)), Effect::Delete(_)) => Ok(None),
            (Ok(Some(false)), Effect::Move { .. }) => {
                Ok(Some(Refusal { reason: OWNED.to_owned(), ..refusal }))
            }
            _ => Ok(Some(refusal)),
        }
    }

    /// Makes room for a row; whether it is worth another try.
    async fn make_way(
        &mut self,
        (number, write): (usize, &Write),
        layout: &Layout,
        refusal: &Refusal,
    ) -> Result<bool, Fault> {
        let is_key = refusal.constraint.as_ref() == Some(&layout.key_index);
        if let (Effect::Move { key, .. }, true) = (&write.effect, is_key) {
            return way::clear(&self.writing, layout, key).await;
        }
        let Some(constraint) = &refusal.constraint else { return Ok(false) };
        let Some(index) = layout.unique.get(constraint) else { return Ok(false) };
        let asked = InTheWay { layout, write, index };
        let Some(found) = way::find(&self.writing, &asked).await? else { return Ok(false) };
        if !self.has_a_turn(number, &write.copy, &found.key) || self.parked.is_full() {
            return Ok(false);
        }
        way::park(
            &self.writing,
            layout,
            found,
            (number, &refusal.reason, &write.copy),
            &mut self.parked,
        )
        .await
    }

    /// Whether a row is yet to be written, as far as that can be known.
    fn has_a_turn(&self, number: usize, copy: &CopyName, key: &Key) -> bool {
        let writes = &self.batch.writes;
        let waiting = self.waiting.iter().map(|&number| &writes[number]);
        let mut yet = writes.iter().skip(number + 1).chain(waiting);
        let is_its = |write: &Write| write.effect.keys().any(|it| it == key);
        let is_held = || self.held.contains(&(copy.clone(), key.clone()));
        yet.any(|write| write.copy == *copy && is_its(write)) || !self.batch.last && !is_held()
    }

    /// A write that leaves columns of its row as they are leaves them as they were before the row
    /// was moved out of the way.
    fn with_what_it_had(&self, number: usize, layout: &Layout) -> Write {
        let mut write = self.batch.writes[number].clone();
        let found_by = write.effect.keys().next().cloned();
        let had = found_by.and_then(|key| self.parked.had(&write.copy, &key));
        if let (Effect::Patch(_, row) | Effect::Move { row, .. }, Some(had)) =
            (&mut write.effect, had)
        {
            for (at, value) in had {
                let cell = &mut row.0[layout.columns[*at].place];
                if *cell == Cell::Unchanged {
                    *cell = Cell::Value(value.clone());
                }
            }
        }
        write
    }

    fn has_had_its_turn(&mut self, write: &Write) {
        if self.parked.is_empty() {
            return;
        }
        match &write.effect {
            Effect::Truncate => self.parked.remove_all(&write.copy),
            effect => effect.keys().for_each(|key| self.parked.remove(&write.copy, key)),
        }
    }
}
