//! PURE: one moment of a demo: everything that a picture of it is made from.

use super::compare::Rows;
use super::numbers::{Answers, Numbers, are_equal, of};
use super::plan::TOPICS;
use std::time::Duration;

/// One moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// How long it has taken.
    pub(super) elapsed: Duration,
    /// How long it will take.
    pub(super) whole: Duration,
    /// The changes made so far.
    pub(super) changes: usize,
    /// Which changes these are.
    pub(super) seed: u64,
    /// The platform as it is today.
    pub(super) today: Seen,
    /// The platform that Instep follows.
    pub(super) followed: Seen,
    /// How many second writes have failed.
    pub(super) failed: u64,
    /// How Instep is doing.
    pub(super) instep: Doing,
    /// Whether the reporting stores take no writes.
    pub(super) store_stopped: bool,
    /// What happened, and when.
    pub(super) happened: Vec<(Duration, String)>,
    /// Whether keys are listened to.
    pub(super) has_keys: bool,
}

/// A platform as it is seen from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// A recount of its shards.
    pub(super) recount: Numbers,
    /// What its services answer.
    pub(super) answers: Answers,
    /// Its copy of the questions against the shards; not at every moment.
    pub(super) rows: Rows,
}

/// How Instep is doing, as far as the services' answers show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doing {
    /// It was not ready yet.
    #[default]
    Starting,
    /// It runs, and every answer equals the recount.
    Equal,
    /// It runs, and something is on its way.
    CatchingUp,
    /// It was killed, so long ago.
    Killed(Duration),
}

impl Seen {
    /// Whether every service answers what a recount says.
    pub(super) fn is_equal(&self) -> bool {
        let equal = |answer: &Option<Numbers>| {
            answer.as_ref().is_some_and(|numbers| are_equal(numbers, &self.recount))
        };
        self.answers.iter().all(equal)
    }

    /// Whether any service answers something else.
    pub(super) fn wrong(&self) -> usize {
        let topics = TOPICS.iter().map(|topic| self.of(topic));
        topics.map(|(truth, told)| told.iter().filter(|it| **it != Some(truth)).count()).sum()
    }

    /// The recount of a topic, and what each service answers.
    pub(super) fn of(&self, topic: &str) -> (i64, [Option<i64>; 3]) {
        let told = |answer: &Option<Numbers>| answer.as_ref().map(|numbers| of(numbers, topic));
        (of(&self.recount, topic), self.answers.each_ref().map(told))
    }

    /// The same over all topics.
    pub(super) fn of_all(&self) -> (i64, [Option<i64>; 3]) {
        let sum = |numbers: &Numbers| numbers.values().sum::<i64>();
        let told = |answer: &Option<Numbers>| answer.as_ref().map(sum);
        (sum(&self.recount), self.answers.each_ref().map(told))
    }
}

/// How many answers are looked at.
pub(super) const ASKED: usize = TOPICS.len() * 3;
