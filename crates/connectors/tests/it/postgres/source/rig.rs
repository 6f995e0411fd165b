//! A database whose tables are followed, and what comes of it.

use super::super::rig::{Database, PATIENCE};
use super::shown::{show, show_rows};
use instep_connectors::postgres::types;
use instep_connectors::postgres::{PostgresSource, SourceLimits};
use model::{
    Cell, Change, Code, Commit, Fault, Incarnation, Key, Offset, Op, Position, Resume, Row,
    Service, Source, Started, Step, TransactionId,
};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::postgres::{Server, Settings};
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

/// Bounds under which nothing is looked at beside the stream while a test runs.
pub(super) fn blind() -> SourceLimits {
    SourceLimits { look_pause: PATIENCE, ..limits() }
}

/// The tables of a database, followed.
pub(super) fn followed(database: &Database, tables: &[&str]) -> PostgresSource {
    followed_within(database, tables, limits())
}

/// The tables of a database, followed within these bounds.
pub(super) fn followed_within(
    database: &Database,
    tables: &[&str],
    limits: SourceLimits,
) -> PostgresSource {
    let tables = tables.iter().map(|&table| table.into()).collect();
    PostgresSource::new(database.access.clone(), tables, "test", limits)
}

/// The table `public.t`, made by these statements and followed.
pub(super) async fn table(statements: &str) -> Option<(Database, Reader)> {
    let database = Database::new().await?;
    database.run(statements).await;
    let reader = Reader::fresh(&followed(&database, &["public.t"])).await;
    Some((database, reader))
}

/// A server with these lines in its settings; none where there is no PostgreSQL.
pub(super) fn server(lines: &[&str]) -> Option<Server> {
    let lines = lines.iter().map(|&line| line.to_owned()).collect();
    testkit::postgres::start(&Settings { lines, ..Settings::default() })
}

/// A stream that began, and what an engine knows of it: everything that was handed over is durable.
pub(super) struct Reader {
    pub(super) source: Box<dyn Source>,
    /// Where it is, as it would go on.
    pub(super) resume: Resume,
    /// What came of transactions that have no end yet.
    pub(super) open: BTreeMap<TransactionId, Vec<(TransactionId, Change)>>,
    /// What was done to each row by everything that came.
    pub(super) copies: Copies,
    /// The largest part that came.
    pub(super) largest: usize,
    /// Changes that do not fit the rows which came before.
    pub(super) odd: Vec<String>,
    /// How many roll-backs came.
    pub(super) aborts: usize,
}

/// The rows of each table, by name.
pub(super) type Copies = BTreeMap<String, BTreeMap<Key, Row>>;

/// What is known at the end of a step.
#[derive(Debug)]
pub(super) enum Came {
    Transaction(Vec<Change>),
    Progress,
    Nothing,
}

impl Reader {
    /// A first start.
    pub(super) async fn fresh(service: &PostgresSource) -> Self {
        let mut source = connect(service).await;
        let started = timeout(PATIENCE, source.start(None)).await.expect("an answer").unwrap();
        let Started::Fresh(place) = started else { panic!("{started:?}") };
        Self::of(source, Resume { place, last: None })
    }

    /// A start that goes on.
    pub(super) async fn resumed(service: &PostgresSource, resume: &Resume) -> Self {
        let mut source = connect(service).await;
        let started = started(source.as_mut(), resume).await;
        assert_eq!(started, Started::Resumed);
        Self::of(source, resume.clone())
    }

    /// A start that goes on, where it may be too early.
    pub(super) async fn try_resumed(
        service: &PostgresSource,
        resume: &Resume,
    ) -> Result<Self, Fault> {
        let mut source = connect(service).await;
        let started = timeout(PATIENCE, source.start(Some(resume))).await.expect("an answer")?;
        assert_eq!(started, Started::Resumed);
        Ok(Self::of(source, resume.clone()))
    }

