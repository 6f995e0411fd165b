//! PURE: whether what services answer and copies hold is what the source says: every number of every
//! topic, and every row.

use super::files::Questions;
use super::numbers::{Answers, ENDPOINTS, Numbers, of};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was read of one platform, while nobody wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    /// Every question of the shards.
    pub(super) source: Questions,
    /// Every question of the quiz service's copy.
    pub(super) copy: Questions,
    /// What each service answers.
    pub(super) answers: Answers,
}

/// Rows of a copy against those of its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Rows {
    /// The rows that either has.
    pub(super) compared: usize,
    /// Those that the copy lacks.
    pub(super) missing: usize,
    /// Those that only the copy has.
    pub(super) extra: usize,
    /// Those that say something else.
    pub(super) different: usize,
}

/// Numbers of the services against a recount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Asked {
    /// One number for each topic and service.
    pub(super) compared: usize,
    /// Those that are not what a recount says.
    pub(super) different: usize,
}

/// One group of the count, everywhere where it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    /// The group: its topic.
    pub(super) group: BTreeMap<&'static str, String>,
    /// A recount of the source.
    pub(super) source: i64,
    /// What Instep answers.
    pub(super) api: i64,
    /// What was pushed into the reporting store, as the service answers it.
    pub(super) copy: Option<i64>,
    /// What each service answers.
    pub(super) endpoints: BTreeMap<&'static str, Option<i64>>,
}

impl Rows {
    /// Compares a copy with its source, row by row.
    pub(super) fn compare(read: &Read) -> Self {
        let keys: BTreeSet<_> = read.source.keys().chain(read.copy.keys()).collect();
        let mut rows = Self { compared: keys.len(), ..Self::default() };
        for key in keys {
            match (read.source.get(key), read.copy.get(key)) {
                (Some(_), None) => rows.missing += 1,
                (None, Some(_)) => rows.extra += 1,
                (source, copy) => rows.different += usize::from(source != copy),
            }
        }
        rows
    }

    /// How many are wrong.
    pub(super) fn wrong(&self) -> usize {
        self.missing + self.extra + self.different
    }
}

impl Asked {
    /// Compares the answers with a recount. A service that does not answer is wrong about everything.
    pub(super) fn compare(answers: &Answers, recount: &Numbers, topics: &BTreeSet<&str>) -> Self {
        let mut asked = Self::default();
        for (topic, answer) in topics.iter().flat_map(|topic| answers.iter().map(|it| (*topic, it)))
        {
            let is_right =
                answer.as_ref().is_some_and(|numbers| of(numbers, topic) == of(recount, topic));
            asked.compared += 1;
            asked.different += usize::from(!is_right);
        }
        asked
    }
}

impl Count {
    /// Every group that anybody knows of.
    pub(super) fn compare(read: &Read, api: &Numbers) -> Vec<Self> {
        let recount = recount(&read.source);
        let topics = topics(read, api.keys());
        topics.into_iter().map(|topic| Self::one(read, &recount, api, topic)).collect()
    }

    fn one(read: &Read, recount: &Numbers, api: &Numbers, topic: &str) -> Self {
        let told = |answer: &Option<Numbers>| answer.as_ref().map(|numbers| of(numbers, topic));
        let endpoints: BTreeMap<_, _> =
            ENDPOINTS.into_iter().zip(read.answers.iter().map(told)).collect();
        Self {
            group: BTreeMap::from([("topic", topic.to_owned())]),
            source: of(recount, topic),
            api: of(api, topic),
            copy: endpoints[ENDPOINTS[2]],
            endpoints,
        }
    }

    /// Whether all say the same.
    pub(super) fn is_right(&self) -> bool {
        let told = self.endpoints.values().chain([&self.copy]);
        self.api == self.source && told.into_iter().all(|number| *number == Some(self.source))
    }
}

