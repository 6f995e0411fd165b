//! Reads the rows of a followed file as they are, with the exact place of each answer.
//!
//! An answer is one snapshot, and says up to which recorded change it reaches. That is only exact
//! while every change of the table is recorded, which is looked at in the same snapshot.
//! SQLite sorts keys as we do: numbers by what they are worth, then texts and then blobs, byte by
//! byte.

use super::spool::row_of;
use super::{estimate, history, install};
use crate::sqlite::fault::Side;
use crate::sqlite::file::File;
use crate::sqlite::inode::Inode;
use crate::sqlite::quote;
use crate::sqlite::trouble::Trouble;
use crate::sqlite::value;
use async_trait::async_trait;
use model::{
    Answer, At, Code, Digest, Fault, Inspect, Key, Placement, Row, Rows, Seed, Sees, Selection,
    Service, Table, TableName,
};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};
use std::collections::BTreeSet;
use std::sync::Arc;
use worker::Worker;

/// The rows of a followed file.
#[derive(Clone, Debug)]
pub struct SqliteRows {
    file: File,
}

impl SqliteRows {
    /// The rows of this file.
    pub fn new(file: File) -> Self {
        Self { file }
    }
}

#[async_trait]
impl Service<dyn Inspect> for SqliteRows {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        let file = self.file.clone();
        let open = move || Ok((Reader::open(file)?, ()));
        let (worker, ()) = Worker::open("sqlite rows", open).await?;
        Ok(Box::new(Session { worker }))
    }
}

struct Session {
    worker: Worker<Reader>,
}

#[async_trait]
impl Inspect for Session {
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
        let read = move |reader: &mut Reader| {
            reader.answer(&table, |snapshot| {
                let mut rows = Vec::new();
                let upto = walk(snapshot, &table, &selection, rows_max, |key, row| {
                    rows.push((key, row, None));
                })?;
                Ok(Rows { rows, upto })
            })
        };
        self.worker.run(read).await
    }

    async fn estimate(&mut self, table: &Arc<Table>) -> Result<Option<u64>, Fault> {
        let name = table.name.clone();
        let ask = move |reader: &mut Reader| {
            let estimated = estimate::rows(&reader.connection, &name);
            estimated
                .map_err(|error| Trouble::Sqlite(error).judged(Side::Source, &reader.file.path))
        };
        self.worker.run(ask).await
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        let (table, selections) = (Arc::clone(table), selections.to_vec());
        let read = move |reader: &mut Reader| {
            reader.answer(&table, |snapshot| {
                let digest = |selection| {
                    let mut sum = Digest::default();
                    walk(snapshot, &table, selection, usize::MAX, |key, row| {
                        sum += Digest::of(seed, &table, &key, &row);
                    })?;
                    Ok(sum)
                };
                selections.iter().map(digest).collect()
            })
        };
        self.worker.run(read).await
    }
}

/// A connection that reads, on its thread.
struct Reader {
    connection: Connection,
    file: File,
    inode: Inode,
    /// The table that was last found to be followed, and the schema in which it was.
    followed: Option<(i64, Arc<Table>)>,
}