    fn of(source: Box<dyn Source>, resume: Resume) -> Self {
        let (open, copies) = (BTreeMap::new(), Copies::new());
        Self { source, resume, open, copies, largest: 0, aborts: 0, odd: Vec::new() }
    }

    /// Ends this stream and goes on, with everything that it has.
    pub(super) async fn again(self, service: &PostgresSource) -> Self {
        let Self { source, resume, copies, odd, .. } = self;
        drop(source);
        Self { copies, odd, ..Self::resumed(service, &resume).await }
    }

    /// Everything that came is durable.
    pub(super) fn confirm(&self) {
        self.source.confirm(&self.resume.place.position);
    }

    /// The changes of the next transaction.
    pub(super) async fn changes(&mut self) -> Vec<Change> {
        timeout(PATIENCE, self.try_changes()).await.expect("a transaction").unwrap()
    }

    /// The next transaction, as a person would write it down.
    pub(super) async fn shown(&mut self) -> String {
        self.changes().await.iter().map(show).collect::<Vec<_>>().join("; ")
    }

    /// Reads until this position is reached.
    pub(super) async fn upto(&mut self, position: &Position) {
        let wait = async {
            while self.resume.place.position < *position {
                self.step().await.unwrap();
            }
        };
        timeout(PATIENCE, wait).await.expect("it is reached");
    }

    /// Reads until the stream has everything that was committed by now.
    pub(super) async fn catch_up(&mut self, database: &Database) {
        let end = database.end().await;
        self.source.mark();
        self.upto(&end).await;
    }

    /// Why the stream ends; it has to end by a gap.
    pub(super) async fn gap(&mut self) -> String {
        let fault = self.fault().await;
        assert_eq!(fault.code, Code::SourceHistoryLost, "{fault}");
        fault.what
    }

