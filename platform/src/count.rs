//! Answers to "how many questions?", alike in every service.

use crate::trouble::Trouble;
use axum::Json;
use axum::extract::Query;
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Numbers by topic.
pub(crate) type Numbers = BTreeMap<String, i64>;

/// `?topic=…`; without it every topic is told.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    pub(crate) topic: Option<String>,
}

/// The answer to what was asked: one number, or all of them.
pub(crate) fn answer(Query(asked): Query<Asked>, numbers: &Numbers) -> Json<Value> {
    Json(match asked.topic {
        Some(topic) => {
            let count = numbers.get(&topic).copied().unwrap_or(0);
            json!({ "topic": topic, "count": count })
        }
        None => json!({ "counts": numbers, "total": numbers.values().sum::<i64>() }),
    })
}

/// What a query with a text and a number in each row says.
pub(crate) fn numbers(connection: &Connection, query: &str) -> rusqlite::Result<Numbers> {
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The numbers of a count that is pushed into this file; none before the first push has come.
pub(crate) fn pushed(connection: &Connection) -> rusqlite::Result<Option<Numbers>> {
    let made = "select 1 from sqlite_master where type = 'table' and name = 'question_counts'";
    match connection.query_row(made, [], |_| Ok(())).optional()? {
        None => Ok(None),
        Some(()) => numbers(connection, PUSHED).map(Some),
    }
}

const PUSHED: &str = "select topic, value from question_counts where count = 'questions'";

/// The numbers, or that there are none yet.
pub(crate) fn told(numbers: Option<Numbers>) -> Result<Numbers, Trouble> {
    numbers.ok_or(Trouble::Uncounted)
}
