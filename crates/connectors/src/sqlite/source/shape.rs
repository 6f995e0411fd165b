//! What of a table decides how it is followed: its columns and key, and every index through which
//! `replace` may delete rows. Says why a table can not be followed: a person may mend it at any time, so
//! it is looked at again.

use super::index_text;
use super::unsure::{Inputs, Unsure};
use crate::sqlite::trouble::Trouble;
use crate::sqlite::{quote, schema};
use model::{Code, Compares, Fault, Table, TableName};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A table that can be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sqlite) struct Shape {
    /// The table, in version 1.
    pub(in crate::sqlite) table: Arc<Table>,
    /// What tells its rows apart beside the key.
    pub(super) uniques: Vec<Unique>,
    /// The defaults of columns that may not be NULL, by column.
    pub(super) defaults: BTreeMap<Arc<str>, String>,
}

/// A unique index, or the number that SQLite gives each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unique {
    /// Its name.
    pub(super) name: String,
    /// What is indexed.
    pub(super) terms: Vec<Term>,
    /// Which rows are, if not all.
    pub(super) condition: Option<String>,
    /// When a row's values are not known before it is written.
    pub(super) unsure: Unsure,
}

/// One part of what is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// As SQL over the table's columns.
    pub(super) indexed: String,
    /// The column, if it is one.
    pub(super) column: Option<Arc<str>>,
    /// How values are compared.
    pub(super) collation: String,
}

impl Shape {
    /// How the table is followed. A fault says why it is not.
    pub(in crate::sqlite) fn read(
        connection: &Connection,
        name: &TableName,
    ) -> Result<Self, Trouble> {
        check_kind(connection, name)?;
        let table = schema::table(connection, name)?.ok_or_else(|| missing(name))?;
        let indexes = indexes(connection, name)?;
        check_key(connection, &table, &indexes)?;
        let defaults = defaults(connection, name)?;
        let inputs = inputs(connection, &table, defaults.keys().cloned().collect())?;
        let mut uniques = Vec::new();
        for index in indexes.into_iter().filter(|index| !index.is_key) {
            uniques.push(unique(connection, &table, index, &inputs)?);
        }
        uniques.extend(row_number(connection, &table)?);
        Ok(Self { table, uniques, defaults })
    }

    /// The columns and the key in words: it is another version if they differ.
    pub(super) fn words(&self) -> String {
        let column = |column: &model::Column| {
            let null = if column.nullable { "" } else { " not null" };
            let Compares { collation, affinity } = &column.compares;
            let collation =
                collation.as_ref().map_or(String::new(), |it| format!(" collate {}", it.name));
            // `any` is another type in a STRICT table.
            let affinity = affinity.map_or(String::new(), |it| format!(" as {it:?}"));
            let (name, declared, kind) = (quote::name(&column.name), &column.declared, column.kind);
            format!("{name} {declared} ({kind:?}{affinity}){null}{collation}\n")
        };
        let columns: String = self.table.columns.iter().map(column).collect();
        format!("{columns}key {:?}", self.table.key)
    }
}

fn missing(name: &TableName) -> Fault {
    Fault::retry(Code::TableMissing, format!("there is no table {name}"))
}

fn check_kind(connection: &Connection, name: &TableName) -> Result<(), Trouble> {
    let kind = "select type from pragma_table_list where schema = 'main' and name = ?1";
    let kind: Option<String> =
        connection.prepare_cached(kind)?.query_row([name.as_str()], |row| row.get(0)).optional()?;
    let why = match kind.as_deref() {
        None => return Err(missing(name).into()),
        Some("table") => None,
        Some("view") => Some("it is a view"),
        Some(_) => Some("it is a virtual table, whose changes SQLite tells nobody"),
    };
    if let Some(why) = why {
        return Err(unsuitable(name, why).into());
    }
    let encoding: String = connection.query_row("pragma encoding", [], |row| row.get(0))?;
    if encoding != "UTF-8" {
        return Err(unsuitable(name, &format!("its file keeps texts as {encoding}")).into());
    }
    Ok(())
}

fn unsuitable(name: &TableName, why: &str) -> Fault {
    Fault::retry(Code::TableUnsuitable, format!("the table {name} can not be followed: {why}"))
}

/// The key never holds NULL, and compares as we do: byte by byte.
fn check_key(connection: &Connection, table: &Table, indexes: &[Index]) -> Result<(), Trouble> {
    let name = &table.name;
    let no_key = |why: &str| Fault::retry(Code::TableNoKey, format!("the table {name} {why}"));
    if table.key.is_empty() {
        return Err(no_key("has no primary key").into());
    }
    // Without an index of its own the key is the row's number, which is never NULL.
    let Some(index) = indexes.iter().find(|index| index.is_key) else { return Ok(()) };
    for &column in &table.key {
        let column = &table.columns[column];
        if column.nullable {
            let why = format!("lets NULL into its primary key: {} is not `not null`", column.name);
            return Err(no_key(&why).into());
        }
        let mut collations = vec![collation_of(connection, name, &column.name)?];
        collations.extend(index.columns.iter().map(|column| column.collation.clone()));
        if let Some(other) = collations.iter().find(|it| !it.eq_ignore_ascii_case("binary")) {
            let why = format!("its key compares texts as {other} does");
            return Err(unsuitable(name, &why).into());
        }
    }
    Ok(())
}

/// How a column's texts are compared where nothing else is said. SQLite names that in a plan only.
fn collation_of(
    connection: &Connection,
    table: &TableName,
    column: &str,
) -> rusqlite::Result<String> {
    let (column, table) = (quote::name(column), quote::name(table.as_str()));
    let mut plan =
        connection.prepare(&format!("explain select {column} = ?1 from main.{table}"))?;
    let mut steps = plan.query([""])?;
    while let Some(step) = steps.next()? {
        let (code, what): (String, Option<String>) = (step.get("opcode")?, step.get("p4")?);
        if let ("Eq" | "Ne", Some(what)) = (code.as_str(), what) {
            return Ok(what.rsplit_once('-').map_or("", |(name, _)| name).to_owned());
        }
    }
    Ok("binary".to_owned())
}

