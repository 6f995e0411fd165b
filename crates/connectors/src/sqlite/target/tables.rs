//! The tables of the copies in their file: looked at once, and again when the schema has changed.

use super::columns;
use super::create;
use super::layout::Layout;
use super::shape::Shape;
use super::trouble::{of_file, of_statement};
use crate::copy::CopyTo;
use model::{Batch, Code, CopyName, Fault, Lane, Table};
use rusqlite::{Connection, Result as Sqlite};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// What is known of the tables.
#[derive(Debug)]
pub(super) struct Tables {
    copies: BTreeMap<CopyName, CopyTo>,
    layouts: BTreeMap<CopyName, Rc<Layout>>,
    /// Those of which it is noted that the rows of a lane are written with them.
    noted: BTreeSet<(Lane, CopyName)>,
    /// A copy that has more columns than its rows were written with.
    gained: Option<CopyName>,
    /// The schema's number when they were looked at.
    schema: Option<i64>,
    have_foreign_keys: bool,
}

impl Tables {
    /// The tables of these copies.
    pub(super) fn new(copies: Vec<CopyTo>) -> Self {
        let copies = copies.into_iter().map(|copy| (copy.name.clone(), copy)).collect();
        Self {
            copies,
            layouts: BTreeMap::new(),
            noted: BTreeSet::new(),
            gained: None,
            schema: None,
            have_foreign_keys: false,
        }
    }

    /// The copy that has to be compared with its source before more is written to it.
    pub(super) fn take_gained(&mut self) -> Option<CopyName> {
        self.gained.take()
    }

    /// Whether rows of any table refer to others.
    pub(super) fn have_foreign_keys(&self) -> bool {
        self.have_foreign_keys
    }

    /// The copies whose rows refer to those of others.
    pub(super) fn refers(
        &self,
        connection: &Connection,
    ) -> Sqlite<BTreeMap<CopyName, BTreeSet<CopyName>>> {
        let ask = "select distinct \"table\" from pragma_foreign_key_list(?1)";
        let mut ask = connection.prepare_cached(ask)?;
        let mut refers = BTreeMap::new();
        for copy in self.copies.values() {
            let tables = ask.query_map([&*copy.table], |row| row.get::<_, String>(0))?;
            let tables = tables.collect::<Sqlite<Vec<_>>>()?;
            let is_meant = |other: &&CopyTo| {
                other.name != copy.name
                    && tables.iter().any(|table| table.eq_ignore_ascii_case(&other.table))
            };
            let others = self.copies.values().filter(is_meant);
            let others: BTreeSet<_> = others.map(|other| other.name.clone()).collect();
            if !others.is_empty() {
                refers.insert(copy.name.clone(), others);
            }
        }
        Ok(refers)
    }

    /// Forgets what a transaction that is taken back may have made.
    pub(super) fn forget(&mut self) {
        self.layouts.clear();
        self.noted.clear();
        self.schema = None;
    }

