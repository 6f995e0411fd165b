//! A copy as the configuration names it: a table of the file, and how its columns are called.
//!
//! Must not know: what stands in the file.

use model::CopyName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A copy, or a pushed count, in a table of a SQLite file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyTo {
    /// Its name.
    pub name: CopyName,
    /// The table in the file.
    pub table: Arc<str>,
    /// Columns that are called otherwise than at the source: target column to source column. The
    /// rest keep their names.
    pub fields: BTreeMap<Arc<str>, Arc<str>>,
    /// Whether the table, and the file, are made if they are missing.
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
    pub(super) fn renamed<'a>(&'a self, source: &'a str) -> &'a str {
        let mut fields = self.fields.iter();
        fields.find(|(_, from)| ***from == *source).map_or(source, |(to, _)| to)
    }
}
