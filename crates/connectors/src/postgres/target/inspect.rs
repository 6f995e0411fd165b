//! Reads a copy back, in the names of its source.
//!
//! An answer is one transaction that only reads, begun with a lock of the weakest kind, since what
//! rewrites a table leaves it empty for a snapshot that is older. A connection in the middle of one is
//! given up rather than used again.

use super::books;
use super::read::Reading;
use super::shape::Shape;
use super::tables::{self, Tables, name_of};
use super::trouble::{damaged, of_server};
use crate::copy::CopyTo;
use crate::postgres::access::Access;
use crate::postgres::quote;
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use async_trait::async_trait;
use model::{
    Answer, At, Column, Digest, Fault, Inspect, Key, Kind, Lane, Row, Rows, Seed, Selection,
    Service, Table, TableName,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads one copy of a database.
#[derive(Clone, Debug)]
pub struct PostgresCopyRows {
    access: Arc<Access>,
    copy: CopyTo,
    of: TableName,
    lane: Option<Lane>,
}

impl PostgresCopyRows {
    /// The rows of a copy of a source table; where several lanes feed it, those of this lane.
    pub fn new(access: Access, copy: CopyTo, of: TableName, lane: Option<Lane>) -> Self {
        Self { access: Arc::new(access), copy, of, lane }
    }
}

#[async_trait]
impl Service<dyn Inspect> for PostgresCopyRows {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        let reader = Reader { of: self.clone(), open: None };
        let open = reader.connect().await?;
        Ok(Box::new(Reader { open: Some(open), ..reader }))
    }
}

/// A connection that is in no transaction.
struct Open {
    session: Session,
    tables: Tables,
}

struct Reader {
    of: PostgresCopyRows,
    /// None while an answer is on its way, and after one that was given up.
    open: Option<Open>,
}

/// How much memory the rows of an answer may take.
const BYTES_MAX: usize = 4 << 20;

/// What the server may take for one statement, for a lock, and wait for us in between.
const SETTINGS: &str = "set local statement_timeout = '30s'; set local lock_timeout = '5s';
    set local idle_in_transaction_session_timeout = '30s'; set local row_security = off";

#[async_trait]
impl Inspect for Reader {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        if *name != self.of.of {
            return Ok(None);
        }
        let open = self.take().await?;
        let shape = Shape::read(&open.session, &name_of(&self.of.copy)).await;
        let shape = shape.map_err(|trouble| self.judge(trouble))?;
        self.open = Some(open);
        Ok(shape.map(|shape| Arc::new(as_source(&self.of.copy, name, &shape))))
    }

    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        let (mut open, at, reading) = self.begin(table).await?;
        let (mut rows, mut bytes, mut more) = (Vec::new(), 0_usize, false);
        if let Some(reading) = reading {
            let mut take = |key: Key, row: Row| {
                if rows.len() >= rows_max || bytes >= BYTES_MAX {
                    more = true;
                    return false;
                }
                bytes += key.bytes() + row.bytes();
                rows.push((key, row, None));
                true
            };
            let rows_max = rows_max.saturating_add(1);
            let read = reading.read(&mut open.session, selection, rows_max, &mut take).await;
            read.map_err(|trouble| self.judge(trouble))?;
        }
        if !more {
            self.end(open).await?;
        }
        let upto = rows.last().filter(|_| more).map(|(key, ..)| key.clone());
        Ok(Answer { at, found: Rows { rows, upto } })
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        let (mut open, at, reading) = self.begin(table).await?;
        let mut found = vec![Digest::default(); selections.len()];
        if let Some(reading) = reading {
            for (selection, digest) in selections.iter().zip(&mut found) {
                let mut add = |key: Key, row: Row| {
                    *digest += Digest::of(seed, table, &key, &row);
                    true
                };
                let read = reading.read(&mut open.session, selection, usize::MAX, &mut add).await;
                read.map_err(|trouble| self.judge(trouble))?;
            }
        }
        self.end(open).await?;
        Ok(Answer { at, found })
    }
}

