//! PURE: what the server says about each table, read from the rows of its answer.

use super::query::WIDTH;
use crate::postgres::pgoutput::ReplicaIdentity;
use crate::postgres::session::Cells;
use std::collections::BTreeMap;
use std::str::FromStr;

/// What the server says about a table.
#[derive(Clone, Debug)]
pub(in crate::postgres) struct Facts {
    pub(in crate::postgres) oid: u32,
    pub(in crate::postgres) relation: Relation,
    /// Whether it is one of the server's own.
    pub(in crate::postgres) is_system: bool,
    /// The table that it is a partition of.
    pub(in crate::postgres) partition_of: Option<String>,
    /// In which the database keeps texts.
    pub(in crate::postgres) encoding: String,
    pub(in crate::postgres) version: u32,
    /// In their order.
    pub(in crate::postgres) columns: BTreeMap<i16, ColumnFacts>,
    /// The tables with its rows, if it is partitioned, by their numbers.
    pub(in crate::postgres) leaves: BTreeMap<u32, LeafFacts>,
    /// Its own unique indexes and those of its leaves: by the numbers of table and index.
    pub(in crate::postgres) indexes: BTreeMap<(u32, u32), Index>,
}

/// What kind of relation it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::postgres) struct Relation {
    /// `r` for a table, `p` for one that is partitioned, and so on.
    pub(in crate::postgres) kind: char,
    /// `p` for one that is in the write-ahead log.
    pub(in crate::postgres) persistence: char,
    pub(in crate::postgres) identity: ReplicaIdentity,
}

#[derive(Clone, Debug)]
pub(in crate::postgres) struct ColumnFacts {
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) kind: u32,
    pub(in crate::postgres) modifier: i32,
    pub(in crate::postgres) is_not_null: bool,
    pub(in crate::postgres) is_generated: bool,
    pub(in crate::postgres) declared: String,
    /// The function that writes its values.
    pub(in crate::postgres) output: String,
    /// Where its texts have one.
    pub(in crate::postgres) collation: Option<CollationFacts>,
}

#[derive(Clone, Debug)]
pub(in crate::postgres) struct CollationFacts {
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) is_deterministic: bool,
    /// Whether its order is that of bytes.
    pub(in crate::postgres) is_by_bytes: bool,
}

#[derive(Clone, Debug)]
pub(in crate::postgres) struct LeafFacts {
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) file: u32,
    pub(in crate::postgres) relation: Relation,
    pub(in crate::postgres) attached: u32,
    pub(in crate::postgres) changed_by: u32,
    pub(in crate::postgres) is_born: bool,
}

/// A unique index.
#[derive(Clone, Debug)]
pub(in crate::postgres) struct Index {
    pub(in crate::postgres) is_primary: bool,
    /// Whether it was chosen to be the replica identity.
    pub(in crate::postgres) is_identity: bool,
    /// Whether it is checked at each row, and not at the end of a transaction perhaps.
    pub(in crate::postgres) is_immediate: bool,
    /// Whether it is whole, and over all rows.
    pub(in crate::postgres) is_usable: bool,
    /// Each column, and whether it is never NULL; none for an expression.
    pub(in crate::postgres) columns: BTreeMap<u32, Option<(String, bool)>>,
}

