//! Writes one row of a batch.

use super::bind;
use super::books;
use super::layout::Layout;
use super::trouble::{Refused, Rule, Trouble, of_file, of_row, of_statement};
use super::way::{self, InTheWay};
use crate::parked::Parked;
use model::{Cell, Effect, Fault, Key, Lane, Row, Write};
use rusqlite::{CachedStatement, Connection};
use std::path::Path;

/// Writes rows in the transaction that is open.
pub(super) struct Writing<'c> {
    pub(super) connection: &'c Connection,
    pub(super) path: &'c Path,
    pub(super) lane: &'c Lane,
    /// Whether the lane holds any key; if not, no row can end a hold.
    pub(super) has_holds: bool,
    /// The rows that are out of the way of others.
    pub(super) parked: Parked,
    /// The statement of the last row that was put, since the next is mostly one of the same table.
    put: Option<(*const Layout, CachedStatement<'c>)>,
}

/// Why a row of another lane is left alone.
const OWNED: &str = "owned_by_another_lane";
/// Why an update has nothing to change.
const MISSING: &str = "row_missing";
/// Why a row is not there although no error came of it.
const IGNORED: &str = "ignored_by_trigger";

/// How often room is made for one row; more unique indexes no table has.
const WAYS_MAX: usize = 64;

impl<'c> Writing<'c> {
    /// Writes with this connection, for a lane.
    pub(super) fn new(
        connection: &'c Connection,
        path: &'c Path,
        lane: &'c Lane,
        has_holds: bool,
        parked: Parked,
    ) -> Self {
        Self { connection, path, lane, has_holds, parked, put: None }
    }

    /// Ends writing; answers the rows that still wait for their turn, and whether the lane may hold
    /// any key.
    pub(super) fn finish(self) -> (Parked, bool) {
        (self.parked, self.has_holds)
    }

    /// Writes a row, which is the batch's with this number, and ends the holds of its keys.
    pub(super) fn write(
        &mut self,
        layout: &Layout,
        write: &Write,
        number: usize,
    ) -> Result<(), Trouble> {
        let asked = Asked { layout, write, number };
        match &write.effect {
            Effect::Put { key, row, .. } => self.put(asked, key, row)?,
            Effect::Patch(key, row) => self.patch(asked, key, row)?,
            Effect::Move { before, key, row } => self.move_to(asked, before, key, row)?,
            Effect::Delete(key) => self.delete(asked, key)?,
            Effect::Truncate => {
                self.change(&layout.truncate, |statement| {
                    bind::lane(statement, 1, layout, self.lane.as_str())
                })?;
                self.parked.remove_all(&write.copy);
            }
        }
        if !self.parked.is_empty() {
            write.effect.keys().for_each(|key| self.parked.remove(&write.copy, key));
        }
        if self.has_holds { self.end_holds(write) } else { Ok(()) }
    }

    fn end_holds(&self, write: &Write) -> Result<(), Trouble> {
        let end = || match &write.effect {
            Effect::Truncate => books::end_holds(self.connection, self.lane, &write.copy),
            effect => effect
                .keys()
                .try_for_each(|key| books::end_hold(self.connection, self.lane, &write.copy, key)),
        };
        end().map_err(|error| of_file(self.path, error).into())
    }

    fn put(&mut self, asked: Asked<'_>, key: &Key, row: &Row) -> Result<(), Trouble> {
        let layout = asked.layout;
        let written = self.make_way((asked, key, row), |writing| {
            if layout.looks_first {
                writing.put_by_looking(layout, key, row)
            } else {
                writing.put_once(layout, row)
            }
        })?;
        if written {
            return Ok(());
        }
        match self.look(layout, key)? {
            Some(false) => Err(Trouble::refused(OWNED)),
            Some(true) | None => Err(Trouble::refused(IGNORED)),
        }
    }