impl Reader {
    async fn connect(&self) -> Result<Open, Fault> {
        let session = Session::connect(&self.of.access).await;
        let session = session.map_err(|trouble| self.judge(trouble))?;
        let copies = std::slice::from_ref(&self.of.copy);
        let tables = Tables::open(&session, &self.of.access, copies).await?;
        Ok(Open { session, tables })
    }

    async fn take(&mut self) -> Result<Open, Fault> {
        match self.open.take().filter(|open| !open.session.is_closed()) {
            Some(open) => Ok(open),
            None => self.connect().await,
        }
    }

    /// Begins an answer: where it stands, and the table; none where it is yet to be made.
    async fn begin(&mut self, table: &Arc<Table>) -> Result<(Open, At, Option<Reading>), Fault> {
        let mut open = self.take().await?;
        let copy = &self.of.copy;
        let (schema, name) = copy.table.split_once('.').unwrap_or_default();
        let begin = format!(
            "begin transaction isolation level repeatable read, read only; {SETTINGS};
             lock table {}.{} in access share mode",
            quote::name(schema),
            quote::name(name)
        );
        let mut is_there = true;
        if let Err(trouble) = open.session.query(&begin).await {
            let state = trouble.refused().map(|refused| refused.sqlstate.as_str());
            if !matches!(state, Some("42P01" | "3F000")) {
                return Err(self.judge(trouble));
            }
            if !copy.create {
                return Err(tables::missing(&self.of.access, copy));
            }
            is_there = false;
            let begin = "rollback; begin transaction isolation level repeatable read, read only";
            self.query(&open, begin).await?;
        }
        let has_books = books::are_there(&open.session).await;
        let watermarks = match has_books.map_err(|trouble| self.judge(trouble))? {
            true => self.query(&open, books::WATERMARKS).await?,
            false => Vec::new(),
        };
        let watermarks = books::watermarks(&watermarks)
            .ok_or_else(|| damaged(&self.of.access, "a note of Instep's is not what it wrote"))?;
        let at = At::Target(watermarks);
        if !is_there {
            return Ok((open, at, None));
        }
        let layout = open.tables.look(&open.session, copy, table).await?;
        let missing = || tables::missing(&self.of.access, copy);
        let reading = Reading { layout: layout.ok_or_else(missing)?, lane: self.of.lane.clone() };
        Ok((open, at, Some(reading)))
    }

    /// Ends an answer, and keeps the connection.
    async fn end(&mut self, open: Open) -> Result<(), Fault> {
        self.query(&open, "commit").await?;
        self.open = Some(open);
        Ok(())
    }

    async fn query(&self, open: &Open, statements: &str) -> Result<Vec<Cells>, Fault> {
        open.session.query(statements).await.map_err(|trouble| self.judge(trouble))
    }

    fn judge(&self, trouble: Trouble) -> Fault {
        of_server(&self.of.access, trouble)
    }
}

/// The table as the source would have it, as far as the copy shows.
fn as_source(copy: &CopyTo, name: &TableName, shape: &Shape) -> Table {
    let fields: BTreeMap<&str, &Arc<str>> =
        copy.fields.iter().map(|(to, from)| (&**to, from)).collect();
    let shown: Vec<_> = shape
        .columns()
        .map(|(column, _)| column)
        .filter(|column| copy.shard_column.as_deref() != Some(column.name.as_str()))
        .collect();
    let primary = shape.facts.indexes_of(shape.facts.oid).into_iter().find(|it| it.is_primary);
    let of_primary = primary.map(|index| index.columns.values().flatten());
    let key: Vec<String> = match of_primary {
        Some(columns) => columns.map(|(name, _)| name.clone()).collect(),
        None => shape.unique.values().find_map(|index| index.is_key_of.clone()).unwrap_or_default(),
    };
    let place = |name: &String| shown.iter().position(|column| column.name == *name);
    let columns = shown.iter().map(|column| Column {
        name: fields
            .get(column.name.as_str())
            .map_or_else(|| column.name.as_str().into(), |from| Arc::clone(from)),
        kind: Kind::Any,
        declared: column.declared.as_str().into(),
        nullable: !column.is_not_null,
        compares: model::Compares::default(),
    });
    Table {
        name: name.clone(),
        version: 1,
        columns: columns.collect(),
        key: key.iter().filter_map(place).collect(),
    }
}
