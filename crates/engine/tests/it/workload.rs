//! A source that is at work: transactions that are delivered before they can be seen.

use crate::rig::Rig;
use model::{Cell, Change, Op, Row, TransactionId, Value};
use std::time::Duration;
use tokio::time::sleep;

/// Someone who changes rows at random; equal seeds do the same.
pub(crate) struct Workload {
    state: u64,
    /// Committed, and not yet to be seen.
    hidden: Vec<TransactionId>,
    /// Whether tables are emptied now and then.
    pub(crate) truncates: bool,
}

impl Workload {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            hidden: Vec::new(),
            truncates: false,
        }
    }

    /// Commits so many transactions, a little time apart.
    pub(crate) async fn run(&mut self, rig: &Rig, transactions: usize) {
        for _ in 0..transactions {
            let transaction = rig.database.begin();
            for _ in 0..=self.draw(2) {
                if let Some(op) = self.op(rig) {
                    let change = Change { table: rig.table.clone(), op };
                    rig.database.write(transaction, transaction, change);
                    break;
                }
            }
            rig.database.commit(transaction);
            self.hidden.push(transaction);
            while self.hidden.len() > 3 || (!self.hidden.is_empty() && self.draw(2) == 0) {
                let index = self.draw(self.hidden.len() as u64 - 1);
                rig.database.show(self.hidden.remove(usize::try_from(index).expect("small")));
            }
            sleep(Duration::from_millis(self.draw(3))).await;
        }
        for transaction in self.hidden.drain(..) {
            rig.database.show(transaction);
        }
    }

    fn op(&mut self, rig: &Rig) -> Option<Op> {
        let rows = rig.truth();
        let (id, topic) = (self.number(80), self.number(4));
        let row = Row::new([Value::Int(id), Value::Int(topic), self.body()]);
        let key = rig.table.key_of(&row).expect("a key");
        let any = usize::try_from(self.draw(rows.len().max(1) as u64 - 1)).expect("small");
        let before = rows.keys().nth(any).cloned();
        match (self.draw(9), before) {
            (0, _) if self.truncates && self.draw(9) == 0 => Some(Op::Truncate),
            (0..=2, Some(before)) => Some(Op::Delete(before)),
            (3..=4, Some(before)) if !rows.contains_key(&key) => Some(Op::Update { before, row }),
            (5..=6, Some(before)) => {
                let mut row = rows[&before].clone();
                // A column of the key stays as it is; only the body may be left out.
                row.0[2] =
                    if self.draw(1) == 0 { Cell::Unchanged } else { Cell::Value(self.body()) };
                Some(Op::Update { before, row })
            }
            _ if !rows.contains_key(&key) => Some(Op::Insert(row)),
            _ => None,
        }
    }

    fn body(&mut self) -> Value {
        Value::from(format!("body {}", self.draw(1_000)).as_str())
    }

    fn number(&mut self, most: u64) -> i64 {
        i64::try_from(self.draw(most)).expect("small")
    }

    /// A number up to and including this.
    pub(crate) fn draw(&mut self, most: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % (most + 1)
    }
}
