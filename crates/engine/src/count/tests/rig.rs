//! Rig: row memory and tallies of one lane, as a task around the pure code would keep them.

use crate::count::{
    Condition, Count, Folds, Group, Known, Memo, Memory, Outcome, Tally, fold, keys_of,
};
use model::{
    Cell, Change, Column, Fault, Incarnation, Key, Kind, Offset, Op, Position, Row, Table,
    TableName, Value,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one lane keeps.
pub(super) struct Rig {
    counts: Vec<Count>,
    pub(super) tallies: Vec<Tally>,
    pub(super) memos: BTreeMap<TableName, BTreeMap<Key, Memo>>,
    through: Option<Offset>,
}

impl Rig {
    pub(super) fn new(counts: Vec<Count>) -> Self {
        let tally = |count: &Count| Tally::new(count.name.clone(), 1000);
        Self {
            tallies: counts.iter().map(tally).collect(),
            counts,
            memos: BTreeMap::new(),
            through: None,
        }
    }

    /// Takes a batch in, as far as it is new.
    pub(super) fn take(&mut self, batch: &[(Offset, Change)]) -> Outcome {
        let outcome = self.outcome_of(batch).unwrap();
        for table in outcome.emptied.keys() {
            self.memos.remove(table);
        }
        for (table, memos) in &outcome.memos {
            let kept = self.memos.entry(table.clone()).or_default();
            for (key, known) in memos {
                match known {
                    Known::Row(memo) => kept.insert(key.clone(), memo.clone()),
                    Known::Gone(_) => kept.remove(key),
                };
            }
        }
        for tally in &mut self.tallies {
            tally.apply(&outcome).unwrap();
        }
        self.through = self.through.take().max(batch.last().map(|(offset, _)| offset.clone()));
        outcome
    }

    /// What a batch would do.
    pub(super) fn outcome_of(&self, batch: &[(Offset, Change)]) -> Result<Outcome, Fault> {
        let mut memory = Memory::new(self.through.clone());
        for (table, keys) in keys_of(batch.iter().map(|(_, change)| change)) {
            for key in keys {
                if let Some(memo) = self.memos.get(&table).and_then(|memos| memos.get(&key)) {
                    memory.remember(&table, key, memo.clone());
                }
            }
        }
        let mut outcome = Outcome::default();
        for (offset, change) in batch {
            let folds = Folds::new(&self.counts, &change.table).unwrap();
            fold(&folds, &memory, change, offset, &mut outcome)?;
        }
        Ok(outcome)
    }

    /// Forgets how far it has come, as nothing in row memory does.
    pub(super) fn forget_through(&mut self) {
        self.through = None;
    }

    /// The number of one group of the first count.
    pub(super) fn number(&self, group: impl Into<Value>) -> i64 {
        self.tallies[0].of(&Group::new([group.into()]))
    }
}

/// A count over `questions`.
pub(super) fn count(name: &str, by: &[&str], condition: &str) -> Count {
    Count {
        name: name.into(),
        of: "questions".into(),
        by: by.iter().map(|column| (*column).into()).collect(),
        condition: (!condition.is_empty()).then(|| Condition::parse(condition).unwrap()),
    }
}

/// Questions that are not deleted, by topic.
pub(super) fn by_topic() -> Count {
    count("by_topic", &["topic"], "not deleted")
}

/// `questions`, with its columns in the order that a version has them in.
pub(super) fn questions(version: u32) -> Arc<Table> {
    let columns = [
        ("id", Kind::Int),
        ("topic", Kind::Text),
        ("deleted", Kind::Bool),
        ("weight", Kind::Decimal),
    ];
    let column = |(name, kind): (&str, Kind)| Column {
        name: name.into(),
        kind,
        declared: "".into(),
        nullable: name != "id",
        compares: model::Compares::default(),
    };
    let mut columns: Vec<_> = columns.into_iter().map(column).collect();
    let mut key = 0;
    if version > 1 {
        columns.push(column(("added", Kind::Float)));
        columns.reverse();
        key = columns.len() - 1;
    }
    Arc::new(Table { name: "questions".into(), version, columns, key: vec![key] })
}

/// A row of the first version.
pub(super) fn question(id: i64, topic: impl Into<Cell>, deleted: impl Into<Cell>) -> Row {
    Row(vec![Cell::from(id), topic.into(), deleted.into(), Cell::Value(Value::Null)])
}

pub(super) fn key(id: i64) -> Key {
    Key::new([id])
}

/// The transaction at this number as a whole; its only change is the one at ordinal zero.
pub(super) fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number)).change(0)
}

pub(super) fn change(op: Op) -> Change {
    Change { table: questions(1), op }
}

pub(super) fn insert(number: u64, row: Row) -> (Offset, Change) {
    (at(number), change(Op::Insert(row)))
}

pub(super) fn update(number: u64, before: i64, row: Row) -> (Offset, Change) {
    (at(number), change(Op::Update { before: key(before), row }))
}

pub(super) fn delete(number: u64, id: i64) -> (Offset, Change) {
    (at(number), change(Op::Delete(key(id))))
}

pub(super) fn truncate(number: u64) -> (Offset, Change) {
    (at(number), change(Op::Truncate))
}
