//! Spring: a source of any size that takes no memory. Rows are computed from their id, changes from
//! the number of their transaction, and it hands over no more than it was asked for.

use async_trait::async_trait;
use bytes::Bytes;
use model::{
    Answer, At, Change, Column, Digest, Fault, Inspect, Key, Kind, Op, Place, Placement, Position,
    Resume, Row, Rows, Seed, Sees, Selection, Service, Source, Started, Step, Table, TableName,
    TransactionId, Value,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// How many topics the rows have.
pub(crate) const TOPICS: u64 = 5_000;

/// The source; a clone is the same.
#[derive(Clone)]
pub(crate) struct Spring(Arc<Shared>);

struct Shared {
    table: Arc<Table>,
    rows: u64,
    /// How many changes a transaction has.
    size: AtomicU64,
    /// Up to which transaction it may hand over.
    allowed: AtomicU64,
    /// Up to which it has.
    handed: AtomicU64,
    grown: Notify,
}

impl Spring {
    /// A table of so many rows, and no transaction yet.
    pub(crate) fn new(rows: u64) -> Self {
        let (size, allowed, handed) = (1.into(), 0.into(), 0.into());
        Self(Arc::new(Shared { table: table(), rows, size, allowed, handed, grown: Notify::new() }))
    }

    /// The transactions to come have so many changes.
    pub(crate) fn set_size(&self, size: u64) {
        self.0.size.store(size, Ordering::SeqCst);
    }

    /// It may hand over the transactions up to this one.
    pub(crate) fn allow(&self, transaction: u64) {
        self.0.allowed.fetch_max(transaction, Ordering::SeqCst);
        self.0.grown.notify_waiters();
    }

    /// The last transaction that it has handed over.
    pub(crate) fn handed(&self) -> u64 {
        self.0.handed.load(Ordering::SeqCst)
    }

    /// Rows all over the table get other values; the key stays.
    fn changes(&self, transaction: u64) -> Vec<Change> {
        let size = self.0.size.load(Ordering::SeqCst);
        let change = |ordinal| {
            let random = spread(transaction << 20 | ordinal);
            let id = random % self.0.rows;
            let op = Op::Update { before: Key::new([int(id)]), row: row(id, spread(random)) };
            Change { table: self.0.table.clone(), op }
        };
        (0..size).map(change).collect()
    }
}

/// A connection to it; the steps that are still to be handed over, the last one first.
struct Session {
    spring: Spring,
    steps: Vec<Step>,
}

#[async_trait]
impl Service<dyn Source> for Spring {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        Ok(Box::new(Session { spring: self.clone(), steps: Vec::new() }))
    }
}

#[async_trait]
impl Source for Session {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        assert_eq!(after, None, "a bench follows once, from the beginning");
        let (identity, position) = ("spring".into(), Position::from_number(0));
        Ok(Started::Fresh(Place { identity, position, witness: Bytes::new() }))
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        let Shared { allowed, handed, grown, .. } = &*self.spring.0;
        loop {
            let has_grown = grown.notified();
            if let Some(step) = self.steps.pop() {
                return Ok(step);
            }
            let number = handed.load(Ordering::SeqCst) + 1;
            if number > allowed.load(Ordering::SeqCst) {
                has_grown.await;
                continue;
            }
            handed.store(number, Ordering::SeqCst);
            let transaction = TransactionId(number);
            let position = Position::from_number(number);
            let committed_at = i64::try_from(number).expect("a small number");
            self.steps.push(Step::Commit { transaction, position, committed_at });
            let changes = self.spring.changes(number);
            self.steps.push(Step::Part { transaction, sub: transaction, changes });
        }
    }

    fn confirm(&self, _position: &Position) {}

    fn mark(&self) {}
}

#[async_trait]
impl Service<dyn Inspect> for Spring {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Inspect for Spring {
    async fn table(&mut self, _name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        Ok(Some(self.0.table.clone()))
    }

    async fn rows(
        &mut self,
        _table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        let handed = self.handed();
        let mut found = Rows::default();
        if let Selection::Range { after, upto: None } = selection {
            assert_eq!(handed, 0, "the table is read before anything changes");
            let first = after.as_ref().map_or(0, |after| id_of(after) + 1);
            let end = self.0.rows.min(first + rows_max as u64);
            let key = |id| Key::new([int(id)]);
            found.rows = (first..end).map(|id| (key(id), row(id, spread(id)), None)).collect();
            found.upto = (end < self.0.rows).then(|| key(end - 1));
        } else {
            assert_eq!(*selection, Selection::Nothing, "nobody misses a row");
        }
        let reached = Position::from_number(handed);
        let sees = Sees::Upto(reached.clone());
        Ok(Answer { at: At::Source(Placement { reached, sees }), found })
    }

    async fn digests(
        &mut self,
        _table: &Arc<Table>,
        _selections: &[Selection],
        _seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        unreachable!("nobody checks in a bench")
    }
}

fn table() -> Arc<Table> {
    let column = |name: &str, kind, declared: &str| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable: false,
        compares: model::Compares::default(),
    };
    let columns = vec![
        column("id", Kind::Int, "bigint"),
        column("topic", Kind::Int, "bigint"),
        column("deleted", Kind::Bool, "boolean"),
        column("body", Kind::Text, "text"),
    ];
    Arc::new(Table { name: "questions".into(), version: 1, columns, key: vec![0] })
}

/// A row of about 150 bytes.
fn row(id: u64, random: u64) -> Row {
    let (topic, deleted) = (int(random % TOPICS), Value::Bool(random >> 40 & 3 == 0));
    Row::new([int(id), topic, deleted, Value::from(BODY)])
}

const BODY: &str = "Why does the second run of the same statement take a tenth of the time of the \
first, though nothing has changed?";

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).expect("a small number"))
}

fn id_of(key: &Key) -> u64 {
    let [Value::Int(id)] = key.values() else { panic!("a key is an id") };
    u64::try_from(*id).expect("an id")
}

/// A number that is far from that of its neighbours.
fn spread(number: u64) -> u64 {
    let number = (number ^ number >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number ^ number >> 32
}
