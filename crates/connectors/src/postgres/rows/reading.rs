//! PURE: a table as it was asked for, and as it is now.

use super::failure::Failure;
use crate::postgres::schema::{Described, DescribedColumn};
use crate::postgres::trouble::Trouble;
use crate::postgres::types::read;
use model::{Cell, Code, Fault, Key, Kind, Row, Table, TableName, Value};
use std::sync::Arc;

/// A table as it was asked for, whose columns are all there still.
pub(super) struct Reading {
    asked: Arc<Table>,
    now: Described,
    /// Where each column that was asked for stands now.
    places: Vec<usize>,
    /// Whether it is a kind of an outbox, which has rows of others as well.
    is_kind: bool,
}

impl Reading {
    /// Fails if the table has become another one.
    pub(super) fn new(asked: Arc<Table>, now: Described, is_kind: bool) -> Result<Self, Failure> {
        let place = |column: &model::Column| {
            let is_it = |it: &model::Column| it.name == column.name && it.kind == column.kind;
            now.table.columns.iter().position(is_it)
        };
        let places = asked.columns.iter().map(place).collect::<Option<Vec<_>>>();
        match places.filter(|_| asked.key_names().eq(now.table.key_names())) {
            Some(places) => Ok(Self { asked, now, places, is_kind }),
            None => {
                let Table { name, version, .. } = &*asked;
                let what = format!("{name} does not look any more as it did in version {version}");
                Err(Fault::retry(Code::SourceUnavailable, what).into())
            }
        }
    }

    /// Its name at the source.
    pub(super) fn name(&self) -> &TableName {
        &self.asked.name
    }

    /// Its name in SQL.
    pub(super) fn only(&self) -> String {
        self.now.only()
    }

    /// The kind that its rows name, where the table has rows of other kinds as well.
    pub(super) fn kind(&self) -> Option<&str> {
        self.is_kind.then(|| self.asked.name.as_str())
    }

    /// The columns that were asked for.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.asked.columns.iter().map(|column| &*column.name)
    }

    /// The columns of its key, in key order.
    pub(super) fn key(&self) -> impl Iterator<Item = (&str, &DescribedColumn)> {
        self.now
            .table
            .key
            .iter()
            .map(|&place| (&*self.now.table.columns[place].name, &self.now.columns[place]))
    }

    /// The row of these cells, which are those of [`Self::columns`].
    pub(super) fn row(&self, cells: &[Option<String>]) -> Result<(Key, Row), Failure> {
        if cells.len() != self.places.len() {
            return Err(
                Trouble::malformed("a row has more or fewer cells than were asked for").into()
            );
        }
        let value = |(cell, &place): (&Option<String>, &usize)| match cell {
            None => Ok(Cell::Value(Value::Null)),
            Some(text) => {
                let value = read(&self.now.columns[place].form, text.as_bytes());
                value.map(Cell::Value).map_err(|wrong| Trouble::malformed(wrong.to_string()))
            }
        };
        let cells = cells.iter().zip(&self.places).map(value).collect::<Result<Vec<_>, _>>()?;
        let row = Row(cells);
        let no_key = || Trouble::malformed("a row has no key");
        let key = self.asked.key_of(&row).ok_or_else(no_key)?;
        self.check(&key)?;
        Ok((key, row))
    }

    /// What stays text because no number of ours is as large is sorted in another way here.
    fn check(&self, key: &Key) -> Result<(), Failure> {
        let mut columns = self.asked.key.iter().map(|&place| &self.asked.columns[place]);
        let too_far = |column: &model::Column, value: &Value| {
            matches!(column.kind, Kind::Timestamp | Kind::TimestampTz)
                && value.text_bytes().is_some()
        };
        match key.values().iter().find_map(|it| columns.next().filter(|column| too_far(column, it)))
        {
            None => Ok(()),
            Some(column) => {
                let what = format!(
                    "the table {} can not be followed: its key has {}, and there a time after the \
                     year 294246",
                    self.asked.name, column.name
                );
                Err(Fault::retry(Code::TableUnsuitable, what).into())
            }
        }
    }
}
