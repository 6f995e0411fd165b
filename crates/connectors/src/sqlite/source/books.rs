//! The tables that stand in a source's file because it is followed, and what they say.
//!
//! ```text
//!   instep_changes  which keys were touched, in the order in which it was committed; k1, k2, ... are
//!                   the key's values. Rows without a table are markers. The last row that counts as
//!                   confirmed always stays: by it a restored file is known.
//!   instep_source   the file's identity, the version of these tables, and from where on they are
//!                   complete
//!   instep_tables   the tables that are or were followed, as they looked last
//! ```

use super::trigger::{self, NOW, NUMBER, PREFIX, Trigger};
use crate::sqlite::quote;
use model::{Identity, TableName};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};

/// The version of these tables; a change of them takes the next number.
pub(super) const VERSION: i64 = 1;

/// What the file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Books {
    /// Made once, at random: another file has another one, but a copy of this one has the same.
    pub(super) identity: Identity,
    /// The version of the tables.
    pub(super) version: i64,
    /// From this change on, every change was recorded.
    pub(super) complete_from: i64,
    /// The tables that are or were followed.
    pub(super) tables: BTreeMap<TableName, Noted>,
}

/// A table as it looked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// Rises when it looks otherwise.
    pub(super) version: u32,
    /// How it looked, in words.
    pub(super) words: String,
}

const TABLE_NAMES: [&str; 3] = ["instep_source", "instep_tables", "instep_changes"];

const TABLES: &str = "
    create table instep_source (name text primary key, value);
    create table instep_tables (name text primary key, version integer, shape text);
    create table instep_changes (seq integer primary key autoincrement, at, tbl, k1);
    insert into instep_source (name, value)
        values ('version', 1), ('identity', lower(hex(randomblob(16)))), ('complete_from', 0);";

/// What the file says of itself; nothing if it is not followed.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Books>> {
    for table in TABLE_NAMES {
        if !is_table(connection, table)? {
            return Ok(None);
        }
    }
    let of = |name: &str| format!("select value from main.instep_source where name = '{name}'");
    let number = |name| connection.query_row(&of(name), [], |row| row.get::<_, i64>(0)).optional();
    let identity = connection.query_row(&of("identity"), [], |row| row.get::<_, String>(0));
    let (Some(version), Some(complete_from), Some(identity)) =
        (number("version")?, number("complete_from")?, identity.optional()?)
    else {
        return Ok(None);
    };
    let tables = if version == VERSION { noted(connection)? } else { BTreeMap::new() };
    Ok(Some(Books { identity: identity.as_str().into(), version, complete_from, tables }))
}

/// Whether anything of ours stands in the file.
pub(super) fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    for table in TABLE_NAMES {
        if is_table(connection, table)? {
            return Ok(true);
        }
    }
    Ok(!triggers(connection)?.is_empty())
}

fn noted(connection: &Connection) -> rusqlite::Result<BTreeMap<TableName, Noted>> {
    let noted = "select name, version, shape from main.instep_tables";
    let mut noted = connection.prepare_cached(noted)?;
    let noted = noted.query_map([], |row| {
        let name: String = row.get(0)?;
        Ok((name.as_str().into(), Noted { version: row.get(1)?, words: row.get(2)? }))
    })?;
    noted.collect()
}

fn is_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let is_there =
        "select exists (select 1 from main.sqlite_master where type = 'table' and name = ?1)";
    connection.prepare_cached(is_there)?.query_row([name], |row| row.get(0))
}

/// The triggers of ours that stand in the file.
pub(super) fn triggers(connection: &Connection) -> rusqlite::Result<BTreeSet<Trigger>> {
    let triggers = "select name, sql from main.sqlite_master where type = 'trigger' \
                    and substr(name, 1, length(?1)) = ?1";
    let mut triggers = connection.prepare_cached(triggers)?;
    let trigger = |row: &rusqlite::Row<'_>| Ok(Trigger { name: row.get(0)?, sql: row.get(1)? });
    triggers.query_map([PREFIX], trigger)?.collect()
}

/// Whether a trigger of the user's own may end a statement's work on a row before ours has recorded
/// that it was inserted: SQLite runs those first that were made last.
pub(super) fn is_outrun(connection: &Connection, table: &TableName) -> rusqlite::Result<bool> {
    let outrun = "select exists (select 1 from main.sqlite_master
                  where type = 'trigger' and tbl_name = ?1 collate nocase
                  and substr(name, 1, length(?2)) <> ?2 and sql like '%raise%ignore%'
                  and rowid > (select rowid from main.sqlite_master where name = ?3))";
    let ours = trigger::insert_name(table);
    connection.prepare_cached(outrun)?.query_row([table.as_str(), PREFIX, &ours], |row| row.get(0))
}

/// Makes the tables, with an identity that no other file has. What stands of them is worth nothing
/// without the rest.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    remove(connection)?;
    connection.execute_batch(TABLES)
}

/// Makes room for keys of so many columns.
pub(super) fn widen(connection: &Connection, key_columns: usize) -> rusqlite::Result<()> {
    let columns = "select name from pragma_table_info('instep_changes', 'main')";
    let mut columns = connection.prepare(columns)?;
    let there: BTreeSet<String> =
        columns.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for column in (1..=key_columns).map(|place| format!("k{place}")) {
        if !there.contains(&column) {
            connection.execute_batch(&format!("alter table instep_changes add column {column}"))?;
        }
    }
    Ok(())
}

/// Notes how a table looks now.
pub(super) fn note(
    connection: &Connection,
    table: &TableName,
    noted: &Noted,
) -> rusqlite::Result<()> {
    let note = "insert or replace into instep_tables (name, version, shape) values (?1, ?2, ?3)";
    connection.execute(note, params![table.as_str(), noted.version, noted.words])?;
    Ok(())
}

/// Writes a marker: a place in the history at which nothing happens.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<()> {
    let mark = format!("insert into main.instep_changes (at) select {NOW}; {NUMBER}");
    connection.execute_batch(&mark)
}

/// From the last change on, every change is recorded.
pub(super) fn complete_from_now(connection: &Connection) -> rusqlite::Result<()> {
    let note = "update instep_source set value = (select max(seq) from instep_changes) \
                where name = 'complete_from'";
    connection.execute(note, [])?;
    Ok(())
}

/// Takes everything of ours out of the file.
pub(super) fn remove(connection: &Connection) -> rusqlite::Result<()> {
    for trigger in triggers(connection)? {
        connection.execute_batch(&drop_trigger(&trigger.name))?;
    }
    for table in TABLE_NAMES {
        connection.execute_batch(&format!("drop table if exists main.{table}"))?;
    }
    Ok(())
}

/// The statement that drops a trigger.
pub(super) fn drop_trigger(name: &str) -> String {
    format!("drop trigger if exists main.{}", quote::name(name))
}
