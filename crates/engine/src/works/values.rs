//! What a count is, at a position or later: the sum over its shards, each exact at its own place.

use super::status::together;
use super::whole::{KeptCount, Shard, Works};
use crate::board::Trouble;
use crate::count::Group;
use crate::numbers::{Numbers, Told, Untold, earliest, too_large};
use futures_util::future::select_all;
use model::{Code, CountName, Position, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// An answer, and where it is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    /// What was asked for.
    pub value: T,
    /// Where it is true, in every shard.
    pub position: String,
    /// The sources' clock there, in microseconds since 1970: the earliest of the shards'. Not known
    /// where a source has not answered since the start.
    pub as_of: Option<i64>,
}

/// Some groups of a count, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The groups, and their numbers; none of them is zero.
    pub groups: Vec<(Group, i64)>,
    /// Whether more follow.
    pub more: bool,
}

/// Positions that an answer must not be before, by shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtLeast(BTreeMap<usize, Position>);

/// A position that is none, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPosition(pub String);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// There is no such count.
    Unknown,
    /// Its rows are still being read, or state has not come to where the log ended at the start.
    NotYet(Untold),
    /// It has stopped, and why.
    Stopped(Trouble),
    /// It has not come to the position that was asked for; it stands here.
    NotReached(String),
    /// The server behind the source is another one than before, so that its positions mean nothing.
    SourceChanged(String),
}

impl Works {
    /// Reads positions as they are shown: one alone where there is one shard, else each behind the
    /// name of its service. Not every shard has to be named.
    pub fn at_least(&self, count: &CountName, text: &str) -> Result<AtLeast, BadPosition> {
        let source = self.count(count).map_or(usize::MAX, |it| it.source);
        let shards = self.shards(source);
        let mut found = BTreeMap::new();
        for part in text.split(',') {
            let named = shards.iter().enumerate().find_map(|(index, shard)| {
                let rest = part.strip_prefix(&*shard.service)?.strip_prefix(':')?;
                Some((index, rest))
            });
            let (index, token) = match (named, shards.len()) {
                (Some(named), _) => named,
                (None, 1) => (0, part),
                (None, _) => return Err(BadPosition(unnamed(part, shards))),
            };
            let position = (shards[index].tokens.read)(token).ok_or_else(|| {
                BadPosition(format!("{token:?} is no position of {}", shards[index].service))
            })?;
            if found.insert(index, position).is_some() {
                return Err(BadPosition(format!("{} is named twice", shards[index].service)));
            }
        }
        Ok(AtLeast(found))
    }

    /// The number of a group. Each column is given by the values that it may have: those that are
    /// written alike.
    pub async fn value(
        &self,
        count: &CountName,
        group: &[Vec<Value>],
        at_least: &AtLeast,
        until: Instant,
    ) -> Result<Answered<i64>, Unanswered> {
        let ask = |lanes: &[&Numbers]| {
            let mut sum = 0_i64;
            let mut places = Vec::new();
            for numbers in lanes {
                let told = numbers.sum(count, group)?;
                sum =
                    sum.checked_add(told.value).ok_or_else(|| Untold::Stopped(too_large(count)))?;
                places.push(place(told));
            }
            Ok((sum, places))
        };
        self.ask(count, at_least, until, ask).await
    }

    /// Groups in order, after one if given, at most so many: those whose columns have one of the
    /// given values, where a column is given.
    pub async fn page(
        &self,
        count: &CountName,
        only: &[Option<Vec<Value>>],
        from: (Option<&Group>, usize),
        (at_least, until): (&AtLeast, Instant),
    ) -> Result<Answered<Page>, Unanswered> {
        let (after, most) = from;
        let fits = |group: &Group| {
            only.iter()
                .zip(group.values())
                .all(|(only, value)| only.as_ref().is_none_or(|values| values.contains(value)))
        };
        let ask = |lanes: &[&Numbers]| {
            let mut found = BTreeSet::new();
            let mut places = Vec::new();
            for numbers in lanes {
                let told = numbers.groups_after(count, after, most + 1, &fits)?;
                found.extend(told.value.iter().cloned());
                places.push(place(told));
            }
            let more = found.len() > most;
            let mut groups = Vec::new();
            for group in found.into_iter().take(most) {
                let mut sum = 0_i64;
                for numbers in lanes {
                    let part = numbers.of(count, &group)?.value;
                    sum = sum.checked_add(part).ok_or_else(|| Untold::Stopped(too_large(count)))?;
                }
                groups.push((group, sum));
            }
            Ok((Page { groups, more }, places))
        };
        self.ask(count, at_least, until, ask).await
    }

