//! Judges one group of copies against the truth, after every step of the world.

use super::truth::Truth;
use super::violation::{Invariant, Violation};
use model::{CopyName, Key, Lane, Offset, Pass, Row, TableName, Watermark};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use testkit::memory::store::{Kept, KeptRow, Store};

/// What is expected of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It equals its source at every moment.
    Exact,
    /// Each of its rows moves in the source's order.
    PerKey,
}

/// A group as the oracle sees it.
pub struct Watched {
    /// Its name, for the message.
    pub name: String,
    /// The lanes that it follows: one, or every shard that feeds its copies.
    pub lanes: Vec<Lane>,
    /// Its store.
    pub store: Store,
    /// Its copies and the tables that they are of.
    pub copies: Vec<(CopyName, TableName)>,
    /// What is expected of it.
    pub kind: Kind,
    /// Whether the store refuses rows at all.
    pub refuses: bool,
}

/// The judge of one group; remembers what must not go back.
pub struct Judge {
    watched: Watched,
    commits: u64,
    watermarks: BTreeMap<Lane, Watermark>,
    versions: BTreeMap<(CopyName, Key), (Lane, Offset)>,
}

/// What really happened in each lane.
pub type Truths<'a> = BTreeMap<&'a Lane, &'a Truth>;

impl Judge {
    /// Begins to watch.
    pub fn new(watched: Watched) -> Self {
        Self { watched, commits: u64::MAX, watermarks: BTreeMap::new(), versions: BTreeMap::new() }
    }

    /// The group.
    pub fn watched(&self) -> &Watched {
        &self.watched
    }

    /// The store lost what it had not flushed: what must not go back begins anew.
    pub fn store_crashed(&mut self) {
        self.commits = u64::MAX;
        self.watermarks.clear();
        self.versions.clear();
    }

    /// Judges what the store shows now; cheap while nothing was written.
    pub fn check(&mut self, truths: &Truths<'_>) -> Result<(), Violation> {
        let commits = self.watched.store.commits();
        if commits == self.commits {
            return Ok(());
        }
        self.commits = commits;
        let store = self.watched.store.clone();
        store.look(|kept| {
            self.check_watermarks(kept)?;
            self.check_holds(kept, truths)?;
            match self.watched.kind {
                Kind::Exact => self
                    .check_exact(kept, truths, |truth, name, at| truth.row_at(name, at).cloned()),
                Kind::PerKey => self.check_per_key(kept, truths),
            }
        })
    }

    /// Judges the canary: no row was written twice in one version.
    pub fn check_ledger(&self) -> Result<(), Violation> {
        if self.watched.kind == Kind::PerKey {
            return Ok(());
        }
        self.watched.store.look(|kept| match kept.ledger.iter().find(|(_, times)| **times > 1) {
            None => Ok(()),
            Some(((_, copy, key, version), times)) => Err(self.violation(
                Invariant::OnceInEffect,
                format!("{copy} {key:?} was written {times} times in version {version}"),
            )),
        })
    }

    /// How many rows that are there now came from one shard after they had been another's.
    pub fn moved(&self) -> u64 {
        self.watched.store.look(|kept| {
            let rows =
                kept.rows.iter().flat_map(|(copy, rows)| rows.iter().map(move |it| (copy, it)));
            let was_elsewhere = |(copy, (key, row)): &(&CopyName, (&Key, &KeptRow))| {
                kept.ledger.keys().any(|(lane, of, other, _)| {
                    of == *copy && other.as_ref() == Some(*key) && *lane != row.lane
                })
            };
            rows.filter(was_elsewhere).count() as u64
        })
    }

    /// Whether the copies equal the source as it is now, except at keys that are held with reason.
    pub fn check_converged(&self, truths: &Truths<'_>) -> Result<(), Violation> {
        let converges = |violation: Violation| Violation {
            invariant: Invariant::Converges,
            what: violation.what,
        };
        self.watched.store.look(|kept| {
            for lane in &self.watched.lanes {
                for (copy, _) in &self.watched.copies {
                    let pass = kept.passes.get(&(lane.clone(), copy.clone()));
                    if pass != Some(&Pass::Done) {
                        let what = format!("{copy} is still under a pass of {lane}: {pass:?}");
                        return Err(self.violation(Invariant::Converges, what));
                    }
                }
            }
            for ((lane, copy, key), hold) in &kept.holds {
                let name = self.table_of(copy).map(|table| (table.clone(), key.clone()));
                let truth = truths.get(lane);
                let is_bad = name
                    .as_ref()
                    .is_some_and(|name| truth.is_some_and(|truth| truth.is_bad_now(name)));
                // A restored shard may have a row again that has moved to another since.
                let has_row = |truth: &&&Truth| {
                    name.as_ref().is_some_and(|name| truth.row_now(name).is_some())
                };
                let is_twice = truths.values().filter(has_row).count() > 1;
                if !(is_twice || self.watched.refuses && is_bad) {
                    let what = format!("{hold:?} is still held");
                    return Err(self.violation(Invariant::Converges, what));
                }
            }
            let now = |truth: &Truth, name: &_, _: Option<&Offset>| truth.row_now(name).cloned();
            self.check_exact(kept, truths, now).map_err(converges)
        })
    }

