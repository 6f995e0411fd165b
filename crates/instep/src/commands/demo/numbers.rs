//! PURE: numbers of questions by topic, as a service answers them.

use serde_json::Value;
use std::collections::BTreeMap;

/// Numbers by topic; one that is not there is zero.
pub(super) type Numbers = BTreeMap<String, i64>;

/// The services that are asked, as they are named.
pub(super) const ENDPOINTS: [&str; 3] = ["question", "quiz", "reporting"];

/// What each service answers; nothing where it does not answer.
pub(super) type Answers = [Option<Numbers>; 3];

/// The number of a topic.
pub(super) fn of(numbers: &Numbers, topic: &str) -> i64 {
    numbers.get(topic).copied().unwrap_or(0)
}

/// Whether both have the same number for each topic.
pub(super) fn are_equal(one: &Numbers, other: &Numbers) -> bool {
    let topics = one.keys().chain(other.keys());
    topics.into_iter().all(|topic| of(one, topic) == of(other, topic))
}

/// The numbers in the answer of a service.
pub(super) fn read(answer: &Value) -> Option<Numbers> {
    let counts = answer["counts"].as_object()?;
    counts.iter().map(|(topic, number)| Some((topic.clone(), number.as_i64()?))).collect()
}
