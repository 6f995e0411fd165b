//! Reads a copy back, in the names of its source.

use super::books;
use super::layout::Layout;
use super::open::{self, FileId};
use super::order;
use super::read::Reading;
use super::shape::Shape;
use super::tables;
use super::trouble::of_file;
use crate::copy::CopyTo;
use crate::sqlite::file::File;
use async_trait::async_trait;
use model::{
    Answer, At, Column, Digest, Fault, Inspect, Kind, Lane, Rows, Seed, Selection, Service, Table,
    TableName,
};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use worker::Worker;

/// Reads one copy of a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteCopyRows {
    file: File,
    copy: CopyTo,
    of: TableName,
    lane: Option<Lane>,
}

impl SqliteCopyRows {
    /// The rows of a copy of a source table; where several lanes feed it, those of this lane.
    pub fn new(file: File, copy: CopyTo, of: TableName, lane: Option<Lane>) -> Self {
        Self { file, copy, of, lane }
    }
}

#[async_trait]
impl Service<dyn Inspect> for SqliteCopyRows {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        let Self { file, copy, of, lane } = self.clone();
        let open = move || {
            let (connection, id) = open::for_reading(&file.path, file.busy)?;
            Ok((Reader { connection, id, path: file.path, copy, of, lane }, ()))
        };
        let (worker, ()) = Worker::open("sqlite copy", open).await?;
        Ok(Box::new(Inspecting { worker }))
    }
}

struct Inspecting {
    worker: Worker<Reader>,
}

#[async_trait]
impl Inspect for Inspecting {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        let name = name.clone();
        self.worker.run(move |reader| reader.table(&name)).await
    }

    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        let (table, selection) = (Arc::clone(table), selection.clone());
        let rows = move |reading: &Reading<'_>| reading.rows(&selection, rows_max);
        self.worker.run(move |reader| reader.read(&table, rows)).await
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        let (table, selections) = (Arc::clone(table), selections.to_vec());
        let count = selections.len();
        let digests = move |reading: &Reading<'_>| {
            selections.iter().map(|selection| reading.digest(selection, seed)).collect()
        };
        let mut answer: Answer<Vec<Digest>> =
            self.worker.run(move |reader| reader.read(&table, digests)).await?;
        // Of a table that is yet to be made.
        answer.found.resize(count, Digest::default());
        Ok(answer)
    }
}

struct Reader {
    connection: Connection,
    id: FileId,
    path: PathBuf,
    copy: CopyTo,
    of: TableName,
    lane: Option<Lane>,
}

impl Reader {
    fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        self.id.check(&self.path)?;
        if *name != self.of {
            return Ok(None);
        }
        let shape = Shape::read(&self.connection, &self.copy.table);
        let shape = shape.map_err(|error| of_file(&self.path, error))?;
        Ok(shape.map(|shape| Arc::new(as_source(&self.copy, name, &shape))))
    }

    /// Reads in one snapshot; nothing is found where the table is yet to be made.
    fn read<T: Default>(
        &mut self,
        table: &Arc<Table>,
        read: impl FnOnce(&Reading<'_>) -> rusqlite::Result<T>,
    ) -> Result<Answer<T>, Fault> {
        self.id.check(&self.path)?;
        let judge = |error| of_file(&self.path, error);
        // Dropped at the end, whatever comes.
        let snapshot = self.connection.unchecked_transaction().map_err(judge)?;
        let at = watermarks(&snapshot).map_err(|error| books::judge_note(&self.path, error))?;
        let layout = tables::look(&snapshot, &self.path, &self.copy, table)?;
        let found = match layout {
            Some(layout) => self.read_table(&snapshot, &layout, read).map_err(judge)?,
            None if self.copy.create => T::default(),
            None => return Err(tables::missing(&self.path, &self.copy)),
        };
        Ok(Answer { at, found })
    }

    fn read_table<T>(
        &self,
        snapshot: &Connection,
        layout: &Layout,
        read: impl FnOnce(&Reading<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let shape = Shape::read(snapshot, &layout.bare)?;
        let shape = shape.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let encoding: String = snapshot.query_row("pragma encoding", [], |row| row.get(0))?;
        let spoiled_by = order::spoiled_by(layout, &shape).filter(|_| encoding == "UTF-8");
        let lane = self.lane.as_ref().filter(|_| layout.shard.is_some());
        read(&Reading { connection: snapshot, layout, shape: &shape, spoiled_by, lane })
    }
}

fn watermarks(snapshot: &Connection) -> rusqlite::Result<At> {
    let has_any = books::are_there(snapshot)?;
    let watermarks = if has_any { books::watermarks(snapshot)? } else { BTreeMap::new() };
    Ok(At::Target(watermarks))
}

/// The table as the source would have it, as far as the copy shows.
fn as_source(copy: &CopyTo, name: &TableName, shape: &Shape) -> Table {
    let is_shard =
        |name: &str| copy.shard_column.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(name));
    let at_source = |name: &str| {
        let renamed = copy.fields.iter().find(|(to, _)| to.eq_ignore_ascii_case(name));
        renamed.map_or_else(|| name.into(), |(_, from)| Arc::clone(from))
    };
    let shown: Vec<_> = shape.columns.iter().filter(|column| !is_shard(&column.name)).collect();
    let key = if shape.key.is_empty() { shape.unique.first() } else { Some(&shape.key) };
    let place = |name: &String| shown.iter().position(|column| column.name == *name);
    let key = key.into_iter().flatten().filter_map(place).collect();
    let columns = shown.iter().map(|column| Column {
        name: at_source(&column.name),
        kind: Kind::Any,
        declared: column.declared.as_str().into(),
        nullable: !column.not_null,
        compares: model::Compares::default(),
    });
    Table { name: name.clone(), version: 1, columns: columns.collect(), key }
}
