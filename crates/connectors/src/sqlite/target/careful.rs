//! Writes a batch row by row, so that a row which is refused stands alone.
//!
//! A row that is moved out of the way and has no turn of its own in the batch was truly in the way:
//! the batch is written once more, without the row that wanted its place.

use super::books;
use super::layout::Layout;
use super::trouble::{Refused, Rule, Trouble, of_file};
use super::write::Writing;
use model::{Batch, Effect, Fault, Hold, Key};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What came of a batch.
#[derive(Debug)]
pub(super) enum Each {
    /// Every row is written but these, each with the reason.
    Written(BTreeMap<usize, String>),
    /// A row took the whole transaction back with it.
    Gone(usize, String),
}

/// Which rows are refused from the start, and when rows are held against those they refer to.
#[derive(Debug, Default)]
pub(super) struct Care {
    pub(super) refused: BTreeMap<usize, String>,
    /// After each row, so that the one which is wrong is known; else at the end.
    pub(super) checks_each: bool,
}

/// Begins the part of the transaction that [`take_back`] takes back.
pub(super) const BEGIN: &str = "savepoint instep_batch";

/// Takes the batch back, and begins it again.
pub(super) const TAKE_BACK: &str = "rollback to instep_batch";

/// Writes the batch; its layouts are in the order of its writes.
pub(super) fn write(
    writing: &mut Writing<'_>,
    batch: &Batch,
    layouts: &[Rc<Layout>],
    mut care: Care,
) -> Result<Each, Fault> {
    let parked_before = writing.parked.clone();
    loop {
        let mut refused = care.refused.clone();
        let mut attempt = Attempt { writing, batch, layouts, checks_each: care.checks_each };
        if let Some((number, reason)) = attempt.write(&mut refused)? {
            return Ok(Each::Gone(number, reason));
        }
        let known = care.refused.len();
        for parked in writing.parked.rows() {
            care.refused.insert(parked.by, parked.reason.clone());
        }
        // Those of an earlier batch of the transaction were answered for already.
        if writing.parked.is_empty() || care.refused.len() == known {
            return Ok(Each::Written(refused));
        }
        writing.parked = parked_before.clone();
        run(writing, TAKE_BACK)?;
    }
}

struct Attempt<'a, 'c> {
    writing: &'a mut Writing<'c>,
    batch: &'a Batch,
    layouts: &'a [Rc<Layout>],
    checks_each: bool,
}

impl Attempt<'_, '_> {
    /// Writes every row that is not refused yet; answers the row, if one took everything back.
    ///
    /// Where each row is checked, one that refers to a row which is yet to come waits until no
    /// other can go before it.
    fn write(
        &mut self,
        refused: &mut BTreeMap<usize, String>,
    ) -> Result<Option<(usize, String)>, Fault> {
        let mut waiting: BTreeSet<usize> = (0..self.batch.writes.len()).collect();
        loop {
            let mut again = BTreeMap::new();
            let before = waiting.len();
            for number in std::mem::take(&mut waiting) {
                let write = &self.batch.writes[number];
                if matches!(write.effect, Effect::Truncate) {
                    again.retain(|&earlier: &usize, _| {
                        self.batch.writes[earlier].copy != write.copy
                    });
                }
                let written = match refused.get(&number) {
                    Some(reason) => Err(Trouble::refused(reason)),
                    None => self.one(number),
                };
                match written {
                    Ok(()) => {}
                    Err(Trouble::Fault(fault)) => return Err(fault),
                    Err(Trouble::Refused(Refused { reason, rule })) => {
                        if self.writing.connection.is_autocommit() {
                            return Ok(Some((number, reason)));
                        }
                        if self.checks_each && rule == Rule::ForeignKey {
                            again.insert(number, reason);
                        } else {
                            self.hold(number, &reason)?;
                            refused.insert(number, reason);
                        }
                    }
                }
            }
            if again.is_empty() || again.len() == before {
                again.iter().try_for_each(|(number, reason)| self.hold(*number, reason))?;
                refused.extend(again);
                return Ok(None);
            }
            waiting.extend(again.into_keys());
        }
    }

    /// Holds the keys of a row that is refused, until a later row ends the hold.
    fn hold(&mut self, number: usize, reason: &str) -> Result<(), Fault> {
        let write = &self.batch.writes[number];
        self.writing.has_holds = true;
        let hold = |key: &Key| {
            let (copy, offset) = (write.copy.clone(), write.version.clone());
            let (key, reason) = (key.clone(), reason.to_owned());
            let hold = Hold { copy, key, offset, reason, since: 0 };
            books::hold(self.writing.connection, self.writing.lane, &hold)
        };
        let held = write.effect.keys().try_for_each(hold);
        held.map_err(|error| of_file(self.writing.path, error))
    }

    /// One row, or nothing of it.
    fn one(&mut self, number: usize) -> Result<(), Trouble> {
        run(self.writing, "savepoint instep_row")?;
        let parked = self.writing.parked.clone();
        let written = self.writing.write(&self.layouts[number], &self.batch.writes[number], number);
        if written.is_err() {
            self.writing.parked = parked;
            if self.writing.connection.is_autocommit() {
                return written;
            }
            run(self.writing, "rollback to instep_row")?;
        }
        run(self.writing, "release instep_row")?;
        written
    }
}

fn run(writing: &Writing<'_>, sql: &str) -> Result<(), Fault> {
    writing.connection.execute_batch(sql).map_err(|error| of_file(writing.path, error))
}
