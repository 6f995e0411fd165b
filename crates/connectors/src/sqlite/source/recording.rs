//! What stands in a file because its changes are recorded, seen without changing anything.

use super::books;
use super::installation::Noted;
use super::shape::Shape;
use super::{history, trigger};
use crate::sqlite::trouble::Trouble;
use model::{Identity, Table, TableName};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands in a file because its changes are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Which file it is; none if it is not followed.
    pub identity: Option<Identity>,
    /// Who follows it.
    pub followed_by: Option<Noted>,
    /// Whether what stands there was made by another version of Instep.
    pub is_of_other_version: bool,
    /// The number of the last change.
    pub last: i64,
    /// How many triggers there are.
    pub triggers: usize,
    /// How many triggers each table that was followed before lacks, where it lacks any.
    pub lacking: BTreeMap<TableName, usize>,
    /// Tables that were not followed before.
    pub new: Vec<TableName>,
}

/// What stands in the file. Tables that can not be followed are passed over.
pub(in crate::sqlite) fn recording(
    connection: &Connection,
    names: &[TableName],
) -> Result<Recording, Trouble> {
    let books = books::read(connection)?;
    let triggers = books::triggers(connection)?;
    let mut lacking = BTreeMap::new();
    let mut new = Vec::new();
    for name in names {
        let shape = match Shape::read(connection, name) {
            Ok(shape) => shape,
            Err(Trouble::Judged(_)) => continue,
            Err(trouble) => return Err(trouble),
        };
        let needed = trigger::triggers(&shape);
        let missing = needed.iter().filter(|it| !triggers.contains(it)).count();
        if !books.as_ref().is_some_and(|books| books.tables.contains_key(name)) {
            new.push(name.clone());
        } else if missing > 0 || books::is_outrun(connection, name)? {
            lacking.insert(name.clone(), missing.max(1));
        }
    }
    let last = if books.is_some() { history::last(connection)? } else { 0 };
    Ok(Recording {
        is_of_other_version: books.as_ref().is_some_and(|it| it.version != books::VERSION),
        identity: books.map(|books| books.identity),
        followed_by: Noted::read(connection)?,
        last,
        triggers: triggers.len(),
        lacking,
        new,
    })
}

/// A table as it can be followed; a fault says why it can not.
pub(in crate::sqlite) fn followable(
    connection: &Connection,
    name: &TableName,
) -> Result<Arc<Table>, Trouble> {
    Ok(Shape::read(connection, name)?.table)
}
