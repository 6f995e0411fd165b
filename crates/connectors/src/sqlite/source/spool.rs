//! Rows of one reading, put aside so that the file itself is free again at once.
//!
//! A reading is one transaction, however many rows it has; they go into temporary tables, which
//! SQLite keeps on disk if they are large, and are handed over from there in parts. The rows that are
//! gone come first, so that others may have taken their unique values; then those that are there, in
//! the order in which they were first touched, so that those that others refer to come before them.

use crate::sqlite::trouble::Trouble;
use crate::sqlite::{quote, value};
use model::{Change, Code, Fault, Key, Op, Row, Table, TableName};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The temporary tables of a connection, and how far they are handed over.
#[derive(Debug)]
pub(super) struct Spool {
    tables: BTreeMap<TableName, Arc<Table>>,
    /// Takes the keys that were touched between two changes.
    touch: String,
    /// Takes the rows that there are of each table.
    find: Vec<String>,
    gone: String,
    /// Reads rows on, for each table; all have the same order.
    rows: String,
    stage: Stage,
}

/// What is handed over next: what comes after this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Gone(i64),
    Rows(i64),
    Done,
}

impl Spool {
    /// Makes the temporary tables, wide enough for these.
    pub(super) fn new(connection: &Connection, tables: &[Arc<Table>]) -> rusqlite::Result<Self> {
        let key_width = tables.iter().map(|table| table.key.len()).max().unwrap_or(1);
        let width = tables.iter().map(|table| table.columns.len()).max().unwrap_or(1);
        let (keys, cells) = (numbered("k", key_width), numbered("c", width));
        connection.execute_batch(&format!(
            "drop table if exists temp.instep_touched;
             drop table if exists temp.instep_found;
             create temp table instep_touched (place integer primary key, tbl, {keys});
             create temp table instep_found (place integer primary key, tbl, {cells});"
        ))?;
        let names: Vec<_> = tables.iter().map(|table| quote::text(table.name.as_str())).collect();
        let names = names.join(", ");
        let touch = format!(
            "insert into temp.instep_touched (tbl, {keys}) select tbl, {keys} \
             from main.instep_changes where seq > ?1 and seq <= ?2 and tbl in ({names}) \
             group by tbl, {keys} order by min(seq)"
        );
        let gone = format!(
            "select place, tbl, {keys} from temp.instep_touched touched where place > ?1 and not \
             exists (select 1 from temp.instep_found found where found.place = touched.place) \
             order by place"
        );
        let rows = format!(
            "select place, tbl, {cells} from temp.instep_found where place > ?1 order by place"
        );
        let find = tables.iter().map(|table| find(table)).collect();
        let tables = tables.iter().map(|table| (table.name.clone(), Arc::clone(table))).collect();
        Ok(Self { tables, touch, find, gone, rows, stage: Stage::Done })
    }

    /// Takes what was touched after one change and up to another; whether it was anything of ours.
    /// The connection reads one snapshot meanwhile.
    pub(super) fn fill(
        &mut self,
        connection: &Connection,
        after: i64,
        upto: i64,
    ) -> rusqlite::Result<bool> {
        connection.prepare_cached("delete from temp.instep_touched")?.execute([])?;
        connection.prepare_cached("delete from temp.instep_found")?.execute([])?;
        let touched = connection.prepare_cached(&self.touch)?.execute(params![after, upto])?;
        if touched > 0 {
            let mut found = 0;
            for find in &self.find {
                found += connection.prepare_cached(find)?.execute([])?;
            }
            self.stage = if found < touched { Stage::Gone(0) } else { Stage::Rows(0) };
        }
        Ok(touched > 0)
    }

