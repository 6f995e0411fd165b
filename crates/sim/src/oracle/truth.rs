//! What really happened at a source: every transaction that committed, and from it every row at
//! every position.

use model::{Cell, Change, Key, Op, Position, Row, TableName, TransactionId};
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
#[derive(Debug, Default)]
pub struct Truth {
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
}

impl Truth {
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

    /// Where the row changed last at or before a position.
    pub fn changed_at(&self, name: &(TableName, Key), position: &Position) -> Option<&Position> {
        let versions = self.rows.get(name)?;
        let after = versions.partition_point(|version| version.position <= *position);
        versions[..after].last().map(|version| &version.position)
    }

    /// The rows that the transaction at this position wrote.
    pub fn written_at(&self, position: &Position) -> Vec<(TableName, Key, Row)> {
        let mut written = Vec::new();
        for ((table, key), versions) in &self.rows {
            for version in versions.iter().filter(|version| version.position == *position) {
                written.extend(version.row.clone().map(|row| (table.clone(), key.clone(), row)));
            }
        }
        written
    }

    fn change(&mut self, position: &Position, ordinal: u64, change: &Change) {
        let table = &change.table.name;
        match &change.op {
            Op::Insert(row) => {
                let key = change.table.key_of(row).expect("BUG: the workload wrote no key");
                self.set(table, key, position, ordinal, Some(row.clone()));
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
                if key != *before {
                    self.set(table, before.clone(), position, ordinal, None);
                }
                self.set(table, key, position, ordinal, Some(row));
            }
            Op::Delete(key) => self.set(table, key.clone(), position, ordinal, None),
            Op::Truncate => {
                let keys: BTreeSet<_> =
                    self.rows.keys().filter(|(of, _)| of == table).cloned().collect();
                for (_, key) in keys {
                    self.set(table, key, position, ordinal, None);
                }
            }
        }
    }

    fn latest(&self, table: &TableName, key: &Key) -> Option<Row> {
        self.rows.get(&(table.clone(), key.clone()))?.last()?.row.clone()
    }

    fn set(
        &mut self,
        table: &TableName,
        key: Key,
        position: &Position,
        ordinal: u64,
        row: Option<Row>,
    ) {
        let versions = self.rows.entry((table.clone(), key)).or_default();
        versions.push(Version { position: position.clone(), ordinal, row });
    }
}
