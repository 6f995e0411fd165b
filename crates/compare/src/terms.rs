//! Terms: what is asked for.

use crate::rule::Rule;
use model::{Audit, Service, TableName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One side of a comparison.
#[derive(Clone)]
pub struct End {
    /// Where connections come from.
    pub store: Arc<dyn Service<dyn Audit>>,
    /// The table there.
    pub table: TableName,
    /// Which rows: a condition as the store takes it.
    pub condition: Option<Arc<str>>,
}

/// What to compare, and how.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The columns to compare, by their names in the copy; without it those that both sides have.
    pub columns: Option<Vec<Arc<str>>>,
    /// Columns of the copy that are called something else at the source: copy to source.
    pub map: BTreeMap<Arc<str>, Arc<str>>,
    /// Columns that are left out, by their names in the copy.
    pub leave_out: Vec<Arc<str>>,
    /// The columns that tell rows apart, by their names in the copy; without it the primary key.
    pub key: Option<Vec<Arc<str>>>,
    /// What makes values of a column the same, by its name in the copy, where that is not plain.
    pub rules: BTreeMap<Arc<str>, Rule>,
    /// Which rows are compared.
    pub scope: Scope,
    /// Columns of the copy whose values have to be keys elsewhere, on each side.
    pub references: Vec<Reference>,
    /// Compare numbers of rows by group, in place of the rows.
    pub counts: Option<Counts>,
    /// How long the source's row has to stand still before it counts as different.
    pub settle: Duration,
    /// How long rows that keep changing are waited for.
    pub patience: Duration,
    /// How many differences are listed; all are counted.
    pub listed_max: usize,
    /// Which part of the time each connection may keep its server busy, in hundredths.
    pub load: u32,
    /// How many stretches are compared at once.
    pub connections: usize,
    /// What marks are made with, another one each time.
    pub seed: u64,
}

/// Which rows are compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// All of them.
    All,
    /// Stretches drawn at random, about so many of a hundred.
    Sample(f64),
    /// Those with the greatest values of a column of the copy.
    Newest {
        /// How many.
        rows: u64,
        /// The column.
        by: Arc<str>,
    },
}

/// A column of the copy whose values have to be keys of another table, in its own store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The column, by its name in the copy.
    pub column: Arc<str>,
    /// The other table.
    pub table: TableName,
    /// The column there.
    pub key: Arc<str>,
}

/// Numbers of rows by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The columns that make a group, by their names in the copy; none for one number of all rows.
    pub by: Vec<Arc<str>>,
    /// The column in which the copy keeps the number of each group; without it its rows are counted.
    pub value: Option<Arc<str>>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            columns: None,
            map: BTreeMap::new(),
            leave_out: Vec::new(),
            key: None,
            rules: BTreeMap::new(),
            scope: Scope::All,
            references: Vec::new(),
            counts: None,
            settle: Duration::from_secs(5),
            patience: Duration::from_secs(30),
            listed_max: 1_000,
            load: 100,
            connections: 2,
            seed: 0,
        }
    }
}