/// The questions of each topic, counted.
pub(super) fn recount(questions: &Questions) -> Numbers {
    let mut numbers = Numbers::new();
    for question in questions.values() {
        *numbers.entry(question.topic.clone()).or_default() += 1;
    }
    numbers
}

/// Every topic that is in a row or in an answer.
pub(super) fn topics<'a>(
    read: &'a Read,
    more: impl IntoIterator<Item = &'a String>,
) -> BTreeSet<&'a str> {
    let rows = read.source.values().chain(read.copy.values());
    let rows = rows.map(|question| &question.topic);
    let answered = read.answers.iter().flatten().flat_map(Numbers::keys);
    rows.chain(answered).chain(more).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo::files::Question;

    fn questions(rows: &[(i64, &str)]) -> Questions {
        let question = |topic: &str| Question {
            topic: topic.to_owned(),
            text: "Why?".to_owned(),
            revision: 1,
        };
        rows.iter().map(|(id, topic)| (*id, question(topic))).collect()
    }

    fn numbers(of: &[(&str, i64)]) -> Numbers {
        of.iter().map(|(topic, number)| ((*topic).to_owned(), *number)).collect()
    }

    /// A platform in which everything is right.
    fn right() -> (Read, Numbers) {
        let source = questions(&[(1, "music"), (2, "music"), (3, "history")]);
        let all = numbers(&[("music", 2), ("history", 1)]);
        let answers = [Some(all.clone()), Some(all.clone()), Some(all.clone())];
        (Read { copy: source.clone(), source, answers }, all)
    }

    fn wrong_counts(read: &Read, api: &Numbers) -> usize {
        Count::compare(read, api).iter().filter(|count| !count.is_right()).count()
    }

    #[test]
    fn what_is_equal_is_right() {
        let (read, api) = right();
        assert_eq!(Rows::compare(&read), Rows { compared: 3, ..Rows::default() });
        assert_eq!(wrong_counts(&read, &api), 0);
        let asked = Asked::compare(&read.answers, &api, &topics(&read, []));
        assert_eq!(asked, Asked { compared: 6, different: 0 });
    }

    #[test]
    fn a_row_that_is_missing_or_extra_or_says_something_else_is_found() {
        let (mut read, _) = right();
        read.copy = questions(&[(1, "music"), (3, "music"), (9, "music"), (8, "history")]);
        let rows = Rows { compared: 5, missing: 1, extra: 2, different: 1 };
        assert_eq!(Rows::compare(&read), rows);
        assert_eq!(rows.wrong(), 4);
        let (mut read, _) = right();
        read.copy.get_mut(&2).unwrap().revision = 2;
        assert_eq!(Rows::compare(&read).different, 1);
    }

    #[test]
    fn a_number_that_differs_anywhere_is_found() {
        for (place, name) in ENDPOINTS.into_iter().enumerate() {
            let (mut read, api) = right();
            read.answers[place].as_mut().unwrap().insert("music".to_owned(), 3);
            assert_eq!(wrong_counts(&read, &api), 1, "{name}");
            let (mut read, api) = right();
            read.answers[place] = None;
            assert_eq!(wrong_counts(&read, &api), 2, "a service that does not answer");
            let asked = Asked::compare(&read.answers, &api, &topics(&read, []));
            assert_eq!(asked.different, 2);
        }
        let (read, mut api) = right();
        api.insert("history".to_owned(), 0);
        assert_eq!(wrong_counts(&read, &api), 1);
    }

    #[test]
    fn a_group_that_only_one_side_knows_is_found() {
        let (read, mut api) = right();
        api.insert("none".to_owned(), 1);
        assert_eq!(wrong_counts(&read, &api), 1);
        let (mut read, api) = right();
        read.answers[1].as_mut().unwrap().insert("none".to_owned(), 1);
        assert_eq!(wrong_counts(&read, &api), 1);
        let (mut read, api) = right();
        read.answers[2].as_mut().unwrap().insert("none".to_owned(), 0);
        assert_eq!(wrong_counts(&read, &api), 0, "zero is as good as none");
    }
}