    fn check_watermarks(&mut self, kept: &Kept) -> Result<(), Violation> {
        for lane in self.watched.lanes.clone() {
            let now = kept.watermarks.get(&lane);
            if now < self.watermarks.get(&lane) {
                let what = format!("{lane} went from {:?} to {now:?}", self.watermarks.get(&lane));
                return Err(self.violation(Invariant::WatermarkRises, what));
            }
            if self.watched.kind == Kind::Exact && now.is_some_and(Offset::is_inside) {
                let what = format!("{now:?} is inside a transaction");
                return Err(self.violation(Invariant::PrefixExact, what));
            }
            if let Some(now) = now {
                self.watermarks.insert(lane, now.clone());
            }
        }
        Ok(())
    }

    /// P3: each row is what the source's row was at the watermark, and there is none besides. Of
    /// several shards one has the row; while their watermarks stand apart two may seem to.
    fn check_exact(
        &self,
        kept: &Kept,
        truths: &Truths<'_>,
        row_of: impl Fn(&Truth, &(TableName, Key), Option<&Offset>) -> Option<Row>,
    ) -> Result<(), Violation> {
        for (copy, table) in &self.watched.copies {
            if !self.is_whole(kept, copy) {
                continue;
            }
            let none = BTreeMap::new();
            let rows = kept.rows.get(copy).unwrap_or(&none);
            let mut keys: BTreeSet<Key> = rows.keys().cloned().collect();
            for truth in self.watched.lanes.iter().filter_map(|lane| truths.get(lane)) {
                let of_table = truth.keys().into_iter().filter(|(of, _)| of == table);
                keys.extend(of_table.map(|(_, key)| key.clone()));
            }
            for key in keys {
                let found = rows.get(&key).map(|kept| &kept.row);
                let name = (table.clone(), key.clone());
                let mut expected = Vec::new();
                let mut is_held = false;
                for lane in &self.watched.lanes {
                    let Some(truth) = truths.get(lane) else { continue };
                    let hold = (lane.clone(), copy.clone(), key.clone());
                    is_held |= kept.holds.contains_key(&hold);
                    expected.extend(row_of(truth, &name, kept.watermarks.get(lane)));
                }
                let is_right = match found {
                    Some(found) => expected.contains(found),
                    None => expected.is_empty(),
                };
                if !is_right && !is_held {
                    let at = &kept.watermarks;
                    let what = format!(
                        "{copy} {:?} at {at:?}: the source had {expected:?}, the copy has {found:?}",
                        key.values()
                    );
                    return Err(self.violation(Invariant::PrefixExact, what));
                }
                if expected.len() > 1 && !is_held {
                    let what = format!("{copy} {:?} is two rows, and none is held", key.values());
                    return Err(self.violation(Invariant::PrefixExact, what));
                }
            }
        }
        Ok(())
    }

    /// Without transactions: each row is what its version says, and versions only rise.
    fn check_per_key(&mut self, kept: &Kept, truths: &Truths<'_>) -> Result<(), Violation> {
        for (copy, table) in self.watched.copies.clone() {
            for (key, kept) in kept.rows.get(&copy).into_iter().flatten() {
                let name = (table.clone(), key.clone());
                let version = &kept.version;
                let expected = truths.get(&kept.lane).and_then(|it| it.row_of(&name, version));
                if expected != Some(&kept.row) {
                    let what =
                        format!("{copy} {key:?} at {version}: {:?}, was {expected:?}", kept.row);
                    return Err(self.violation(Invariant::KeyInOrder, what));
                }
                let now = (kept.lane.clone(), version.clone());
                let seen = self.versions.insert((copy.clone(), key.clone()), now);
                if seen.as_ref().is_some_and(|(lane, seen)| *lane == kept.lane && seen > version) {
                    let what = format!("{copy} {key:?} went from {seen:?} back to {version}");
                    return Err(self.violation(Invariant::KeyInOrder, what));
                }
            }
        }
        Ok(())
    }

    /// P9: a key is held only with a reason: its store refuses the row, or it lacks the row that a
    /// change is of, or another shard has it.
    fn check_holds(&self, kept: &Kept, truths: &Truths<'_>) -> Result<(), Violation> {
        for ((lane, copy, key), hold) in &kept.holds {
            if OTHER_REASONS.iter().any(|reason| hold.reason.contains(reason)) {
                continue;
            }
            let name = self.table_of(copy).map(|table| (table.clone(), key.clone()));
            let truth = truths.get(lane);
            let is_tainted = name.as_ref().is_some_and(|name| {
                truth.is_some_and(|truth| truth.is_tainted(name, &hold.offset))
            });
            if !self.watched.refuses || !is_tainted {
                let at = kept.watermarks.get(lane);
                let what = format!("{hold:?} has no reason at {at:?}");
                return Err(self.violation(Invariant::HoldsAreNamed, what));
            }
        }
        Ok(())
    }

    /// Whether no pass over the copy is under way.
    fn is_whole(&self, kept: &Kept, copy: &CopyName) -> bool {
        let passes = self.watched.lanes.iter().map(|lane| (lane.clone(), copy.clone()));
        let mut passes = passes.map(|name| kept.passes.get(&name));
        passes.all(|pass| pass == Some(&Pass::Done))
    }

    fn table_of(&self, copy: &CopyName) -> Option<&TableName> {
        self.watched.copies.iter().find(|(of, _)| of == copy).map(|(_, table)| table)
    }

    fn violation(&self, invariant: Invariant, what: impl Display) -> Violation {
        Violation::new(invariant, format!("{}: {what}", self.watched.name))
    }
}

/// Reasons for a hold that have nothing to do with the row's values: they pass by themselves.
const OTHER_REASONS: [&str; 3] = ["row_missing", "owned_by_another_lane", "a key that is held"];
