//! What the table of a copy looks like in its file, as far as writing to it needs to know.

use super::affinity::{self, Affinity};
use rusqlite::{Connection, OptionalExtension, Result};

/// A table of the file.
#[derive(Debug)]
pub(super) struct Shape {
    /// Whether it is a plain table; else a view, or a virtual table.
    pub(super) is_plain: bool,
    /// Its columns, hidden ones left out.
    pub(super) columns: Vec<ShapeColumn>,
    /// Sets of columns that are unique, byte for byte.
    pub(super) unique: Vec<Vec<String>>,
    /// The columns of its primary key, in key order.
    pub(super) key: Vec<String>,
    /// The column that is another name of the row number, if there is one.
    pub(super) row_number: Option<String>,
    /// Whether it has triggers.
    pub(super) has_triggers: bool,
    /// Whether its constraints may say what becomes of a conflict.
    pub(super) settles_conflicts: bool,
}

/// A column of a table of the file.
#[derive(Debug)]
pub(super) struct ShapeColumn {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) affinity: Affinity,
    pub(super) not_null: bool,
    pub(super) has_default: bool,
    pub(super) is_generated: bool,
}

impl Shape {
    /// The table of this name; none if there is no such table.
    pub(super) fn read(connection: &Connection, table: &str) -> Result<Option<Self>> {
        const ASK: &str = "select type, strict, wr from pragma_table_list
                           where schema = 'main' and name = ?1 collate nocase";
        let ask = |row: &rusqlite::Row<'_>| -> Result<(String, bool, bool)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        };
        let found = connection.query_row(ASK, [table], ask).optional()?;
        let Some((of_type, is_strict, without_row_number)) = found else { return Ok(None) };
        let (columns, key) = read_columns(connection, table, is_strict)?;
        let (unique, has_key_index) = read_unique(connection, table)?;
        let is_integer = |name: &String| {
            let named = |column: &&ShapeColumn| column.name == *name;
            let found = columns.iter().find(named);
            found.is_some_and(|column| column.declared.eq_ignore_ascii_case("integer"))
        };
        let row_number = match key.as_slice() {
            [name] if is_integer(name) && !without_row_number && !has_key_index => {
                Some(name.clone())
            }
            _ => None,
        };
        const TRAITS: &str = "
            select (select sql like '%conflict%' from sqlite_schema
                    where type = 'table' and name = ?1 collate nocase),
                exists (select 1 from sqlite_schema
                    where type = 'trigger' and tbl_name = ?1 collate nocase)";
        let (settles, has_triggers): (Option<bool>, bool) =
            connection.query_row(TRAITS, [table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(Self {
            is_plain: of_type == "table",
            columns,
            unique,
            key,
            row_number,
            has_triggers,
            settles_conflicts: settles.unwrap_or(false),
        }))
    }

    /// The column of this name; SQLite makes no difference between `A` and `a`.
    pub(super) fn column(&self, name: &str) -> Option<&ShapeColumn> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether rows differ in these columns, byte for byte.
    pub(super) fn is_key(&self, names: &[&str]) -> bool {
        let is_one = |one: &str| names.iter().any(|name| name.eq_ignore_ascii_case(one));
        let is_same = |set: &[String]| set.len() == names.len() && set.iter().all(|it| is_one(it));
        self.unique.iter().any(|set| is_same(set))
            || self.row_number.as_ref().is_some_and(|name| is_same(std::slice::from_ref(name)))
    }
}

/// The columns, and those of the primary key in key order.
fn read_columns(
    connection: &Connection,
    table: &str,
    is_strict: bool,
) -> Result<(Vec<ShapeColumn>, Vec<String>)> {
    const ASK: &str = "select name, type, \"notnull\", dflt_value is not null, pk, hidden
                       from pragma_table_xinfo(?1) where hidden <> 1";
    let mut statement = connection.prepare(ASK)?;
    let mut found = statement.query([table])?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let place: u32 = row.get(4)?;
        if place > 0 {
            key.push((place, name.clone()));
        }
        let takes_any = is_strict && declared.eq_ignore_ascii_case("any");
        let affinity = if takes_any { Affinity::Blob } else { affinity::of(&declared) };
        columns.push(ShapeColumn {
            name,
            declared,
            affinity,
            not_null: row.get(2)?,
            has_default: row.get(3)?,
            is_generated: row.get::<_, u32>(5)? > 1,
        });
    }
    key.sort_unstable();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

/// The sets of columns that are unique, and whether one of them is the primary key.
fn read_unique(connection: &Connection, table: &str) -> Result<(Vec<Vec<String>>, bool)> {
    const INDEXES: &str = "select name, origin = 'pk' from pragma_index_list(?1)
                           where \"unique\" and not partial";
    const COLUMNS: &str = "select name, coll = 'BINARY' collate nocase and cid >= 0
                           from pragma_index_xinfo(?1) where key";
    let mut statement = connection.prepare(INDEXES)?;
    let mut indexes = statement.query([table])?;
    let (mut unique, mut has_key_index) = (Vec::new(), false);
    while let Some(index) = indexes.next()? {
        has_key_index |= index.get::<_, bool>(1)?;
        let mut statement = connection.prepare_cached(COLUMNS)?;
        let mut columns = statement.query([index.get::<_, String>(0)?])?;
        let mut set = Some(Vec::new());
        while let Some(column) = columns.next()? {
            match (column.get::<_, bool>(1)?, &mut set) {
                (true, Some(set)) => set.push(column.get(0)?),
                _ => set = None,
            }
        }
        unique.extend(set);
    }
    Ok((unique, has_key_index))
}
