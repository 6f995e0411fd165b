//! Rows by group, the newest, and the position.

use super::asked::{Asked, Where, among, key_of};
use super::decode;
use crate::pieces::list;
use crate::sqlite::quote;
use crate::sqlite::trouble::Trouble;
use model::{Code, Fault, Groups, Key, Listed, Value, Wanted};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use std::collections::BTreeMap;

/// How many rows there are in each group, or what the rows of the group say that there are.
pub(super) fn groups(asked: &Asked<'_>, groups: &Groups) -> Result<Listed<i64>, Trouble> {
    let mut found = BTreeMap::new();
    let Some(only) = &groups.only else {
        let limit = groups.groups_max.saturating_add(1);
        add_groups(asked, groups, &asked.all(), limit, |key, number| add(&mut found, key, number))?;
        return Ok(first(found, groups.groups_max));
    };
    for wanted in only {
        if wanted.values().len() != groups.by.len() {
            let what = "a group does not have as many values as there are columns";
            return Err(Fault::stop(Code::Broken, what).into());
        }
        let mut within = asked.all();
        for (by, value) in groups.by.iter().zip(wanted.values()) {
            let name = quote::name(&by.name);
            let (sql, bound) = match value {
                Value::Null => (format!("{name} is null"), Vec::new()),
                value => among(&format!("{name} collate binary"), value),
            };
            within.add(sql, bound);
        }
        if found.contains_key(wanted) {
            continue;
        }
        add_groups(asked, groups, &within, usize::MAX, |key, number| {
            if key == *wanted { add(&mut found, key, number) } else { Ok(()) }
        })?;
    }
    Ok(first(found, groups.groups_max))
}

/// Groups whose values are stored in several ways, and mean the same, are one.
fn add(found: &mut BTreeMap<Key, i64>, key: Key, number: i64) -> Result<(), Trouble> {
    let sum = found.entry(key).or_insert(0);
    *sum = sum.checked_add(number).ok_or_else(|| no_number("a sum that is too large"))?;
    Ok(())
}

fn first(found: BTreeMap<Key, i64>, groups_max: usize) -> Listed<i64> {
    let more = found.len() > groups_max;
    Listed { found: found.into_iter().take(groups_max).collect(), more }
}

fn add_groups(
    asked: &Asked<'_>,
    groups: &Groups,
    within: &Where,
    limit: usize,
    mut add: impl FnMut(Key, i64) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let names: Vec<_> = groups.by.iter().map(|by| quote::name(&by.name)).collect();
    let number = match &groups.value {
        Some(value) => format!("sum({})", quote::name(value)),
        None => "count(*)".to_owned(),
    };
    let (table, within_sql) = (&asked.table, within.sql());
    let sql = if names.is_empty() {
        format!("select {number} from {table} where {within_sql}")
    } else {
        let by = list(names.iter().map(|name| format!("{name} collate binary")));
        let names = list(&names);
        format!(
            "select {names}, {number} from {table} where {within_sql} group by {by} order by {by}"
        )
    };
    let sql = format!("{sql} limit {}", i64::try_from(limit).unwrap_or(i64::MAX));
    let mut statement = asked.snapshot.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&within.bound))?;
    while let Some(row) = rows.next()? {
        let number = match row.get_ref(names.len())? {
            // No row says anything where there is none.
            ValueRef::Null if names.is_empty() => continue,
            ValueRef::Integer(int) => Some(int),
            ValueRef::Real(float) => Value::from(float).whole(),
            _ => None,
        };
        let number = number.ok_or_else(|| no_number("something that is no whole number"))?;
        add(key_of(&groups.by, row)?, number)?;
    }
    Ok(())
}

fn no_number(what: &str) -> Trouble {
    let what = format!("the column that keeps the number of each group has {what} in it");
    Fault::stop(Code::SqliteRefused, what).into()
}

/// What the so-manieth row from the greatest has in this column.
pub(super) fn newest(asked: &Asked<'_>, by: &Wanted, rows: u64) -> Result<Option<Value>, Trouble> {
    let (name, all) = (quote::name(&by.name), asked.all());
    let sql = format!(
        "select {name} from {} where {} order by {name} desc limit 1 offset {}",
        asked.table,
        all.sql(),
        i64::try_from(rows.saturating_sub(1)).unwrap_or(i64::MAX)
    );
    let mut statement = asked.snapshot.prepare_cached(&sql)?;
    let read = |row: &rusqlite::Row<'_>| Ok(decode::read(by.kind, row.get_ref(0)?));
    let newest = statement.query_row(params_from_iter(&all.bound), read).optional()?;
    Ok(newest.filter(|value| *value != Value::Null))
}

/// The last recorded change, in a file that is followed.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let is_there =
        "select exists (select 1 from main.sqlite_master where name = 'sqlite_sequence')";
    if !connection.query_row(is_there, [], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let last = "select seq from main.sqlite_sequence where name = 'instep_changes'";
    let last: Option<i64> = connection.query_row(last, [], |row| row.get(0)).optional()?;
    Ok(last.map(|last| last.to_string()))
}
