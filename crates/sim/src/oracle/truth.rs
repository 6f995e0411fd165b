//! What really happened at a source: every transaction that committed, and from it every row at
//! every position.

use model::{Cell, Change, Key, Offset, Op, Position, Row, TableName, TransactionId};
use std::collections::{BTreeMap, BTreeSet};

/// A transaction as the workload committed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Where it stands.
    pub position: Position,
    /// Its number.
    pub transaction: TransactionId,
    /// Its surviving changes, in order.
    pub changes: Vec<Change>,
}

/// The history of one source.
#[derive(Debug)]
pub struct Truth {
    /// Which rows a store may have reason to refuse.
    is_bad: fn(&Row) -> bool,
    transactions: Vec<Committed>,
    /// What each row was, from each place on where it changed.
    rows: BTreeMap<(TableName, Key), Vec<Version>>,
}

/// A row from one place on.
#[derive(Debug)]
struct Version {
    position: Position,
    ordinal: u64,
    row: Option<Row>,
    /// Whether a store that refuses bad rows may hold the key from here on: a bad row was written
    /// to it, or moved to or from it, and it has not been deleted since.
    is_tainted: bool,
}

impl Truth {
    /// Nothing has happened yet.
    pub fn new(is_bad: fn(&Row) -> bool) -> Self {
        Self { is_bad, transactions: Vec::new(), rows: BTreeMap::new() }
    }

    /// A transaction committed.
    pub fn committed(&mut self, committed: Committed) {
        for (ordinal, change) in (0..).zip(&committed.changes) {
            self.change(&committed.position, ordinal, change);
        }
        self.transactions.push(committed);
    }

    /// Every transaction, in order.
    pub fn transactions(&self) -> &[Committed] {
        &self.transactions
    }

    /// Every key that ever was.
    pub fn keys(&self) -> impl Iterator<Item = &(TableName, Key)> {
        self.rows.keys()
    }

    /// The row once everything up to this position has happened; nothing before the first.
    pub fn row_at(&self, name: &(TableName, Key), position: Option<&Position>) -> Option<&Row> {
        let position = position?;
        let versions = self.rows.get(name)?;
        let after = versions.partition_point(|version| version.position <= *position);
        versions[..after].last()?.row.as_ref()
    }

    /// The row right after the change with this ordinal of the transaction at this position.
    pub fn row_of(
        &self,
        name: &(TableName, Key),
        position: &Position,
        ordinal: u64,
    ) -> Option<&Row> {
        let versions = self.rows.get(name)?;
        let after =
            versions.partition_point(|it| (&it.position, it.ordinal) <= (position, ordinal));
        versions[..after].last()?.row.as_ref()
    }

    /// Whether a store may hold the key once everything up to this offset has happened.
    pub fn is_tainted(&self, name: &(TableName, Key), offset: &Offset) -> bool {
        let Some(versions) = self.rows.get(name) else { return false };
        let upto = (&offset.position, offset.ordinal);
        let after = versions.partition_point(|it| (&it.position, it.ordinal) <= upto);
        versions[..after].last().is_some_and(|version| version.is_tainted)
    }

    /// Where the row changed last at or before a position.
    pub fn changed_at(&self, name: &(TableName, Key), position: &Position) -> Option<&Position> {
        let versions = self.rows.get(name)?;
        let after = versions.partition_point(|version| version.position <= *position);
        versions[..after].last().map(|version| &version.position)
    }

    fn change(&mut self, position: &Position, ordinal: u64, change: &Change) {
        let table = &change.table.name;
        match &change.op {
            Op::Insert(row) => {
                let key = change.table.key_of(row).expect("BUG: the workload wrote no key");
                let is_tainted = (self.is_bad)(row) || self.was_tainted(table, &key);
                let version = Version::new(position, ordinal, Some(row.clone()), is_tainted);
                self.set(table, key, version);
            }
            Op::Update { before, row } => {
                let key = change.table.key_of(row).expect("BUG: the workload wrote no key");
                let earlier = self.latest(table, before);
                let cells = row.0.iter().enumerate().map(|(index, cell)| match cell {
                    Cell::Unchanged => {
                        earlier.as_ref().map_or(Cell::Missing, |it| it.0[index].clone())
                    }
                    known => known.clone(),
                });
                let row = Row(cells.collect());
                let is_tainted = (self.is_bad)(&row)
                    || self.was_tainted(table, before)
                    || self.was_tainted(table, &key);
                if key != *before {
                    // What cannot be moved is held at both its keys.
                    let gone = Version::new(position, ordinal, None, is_tainted);
                    self.set(table, before.clone(), gone);
                }
                let version = Version::new(position, ordinal, Some(row), is_tainted);
                self.set(table, key, version);
            }
            Op::Delete(key) => {
                self.set(table, key.clone(), Version::new(position, ordinal, None, false));
            }
            Op::Truncate => {
                let keys: BTreeSet<_> =
                    self.rows.keys().filter(|(of, _)| of == table).cloned().collect();
                for (_, key) in keys {
                    self.set(table, key, Version::new(position, ordinal, None, false));
                }
            }
        }
    }

    fn was_tainted(&self, table: &TableName, key: &Key) -> bool {
        let versions = self.rows.get(&(table.clone(), key.clone()));
        versions.and_then(|versions| versions.last()).is_some_and(|it| it.is_tainted)
    }

    fn latest(&self, table: &TableName, key: &Key) -> Option<Row> {
        self.rows.get(&(table.clone(), key.clone()))?.last()?.row.clone()
    }

    fn set(&mut self, table: &TableName, key: Key, version: Version) {
        self.rows.entry((table.clone(), key)).or_default().push(version);
    }
}

impl Version {
    fn new(position: &Position, ordinal: u64, row: Option<Row>, is_tainted: bool) -> Self {
        Self { position: position.clone(), ordinal, row, is_tainted }
    }
}