impl Facts {
    /// What there is about each of so many names; none if the answer is that to something else.
    pub(in crate::postgres) fn read(rows: &[Cells], names: usize) -> Option<Vec<Option<Self>>> {
        let mut found: Vec<Option<Self>> = vec![None; names];
        let of = |kind: &'static str| {
            rows.iter().filter(move |row| row.first().is_some_and(|it| it.as_deref() == Some(kind)))
        };
        for row in of("table") {
            let row = Line::of(row)?;
            *found.get_mut(row.number)? = Some(Self::of_table(&row)?);
        }
        for kind in ["column", "leaf", "key"] {
            for row in of(kind) {
                let row = Line::of(row)?;
                found.get_mut(row.number)?.as_mut()?.take(kind, &row)?;
            }
        }
        Some(found)
    }

    fn of_table(row: &Line<'_>) -> Option<Self> {
        Some(Self {
            oid: row.read(0)?,
            relation: row.relation(1)?,
            is_system: row.read(4)?,
            partition_of: row.text(5).map(str::to_owned),
            encoding: row.text(6)?.to_owned(),
            // A table may have no column at all.
            version: row.text(7).map_or(Some(0), |it| it.parse().ok())?,
            columns: BTreeMap::new(),
            leaves: BTreeMap::new(),
            indexes: BTreeMap::new(),
        })
    }

    fn take(&mut self, kind: &str, row: &Line<'_>) -> Option<()> {
        match kind {
            "column" => drop(self.columns.insert(row.read(0)?, column(row)?)),
            "leaf" => drop(self.leaves.insert(row.read(0)?, leaf(row)?)),
            _ => {
                let index = Index {
                    is_primary: row.read(2)?,
                    is_identity: row.read(3)?,
                    is_immediate: row.read(4)?,
                    is_usable: row.read(5)?,
                    columns: BTreeMap::new(),
                };
                let column = match row.text(7) {
                    Some(name) => Some((name.to_owned(), row.read(8)?)),
                    None => None,
                };
                let index = self.indexes.entry((row.read(0)?, row.read(1)?)).or_insert(index);
                index.columns.insert(row.read(6)?, column);
            }
        }
        Some(())
    }

    /// The unique indexes of a table.
    pub(in crate::postgres) fn indexes_of(&self, oid: u32) -> Vec<&Index> {
        self.indexes.range((oid, 0)..=(oid, u32::MAX)).map(|(_, index)| index).collect()
    }
}

fn column(row: &Line<'_>) -> Option<ColumnFacts> {
    let collation = |name: &str| {
        let (is_deterministic, is_by_bytes) = (row.read(9)?, row.read(10)?);
        Some(CollationFacts { name: name.to_owned(), is_deterministic, is_by_bytes })
    };
    Some(ColumnFacts {
        name: row.text(1)?.to_owned(),
        kind: row.read(2)?,
        modifier: row.read(3)?,
        is_not_null: row.read(4)?,
        is_generated: row.read(5)?,
        declared: row.text(6)?.to_owned(),
        output: row.text(7)?.to_owned(),
        collation: match row.text(8) {
            Some(name) => Some(collation(name)?),
            None => None,
        },
    })
}

fn leaf(row: &Line<'_>) -> Option<LeafFacts> {
    Some(LeafFacts {
        name: row.text(1)?.to_owned(),
        file: row.read(2)?,
        relation: row.relation(3)?,
        is_born: row.read(6)?,
        attached: row.read(7)?,
        changed_by: row.read(8)?,
    })
}

/// A row, without the cells that every row has.
struct Line<'a> {
    number: usize,
    cells: &'a [Option<String>],
}

impl<'a> Line<'a> {
    fn of(row: &'a [Option<String>]) -> Option<Self> {
        let number = row.get(1)?.as_ref()?.parse().ok()?;
        (row.len() == WIDTH).then(|| Self { number, cells: &row[2..] })
    }

    fn text(&self, place: usize) -> Option<&'a str> {
        self.cells.get(place)?.as_deref()
    }

    fn read<T: FromStr>(&self, place: usize) -> Option<T> {
        self.text(place)?.parse().ok()
    }

    /// Three cells from this one on.
    fn relation(&self, place: usize) -> Option<Relation> {
        let identity = match self.text(place + 2)? {
            "d" => ReplicaIdentity::Default,
            "n" => ReplicaIdentity::Nothing,
            "f" => ReplicaIdentity::Full,
            "i" => ReplicaIdentity::Index,
            _ => return None,
        };
        Some(Relation { kind: self.read(place)?, persistence: self.read(place + 1)?, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, WIDTH};

    #[test]
    fn an_answer_to_something_else_is_not_read() {
        let row = |cells: &[&str]| {
            let mut row: Vec<_> = cells.iter().map(|it| Some((*it).to_owned())).collect();
            row.resize(WIDTH, None);
            row
        };
        let table = ["table", "0", "17", "r", "p", "d", "false", "", "UTF8", "2"];
        assert!(Facts::read(&[row(&table)], 1).unwrap()[0].is_some());
        assert!(Facts::read(&[row(&table)], 0).is_none());
        assert!(Facts::read(&[row(&table[..3])], 1).is_none());
        assert!(Facts::read(&[row(&["column", "0", "1"])], 1).is_none());
        let short = row(&table)[..9].to_vec();
        assert!(Facts::read(&[short], 1).is_none());
        assert!(Facts::read(&[], 2).unwrap().iter().all(Option::is_none));
    }
}
