//! One shard of the questions: each change is one transaction, and is the truth once it is committed.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// What a shard holds.
pub(crate) const QUESTIONS: &str = "create table if not exists questions (id integer primary key,
    topic text not null, text text not null, revision integer not null)";

/// A question as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) topic: String,
    pub(super) text: String,
    pub(super) revision: i64,
}

/// What a transaction changed.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) id: i64,
    pub(super) before: Option<Row>,
    pub(super) after: Option<Row>,
}

impl Written {
    /// Which topics have another number of questions now, and by how much.
    pub(super) fn numbers(&self) -> Vec<(&str, i64)> {
        let topic = |row: &'_ Option<Row>| row.as_ref().map(|row| row.topic.clone());
        if topic(&self.before) == topic(&self.after) {
            return Vec::new();
        }
        let less = self.before.iter().map(|row| (row.topic.as_str(), -1));
        less.chain(self.after.iter().map(|row| (row.topic.as_str(), 1))).collect()
    }

    /// A number that rises with each change of the question.
    pub(super) fn revision(&self) -> i64 {
        let after = self.after.as_ref().map(|row| row.revision);
        after.or(self.before.as_ref().map(|row| row.revision + 1)).unwrap_or_default()
    }
}

/// Writes a question; nothing if it stands as it shall.
pub(super) fn write(
    file: &mut Connection,
    id: i64,
    topic: String,
    text: String,
) -> rusqlite::Result<Option<Written>> {
    let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = read(&transaction, id)?;
    if before.as_ref().is_some_and(|row| row.topic == topic && row.text == text) {
        return Ok(None);
    }
    let revision = before.as_ref().map_or(1, |row| row.revision + 1);
    let put = "insert into questions values (?1, ?2, ?3, ?4) on conflict (id) do update
               set topic = excluded.topic, text = excluded.text, revision = excluded.revision";
    transaction.execute(put, (id, &topic, &text, revision))?;
    transaction.commit()?;
    Ok(Some(Written { id, before, after: Some(Row { topic, text, revision }) }))
}

/// Deletes a question; nothing if there is none.
pub(super) fn delete(file: &mut Connection, id: i64) -> rusqlite::Result<Option<Written>> {
    let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(before) = read(&transaction, id)? else { return Ok(None) };
    transaction.execute("delete from questions where id = ?1", [id])?;
    transaction.commit()?;
    Ok(Some(Written { id, before: Some(before), after: None }))
}

/// A question as it stands.
pub(super) fn read(file: &Connection, id: i64) -> rusqlite::Result<Option<Row>> {
    let one = "select topic, text, revision from questions where id = ?1";
    let row = file.query_row(one, [id], |row| {
        Ok(Row { topic: row.get(0)?, text: row.get(1)?, revision: row.get(2)? })
    });
    row.optional()
}
