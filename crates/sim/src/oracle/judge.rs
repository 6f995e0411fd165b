//! Judges one group of copies against the truth, after every step of the world.

use super::truth::Truth;
use super::violation::{Invariant, Violation};
use model::{CopyName, Key, Lane, Offset, Row, TableName, Watermark};
use std::collections::BTreeMap;
use std::fmt::Display;
use testkit::memory::store::{Kept, Store};

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
    /// The lane that it follows.
    pub lane: Lane,
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
    watermark: Option<Watermark>,
    versions: BTreeMap<(CopyName, Key), Offset>,
}

impl Judge {
    /// Begins to watch.
    pub fn new(watched: Watched) -> Self {
        Self { watched, commits: u64::MAX, watermark: None, versions: BTreeMap::new() }
    }

    /// The group.
    pub fn watched(&self) -> &Watched {
        &self.watched
    }

    /// The store lost what it had not flushed: what must not go back begins anew.
    pub fn store_crashed(&mut self) {
        self.commits = u64::MAX;
        self.watermark = None;
        self.versions.clear();
    }

    /// The watermark that was last seen.
    pub fn watermark(&self) -> Option<&Watermark> {
        self.watermark.as_ref()
    }

    /// Judges what the store shows now; cheap while nothing was written.
    pub fn check(&mut self, truth: &Truth) -> Result<(), Violation> {
        let commits = self.watched.store.commits();
        if commits == self.commits {
            return Ok(());
        }
        self.commits = commits;
        let store = self.watched.store.clone();
        let refusals = store.refusals();
        store.look(|kept| {
            self.check_watermark(kept)?;
            self.check_holds(kept, refusals, truth)?;
            match self.watched.kind {
                Kind::Exact => self.check_exact(kept, truth, self.watermark.as_ref()),
                Kind::PerKey => self.check_per_key(kept, truth),
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
            Some(((copy, key, version), times)) => Err(self.violation(
                Invariant::OnceInEffect,
                format!("{copy} {key:?} was written {times} times in version {version}"),
            )),
        })
    }

    /// Whether the copies equal the source as it is now, except at held keys.
    pub fn check_converged(&self, truth: &Truth) -> Result<(), Violation> {
        let Some(last) = truth.transactions().last() else {
            return Ok(());
        };
        self.watched.store.look(|kept| {
            let now = Offset::whole(model::Incarnation(1), last.position.clone());
            self.check_exact(kept, truth, Some(&now)).map_err(|violation| Violation {
                invariant: Invariant::Converges,
                what: violation.what,
            })
        })
    }

    fn check_watermark(&mut self, kept: &Kept) -> Result<(), Violation> {
        let now = kept.watermarks.get(&self.watched.lane);
        if now < self.watermark.as_ref() {
            let what = format!("it went from {:?} to {now:?}", self.watermark);
            return Err(self.violation(Invariant::WatermarkRises, what));
        }
        if self.watched.kind == Kind::Exact && now.is_some_and(Offset::is_inside) {
            let what = format!("{now:?} is inside a transaction");
            return Err(self.violation(Invariant::PrefixExact, what));
        }
        self.watermark = now.cloned();
        Ok(())
    }

    /// P3: each row is what the source's row was at the watermark, and there is none besides.
    fn check_exact(
        &self,
        kept: &Kept,
        truth: &Truth,
        at: Option<&Watermark>,
    ) -> Result<(), Violation> {
        let position = at.map(|watermark| &watermark.position);
        for (copy, table) in &self.watched.copies {
            let none = BTreeMap::new();
            let rows = kept.rows.get(copy).unwrap_or(&none);
            let mut matched = 0;
            for name in truth.keys().filter(|(of, _)| of == table) {
                let found = rows.get(&name.1).map(|(row, _)| row);
                matched += usize::from(found.is_some());
                let expected = truth.row_at(name, position);
                let is_held = || kept.holds.contains_key(&(copy.clone(), name.1.clone()));
                if found != expected && !is_held() {
                    return Err(self.differs(copy, &name.1, position, expected, found));
                }
            }
            if matched != rows.len() {
                let what = format!("{copy} has {} rows that never were", rows.len() - matched);
                return Err(self.violation(Invariant::PrefixExact, what));
            }
        }
        Ok(())
    }

    /// Without transactions: each row is what its version says, and versions only rise.
    fn check_per_key(&mut self, kept: &Kept, truth: &Truth) -> Result<(), Violation> {
        for (copy, table) in self.watched.copies.clone() {
            for (key, (row, version)) in kept.rows.get(&copy).into_iter().flatten() {
                let name = (table.clone(), key.clone());
                let expected = truth.row_of(&name, &version.position, version.ordinal);
                if expected != Some(row) {
                    let what = format!("{copy} {key:?} at {version}: {row:?}, was {expected:?}");
                    return Err(self.violation(Invariant::KeyInOrder, what));
                }
                let seen = self.versions.insert((copy.clone(), key.clone()), version.clone());
                if seen.as_ref().is_some_and(|seen| seen > version) {
                    let what = format!("{copy} {key:?} went from {seen:?} back to {version}");
                    return Err(self.violation(Invariant::KeyInOrder, what));
                }
            }
        }
        Ok(())
    }

    /// P9: a key is held only while its store has reason to refuse it, and a store without reasons
    /// was never given a row to refuse.
    fn check_holds(&self, kept: &Kept, refusals: u64, truth: &Truth) -> Result<(), Violation> {
        if !self.watched.refuses && refusals + kept.holds.len() as u64 > 0 {
            let what = format!("{refusals} rows were refused, {:?} held", kept.holds.values());
            return Err(self.violation(Invariant::HoldsAreNamed, what));
        }
        let table = |copy: &CopyName| {
            self.watched.copies.iter().find(|(of, _)| of == copy).map(|(_, table)| table.clone())
        };
        for ((copy, key), (_, hold)) in &kept.holds {
            let name = table(copy).map(|table| (table, key.clone()));
            let tainted = |at: &Offset| name.as_ref().is_some_and(|it| truth.is_tainted(it, at));
            let now = self.watermark.as_ref().filter(|_| self.watched.kind == Kind::Exact);
            if !tainted(&hold.offset) || now.is_some_and(|now| !tainted(now)) {
                let what = format!("{hold:?} has no reason at {:?}", self.watermark);
                return Err(self.violation(Invariant::HoldsAreNamed, what));
            }
        }
        Ok(())
    }

    fn differs(
        &self,
        copy: &CopyName,
        key: &Key,
        at: Option<&model::Position>,
        expected: Option<&Row>,
        found: Option<&Row>,
    ) -> Violation {
        let what = format!(
            "{copy} {:?} at {at:?}: the source had {expected:?}, the copy has {found:?}",
            key.values()
        );
        self.violation(Invariant::PrefixExact, what)
    }

    fn violation(&self, invariant: Invariant, what: impl Display) -> Violation {
        Violation::new(invariant, format!("{}: {what}", self.watched.name))
    }
}