    /// Asks every lane until all of them have come to where they have to be, or time is up.
    async fn ask<T>(
        &self,
        name: &CountName,
        at_least: &AtLeast,
        until: Instant,
        ask: impl Fn(&[&Numbers]) -> Result<(T, Vec<Told<()>>), Untold>,
    ) -> Result<Answered<T>, Unanswered> {
        let it = self.count(name).ok_or(Unanswered::Unknown)?;
        let shards = self.shards(it.source);
        let lanes = lanes(shards).ok_or(Unanswered::Unknown)?;
        loop {
            for shard in shards {
                if let Some(counting) = &shard.pipeline.counting {
                    counting.numbers.hear(&shard.pipeline.board);
                }
            }
            let moved: Vec<_> = lanes.iter().map(|numbers| Box::pin(numbers.moved())).collect();
            let unanswered = match ask(&lanes) {
                Ok((value, places)) => {
                    let answered = answered(shards, value, &places);
                    let is_there = at_least.0.iter().all(|(shard, position)| {
                        places.get(*shard).is_some_and(|it| it.position.position >= *position)
                    });
                    if is_there {
                        return Ok(answered);
                    }
                    self.check_identity(it)?;
                    Unanswered::NotReached(answered.position)
                }
                Err(Untold::Unknown) => return Err(Unanswered::Unknown),
                Err(Untold::Stopped(why)) => return Err(Unanswered::Stopped(why)),
                Err(untold @ (Untold::Filling | Untold::Replaying)) => Unanswered::NotYet(untold),
            };
            // Filling ends without a move of the numbers, so now and then it is looked again.
            let next = until.min(Instant::now() + LOOK_AGAIN);
            let is_over = timeout_at(next, select_all(moved)).await.is_err();
            if is_over && Instant::now() >= until {
                return Err(unanswered);
            }
        }
    }

    /// A position of another server is not waited for.
    fn check_identity(&self, it: &KeptCount) -> Result<(), Unanswered> {
        for shard in self.shards(it.source) {
            let capture = shard.pipeline.board.snapshot().capture;
            let changed = capture.trouble.filter(|trouble| trouble.code == Code::SourceChanged);
            if let Some(trouble) = changed {
                return Err(Unanswered::SourceChanged(trouble.what));
            }
        }
        Ok(())
    }
}

/// How often a count that can not be told yet is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

fn lanes(shards: &[Shard]) -> Option<Vec<&Numbers>> {
    shards.iter().map(|shard| Some(&shard.pipeline.counting.as_ref()?.numbers)).collect()
}

fn place<T>(told: Told<T>) -> Told<()> {
    Told { value: (), position: told.position, as_of: told.as_of }
}

fn answered<T>(shards: &[Shard], value: T, places: &[Told<()>]) -> Answered<T> {
    let offsets = places.iter().map(|place| Some(place.position.clone()));
    let position = together(shards, offsets).unwrap_or_default();
    Answered { value, position, as_of: earliest(places.iter().map(|it| it.as_of)) }
}

fn unnamed(part: &str, shards: &[Shard]) -> String {
    let services: Vec<_> = shards.iter().map(|shard| &*shard.service).collect();
    let first = services.first().unwrap_or(&"service");
    format!(
        "{part:?} does not say which shard it is of; write {first}:{part}, with one of: {}",
        services.join(", ")
    )
}
