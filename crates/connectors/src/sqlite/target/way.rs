//! Finds the row that is in the way of another, and moves it out of it for a while (`parked.rs`).
//!
//! Which row it is, only SQLite can say for every index that it knows: partial ones, ones over
//! expressions, ones of other collations. So the row is inserted on trial, in a transaction within
//! the transaction that is taken back, and the row that it runs into is answered by the upsert.

use super::bind;
use super::layout::{Held, Layout};
use super::shape::Shape;
use super::sql::quoted;
use super::stored::{self, StoredKey};
use crate::parked::{Parked, ParkedRow};
use crate::pieces::list;
use model::{Cell, Key, Row, Value, Write};
use rusqlite::types::Value as Raw;
use rusqlite::{Connection, OptionalExtension, Result};

/// A row that could not be written because of another.
pub(super) struct InTheWay<'a> {
    pub(super) layout: &'a Layout,
    pub(super) write: &'a Write,
    /// The write's place in its batch.
    pub(super) number: usize,
    /// The key that the row has in the table now, if it is there.
    pub(super) key: &'a Key,
    /// What is to become of it.
    pub(super) row: &'a Row,
    /// Which columns are unique, in SQLite's words.
    pub(super) reason: &'a str,
}

/// Moves the row in the way out of it; false if there is none that can be moved.
pub(super) fn park(
    connection: &Connection,
    lane: &str,
    asked: &InTheWay<'_>,
    parked: &mut Parked,
) -> Result<bool> {
    let Some(other) = find(connection, lane, asked)? else { return Ok(false) };
    let InTheWay { layout, write, .. } = asked;
    let Some(row) = stored_row(connection, layout, &other, Some(lane))? else { return Ok(false) };
    if parked.is_full() || other == *asked.key {
        return Ok(false);
    }
    for at in unique_columns(connection, asked)? {
        let held = &layout.columns[at];
        let Some(Cell::Value(had)) = row.0.get(held.place) else { continue };
        let Some(aside) = aside(connection, layout, held, had, parked.ever)? else { continue };
        let mut statement = connection.prepare_cached(&layout.update(&[at]))?;
        let next = bind::key(&mut statement, &other)?;
        statement.raw_bind_parameter(next, StoredKey(&aside))?;
        bind::lane(&mut statement, next + 1, layout, lane)?;
        // A value that the table does not take, or a row of another lane, is left where it is.
        if matches!(statement.raw_execute(), Ok(1)) {
            let (by, reason) = (asked.number, asked.reason.to_owned());
            let had = vec![(at, had.clone())];
            parked.add(&write.copy, other, ParkedRow { had, by, reason });
            return Ok(true);
        }
    }
    Ok(false)
}

/// The row with a key as the table has it, in the order of the source's columns; those that the copy
/// lacks are missing.
pub(super) fn stored_row(
    connection: &Connection,
    layout: &Layout,
    key: &Key,
    lane: Option<&str>,
) -> Result<Option<Row>> {
    let columns = list(layout.columns.iter().map(|held| &held.name));
    let sql = format!("select {columns} from {} where {}", layout.name, layout.finds());
    let mut statement = connection.prepare_cached(&sql)?;
    bind::found(&mut statement, layout, key, lane)?;
    let mut found = statement.raw_query();
    let Some(row) = found.next()? else { return Ok(None) };
    read_row(layout, row).map(Some)
}

/// A row of a statement that asks for the layout's columns in their order.
pub(super) fn read_row(layout: &Layout, row: &rusqlite::Row<'_>) -> Result<Row> {
    let mut cells = vec![Cell::Missing; layout.table.columns.len()];
    for (at, held) in layout.columns.iter().enumerate() {
        cells[held.place] = Cell::Value(stored::read(held.kind, row.get_ref(at)?));
    }
    Ok(Row(cells))
}

/// Finds the key of a row in the way. Everything that it does is taken back.
fn find(connection: &Connection, lane: &str, asked: &InTheWay<'_>) -> Result<Option<Key>> {
    connection.execute_batch("savepoint instep_trial")?;
    let found = try_insert(connection, lane, asked);
    connection.execute_batch("rollback to instep_trial; release instep_trial")?;
    // A trigger of the table may object to the trial; the first refusal then stands.
    Ok(found.ok().flatten())
}

