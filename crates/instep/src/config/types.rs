//! The configuration as the rest of Instep uses it: plain data in which every name exists.

use super::secret::Secret;
use connectors::postgres::{Access, Outbox};
use engine::{Limits, WhenFull};
use model::{CopyName, TableName};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A configuration that holds together.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the journal, the state and the catalog stand.
    pub data_dir: PathBuf,
    /// Where the API listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The certificate of the API.
    pub tls: Option<Tls>,
    /// Who may use the API; everybody on this machine where it is empty.
    pub tokens: Vec<Token>,
    /// Every database, by its name.
    pub services: BTreeMap<String, Service>,
    /// Where the truth lives, in the order in which it is written.
    pub sources: Vec<Source>,
    /// What is kept equal to it.
    pub copies: Vec<Copy>,
    /// What is counted of it.
    pub counts: Vec<Count>,
    /// What happens to a target that holds up a full journal.
    pub when_full: WhenFull,
    /// The bounds of a pipeline.
    pub limits: Limits,
    /// The bounds of the journal.
    pub journal: journal::Options,
    /// The largest part of a transaction that a source hands over.
    pub part_bytes_max: usize,
    /// The most write-ahead log that a PostgreSQL keeps for us; zero where there is no bound.
    pub slot_wal_bytes_max: u64,
}

/// A certificate with its key, both in PEM and readable when the configuration was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and its chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A bearer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The token itself.
    pub secret: Secret,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To read.
    Viewer,
    /// To read and to change.
    Operator,
}

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// A SQLite file, from the root.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by how to get into it.
    Postgres(Box<Access>),
}

/// What kind of database a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceKind {
    /// A SQLite file.
    Sqlite,
    /// A PostgreSQL database.
    Postgres,
}

impl ServiceKind {
    /// What tells a name from every other: a SQLite file takes those that differ in capitals alone
    /// for one.
    pub(super) fn told_apart(self, name: &str) -> String {
        match self {
            ServiceKind::Sqlite => name.to_ascii_lowercase(),
            ServiceKind::Postgres => name.to_owned(),
        }
    }
}

/// Where the truth of some tables lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its services, each of which exists; several are its shards.
    pub services: Vec<String>,
    /// The tables that are followed; empty only beside an outbox.
    pub tables: Vec<TableName>,
    /// The outbox, whose kinds are tables of the source, too; only of a PostgreSQL.
    pub outbox: Option<Outbox>,
    /// Whether rows with one key in two shards are different rows.
    pub shard_in_key: bool,
    /// How its changes are found.
    pub capture: Capture,
}

/// How the changes of a source are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capture {
    /// As its kind does it best: PostgreSQL by its write-ahead log.
    #[default]
    Log,
    /// PostgreSQL by triggers, where the log is not to be had.
    Triggers,
}

impl Source {
    /// Whether this table is a kind of the outbox, whose rows the source does not keep.
    pub fn has_kind(&self, table: &TableName) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.kinds.contains(table))
    }
}

/// Rows that are kept equal to a table of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Its name.
    pub name: CopyName,
    /// The source, which exists.
    pub source: String,
    /// The table of it, which it follows.
    pub table: TableName,
    /// Where the rows are kept.
    pub to: TableAt,
    /// Columns that have another name there: the target's to the source's.
    pub fields: BTreeMap<String, String>,
    /// Whether a missing target table is made.
    pub create: bool,
    /// The target's column for the shard of a row; there is one exactly where the source has
    /// several services.
    pub shard_column: Option<String>,
    /// Whether that shard is part of a row's key.
    pub shard_in_key: bool,
}

/// A number that is kept equal to a count of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The source, which exists.
    pub source: String,
    /// What is counted there.
    pub definition: engine::count::Count,
    /// Where the numbers are pushed to.
    pub to: Vec<TableAt>,
}

/// A table of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableAt {
    /// The service, which exists.
    pub service: String,
    /// The table's name there.
    pub table: String,
}

impl fmt::Display for TableAt {
    /// As the configuration names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.table)
    }
}