    /// Puts a row where SQLite itself finds the row with its key.
    fn put_once(&mut self, layout: &Layout, row: &Row) -> Result<bool, Trouble> {
        let statement = match &mut self.put {
            Some((of, statement)) if std::ptr::eq(*of, layout) => statement,
            _ => {
                // The old statement is kept ready before another is asked for.
                self.put = None;
                let statement = self.connection.prepare_cached(&layout.put);
                let statement = statement.map_err(|error| of_statement(self.path, error))?;
                &mut self.put.insert((std::ptr::from_ref(layout), statement)).1
            }
        };
        let bound = bind::row(statement, 1, layout, row)
            .and_then(|next| bind::lane(statement, next, layout, self.lane.as_str()));
        let changed = bound.and_then(|()| statement.raw_execute());
        changed.map(|rows| rows > 0).map_err(|error| of_row(self.path, error))
    }

    /// Puts a row after looking whether it is there.
    fn put_by_looking(&self, layout: &Layout, key: &Key, row: &Row) -> Result<bool, Trouble> {
        match self.look(layout, key)? {
            Some(true) => {
                let all: Vec<_> = layout.written().map(|(at, _)| at).collect();
                self.update(layout, key, (&all, row))
            }
            Some(false) => Ok(false),
            None => self.change(&layout.insert, |statement| {
                let next = bind::row(statement, 1, layout, row)?;
                bind::lane(statement, next, layout, self.lane.as_str())
            }),
        }
    }

