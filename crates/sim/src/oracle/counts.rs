//! Judges numbers: each has to equal a recount of the source at the position it is told with.
//!
//! What is counted is said a second time here, as plain code over rows.

use super::judge::Truths;
use super::violation::{Invariant, Violation};
use model::{Key, Lane, Offset, Row, TableName, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The group that a row counts in; nothing if it does not count.
pub type GroupOf = fn(&Row) -> Option<Vec<Value>>;

/// A number for each group that is not zero.
pub type Counts = BTreeMap<Vec<Value>, i64>;

/// A count as the oracle sees it.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Its name, for the message.
    pub name: String,
    /// The table.
    pub of: TableName,
    /// What it counts.
    pub group_of: GroupOf,
}

impl Counted {
    /// Judges numbers told for these places in these lanes.
    pub fn check(
        &self,
        truths: &Truths<'_>,
        at: &BTreeMap<Lane, Offset>,
        told: &Counts,
    ) -> Result<(), Violation> {
        let mut expected = Counts::new();
        for (lane, at) in at {
            let Some(truth) = truths.get(lane) else { continue };
            self.recount(truth.keys(), |name| truth.row_at(name, Some(at)), &mut expected);
        }
        self.compare(&expected, told, Invariant::CountIsTrue, at)
    }

    /// Judges numbers that have to be those of now.
    pub fn check_converged(&self, truths: &Truths<'_>, told: &Counts) -> Result<(), Violation> {
        let mut expected = Counts::new();
        for truth in truths.values() {
            self.recount(truth.keys(), |name| truth.row_now(name), &mut expected);
        }
        self.compare(&expected, told, Invariant::Converges, &"the end")
    }

    fn recount<'a>(
        &self,
        names: BTreeSet<&'a (TableName, Key)>,
        row: impl Fn(&(TableName, Key)) -> Option<&'a Row>,
        counts: &mut Counts,
    ) {
        for name in names.into_iter().filter(|(table, _)| *table == self.of) {
            if let Some(group) = row(name).and_then(self.group_of) {
                *counts.entry(group).or_default() += 1;
            }
        }
    }

    fn compare(
        &self,
        expected: &Counts,
        told: &Counts,
        invariant: Invariant,
        at: &dyn std::fmt::Debug,
    ) -> Result<(), Violation> {
        if expected == told {
            return Ok(());
        }
        let what = format!("{}: told {told:?} at {at:?}, a recount gives {expected:?}", self.name);
        Err(Violation::new(invariant, what))
    }
}