    /// Why the stream ends.
    pub(super) async fn fault(&mut self) -> Fault {
        let wait = async {
            loop {
                if let Err(fault) = self.step().await {
                    break fault;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("the stream ends")
    }

    async fn try_changes(&mut self) -> Result<Vec<Change>, Fault> {
        loop {
            if let Came::Transaction(changes) = self.step().await? {
                return Ok(changes);
            }
        }
    }

    /// Takes one step, as an engine does.
    pub(super) async fn step(&mut self) -> Result<Came, Fault> {
        let step = self.source.next().await?;
        Ok(self.take(step))
    }

    /// A step is durable.
    pub(super) fn take(&mut self, step: Step) -> Came {
        if let Some(witness) = self.source.news().witness {
            self.resume.place.witness = witness;
        }
        match step {
            Step::Part { transaction, sub, changes } => {
                let bytes =
                    if changes.len() > 1 { changes.iter().map(Change::bytes).sum() } else { 0 };
                self.largest = self.largest.max(bytes);
                let changes = changes.into_iter().map(|change| (sub, change));
                self.open.entry(transaction).or_default().extend(changes);
            }
            Step::Commit { transaction, position, committed_at } => {
                let changes = self.open.remove(&transaction).unwrap_or_default();
                let changes: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
                let before = &self.resume.place.position;
                if position <= *before {
                    // It came again.
                    return Came::Nothing;
                }
                let offset = Offset::whole(Incarnation(1), position.clone());
                self.resume.place.position = position;
                self.resume.last = Some(Commit { offset, transaction, committed_at });
                for change in &changes {
                    if !apply(&mut self.copies, change) {
                        self.odd.push(show(change));
                    }
                }
                return Came::Transaction(changes);
            }
            Step::Abort { transaction, sub } => {
                self.aborts += 1;
                if transaction == sub {
                    self.open.remove(&transaction);
                } else if let Some(open) = self.open.get_mut(&transaction) {
                    open.retain(|(of, _)| *of != sub);
                }
            }
            Step::Progress { position, .. } => {
                assert!(position >= self.resume.place.position, "progress goes on");
                self.resume.place.position = position;
                return Came::Progress;
            }
        }
        Came::Nothing
    }

    /// What came is what the table holds.
    pub(super) async fn equals(&mut self, database: &Database, table: &str) {
        self.catch_up(database).await;
        let theirs = rows(database, table).await;
        let ours = self.copies.entry(table.to_owned()).or_default();
        assert_eq!(show_rows(ours), show_rows(&theirs), "{table}");
        assert_eq!(*ours, theirs, "{table}");
        assert_eq!(self.odd, [""; 0], "{table}");
    }
}

/// Does the change; whether it fits the rows that there are.
fn apply(copies: &mut Copies, change: &Change) -> bool {
    let copy = copies.entry(change.table.name.as_str().to_owned()).or_default();
    let key_of = |row: &Row| change.table.key_of(row).expect("a key");
    match &change.op {
        Op::Insert(row) => row.is_complete() && copy.insert(key_of(row), row.clone()).is_none(),
        Op::Update { before, row } => {
            let Some(earlier) = copy.remove(before) else { return false };
            let mut row = row.clone();
            row.fill_unchanged_from(&earlier);
            copy.insert(key_of(&row), row).is_none()
        }
        Op::Delete(key) => copy.remove(key).is_some(),
        Op::Truncate => {
            copy.clear();
            true
        }
    }
}

/// The rows of a table, asked for.
pub(super) async fn rows(database: &Database, table: &str) -> BTreeMap<Key, Row> {
    let found = database.described(table).await;
    let names = found.table.columns.iter().map(|it| format!("\"{}\"", it.name));
    let names = names.collect::<Vec<_>>().join(", ");
    let all =
        database.session.query(&format!("select {names} from {}", found.only())).await.unwrap();
    let mut rows = BTreeMap::new();
    for cells in all {
        let cells = cells.iter().zip(&found.columns).map(|(cell, column)| match cell {
            Some(text) => Cell::Value(types::read(&column.form, text.as_bytes()).unwrap()),
            None => Cell::Value(model::Value::Null),
        });
        let row = Row(cells.collect());
        rows.insert(found.table.key_of(&row).expect("a key"), row);
    }
    rows
}

/// How a start that is to go on is answered.
pub(super) async fn started(source: &mut dyn Source, resume: &Resume) -> Started {
    let start = source.start(Some(resume));
    timeout(PATIENCE, start).await.expect("an answer").unwrap_or_else(|fault| panic!("{fault}"))
}

/// Why a start is refused.
pub(super) async fn refused(service: &PostgresSource, resume: Option<&Resume>) -> Fault {
    let mut source = connect(service).await;
    let started = timeout(PATIENCE, source.start(resume)).await.expect("an answer");
    started.expect_err("it is refused")
}

/// Why the history was lost, whether places still mean what they meant, and how to go on.
pub(super) async fn lost(service: &PostgresSource, resume: &Resume) -> (String, bool, Resume) {
    let mut source = connect(service).await;
    match started(source.as_mut(), resume).await {
        Started::Lost { why, same_history, now } => {
            (why, same_history, Resume { place: now, last: None })
        }
        other => panic!("{other:?}"),
    }
}

/// The history was lost, places mean what they meant, and following can go on.
pub(super) async fn missed(service: &PostgresSource, reader: Reader) -> (String, Reader) {
    let mut resume = reader.resume.clone();
    drop(reader);
    // It may have come further before it saw that it cannot go on.
    let (why, same_history, now) = loop {
        let mut source = connect(service).await;
        match started(source.as_mut(), &resume).await {
            Started::Lost { why, same_history, now } => break (why, same_history, now),
            Started::Resumed => {
                let mut reader = Reader::of(source, resume);
                reader.gap().await;
                resume = reader.resume;
            }
            Started::Fresh(place) => panic!("{place:?}"),
        }
    };
    assert!(same_history, "{why}");
    (why, Reader::resumed(service, &Resume { place: now, last: None }).await)
}

pub(super) async fn connect(service: &PostgresSource) -> Box<dyn Source> {
    service.connect().await.unwrap()
}