    fn patch(&mut self, asked: Asked<'_>, key: &Key, row: &Row) -> Result<(), Trouble> {
        let layout = asked.layout;
        if self.parked.had(&asked.write.copy, key).is_some() {
            let row = self.filled(asked, key, row)?;
            return self.put(asked, key, &row);
        }
        let known = known(layout, row);
        let columns = if known.is_empty() { layout.key.clone() } else { known };
        match self.update(layout, key, (&columns, row)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.why_not(layout, key)?),
            Err(Trouble::Refused(Refused { rule: Rule::Unique, .. })) => {
                let row = self.filled(asked, key, row)?;
                self.put(asked, key, &row)
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn move_to(
        &mut self,
        asked: Asked<'_>,
        before: &Key,
        key: &Key,
        row: &Row,
    ) -> Result<(), Trouble> {
        let layout = asked.layout;
        let (from, to) = (self.look(layout, before)?, self.look(layout, key)?);
        if from == Some(false) || to == Some(false) {
            return Err(Trouble::refused(OWNED));
        }
        if from.is_none() {
            return Err(Trouble::refused(MISSING));
        }
        let row = self.filled(asked, before, row)?;
        if to.is_some() {
            self.delete(asked, key)?;
        }
        let all: Vec<_> = layout.written().map(|(at, _)| at).collect();
        let written = self.make_way((asked, before, &row), |writing| {
            writing.update(layout, before, (&all, &row))
        })?;
        if written { Ok(()) } else { Err(self.why_not(layout, before)?) }
    }

    fn delete(&self, asked: Asked<'_>, key: &Key) -> Result<(), Trouble> {
        let layout = asked.layout;
        let deleted = self.change(&layout.delete, |statement| {
            let next = bind::key(statement, key)?;
            bind::lane(statement, next, layout, self.lane.as_str())
        })?;
        if !deleted && layout.looks_first && self.look(layout, key)? == Some(true) {
            return Err(Trouble::refused(IGNORED));
        }
        Ok(())
    }

    /// Gives columns of the row with a key new values; whether there was such a row of the lane.
    fn update(
        &self,
        layout: &Layout,
        key: &Key,
        (columns, row): (&[usize], &Row),
    ) -> Result<bool, Trouble> {
        self.change(&layout.update(columns), |statement| {
            let next = bind::key(statement, key)?;
            let next = bind::columns(statement, next, layout, (columns, row))?;
            bind::lane(statement, next, layout, self.lane.as_str())
        })
    }

    /// Tries to write until no row of this transaction is in the way. `key` finds the row as it is,
    /// `row` is what becomes of it.
    fn make_way(
        &mut self,
        (asked, key, row): (Asked<'_>, &Key, &Row),
        mut attempt: impl FnMut(&mut Self) -> Result<bool, Trouble>,
    ) -> Result<bool, Trouble> {
        for _ in 0..WAYS_MAX {
            let refused = match attempt(self) {
                Err(Trouble::Refused(refused)) if refused.rule == Rule::Unique => refused,
                other => return other,
            };
            self.put = None;
            let Asked { layout, write, number } = asked;
            let reason = refused.reason.as_str();
            let in_the_way = InTheWay { layout, write, number, key, row, reason };
            let (connection, lane) = (self.connection, self.lane.as_str());
            let parked = way::park(connection, lane, &in_the_way, &mut self.parked);
            if !parked.map_err(|error| of_file(self.path, error))? {
                return Err(Trouble::Refused(refused));
            }
        }
        Ok(false)
    }

    /// Whether there is a row with a key, and whether it is the lane's.
    fn look(&self, layout: &Layout, key: &Key) -> Result<Option<bool>, Fault> {
        let look = || -> rusqlite::Result<Option<bool>> {
            let mut statement = self.connection.prepare_cached(&layout.look)?;
            let next = bind::key(&mut statement, key)?;
            bind::lane(&mut statement, next, layout, self.lane.as_str())?;
            let mut found = statement.raw_query();
            found.next()?.map(|row| row.get(0)).transpose()
        };
        look().map_err(|error| of_file(self.path, error))
    }

    /// Why a statement found no row to write.
    fn why_not(&self, layout: &Layout, key: &Key) -> Result<Trouble, Fault> {
        Ok(match self.look(layout, key)? {
            Some(false) => Trouble::refused(OWNED),
            Some(true) => Trouble::refused(IGNORED),
            None => Trouble::refused(MISSING),
        })
    }

    /// A row with its unchanged cells as the table has them, or had before the row was moved out of
    /// the way.
    fn filled(&self, asked: Asked<'_>, key: &Key, row: &Row) -> Result<Row, Trouble> {
        let Asked { layout, write, .. } = asked;
        let found = way::stored_row(self.connection, layout, key, Some(self.lane.as_str()));
        let found = found.map_err(|error| of_file(self.path, error))?;
        let mut stored = found.ok_or_else(|| Trouble::refused(MISSING))?;
        for (at, value) in self.parked.had(&write.copy, key).unwrap_or_default() {
            stored.0[layout.columns[*at].place] = Cell::Value(value.clone());
        }
        let mut row = row.clone();
        row.fill_unchanged_from(&stored);
        Ok(row)
    }

    /// Runs a statement that writes at most a row; whether it did.
    fn change(
        &self,
        sql: &str,
        bind: impl FnOnce(&mut rusqlite::Statement<'_>) -> rusqlite::Result<()>,
    ) -> Result<bool, Trouble> {
        let statement = self.connection.prepare_cached(sql);
        let mut statement = statement.map_err(|error| of_statement(self.path, error))?;
        let changed = bind(&mut statement).and_then(|()| statement.raw_execute());
        changed.map(|rows| rows > 0).map_err(|error| of_row(self.path, error))
    }
}

/// The write at hand.
#[derive(Clone, Copy)]
struct Asked<'a> {
    layout: &'a Layout,
    write: &'a Write,
    number: usize,
}

/// The columns that a row says something about, but for its key.
fn known(layout: &Layout, row: &Row) -> Vec<usize> {
    let is_known = |place: usize| row.0.get(place).is_some_and(|cell| *cell != Cell::Unchanged);
    let known = layout.written().filter(|(_, held)| !held.is_key && is_known(held.place));
    known.map(|(at, _)| at).collect()
}
