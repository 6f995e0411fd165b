//! PURE: which changes are made to the questions, in which order: inserts, edits, moves between
//! topics and deletes. It follows from the seed alone.

use super::chance::Chance;

/// What questions are about.
pub(super) const TOPICS: [&str; 5] = ["algebra", "biology", "chemistry", "history", "music"];

/// The topic of the questions that are written last, one in each shard: whoever has counted them
/// has counted everything before them.
pub(super) const LAST: &str = "the last";

/// How many questions there are at most; beyond it more are deleted than written.
const QUESTIONS_MAX: usize = 1_500;

/// One change of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The question.
    pub(super) id: i64,
    /// What becomes of it.
    pub(super) what: What,
}

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It is written for the first time.
    Insert(Text),
    /// It is written anew.
    Update(Text),
    /// It is deleted.
    Delete,
}

/// What a question says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// What it is about.
    pub(super) topic: &'static str,
    /// Its words.
    pub(super) text: String,
}

/// The changes of a seed.
#[derive(Debug)]
pub(super) struct Plan {
    chance: Chance,
    there: Vec<(i64, &'static str)>,
    next: i64,
    made: u64,
}

impl Plan {
    /// The changes of this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), there: Vec::new(), next: 1, made: 0 }
    }

    /// The next changes, so many.
    pub(super) fn round(&mut self, changes: usize) -> Vec<Change> {
        (0..changes).map(|_| self.change()).collect()
    }

    /// A new question in each of so many shards, in the topic that stands at the end.
    pub(super) fn last(&mut self, shards: i64) -> Vec<Change> {
        (0..shards).map(|_| self.insert(LAST)).collect()
    }

    fn change(&mut self) -> Change {
        let roll = self.chance.below(100);
        let is_full = self.there.len() >= QUESTIONS_MAX;
        if self.there.len() < 20 || (roll < 45 && !is_full) {
            let topic = self.topic();
            return self.insert(topic);
        }
        let place = self.chance.place(self.there.len());
        match roll {
            0..65 if !is_full => self.edit(place),
            0..85 => self.relocate(place),
            _ => Change { id: self.there.swap_remove(place).0, what: What::Delete },
        }
    }

    fn insert(&mut self, topic: &'static str) -> Change {
        let id = self.next;
        self.next += 1;
        self.there.push((id, topic));
        Change { id, what: What::Insert(self.text(id, topic)) }
    }

    /// Other words, the same topic.
    fn edit(&mut self, place: usize) -> Change {
        let (id, topic) = self.there[place];
        Change { id, what: What::Update(self.text(id, topic)) }
    }

    /// Another topic, perhaps.
    fn relocate(&mut self, place: usize) -> Change {
        let topic = self.topic();
        self.there[place].1 = topic;
        let id = self.there[place].0;
        Change { id, what: What::Update(self.text(id, topic)) }
    }

    fn topic(&mut self) -> &'static str {
        TOPICS[self.chance.place(TOPICS.len())]
    }

    /// Words that no question had before.
    fn text(&mut self, id: i64, topic: &'static str) -> Text {
        self.made += 1;
        Text { topic, text: format!("Question {id}, wording {}?", self.made) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_gives_the_same_changes_whatever_the_rounds() {
        let (mut whole, mut cut) = (Plan::new(7), Plan::new(7));
        let cut: Vec<_> = (0..10).flat_map(|_| cut.round(30)).collect();
        assert_eq!(whole.round(300), cut);
        assert_ne!(Plan::new(8).round(300), cut);
    }

    #[test]
    fn changes_are_of_every_kind_and_only_of_questions_that_are_there() {
        let mut there = BTreeSet::new();
        let (mut updated, mut deleted, mut most) = (0, 0, 0);
        for Change { id, what } in Plan::new(1).round(20_000) {
            match what {
                What::Insert(_) => assert!(there.insert(id)),
                What::Update(_) => {
                    updated += 1;
                    assert!(there.contains(&id));
                }
                What::Delete => {
                    deleted += 1;
                    assert!(there.remove(&id));
                }
            }
            most = most.max(there.len());
        }
        assert!(updated > 1_000 && deleted > 1_000);
        assert_eq!(most, QUESTIONS_MAX);
    }

    #[test]
    fn the_last_questions_are_in_different_shards() {
        let mut plan = Plan::new(1);
        plan.round(33);
        let last = plan.last(2);
        assert_ne!(last[0].id % 2, last[1].id % 2);
    }
}