    /// The next changes, about so many bytes of them; none if all were handed over.
    pub(super) fn part(
        &mut self,
        connection: &Connection,
        bytes_max: usize,
    ) -> Result<Vec<Change>, Trouble> {
        let mut part = Part { changes: Vec::new(), bytes: 0, bytes_max };
        if let Stage::Gone(after) = self.stage {
            let last = self.read(connection, &self.gone, after, &mut part, Self::delete)?;
            self.stage = last.map_or(Stage::Rows(0), Stage::Gone);
        }
        if let Stage::Rows(after) = self.stage
            && !part.is_full()
        {
            let last = self.read(connection, &self.rows, after, &mut part, Self::update)?;
            self.stage = last.map_or(Stage::Done, Stage::Rows);
        }
        Ok(part.changes)
    }

    /// Whether all was handed over.
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Reads on until the part is full; the place of its last row then.
    fn read(
        &self,
        connection: &Connection,
        query: &str,
        after: i64,
        part: &mut Part,
        change: fn(&Arc<Table>, &rusqlite::Row<'_>) -> Result<Option<Op>, Trouble>,
    ) -> Result<Option<i64>, Trouble> {
        let mut query = connection.prepare_cached(query)?;
        let mut rows = query.query([after])?;
        let mut last: Option<&Arc<Table>> = None;
        while let Some(row) = rows.next()? {
            // Mostly it is the table of the row before.
            let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let table = match last {
                Some(table) if table.name.as_str() == name => table,
                _ => last.insert(&self.tables[&TableName::from(name)]),
            };
            if let Some(op) = change(table, row)? {
                part.add(Change { table: Arc::clone(table), op });
            }
            if part.is_full() {
                return Ok(Some(row.get(0)?));
            }
        }
        Ok(None)
    }

    /// A row that is gone.
    fn delete(table: &Arc<Table>, row: &rusqlite::Row<'_>) -> Result<Option<Op>, Trouble> {
        let mut values = Vec::with_capacity(table.key.len());
        for place in 0..table.key.len() {
            values.push(value::read(row.get_ref(place + 2)?));
        }
        Ok(Some(Op::Delete(table.key_from(values))))
    }

    /// A row that is there. Whether it was there before is not known, so it is told as an update
    /// with all of its cells.
    fn update(table: &Arc<Table>, row: &rusqlite::Row<'_>) -> Result<Option<Op>, Trouble> {
        let (before, row) = row_of(table, row, 2)?;
        Ok(Some(Op::Update { before, row }))
    }
}

/// A row of a table, from the cells at and behind this place of what was read.
pub(in crate::sqlite) fn row_of(
    table: &Table,
    row: &rusqlite::Row<'_>,
    first: usize,
) -> Result<(Key, Row), Fault> {
    let mut cells = Vec::with_capacity(table.columns.len());
    for place in 0..table.columns.len() {
        let value = row.get_ref(first + place).map_err(|error| {
            Fault::stop(Code::Broken, "a reading has too few columns").because(error)
        })?;
        cells.push(value::cell(value));
    }
    let row = Row(cells);
    match table.key_of(&row) {
        Some(key) => Ok((key, row)),
        None => Err(Fault::stop(Code::Broken, "a row was read without its key")),
    }
}

struct Part {
    changes: Vec<Change>,
    bytes: usize,
    bytes_max: usize,
}

impl Part {
    fn add(&mut self, change: Change) {
        self.bytes += change.bytes();
        self.changes.push(change);
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
    }
}

/// Takes the rows of a table that were touched and are there.
fn find(table: &Table) -> String {
    let columns = table.columns.iter().map(|it| format!("there.{}", quote::name(&it.name)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let key = table.key_names().map(quote::name).zip(1..);
    let key = key.map(|(name, place)| format!("there.{name} = touched.k{place}"));
    let key = key.collect::<Vec<_>>().join(" and ");
    let cells = numbered("c", table.columns.len());
    let (from, name) = (quote::name(table.name.as_str()), quote::text(table.name.as_str()));
    format!(
        "insert into temp.instep_found (place, tbl, {cells}) select touched.place, touched.tbl, {columns} \
         from temp.instep_touched touched cross join main.{from} there on {key} \
         where touched.tbl = {name}"
    )
}

fn numbered(name: &str, count: usize) -> String {
    let names: Vec<_> = (1..=count).map(|number| format!("{name}{number}")).collect();
    names.join(", ")
}
