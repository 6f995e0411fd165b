//! A database whose tables are followed, and what comes of it.

use super::super::rig::{Database, PATIENCE};
use instep_connectors::postgres::{PostgresSource, SourceLimits};
use model::{
    Change, Fault, Place, Position, Resume, Service, Source, Started, Step, TransactionId,
};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// Bounds under which tests need not wait.
pub(super) fn limits() -> SourceLimits {
    SourceLimits {
        silence_max: PATIENCE,
        idle_pause: Duration::from_millis(50),
        look_pause: Duration::from_millis(100),
        ..SourceLimits::default()
    }
}

/// The tables of a database, followed.
pub(super) fn followed(database: &Database, tables: &[&str]) -> PostgresSource {
    let tables = tables.iter().map(|&table| table.into()).collect();
    PostgresSource::new(database.access.clone(), tables, "test", limits())
}

/// A stream that began.
pub(super) struct Reader {
    pub(super) source: Box<dyn Source>,
    /// Where it began.
    pub(super) began: Place,
    open: BTreeMap<TransactionId, Vec<(TransactionId, Change)>>,
}

impl Reader {
    /// A first start.
    pub(super) async fn fresh(service: &PostgresSource) -> Self {
        let mut source = connect(service).await;
        let started = source.start(None).await.unwrap();
        let Started::Fresh(began) = started else { panic!("{started:?}") };
        Self { source, began, open: BTreeMap::new() }
    }

    /// A start that goes on.
    pub(super) async fn resumed(service: &PostgresSource, resume: &Resume) -> Self {
        let mut source = connect(service).await;
        let started = source.start(Some(resume)).await.unwrap();
        assert_eq!(started, Started::Resumed);
        Self { source, began: resume.place.clone(), open: BTreeMap::new() }
    }

    /// The next transaction, and where it ends.
    pub(super) async fn transaction(&mut self) -> (Position, Vec<Change>) {
        timeout(PATIENCE, self.try_transaction()).await.expect("a transaction").unwrap()
    }

    /// The changes of the next transaction.
    pub(super) async fn changes(&mut self) -> Vec<Change> {
        self.transaction().await.1
    }

    async fn try_transaction(&mut self) -> Result<(Position, Vec<Change>), Fault> {
        loop {
            match self.source.next().await? {
                Step::Part { transaction, sub, changes } => {
                    let changes = changes.into_iter().map(|change| (sub, change));
                    self.open.entry(transaction).or_default().extend(changes);
                }
                Step::Commit { transaction, position, .. } => {
                    let changes = self.open.remove(&transaction).unwrap_or_default();
                    return Ok((position, changes.into_iter().map(|(_, it)| it).collect()));
                }
                Step::Abort { transaction, sub } if transaction == sub => {
                    self.open.remove(&transaction);
                }
                Step::Abort { transaction, sub } => {
                    self.open.entry(transaction).or_default().retain(|(of, _)| *of != sub);
                }
                Step::Progress { .. } => {}
            }
        }
    }
}

async fn connect(service: &PostgresSource) -> Box<dyn Source> {
    service.connect().await.unwrap()
}
