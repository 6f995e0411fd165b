//! A source that is read on, transaction by transaction, and what its changes leave of a table.

use super::rig::PATIENCE;
use model::{
    Change, Commit, Fault, Incarnation, Key, Offset, Op, Resume, Row, Service, Source, Started,
    Step, TransactionId,
};
use std::collections::BTreeMap;
use tokio::time::timeout;

/// A source that was started.
pub(crate) struct Reader {
    pub(crate) source: Box<dyn Source>,
    /// Where to go on behind what was read.
    pub(crate) resume: Resume,
    open: BTreeMap<TransactionId, Vec<(TransactionId, Change)>>,
}

/// What came next.
pub(crate) enum Came {
    /// A transaction.
    Transaction(Vec<Change>),
    /// Nothing up to some place.
    Progress,
}

impl Reader {
    /// A first start.
    pub(crate) async fn fresh(service: &dyn Service<dyn Source>) -> Self {
        let mut source = service.connect().await.unwrap();
        let started = source.start(None).await.unwrap();
        let Started::Fresh(place) = started else { panic!("{started:?}") };
        Self::at(source, Resume { place, last: None })
    }

    /// A start that goes on.
    pub(crate) async fn resumed(service: &dyn Service<dyn Source>, resume: &Resume) -> Self {
        let mut source = service.connect().await.unwrap();
        assert_eq!(source.start(Some(resume)).await.unwrap(), Started::Resumed);
        Self::at(source, resume.clone())
    }

    fn at(source: Box<dyn Source>, resume: Resume) -> Self {
        Self { source, resume, open: BTreeMap::new() }
    }

    /// The changes of the next transaction.
    pub(crate) async fn changes(&mut self) -> Vec<Change> {
        loop {
            if let Came::Transaction(changes) = self.came().await.unwrap() {
                return changes;
            }
        }
    }

    /// What comes next; what came before is left out.
    pub(crate) async fn came(&mut self) -> Result<Came, Fault> {
        loop {
            let step = timeout(PATIENCE, self.source.next()).await.expect("a step")?;
            if let Some(witness) = self.source.news().witness {
                self.resume.place.witness = witness;
            }
            match step {
                Step::Part { transaction, sub, changes } => {
                    let changes = changes.into_iter().map(|change| (sub, change));
                    self.open.entry(transaction).or_default().extend(changes);
                }
                Step::Commit { transaction, position, committed_at } => {
                    let changes = self.open.remove(&transaction).unwrap_or_default();
                    if position <= self.resume.place.position {
                        continue;
                    }
                    let offset = Offset::whole(Incarnation(1), position.clone());
                    self.resume.last = Some(Commit { offset, transaction, committed_at });
                    self.resume.place.position = position;
                    let changes = changes.into_iter().map(|(_, change)| change).collect();
                    return Ok(Came::Transaction(changes));
                }
                Step::Abort { transaction, sub } if transaction == sub => {
                    self.open.remove(&transaction);
                }
                Step::Abort { transaction, sub } => {
                    self.open.entry(transaction).or_default().retain(|(of, _)| *of != sub);
                }
                Step::Progress { position, .. } => {
                    if position > self.resume.place.position {
                        self.resume.place.position = position;
                    }
                    return Ok(Came::Progress);
                }
            }
        }
    }

    /// Says that all of it is durable.
    pub(crate) fn confirm(&self) {
        self.source.confirm(&self.resume.place.position);
    }
}

/// Rows as changes leave them.
pub(crate) type Left = BTreeMap<Key, Row>;

/// Lets changes do to the rows what they say.
pub(crate) fn apply(left: &mut Left, changes: &[Change]) {
    for change in changes {
        match &change.op {
            Op::Insert(row) => {
                left.insert(change.table.key_of(row).expect("a key"), row.clone());
            }
            Op::Update { before, row } => {
                let mut row = row.clone();
                if let Some(earlier) = left.remove(before) {
                    row.fill_unchanged_from(&earlier);
                }
                left.insert(change.table.key_of(&row).expect("a key"), row);
            }
            Op::Delete(key) => _ = left.remove(key),
            Op::Truncate => left.clear(),
        }
    }
}