impl Reader {
    fn open(file: File) -> Result<Self, Fault> {
        let inode = Inode::of(&file.path).map_err(|error| {
            let what = format!("{} can not be opened: {error}", file.path.display());
            Fault::retry(Code::SourceUnavailable, what).because(error)
        })?;
        // A file in write-ahead mode can not be read without writing beside it.
        let connection = file.open(Side::Source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let queried = connection.execute_batch("pragma query_only = on");
        queried.map_err(|error| Trouble::Sqlite(error).judged(Side::Source, &file.path))?;
        Ok(Self { connection, file, inode, followed: None })
    }

    fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        let mut find = || {
            let snapshot = self.connection.transaction()?;
            install::table(&snapshot, name)
        };
        match find().map_err(|trouble: Trouble| trouble.judged(Side::Source, &self.file.path)) {
            Ok(table) => Ok(Some(table)),
            Err(fault) if fault.code == Code::TableMissing => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Reads in one snapshot, and says where it stands.
    fn answer<T>(
        &mut self,
        table: &Table,
        read: impl FnOnce(&Connection) -> Result<T, Trouble>,
    ) -> Result<Answer<T>, Fault> {
        let answered = self.try_answer(table, read);
        answered.map_err(|trouble| trouble.judged(Side::Source, &self.file.path))
    }

    fn try_answer<T>(
        &mut self,
        table: &Table,
        read: impl FnOnce(&Connection) -> Result<T, Trouble>,
    ) -> Result<Answer<T>, Trouble> {
        if Inode::of(&self.file.path).ok() != Some(self.inode) {
            let what = format!("{} is another file now, or gone", self.file.path.display());
            return Err(Fault::retry(Code::SourceUnavailable, what).into());
        }
        let snapshot = self.connection.transaction()?;
        let schema = install::schema_number(&snapshot)?;
        let followed = match self.followed.take() {
            Some((of, followed)) if of == schema && followed.name == table.name => followed,
            _ => followed(&snapshot, &table.name)?,
        };
        fits(table, &followed)?;
        self.followed = Some((schema, followed));
        let reached = history::position(history::last(&snapshot)?);
        let found = read(&snapshot)?;
        let sees = Sees::Upto(reached.clone());
        Ok(Answer { at: At::Source(Placement { reached, sees }), found })
    }
}

/// The table, if every change of it is recorded.
fn followed(snapshot: &Connection, name: &TableName) -> Result<Arc<Table>, Trouble> {
    install::recorded(snapshot, name)?.ok_or_else(|| {
        let what = format!("the changes of {name} are not recorded yet, or not any more");
        Fault::retry(Code::SourceUnavailable, what).into()
    })
}

/// A reader knows the table in some version; its columns have to be there still.
fn fits(table: &Table, now: &Table) -> Result<(), Trouble> {
    let is_there = |it: &model::Column| now.columns.iter().any(|column| column.name == it.name);
    if table.key_names().eq(now.key_names()) && table.columns.iter().all(is_there) {
        return Ok(());
    }
    let what =
        format!("{} does not look any more as it did in version {}", now.name, table.version);
    Err(Fault::retry(Code::SourceUnavailable, what).into())
}

/// Walks through the selected rows in key order, through so many at most. The last key if there are
/// more.
fn walk(
    snapshot: &Connection,
    table: &Table,
    selection: &Selection,
    rows_max: usize,
    mut found: impl FnMut(Key, Row),
) -> Result<Option<Key>, Trouble> {
    let mut walked = Walked { table, left: rows_max, last: None };
    match selection {
        Selection::Nothing => {}
        Selection::Range { after, upto } => {
            let query = range_query(table, after.is_some(), upto.is_some());
            let ends: Vec<_> = after.iter().chain(upto).flat_map(Key::values).map(Bound).collect();
            let mut query = snapshot.prepare_cached(&query)?;
            let mut rows = query.query(params_from_iter(ends))?;
            while let Some(row) = rows.next()? {
                if walked.is_over(row, &mut found)? {
                    return Ok(walked.last);
                }
            }
        }
        Selection::Keys(keys) => {
            let mut query = snapshot.prepare_cached(&key_query(table))?;
            for key in keys.iter().collect::<BTreeSet<_>>() {
                let mut rows = query.query(params_from_iter(key.values().iter().map(Bound)))?;
                if let Some(row) = rows.next()?
                    && walked.is_over(row, &mut found)?
                {
                    return Ok(walked.last);
                }
            }
        }
    }
    Ok(None)
}

struct Walked<'a> {
    table: &'a Table,
    left: usize,
    last: Option<Key>,
}

impl Walked<'_> {
    /// Takes the row, unless there were enough.
    fn is_over(
        &mut self,
        row: &rusqlite::Row<'_>,
        found: &mut impl FnMut(Key, Row),
    ) -> Result<bool, Trouble> {
        if self.left == 0 {
            return Ok(true);
        }
        let (key, row) = row_of(self.table, row, 0)?;
        self.left -= 1;
        self.last = Some(key.clone());
        found(key, row);
        Ok(false)
    }
}

fn range_query(table: &Table, has_after: bool, has_upto: bool) -> String {
    let key: Vec<_> = key_names(table);
    let marks = |first: usize| -> String {
        let marks: Vec<_> = (first..first + key.len()).map(|it| format!("?{it}")).collect();
        marks.join(", ")
    };
    let names = key.join(", ");
    let mut within = Vec::new();
    if has_after {
        within.push(format!("({names}) > ({})", marks(1)));
    }
    if has_upto {
        let first = if has_after { key.len() + 1 } else { 1 };
        within.push(format!("({names}) <= ({})", marks(first)));
    }
    let within = if within.is_empty() { "1".to_owned() } else { within.join(" and ") };
    format!("{} where {within} order by {names}", select(table))
}

fn key_query(table: &Table) -> String {
    let is_it = |(name, place): (String, usize)| format!("{name} = ?{place}");
    let key: Vec<_> = key_names(table).into_iter().zip(1..).map(is_it).collect();
    format!("{} where {}", select(table), key.join(" and "))
}

fn select(table: &Table) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quote::name(&column.name)).collect();
    format!("select {} from main.{}", columns.join(", "), quote::name(table.name.as_str()))
}

fn key_names(table: &Table) -> Vec<String> {
    table.key_names().map(quote::name).collect()
}

/// A value of a key, on its way to SQLite.
struct Bound<'a>(&'a model::Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        value::bound(self.0)
    }
}
