//! A copy as the configuration names it: a table, how its columns are called, and how rows fit there.
//!
//! Must not know: what stands in the store.

use model::CopyName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A copy, or a pushed count, in a table of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyTo {
    /// Its name.
    pub name: CopyName,
    /// The table there, with its schema where the store has schemas.
    pub table: Arc<str>,
    /// Columns that are called otherwise than at the source: target column to source column. The
    /// rest keep their names.
    pub fields: BTreeMap<Arc<str>, Arc<str>>,
    /// Whether the table is made if it is missing; of SQLite the file as well.
    pub create: bool,
    /// Where several shards feed the copy: the column that keeps each row's lane.
    pub shard_column: Option<Arc<str>>,
    /// Whether rows of one key in two shards are two rows: their lane is then part of the key.
    pub shard_in_key: bool,
}

impl CopyTo {
    /// A copy into a table that is there, column by column.
    pub fn new(name: impl Into<CopyName>, table: &str) -> Self {
        Self {
            name: name.into(),
            table: table.into(),
            fields: BTreeMap::new(),
            create: false,
            shard_column: None,
            shard_in_key: false,
        }
    }

    /// What a source column is called here.
    pub(crate) fn renamed<'a>(&'a self, source: &'a str) -> &'a str {
        let mut fields = self.fields.iter();
        fields.find(|(_, from)| ***from == *source).map_or(source, |(to, _)| to)
    }
}

/// How rows of a source's table fit into that of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Whether the table is there; else it is made.
    pub is_there: bool,
    /// How many columns of the source it has, or will have.
    pub columns: usize,
    /// Columns of the source that it lacks, and that are left out.
    pub left_out: Vec<String>,
    /// Other tables that its rows refer to.
    pub refers: Vec<String>,
}