    /// Looks again if the schema is not the one that was seen.
    pub(super) fn look_again(&mut self, connection: &Connection, schema: i64) -> Sqlite<()> {
        if self.schema == Some(schema) {
            return Ok(());
        }
        let ask = "select exists (select 1 from sqlite_schema as t, pragma_foreign_key_list(t.name)
                   where t.type = 'table')";
        self.have_foreign_keys = connection.query_row(ask, [], |row| row.get(0))?;
        self.layouts.clear();
        self.noted.clear();
        self.schema = Some(schema);
        Ok(())
    }

    /// Checks that every table is there which is not to be made.
    pub(super) fn check(&self, connection: &Connection, path: &Path) -> Result<(), Fault> {
        for copy in self.copies.values().filter(|copy| !copy.create) {
            let shape = Shape::read(connection, &copy.table);
            if shape.map_err(|error| of_file(path, error))?.is_none() {
                return Err(missing(path, copy));
            }
        }
        Ok(())
    }

    /// The layout of each write of a batch, in their order. Tables that are to be made are made.
    pub(super) fn layouts(
        &mut self,
        connection: &Connection,
        path: &Path,
        batch: &Batch,
    ) -> Result<Vec<Rc<Layout>>, Fault> {
        let mut layouts: Vec<Rc<Layout>> = Vec::with_capacity(batch.writes.len());
        let mut last: Option<&CopyName> = None;
        for write in batch.writes.iter() {
            let layout = match layouts.last() {
                Some(layout)
                    if last == Some(&write.copy) && Arc::ptr_eq(&layout.table, &write.table) =>
                {
                    Rc::clone(layout)
                }
                _ => {
                    let layout = self.layout(connection, path, &write.copy, &write.table)?;
                    self.note(connection, path, (&batch.lane, &write.copy), &layout)?;
                    layout
                }
            };
            last = Some(&write.copy);
            layouts.push(layout);
        }
        Ok(layouts)
    }

    /// Notes which columns the rows of a lane are written with, and refuses to go on if those from
    /// before lack one.
    fn note(
        &mut self,
        connection: &Connection,
        path: &Path,
        (lane, copy): (&Lane, &CopyName),
        layout: &Layout,
    ) -> Result<(), Fault> {
        if self.noted.contains(&(lane.clone(), copy.clone())) {
            return Ok(());
        }
        let gained = columns::gained(connection, lane, copy, layout);
        let gained = gained.map_err(|error| of_file(path, error))?;
        if gained.is_empty() {
            self.noted.insert((lane.clone(), copy.clone()));
            return Ok(());
        }
        self.gained = Some(copy.clone());
        let (path, gained) = (path.display(), gained.join(", "));
        let what = format!("{path}: copy {copy} has more columns of its source now: {gained}");
        Err(Fault::retry(Code::CopyColumnAdded, what))
    }

    /// How rows of a source table lie in a copy's.
    pub(super) fn layout(
        &mut self,
        connection: &Connection,
        path: &Path,
        copy: &CopyName,
        table: &Arc<Table>,
    ) -> Result<Rc<Layout>, Fault> {
        let is_same = |known: &&Rc<Layout>| known.table == *table;
        if let Some(known) = self.layouts.get(copy).filter(is_same) {
            return Ok(Rc::clone(known));
        }
        let asked = self.copies.get(copy).ok_or_else(|| {
            let what = format!("{}: no copy is named {copy}", path.display());
            Fault::stop(Code::Broken, what)
        })?;
        let layout = match look(connection, path, asked, table)? {
            Some(layout) => layout,
            None if asked.create => {
                let made = connection.execute_batch(&create::statement(asked, table));
                made.map_err(|error| of_statement(path, error))?;
                look(connection, path, asked, table)?.ok_or_else(|| missing(path, asked))?
            }
            None => return Err(missing(path, asked)),
        };
        let layout = Rc::new(layout);
        self.layouts.insert(copy.clone(), Rc::clone(&layout));
        self.noted.retain(|(_, noted)| noted != copy);
        Ok(layout)
    }
}

/// How rows of a source table lie in a copy's; none if the copy has no table.
pub(super) fn look(
    connection: &Connection,
    path: &Path,
    copy: &CopyTo,
    table: &Arc<Table>,
) -> Result<Option<Layout>, Fault> {
    let shape = Shape::read(connection, &copy.table).map_err(|error| of_file(path, error))?;
    let Some(shape) = shape else { return Ok(None) };
    let of_instep = copy.table.get(..7).is_some_and(|it| it.eq_ignore_ascii_case("instep_"));
    let layout = match (of_instep, shape.is_plain) {
        (true, _) => Err("tables of this name are Instep's own".to_owned()),
        (false, false) => Err("it is no plain table".to_owned()),
        (false, true) => Layout::new(copy, table, &shape),
    };
    layout.map(Some).map_err(|why| {
        let what =
            format!("{}: table {} for copy {}: {why}", path.display(), copy.table, copy.name);
        Fault::stop(Code::CopyColumns, what)
    })
}

/// Which columns of a source's table that of a copy has, by their places. None if there is no table
/// and the copy makes it.
pub(in crate::sqlite) fn look_at(
    connection: &Connection,
    path: &Path,
    copy: &CopyTo,
    table: &Arc<Table>,
) -> Result<Option<Vec<usize>>, Fault> {
    match look(connection, path, copy, table)? {
        Some(layout) => Ok(Some(layout.columns.iter().map(|held| held.place).collect())),
        None if copy.create => Ok(None),
        None => Err(missing(path, copy)),
    }
}

/// The fault of a copy without a table.
pub(super) fn missing(path: &Path, copy: &CopyTo) -> Fault {
    let what = format!(
        "{}: there is no table {} for copy {}; make it, or set `create: true`",
        path.display(),
        copy.table,
        copy.name
    );
    Fault::retry(Code::CopyTableMissing, what)
}
