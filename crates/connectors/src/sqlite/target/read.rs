//! Reads rows of a copy in the order of their keys.
//!
//! Where SQLite's order is that order (`order.rs`), it finds a range by its index. Where it is not,
//! or a row shows that it is not, the keys of the whole table are looked through: slow, and right.

use super::bind;
use super::layout::Layout;
use super::order;
use super::shape::Shape;
use super::stored::StoredKey;
use super::way;
use crate::pieces::{joined, list};
use model::{Digest, Key, Lane, Row, Rows, Seed, Selection};
use rusqlite::{Connection, Result, Statement};
use std::collections::BTreeSet;

/// A snapshot of a copy's table.
pub(super) struct Reading<'a> {
    pub(super) connection: &'a Connection,
    pub(super) layout: &'a Layout,
    pub(super) shape: &'a Shape,
    /// Which rows would spoil SQLite's order; nothing if it is another one anyway.
    pub(super) spoiled_by: Option<Option<String>>,
    /// The lane whose rows are read, if not all are.
    pub(super) lane: Option<&'a Lane>,
}

impl Reading<'_> {
    /// The selected rows, at most so many.
    pub(super) fn rows(&self, selection: &Selection, rows_max: usize) -> Result<Rows> {
        let limit = rows_max.saturating_add(1);
        let mut rows = Vec::new();
        let found = self.in_order(selection, limit, |key, row| rows.push((key, row, None)))?;
        if !found {
            rows.clear();
            for key in self.selected(selection, limit)? {
                if let Some(row) = self.row(&key)? {
                    rows.push((key, row, None));
                }
            }
        }
        let more = rows.len() > rows_max;
        rows.truncate(rows_max);
        let upto = rows.last().filter(|_| more).map(|(key, ..)| key.clone());
        Ok(Rows { rows, upto })
    }

    /// The digest of the selected rows.
    pub(super) fn digest(&self, selection: &Selection, seed: Seed) -> Result<Digest> {
        let table = &self.layout.table;
        let mut digest = Digest::default();
        let add = |key: Key, row: Row| digest += Digest::of(seed, table, &key, &row);
        if self.in_order(selection, usize::MAX, add)? {
            return Ok(digest);
        }
        let mut digest = Digest::default();
        self.through(|key, row| {
            if selection.contains(&key) {
                digest += Digest::of(seed, table, &key, &row);
            }
        })?;
        Ok(digest)
    }

    /// Gives the selected rows in the order of their keys; false if SQLite can not find them in that
    /// order, and what it gave is not to be used.
    fn in_order(
        &self,
        selection: &Selection,
        limit: usize,
        mut give: impl FnMut(Key, Row),
    ) -> Result<bool> {
        let (after, upto) = match selection {
            Selection::Nothing => return Ok(true),
            Selection::Keys(keys) => {
                let keys: BTreeSet<_> = keys.iter().collect();
                let mut given = 0;
                for key in keys {
                    if let Some(row) = self.row(key)?.filter(|_| given < limit) {
                        give(key.clone(), row);
                        given += 1;
                    }
                }
                return Ok(true);
            }
            Selection::Range { after, upto } => (after, upto),
        };
        if !self.is_sorted(selection, upto.is_none())? {
            return Ok(false);
        }
        let mut statement = self.connection.prepare_cached(&self.range(after, upto))?;
        let mut next = 1;
        for key in after.iter().chain(upto) {
            for value in key.values() {
                statement.raw_bind_parameter(next, StoredKey(value))?;
                next += 1;
            }
        }
        self.bind_lane(&mut statement, next)?;
        statement.raw_bind_parameter(next + 1, i64::try_from(limit).unwrap_or(i64::MAX))?;
        let mut last: Option<Key> = None;
        let mut found = statement.raw_query();
        while let Some(found) = found.next()? {
            let row = way::read_row(self.layout, found)?;
            let Some(key) = self.layout.table.key_of(&row) else { return Ok(false) };
            if !selection.contains(&key) || last.as_ref() >= Some(&key) {
                return Ok(false);
            }
            last = Some(key.clone());
            give(key, row);
        }
        Ok(true)
    }

    /// Whether SQLite's order serves. Rows that spoil it sort behind others, so that within a range
    /// that ends they are seen; one without an end might miss them.
    fn is_sorted(&self, selection: &Selection, is_open: bool) -> Result<bool> {
        let Some(spoiled_by) = &self.spoiled_by else { return Ok(false) };
        if !order::is_clear(self.layout, self.shape, selection) {
            return Ok(false);
        }
        let Some(condition) = spoiled_by.as_ref().filter(|_| is_open) else { return Ok(true) };
        let sql =
            format!("select not exists (select 1 from {} where {condition})", self.layout.name);
        self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    }

    fn range(&self, after: &Option<Key>, upto: &Option<Key>) -> String {
        let layout = self.layout;
        let (key, columns) =
            (list(layout.key_names()), list(layout.columns.iter().map(|it| &it.name)));
        let mut conditions = Vec::new();
        let mut next = 1;
        for (end, compares) in [(after, ">"), (upto, "<=")] {
            if end.is_some() {
                let values = list((next..next + layout.key_len()).map(|at| format!("?{at}")));
                conditions.push(format!("({key}) {compares} ({values})"));
                next += layout.key_len();
            }
        }
        conditions.push(self.is_ours(next));
        let (name, conditions) = (&layout.name, joined(conditions, " and "));
        format!(
            "select {columns} from {name} where {conditions} order by {key} limit ?{}",
            next + 1
        )
    }

    /// The least selected keys, at most so many, found by looking through all of them.
    fn selected(&self, selection: &Selection, limit: usize) -> Result<BTreeSet<Key>> {
        let mut keys = BTreeSet::new();
        self.through(|key, _| {
            if selection.contains(&key) {
                keys.insert(key);
                if keys.len() > limit {
                    keys.pop_last();
                }
            }
        })?;
        Ok(keys)
    }

    /// Gives every row, in no order.
    fn through(&self, mut give: impl FnMut(Key, Row)) -> Result<()> {
        let layout = self.layout;
        let columns = list(layout.columns.iter().map(|held| &held.name));
        let sql = format!("select {columns} from {} where {}", layout.name, self.is_ours(1));
        let mut statement = self.connection.prepare_cached(&sql)?;
        self.bind_lane(&mut statement, 1)?;
        let mut found = statement.raw_query();
        while let Some(found) = found.next()? {
            let row = way::read_row(layout, found)?;
            if let Some(key) = layout.table.key_of(&row) {
                give(key, row);
            }
        }
        Ok(())
    }

    /// One row by its key.
    fn row(&self, key: &Key) -> Result<Option<Row>> {
        if key.values().len() != self.layout.key_len() {
            return Ok(None);
        }
        if self.lane.is_some() {
            let behind = self.layout.key_len() + 1;
            let (name, found) = (&self.layout.name, self.layout.found_by(1));
            let sql = format!("select 1 from {name} where {found} and {}", self.is_ours(behind));
            let mut statement = self.connection.prepare_cached(&sql)?;
            bind::key(&mut statement, key)?;
            self.bind_lane(&mut statement, behind)?;
            if statement.raw_query().next()?.is_none() {
                return Ok(None);
            }
        }
        way::stored_row(self.connection, self.layout, key, self.lane.map(Lane::as_str))
    }

    /// The condition that a row is wanted, as far as lanes go.
    fn is_ours(&self, at: usize) -> String {
        match self.lane {
            Some(_) => self.layout.is_ours(at),
            None => format!("?{at} is null"),
        }
    }

    fn bind_lane(&self, statement: &mut Statement<'_>, at: usize) -> Result<()> {
        statement.raw_bind_parameter(at, self.lane.map(Lane::as_str))
    }
}
