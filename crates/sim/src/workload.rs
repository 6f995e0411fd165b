//! The workload: transactions at the source, several open at a time, with sub-transactions,
//! roll-backs, streaming, late visibility. What commits is told to the truth as well.

use crate::oracle::{Committed, Truth};
use crate::random::Random;
use crate::trace::Trace;
use model::{
    Cell, Change, Column, Decimal, Key, Kind, Op, Row, Table, TableName, TransactionId, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use testkit::memory::database::Database;

/// The rows that a refusing store does not take.
pub const POISON: &str = "poison";

/// Writes to one source.
pub struct Workload {
    random: Random,
    database: Database,
    tables: Vec<Arc<Table>>,
    keys: u64,
    changes_max: u64,
    poison: u64,
    open: Vec<Open>,
    /// Committed and not yet visible.
    hidden: Vec<TransactionId>,
    trace: Trace,
    /// Keys that the other shard has.
    taken: BTreeSet<Name>,
}

/// A row's table and key.
pub type Name = (TableName, Key);

type Rows = BTreeMap<(TableName, Key), Option<Row>>;

/// An open transaction, as its own session sees it.
struct Open {
    transaction: TransactionId,
    rows: Rows,
    changes: Vec<(TransactionId, Change)>,
    sub: Option<Sub>,
    left: u64,
    streams: bool,
}

/// An open sub-transaction, and how to take it back.
struct Sub {
    number: TransactionId,
    rows_before: Rows,
}

impl Workload {
    /// A workload for a source.
    pub fn new(
        shard: &str,
        seed: u64,
        database: &Database,
        setup: &crate::setup::Setup,
        trace: &Trace,
    ) -> Self {
        Self {
            random: Random::stream(seed, &format!("workload {shard}")),
            database: database.clone(),
            tables: tables(),
            keys: setup.keys,
            changes_max: setup.changes_max,
            poison: setup.poison,
            open: Vec::new(),
            hidden: Vec::new(),
            trace: trace.clone(),
            taken: BTreeSet::new(),
        }
    }

    /// The keys that this shard has, or may have once its open transactions have ended.
    pub fn has(&self) -> BTreeSet<Name> {
        let committed = self.database.committed();
        let committed = committed.into_iter().flat_map(|(table, rows)| {
            rows.into_keys().map(move |key| (table.clone(), key)).collect::<Vec<_>>()
        });
        let open = self.open.iter().flat_map(|open| {
            let before = open.sub.iter().flat_map(|sub| sub.rows_before.keys());
            open.rows.keys().chain(before).cloned()
        });
        committed.chain(open).collect()
    }

    /// Does one thing. What the other shard has is taken: a key lives in one of them at a time.
    pub fn step(&mut self, truth: &mut Truth, taken: &BTreeSet<Name>) {
        self.taken.clone_from(taken);
        match self.random.below(20) {
            0 => self.database.pass(),
            1 | 2 => self.show_one(),
            3 if self.open.is_empty() => self.truncate(truth),
            3..6 if self.open.len() < 3 => self.begin(),
            _ if self.open.is_empty() => self.begin(),
            _ => {
                let index = self.random.index(self.open.len());
                self.go_on(index, truth);
            }
        }
    }

    /// Ends what is open, so that everything that will be committed is.
    pub fn finish(&mut self, truth: &mut Truth) {
        while let Some(open) = self.open.pop() {
            self.commit(open, truth);
        }
        for transaction in std::mem::take(&mut self.hidden) {
            self.database.show(transaction);
        }
    }

    /// A change that nobody follows any more: a row beyond all other keys.
    pub fn change_once_more(&mut self, truth: &mut Truth) {
        self.begin();
        let index = self.open.len() - 1;
        let table = self.tables[0].clone();
        let row = Row::new([Value::Int(-1), Value::Null, Value::from("late"), Value::Null]);
        self.write(index, Change { table, op: Op::Insert(row) });
        self.finish(truth);
    }

    /// The source crashed: what was open is rolled back.
    pub fn source_crashed(&mut self) {
        self.open.clear();
        self.hidden.clear();
    }

    fn begin(&mut self) {
        let transaction = self.database.begin();
        let left = self.random.between(1, self.changes_max);
        let streams = self.random.chance(300);
        let open =
            Open { transaction, rows: Rows::new(), changes: Vec::new(), sub: None, left, streams };
        self.open.push(open);
    }

    /// Goes on with an open transaction: another change, or its end.
    fn go_on(&mut self, index: usize, truth: &mut Truth) {
        for _ in 0..self.random.between(1, 4) {
            let done = self.open[index].left == 0;
            if done {
                let open = self.open.swap_remove(index);
                if self.random.chance(120) {
                    self.trace.note(format_args!("{:?} rolls back", open.transaction));
                    self.database.roll_back(open.transaction);
                } else {
                    self.commit(open, truth);
                }
                return;
            }
            self.open[index].left -= 1;
            self.turn_sub(index);
            self.change(index);
            if self.open[index].streams && self.random.chance(400) {
                self.database.stream(self.open[index].transaction);
            }
        }
    }

    /// Opens a sub-transaction, or ends the open one.
    fn turn_sub(&mut self, index: usize) {
        if !self.random.chance(150) {
            return;
        }
        let open = &mut self.open[index];
        match open.sub.take() {
            None => {
                let number = self.database.begin_sub();
                open.sub = Some(Sub { number, rows_before: open.rows.clone() });
            }
            Some(sub) if self.random.chance(500) => {
                open.rows = sub.rows_before;
                open.changes.retain(|(of, _)| *of != sub.number);
                self.database.roll_back_sub(open.transaction, sub.number);
            }
            Some(_) => {}
        }
    }

    /// Writes one row that no other open transaction has touched.
    fn change(&mut self, index: usize) {
        let table = self.tables[self.random.index(self.tables.len())].clone();
        let id = self.random.below(self.keys);
        let Some((key, row)) = self.free(index, &table, id) else {
            return;
        };
        let is_taken = |key: &Key| self.taken.contains(&(table.name.clone(), key.clone()));
        let op = match row {
            None if is_taken(&key) => return,
            None => Op::Insert(self.row(id)),
            Some(row) => match self.random.below(10) {
                0 | 1 => Op::Delete(key.clone()),
                2 => {
                    let other = self.random.below(self.keys);
                    match self.free(index, &table, other) {
                        Some((new, None)) if other != id && !is_taken(&new) => {
                            self.update(&key, &row, other)
                        }
                        _ => self.update(&key, &row, id),
                    }
                }
                _ => self.update(&key, &row, id),
            },
        };
        self.write(index, Change { table, op });
    }

    fn write(&mut self, index: usize, change: Change) {
        let open = &mut self.open[index];
        let sub = open.sub.as_ref().map_or(open.transaction, |sub| sub.number);
        let table = &change.table;
        match &change.op {
            Op::Insert(row) => {
                let key = table.key_of(row).expect("BUG: a row without a key");
                open.rows.insert((table.name.clone(), key), Some(row.clone()));
            }
            Op::Update { before, row } => {
                let key = table.key_of(row).expect("BUG: a row without a key");
                let name = (table.name.clone(), before.clone());
                let earlier = match open.rows.get(&name) {
                    Some(own) => own.clone(),
                    None => self.database.row(&table.name, before),
                };
                let mut row = row.clone();
                row.fill_unchanged_from(&earlier.expect("BUG: an update of no row"));
                open.rows.insert(name, None);
                open.rows.insert((table.name.clone(), key), Some(row));
            }
            Op::Delete(key) => {
                open.rows.insert((table.name.clone(), key.clone()), None);
            }
            Op::Truncate => {}
        }
        open.changes.push((sub, change.clone()));
        self.database.write(open.transaction, sub, change);
    }

    fn commit(&mut self, open: Open, truth: &mut Truth) {
        let position = self.database.commit(open.transaction);
        let changes: Vec<_> = open.changes.into_iter().map(|(_, change)| change).collect();
        self.trace.note(format_args!(
            "{:?} commits {} changes at {position:?}",
            open.transaction,
            changes.len()
        ));
        truth.committed(Committed { position, transaction: open.transaction, changes });
        self.hidden.push(open.transaction);
    }

    fn truncate(&mut self, truth: &mut Truth) {
        if !self.random.chance(300) {
            return;
        }
        self.begin();
        let table = self.tables[self.random.index(self.tables.len())].clone();
        let index = self.open.len() - 1;
        for _ in 0..self.random.below(3) {
            self.change(index);
        }
        self.write(index, Change { table, op: Op::Truncate });
        let open = self.open.pop().expect("BUG: just begun");
        self.commit(open, truth);
    }

    fn show_one(&mut self) {
        if !self.hidden.is_empty() {
            let index = self.random.index(self.hidden.len());
            self.database.show(self.hidden.swap_remove(index));
        }
    }

    /// The row as this transaction sees it, if no other open one has it locked.
    fn free(&self, index: usize, table: &Arc<Table>, id: u64) -> Option<(Key, Option<Row>)> {
        let key = Key::new([int(id)]);
        let name = (table.name.clone(), key.clone());
        let locked = self.open.iter().enumerate().any(|(other, open)| {
            other != index
                && (open.rows.contains_key(&name)
                    || open.sub.as_ref().is_some_and(|sub| sub.rows_before.contains_key(&name)))
        });
        if locked {
            return None;
        }
        let row = match self.open[index].rows.get(&name) {
            Some(own) => own.clone(),
            None => self.database.row(&table.name, &key),
        };
        Some((key, row))
    }

    /// A row with other values; some columns stay as they were, the long one more often than not.
    fn update(&mut self, before: &Key, earlier: &Row, id: u64) -> Op {
        let mut row = self.row(id);
        for column in 1..row.0.len() {
            if self.random.chance(if column == 2 { 500 } else { 150 }) {
                row.0[column] = Cell::Unchanged;
            } else if self.random.chance(100) {
                row.0[column] = earlier.0[column].clone();
            }
        }
        Op::Update { before: before.clone(), row }
    }

    fn row(&mut self, id: u64) -> Row {
        let body = if self.random.chance(self.poison) {
            POISON.to_owned()
        } else {
            "x".repeat(self.random.index(24)) + &self.random.below(1_000).to_string()
        };
        let topic = if self.random.chance(150) { Value::Null } else { int(self.random.below(5)) };
        let amount: Decimal = format!("{}.{:02}", self.random.below(50), self.random.below(100))
            .parse()
            .expect("BUG: a decimal");
        Row(vec![
            Cell::Value(int(id)),
            Cell::Value(topic),
            Cell::Value(Value::Text(body.into())),
            Cell::Value(Value::Decimal(amount)),
        ])
    }
}

/// The tables of the workload.
pub fn tables() -> Vec<Arc<Table>> {
    let column = |name: &str, kind, declared: &str| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable: kind != Kind::Int,
        compares: model::Compares::default(),
    };
    ["questions", "answers"]
        .into_iter()
        .map(|name| {
            Arc::new(Table {
                name: name.into(),
                version: 1,
                columns: vec![
                    column("id", Kind::Int, "bigint"),
                    column("topic", Kind::Int, "bigint"),
                    column("body", Kind::Text, "text"),
                    column("amount", Kind::Decimal, "numeric"),
                ],
                key: vec![0],
            })
        })
        .collect()
}

/// Whether a row is one that refusing stores do not take.
pub fn is_poison(row: &Row) -> bool {
    row.0.get(2) == Some(&Cell::from(POISON))
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).expect("BUG: a small number"))
}