fn try_insert(connection: &Connection, lane: &str, asked: &InTheWay<'_>) -> Result<Option<Key>> {
    let InTheWay { layout, write, key, row, .. } = asked;
    let others = Shape::read(connection, &layout.bare)?.map_or(Vec::new(), |shape| {
        let is_ours = |name: &str| {
            layout.columns.iter().any(|held| held.bare == name)
                || layout.shard.as_deref() == Some(&quoted(name))
        };
        let others = shape.columns.into_iter().filter(|it| !it.is_generated && !is_ours(&it.name));
        others.map(|column| quoted(&column.name)).collect()
    });
    let had = read_others(connection, layout, (key, lane), &others)?;
    let mut statement = connection.prepare_cached(&layout.delete)?;
    let next = bind::key(&mut statement, key)?;
    bind::lane(&mut statement, next, layout, lane)?;
    statement.raw_execute()?;
    let written = layout.written().map(|(_, held)| held.name.as_str());
    let others = others.iter().map(String::as_str).take(had.len());
    let names = list(written.chain(layout.shard.as_deref()).chain(others));
    let count = layout.written().count() + usize::from(layout.shard.is_some()) + had.len();
    let values = list((1..=count).map(|at| format!("?{at}")));
    let first = layout.key_names().next().unwrap_or("rowid");
    let sql = format!(
        "insert or abort into {} ({names}) values ({values}) on conflict do update set {first} = {first}
         returning {}",
        layout.name,
        list(layout.key_names())
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut next = bind::row(&mut statement, 1, layout, row)?;
    bind::lane(&mut statement, next, layout, lane)?;
    next += usize::from(layout.shard.is_some());
    for (at, value) in (next..).zip(&had) {
        statement.raw_bind_parameter(at, value)?;
    }
    let mut found = statement.raw_query();
    let Some(found) = found.next()? else { return Ok(None) };
    let mut values = Vec::new();
    for (at, &column) in layout.key.iter().enumerate() {
        values.push(stored::read(layout.columns[column].kind, found.get_ref(at)?));
    }
    let found = Key::new(values);
    let is_its_own = layout.table.key_of(row).as_ref() == Some(&found);
    Ok((!is_its_own && write.effect.keys().all(|key| *key != found)).then_some(found))
}

/// What a row has in the columns that are not the source's; nothing if it is not there.
fn read_others(
    connection: &Connection,
    layout: &Layout,
    (key, lane): (&Key, &str),
    others: &[String],
) -> Result<Vec<Raw>> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let (names, finds) = (list(others), layout.finds());
    let sql = format!("select {names} from {} where {finds}", layout.name);
    let mut statement = connection.prepare(&sql)?;
    bind::found(&mut statement, layout, key, Some(lane))?;
    let mut found = statement.raw_query();
    let Some(row) = found.next()? else { return Ok(Vec::new()) };
    (0..others.len()).map(|at| row.get(at)).collect()
}

/// The columns that SQLite names as unique, those first that may be NULL, which is never equal. Where
/// it names an index over an expression, they are the columns that its definition names.
fn unique_columns(connection: &Connection, asked: &InTheWay<'_>) -> Result<Vec<usize>> {
    let Some((_, named)) = asked.reason.split_once(": ") else { return Ok(Vec::new()) };
    let index = named.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\''));
    let mut words: Vec<String> = match index {
        None => {
            named.split(", ").filter_map(|it| it.rsplit_once('.')).map(|it| it.1.into()).collect()
        }
        Some(index) => {
            let ask = "select sql from sqlite_schema where type = 'index' and name = ?1";
            let sql = connection.query_row(ask, [index], |row| row.get::<_, String>(0));
            let sql = sql.optional()?.unwrap_or_default();
            let is_letter = |c: char| c.is_alphanumeric() || c == '_';
            sql.split(|c| !is_letter(c)).map(str::to_owned).collect()
        }
    };
    words.retain(|word| !word.is_empty());
    let is_named = |held: &Held| words.iter().any(|word| word.eq_ignore_ascii_case(&held.bare));
    let columns = asked.layout.written().filter(|(_, held)| !held.is_key && is_named(held));
    let mut columns: Vec<_> = columns.map(|(at, held)| (held.not_null, at)).collect();
    columns.sort_unstable();
    Ok(columns.into_iter().map(|(_, at)| at).collect())
}

/// A value that no row has in this column; none if there is no such value.
fn aside(
    connection: &Connection,
    layout: &Layout,
    held: &Held,
    had: &Value,
    ever: u64,
) -> Result<Option<Value>> {
    if !held.not_null {
        return Ok(Some(Value::Null));
    }
    Ok(match had {
        Value::Int(_) => {
            let sql = format!(
                "select max({0}) from {1} where typeof({0}) = 'integer'",
                held.name, layout.name
            );
            let max: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            max.checked_add(1).map(Value::Int)
        }
        Value::Bytes(bytes) => {
            let tail = format!(" aside {ever}");
            Some(Value::Bytes([bytes, tail.as_bytes()].concat().into()))
        }
        Value::Text(text) => Some(Value::Text(format!("{text} aside {ever}").into())),
        Value::Null => None,
        _ => Some(Value::Text(format!("aside {ever}").into())),
    })
}
