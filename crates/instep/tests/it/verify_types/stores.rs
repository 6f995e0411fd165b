//! A PostgreSQL and a SQLite file with a column of each type, as a source and as a copy.

use super::types::{MEANINGS, TYPES, column, labels, row};
use crate::rig::open;
use compare::End;
use connectors::postgres::{Access, PostgresAudit};
use connectors::sqlite::{File, SqliteAudit};
use model::{Audit, Service};
use std::sync::Arc;
use tempfile::TempDir;
use testkit::postgres::{Server, shared};

/// Comparisons at the same time.
pub(super) const AT_ONCE: usize = 8;

/// Where a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Postgres,
    /// A table of SQLite, whose columns hold anything.
    Plain,
    /// A STRICT one.
    Strict,
}

impl Table {
    pub(super) const ALL: [Table; 3] = [Table::Postgres, Table::Plain, Table::Strict];

    fn word(self) -> &'static str {
        match self {
            Table::Postgres => "public.all",
            Table::Plain => "plain",
            Table::Strict => "strict",
        }
    }
}

/// Both stores.
pub(super) struct Stores {
    server: &'static Server,
    database: String,
    folder: TempDir,
}

impl Stores {
    /// With their tables; none where there is no PostgreSQL.
    pub(super) fn new() -> Option<Self> {
        let server = shared()?;
        let folder = tempfile::tempdir().expect("a folder");
        let stores = Self { server, database: server.database(), folder };
        stores.run(Table::Postgres, &format!("create type sort as enum ({})", labels()));
        for table in Table::ALL {
            for side in ["source", "copy"] {
                stores.run(table, &made(table, side));
            }
        }
        Some(stores)
    }

    /// Runs statements where such tables are.
    pub(super) fn run(&self, table: Table, statements: &str) {
        match table {
            Table::Postgres => {
                self.server.sql(&self.database, statements);
            }
            Table::Plain | Table::Strict => {
                let done = open(&self.file()).execute_batch(statements);
                done.unwrap_or_else(|it| panic!("{it}: {statements}"));
            }
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("all.db")
    }

    /// The tables of all types as a comparison takes them.
    pub(super) fn ends(&self, [source, copy]: [Table; 2]) -> [End; 2] {
        [(source, "source"), (copy, "copy")]
            .map(|(table, side)| self.end(table, &format!("{}_{side}", table.word())))
    }

    /// A table of this name as a comparison takes it.
    pub(super) fn end(&self, table: Table, name: &str) -> End {
        let store: Arc<dyn Service<dyn Audit>> = match table {
            Table::Postgres => {
                let url = self.server.url(&self.database);
                Arc::new(PostgresAudit::new(Access::parse(&url).expect("it is a URL")))
            }
            Table::Plain | Table::Strict => Arc::new(SqliteAudit::new(File::new(&self.file()))),
        };
        End { store, table: name.into(), condition: None }
    }
}

/// The statements that make one of the tables, with two rows for each meaning.
fn made(table: Table, side: &str) -> String {
    let name = format!("{}_{side}", table.word());
    let types = || TYPES.iter().enumerate().filter(|(_, it)| it.table == table);
    let columns = types().map(|(place, it)| {
        let declared = if it.id == "enum" { "sort" } else { it.shown };
        format!(", {} {declared}", column(place))
    });
    let strict = if table == Table::Strict { " strict" } else { "" };
    let mut made = format!(
        "create table {name} (id integer primary key{}){strict}",
        columns.collect::<String>()
    );
    for (number, meaning) in (0..).zip(MEANINGS) {
        for is_other in [false, true] {
            let written = types().filter_map(|(place, it)| Some((place, meaning.written(it.id)?)));
            let is_harmed = is_other && side == "copy";
            let (columns, values): (String, String) = written
                .map(|(place, both)| {
                    let value = both[usize::from(is_harmed)];
                    (format!(", {}", column(place)), format!(", {value}"))
                })
                .unzip();
            let id = row(number, is_other);
            made += &format!("; insert into {name} (id{columns}) values ({id}{values})");
        }
    }
    made
}