/// A unique index as SQLite describes it.
struct Index {
    name: String,
    is_key: bool,
    columns: Vec<IndexColumn>,
}

struct IndexColumn {
    /// None for an expression.
    name: Option<String>,
    collation: String,
}

fn indexes(connection: &Connection, table: &TableName) -> rusqlite::Result<Vec<Index>> {
    let list = "select name, origin = 'pk' from pragma_index_list(?1, 'main') where \"unique\" \
                order by name";
    let mut list = connection.prepare_cached(list)?;
    let found = list.query_map([table.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(String, bool)> = found.collect::<rusqlite::Result<_>>()?;
    let columns = "select name, coll from pragma_index_xinfo(?1, 'main') where key order by seqno";
    let mut columns = connection.prepare_cached(columns)?;
    let mut indexes = Vec::new();
    for (name, is_key) in found {
        let column =
            |row: &rusqlite::Row<'_>| Ok(IndexColumn { name: row.get(0)?, collation: row.get(1)? });
        let columns = columns.query_map([&name], column)?.collect::<rusqlite::Result<_>>()?;
        indexes.push(Index { name, is_key, columns });
    }
    Ok(indexes)
}

fn unique(
    connection: &Connection,
    table: &Table,
    index: Index,
    inputs: &Inputs,
) -> Result<Unique, Trouble> {
    let text = "select sql from main.sqlite_master where type = 'index' and name = ?1";
    let sql: Option<String> =
        connection.prepare_cached(text)?.query_row([&index.name], |row| row.get(0))?;
    // Indexes that a constraint has made have no text; they are over columns, and all rows.
    let text = sql.as_deref().map(|sql| {
        index_text::read(sql).filter(|text| text.terms.len() == index.columns.len()).ok_or_else(
            || unsuitable(&table.name, &format!("its index {} is not understood", index.name)),
        )
    });
    let text = text.transpose()?;
    let mut terms = Vec::new();
    for (place, IndexColumn { name, collation }) in index.columns.into_iter().enumerate() {
        let indexed = match (&name, &text) {
            (Some(name), _) => quote::name(name),
            (None, Some(text)) => text.terms[place].clone(),
            (None, None) => return Err(unsuitable(&table.name, "of one of its indexes").into()),
        };
        terms.push(Term { indexed, column: name.as_deref().map(Arc::from), collation });
    }
    let condition = text.and_then(|text| text.condition);
    let columns: Vec<_> = terms.iter().filter_map(|term| term.column.as_deref()).collect();
    let expressions = terms.iter().filter(|term| term.column.is_none());
    let expressions = expressions.map(|term| &*term.indexed).chain(condition.as_deref());
    let unsure = inputs.unsure(&columns, &expressions.collect::<Vec<_>>());
    Ok(Unique { name: index.name, terms, condition, unsure })
}

/// Of which columns values are made.
fn inputs(
    connection: &Connection,
    table: &Table,
    filled: BTreeSet<Arc<str>>,
) -> Result<Inputs, Trouble> {
    let name = table.name.as_str();
    let sql = "select sql from main.sqlite_master where type = 'table' and name = ?1";
    let sql: String = connection.query_row(sql, [name], |row| row.get(0))?;
    let generated = "select name from pragma_table_xinfo(?1, 'main') where hidden in (2, 3)";
    let mut generated = connection.prepare_cached(generated)?;
    let generated = generated.query_map([name], |row| row.get(0))?;
    let generated: Vec<String> = generated.collect::<rusqlite::Result<_>>()?;
    let is_number = schema::key_is_row_number(connection, table)?;
    let number = table.key_names().next().filter(|_| is_number).map(Arc::from);
    Inputs::new(&sql, &generated, filled, number)
        .ok_or_else(|| unsuitable(&table.name, "its own text is not understood").into())
}

/// SQLite's own number of a row is unique, too, where a table has one beside its key and it can be
/// named at all.
fn row_number(connection: &Connection, table: &Table) -> rusqlite::Result<Option<Unique>> {
    let is_plain = "select not wr from pragma_table_list where schema = 'main' and name = ?1";
    let is_plain: bool = connection.query_row(is_plain, [table.name.as_str()], |row| row.get(0))?;
    let is_taken =
        |name: &&str| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let name = ["rowid", "oid", "_rowid_"].into_iter().find(|name| !is_taken(name));
    if !is_plain || schema::key_is_row_number(connection, table)? {
        return Ok(None);
    }
    Ok(name.map(|name| {
        let term = Term {
            indexed: quote::name(name),
            column: Some(name.into()),
            collation: "binary".to_owned(),
        };
        // No index has this name: SQLite keeps what begins so for its own.
        Unique {
            name: "sqlite_rowid".to_owned(),
            terms: vec![term],
            condition: None,
            unsure: Unsure::default(),
        }
    }))
}

fn defaults(
    connection: &Connection,
    table: &TableName,
) -> rusqlite::Result<BTreeMap<Arc<str>, String>> {
    let defaults = "select name, dflt_value from pragma_table_xinfo(?1, 'main') \
                    where \"notnull\" and dflt_value is not null";
    let mut defaults = connection.prepare_cached(defaults)?;
    let default = |row: &rusqlite::Row<'_>| {
        let (name, default): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((name.as_str().into(), format!("({default})")))
    };
    defaults.query_map([table.as_str()], default)?.collect()
}
