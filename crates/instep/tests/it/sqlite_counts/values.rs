//! A file, its rows as they are followed, and what SQLite and Instep make of one count over them.

use connectors::sqlite::{File, SourceLimits, SqliteRows, SqliteSource};
use engine::count::{Condition, Count, Folds, Group};
use model::{Float, Row, Selection, Service, Source, Table, Value};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

/// A table `t` of a file, as it stood when it was read.
pub(crate) struct Filled {
    pub(crate) connection: Connection,
    pub(crate) table: Arc<Table>,
    rows: Vec<Row>,
    _folder: TempDir,
}

/// The number of each group.
pub(crate) type Numbers = BTreeMap<Group, i64>;

impl Filled {
    /// A file in which `fill` makes the table, and fills it.
    pub(crate) fn new(fill: impl FnOnce(&Connection)) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("source.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("pragma journal_mode = wal; pragma synchronous = off; begin")
            .unwrap();
        fill(&connection);
        connection.execute_batch("commit").unwrap();
        let file = File::new(&path);
        let read = async {
            let source = SqliteSource::new(file.clone(), vec!["t".into()], SourceLimits::default());
            let mut source = Service::<dyn Source>::connect(&source).await.unwrap();
            source.start(None).await.unwrap();
            let mut inspect = SqliteRows::new(file).connect().await.unwrap();
            let table = inspect.table(&"t".into()).await.unwrap().expect("it is there");
            let rows = inspect.rows(&table, &Selection::ALL, usize::MAX).await.unwrap();
            (table, rows.found.rows.into_iter().map(|(_, row, _)| row).collect())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (table, rows) = runtime.block_on(read);
        Self { connection, table, rows, _folder: folder }
    }

    /// The numbers by our own code, or why there are none.
    pub(crate) fn counted(&self, by: &[&str], condition: &str) -> Result<Numbers, String> {
        let condition = Condition::parse(condition).map_err(|fault| fault.to_string())?;
        let count = Count {
            name: "c".into(),
            of: "t".into(),
            by: by.iter().map(|&name| name.into()).collect(),
            condition: Some(condition),
        };
        let folds = Folds::new(&[count], &self.table).map_err(|faults| faults[0].to_string())?;
        let mut numbers = Numbers::new();
        for row in &self.rows {
            let cells = folds.project(row);
            for (_, group) in folds.groups(&cells) {
                if let Some(group) = group {
                    *numbers.entry(group).or_default() += 1;
                }
            }
        }
        Ok(numbers)
    }

    /// The numbers by SQLite.
    pub(crate) fn asked(&self, by: &[&str], condition: &str) -> Numbers {
        asked(&self.connection, "t", by, condition)
    }
}

/// The numbers over a table by SQLite.
pub(crate) fn asked(connection: &Connection, table: &str, by: &[&str], condition: &str) -> Numbers {
    let by: Vec<_> = by.iter().map(|name| quoted(name)).collect();
    let (shown, grouped) = match by.is_empty() {
        true => (String::new(), String::new()),
        false => (format!("{}, ", by.join(", ")), format!("group by {}", by.join(", "))),
    };
    let query = format!("select {shown}count(*) from {table} where {condition} {grouped}");
    numbers(connection, &query, by.len())
}

/// The numbers of a count as they stand where it is pushed to; none if there is no table yet.
pub(crate) fn pushed(connection: &Connection, count: &str, by: &[&str]) -> Numbers {
    let table = quoted(&format!("{count}_n"));
    let is_there = "select exists (select 1 from sqlite_master where name = ?1)";
    let is_there: bool =
        connection.query_row(is_there, [format!("{count}_n")], |row| row.get(0)).unwrap();
    if !is_there {
        return Numbers::new();
    }
    let shown: String = by.iter().map(|name| format!("{}, ", quoted(name))).collect();
    numbers(connection, &format!("select {shown}value from {table}"), by.len())
}

/// The rows of a query, which shows so many columns of a group and then its number.
fn numbers(connection: &Connection, query: &str, width: usize) -> Numbers {
    let mut query = connection.prepare(query).unwrap_or_else(|error| panic!("{error}: {query}"));
    let mut rows = query.query([]).unwrap();
    let mut numbers = Numbers::new();
    while let Some(row) = rows.next().unwrap() {
        let values = (0..width).map(|place| value(row.get_ref(place).unwrap()));
        let number: i64 = row.get(width).unwrap();
        if number > 0 {
            let group = Group::new(values);
            assert_eq!(numbers.insert(group.clone(), number), None, "{group} comes twice");
        }
    }
    numbers
}

/// A value as it stands in a group: whole numbers are integers.
fn value(value: ValueRef<'_>) -> Value {
    let value = match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(float) => Value::Float(Float(float)),
        ValueRef::Text(text) => Value::text(text),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
    };
    value.whole().map_or(value, Value::Int)
}

/// A name as SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
