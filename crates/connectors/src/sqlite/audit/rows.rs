//! Rows by stretch and by key, and where stretches end.

use super::asked::Asked;
use crate::pieces::list;
use crate::sqlite::trouble::Trouble;
use model::{Found, Key, Listed, Row, Selection};
use rusqlite::{OptionalExtension, params_from_iter};
use std::collections::BTreeMap;

/// How much of an answer is held at once; a larger row comes alone.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Whether SQLite takes what is asked for.
pub(super) fn admit(asked: &Asked<'_>) -> Result<(), Trouble> {
    let (names, table, within) = (asked.names(), &asked.table, asked.keyed().sql());
    // Where only one number of all rows is wanted, nothing is asked of each.
    let (names, order) = match names.is_empty() {
        true => ("1".to_owned(), "1".to_owned()),
        false => (names, asked.order()?),
    };
    let sql = format!("select {names} from {table} where {within} order by {order}");
    asked.snapshot.prepare(&sql)?;
    Ok(())
}

/// The key of the row that stands so many rows above this one.
pub(super) fn cut(
    asked: &Asked<'_>,
    after: Option<&Key>,
    rows: u64,
) -> Result<Option<Key>, Trouble> {
    let within = asked.range(after, None)?;
    let sql = format!(
        "select {} from {} where {} order by {} limit 1 offset {}",
        list(asked.key_names()),
        asked.table,
        within.sql(),
        asked.order()?,
        i64::try_from(rows.saturating_sub(1)).unwrap_or(i64::MAX)
    );
    let mut statement = asked.snapshot.prepare_cached(&sql)?;
    let found = statement.query_row(params_from_iter(&within.bound), |row| asked.key_of(row));
    Ok(found.optional()?)
}

/// The first so many of the selected rows.
pub(super) fn rows(
    asked: &Asked<'_>,
    of: &Selection,
    rows_max: usize,
) -> Result<Listed<Row>, Trouble> {
    let read = |row: &rusqlite::Row<'_>| {
        let row = asked.row_of(row)?;
        Ok((row.bytes(), row))
    };
    listed(asked, Selected { of, also: None, names: &asked.names(), rows_max }, read)
}

/// The rows of these keys, whether or not they are among those that are asked for. SQLite has no
/// version of a row.
pub(super) fn find(asked: &Asked<'_>, keys: &[Key]) -> Result<BTreeMap<Key, Found>, Trouble> {
    let (is_within, bound) = asked.is_within();
    let flag = asked.ask.key.len() + asked.ask.columns.len();
    let mut all = BTreeMap::new();
    for key in keys {
        let within = asked.found(key)?;
        let sql = format!(
            "select {}, {is_within} from {} where {}",
            asked.names(),
            asked.table,
            within.sql()
        );
        let mut statement = asked.snapshot.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(bound.iter().chain(&within.bound)))?;
        while let Some(row) = rows.next()? {
            if asked.key_of(row)? == *key {
                let (row, is_within) = (asked.row_of(row)?, row.get(flag)?);
                all.insert(key.clone(), Found { row, version: 0, is_within });
                break;
            }
        }
    }
    Ok(all)
}

/// Which rows are listed, and what of them is read.
#[derive(Clone, Copy)]
pub(super) struct Selected<'a> {
    pub(super) of: &'a Selection,
    /// What has to hold for them beside that.
    pub(super) also: Option<&'a str>,
    /// The columns, those of the key first.
    pub(super) names: &'a str,
    pub(super) rows_max: usize,
}

/// What is read of each, with the room that it takes.
pub(super) fn listed<T>(
    asked: &Asked<'_>,
    selected: Selected<'_>,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<(usize, T)>,
) -> Result<Listed<T>, Trouble> {
    let Selected { of, also, names, rows_max } = selected;
    let order = asked.order()?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    for part in asked.parts(of)? {
        let within = match also {
            Some(also) => part.within.and(also.to_owned()),
            None => part.within,
        };
        let sql =
            format!("select {names} from {} where {} order by {order}", asked.table, within.sql());
        let mut statement = asked.snapshot.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&within.bound))?;
        while let Some(row) = rows.next()? {
            let key = asked.key_of(row)?;
            if part.only.as_ref().is_some_and(|only| *only != key) {
                continue;
            }
            if found.len() >= rows_max || bytes >= ANSWER_BYTES_MAX {
                return Ok(Listed { found, more: true });
            }
            let (room, read) = read(row)?;
            bytes += key.bytes() + room;
            found.push((key, read));
        }
    }
    Ok(Listed { found, more: false })
}
