//! The counts of a world, each said twice: to the engine as a user would, to the oracle as code.

use crate::oracle::Counted;
use engine::count::{Condition, Count};
use model::{Cell, Decimal, Row, Value};
use std::sync::Arc;

/// What is counted, for the engine and for the oracle.
pub fn counts() -> Vec<(Count, Counted)> {
    vec![
        both("by-topic", "questions", &["topic"], None, |row| Some(vec![value(row, 1)])),
        both("all", "questions", &[], None, |_| Some(Vec::new())),
        both("dear", "answers", &["topic"], Some(DEAR), |row| {
            let is_dear = match value(row, 3) {
                Value::Decimal(amount) => amount > limit(),
                _ => false,
            };
            let has_topic = value(row, 1) != Value::Null;
            (is_dear && has_topic).then(|| vec![value(row, 1)])
        }),
    ]
}

const DEAR: &str = "amount > 25 and topic is not null";

fn limit() -> Decimal {
    "25".parse().expect("BUG: a decimal")
}

fn both(
    name: &str,
    of: &str,
    by: &[&str],
    condition: Option<&str>,
    group_of: fn(&Row) -> Option<Vec<Value>>,
) -> (Count, Counted) {
    let parse = |text: &str| Condition::parse(text).expect("BUG: a condition");
    let by: Vec<Arc<str>> = by.iter().map(|&column| column.into()).collect();
    let condition = condition.map(parse);
    let count = Count { name: name.into(), of: of.into(), by, condition };
    (count, Counted { name: name.to_owned(), of: of.into(), group_of })
}

fn value(row: &Row, column: usize) -> Value {
    match &row.0[column] {
        Cell::Value(value) => value.clone().into_canonical(),
        Cell::Missing | Cell::Unchanged => Value::Null,
    }
}
