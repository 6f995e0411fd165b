//! Tally: the numbers of one count in one lane.
//!
//! Invariant (P4): every number is the exact sum of what was added. One that would go below zero or
//! beyond 64 bits is a fault and changes nothing; none is ever clamped.
//!
//! Must not know: rows, row memory, positions.

use super::group::Group;
use super::outcome::Outcome;
use model::{Code, CountName, Fault, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The numbers of one count in one lane, by group. A group that is not there is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    count: CountName,
    groups_max: usize,
    groups: BTreeMap<Group, i64>,
}

impl Tally {
    /// A tally of nothing, which will hold at most so many groups.
    pub fn new(count: CountName, groups_max: usize) -> Self {
        Self { count, groups_max, groups: BTreeMap::new() }
    }

    /// The same count, of nothing yet.
    pub fn anew(&self) -> Self {
        Self::new(self.count.clone(), self.groups_max)
    }

    /// The count that it belongs to.
    pub fn count(&self) -> &CountName {
        &self.count
    }

    /// The number of one group.
    pub fn of(&self, group: &Group) -> i64 {
        self.groups.get(group).copied().unwrap_or(0)
    }

    /// The groups that are not zero, with their numbers.
    pub fn groups(&self) -> &BTreeMap<Group, i64> {
        &self.groups
    }

    /// The groups in which each column has one of its values, with their numbers. Looks only at
    /// beginnings that some group has, so that many values for many columns cost little.
    pub fn fitting(&self, columns: &[Vec<Value>]) -> BTreeMap<Group, i64> {
        let mut beginnings: BTreeSet<Vec<Value>> = [Vec::new()].into();
        for values in columns {
            let mut longer = BTreeSet::new();
            for beginning in &beginnings {
                for value in values {
                    let beginning: Vec<_> = beginning.iter().chain([value]).cloned().collect();
                    if self.begins(&beginning) {
                        longer.insert(beginning);
                    }
                }
            }
            beginnings = longer;
        }
        let groups = beginnings.into_iter().map(Group::new);
        let found = groups.filter_map(|group| self.groups.get_key_value(&group));
        found.map(|(group, number)| (group.clone(), *number)).collect()
    }

    /// Whether a group begins with these values.
    fn begins(&self, values: &[Value]) -> bool {
        let beginning = Group::new(values.iter().cloned());
        let next = self.groups.range(&beginning..).next();
        next.is_some_and(|(group, _)| group.values().starts_with(beginning.values()))
    }

    /// Takes in what a batch does to the count: all of it, or with a fault nothing.
    pub fn apply(&mut self, outcome: &Outcome) -> Result<(), Fault> {
        let nothing = BTreeMap::new();
        let deltas = outcome.deltas.get(&self.count).unwrap_or(&nothing);
        if !outcome.zeroed.contains(&self.count) {
            return self.add(deltas);
        }
        let mut anew = self.anew();
        anew.add(deltas)?;
        *self = anew;
        Ok(())
    }

    /// Adds to groups: all of it, or with a fault nothing.
    pub fn add(&mut self, deltas: &BTreeMap<Group, i64>) -> Result<(), Fault> {
        let (mut new, mut ended) = (0, 0);
        for (group, delta) in deltas {
            let before = self.of(group);
            let now = self.sum(group, before, *delta)?;
            new += usize::from(before == 0 && now > 0);
            ended += usize::from(before > 0 && now == 0);
        }
        let groups = self.groups.len() + new - ended;
        if groups > self.groups_max {
            return Err(self.too_many(groups));
        }
        for (group, delta) in deltas {
            match self.groups.get_mut(group) {
                Some(number) if *number + delta == 0 => {
                    self.groups.remove(group);
                }
                Some(number) => *number += delta,
                None if *delta == 0 => {}
                None => {
                    self.groups.insert(group.clone(), *delta);
                }
            }
        }
        Ok(())
    }

    /// The whole of a count: what all of its lanes hold, added up. Their groups may overlap, so
    /// `groups_max` bounds each lane here, and not their union.
    pub fn sum_of<'a>(
        count: CountName,
        tallies: impl IntoIterator<Item = &'a Tally>,
    ) -> Result<Self, Fault> {
        let mut whole = Self::new(count, usize::MAX);
        for tally in tallies {
            whole.add(&tally.groups)?;
        }
        Ok(whole)
    }

    fn sum(&self, group: &Group, before: i64, delta: i64) -> Result<i64, Fault> {
        match before.checked_add(delta) {
            Some(now) if now >= 0 => Ok(now),
            Some(now) => {
                let what = format!("would be {now}, and a count is never negative");
                Err(self.wrong(group, &what))
            }
            None => {
                let what = format!("{before} and {delta} more do not fit into 64 bits");
                Err(self.wrong(group, &what))
            }
        }
    }

    #[cold]
    fn wrong(&self, group: &Group, what: &str) -> Fault {
        Fault::stop(Code::CountWrong, format!("count {}, group {group}: {what}", self.count))
    }

    #[cold]
    fn too_many(&self, groups: usize) -> Fault {
        let (count, most) = (&self.count, self.groups_max);
        let what = format!("count {count}: {groups} groups are more than groups_max ({most})");
        Fault::stop(Code::CountGroups, what)
    }
}
