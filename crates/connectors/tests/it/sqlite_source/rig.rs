//! A file in a directory of its own, and a reader that keeps what it is told.

use instep_connectors::sqlite::{File, SourceLimits, SqliteRows, SqliteSource};
use model::{
    Change, Commit, Incarnation, Inspect, Key, Offset, Op, Place, Position, Resume, Row, Selection,
    Service, Source, Started, Step, Table, TableName,
};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// A directory that goes away with the test, with one file in it.
pub(super) struct Rig {
    folder: PathBuf,
}

impl Rig {
    /// A file in write-ahead mode with these tables.
    pub(super) fn new(tables: &str) -> Self {
        let rig = Self::empty();
        rig.open().execute_batch("pragma journal_mode = wal").expect("it works");
        rig.write(tables);
        rig
    }

    pub(super) fn empty() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("instep-sqlite-source-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("it works");
        Self { folder }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("source.db")
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A connection as a user has one.
    pub(super) fn open(&self) -> Connection {
        open(&self.path())
    }

    pub(super) fn write(&self, sql: &str) {
        self.open().execute_batch(sql).expect("it works");
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        self.open().query_row(sql, [], |row| row.get(0)).expect("it works")
    }

    /// The token that a writer reads.
    pub(super) fn token(&self) -> Position {
        let token = "select seq from sqlite_sequence where name = 'instep_changes'";
        Position::from_number(self.number(token).try_into().expect("it works"))
    }

    pub(super) fn service(&self, tables: &[&str]) -> SqliteSource {
        self.service_with(tables, SourceLimits::default())
    }

    pub(super) fn service_with(&self, tables: &[&str], limits: SourceLimits) -> SqliteSource {
        let tables = tables.iter().map(|&name| TableName::from(name)).collect();
        SqliteSource::new(self.file(), tables, limits)
    }

    pub(super) fn file(&self) -> File {
        File::new(&self.path())
    }

    pub(super) async fn follow(&self, tables: &[&str]) -> Reader {
        Reader::begin(&self.service(tables)).await
    }

    /// All rows of a table as they are, through inspection.
    pub(super) async fn rows(&self, table: &str) -> BTreeMap<Key, Row> {
        let mut inspect = self.inspect().await;
        let table =
            inspect.table(&table.into()).await.expect("it works").expect("there is such a table");
        let found =
            inspect.rows(&table, &Selection::ALL, usize::MAX).await.expect("it works").found;
        assert!(found.rows.is_sorted_by(|one, other| one.0 < other.0), "in key order");
        found.rows.into_iter().map(|(key, row, _)| (key, row)).collect()
    }

    pub(super) async fn inspect(&self) -> Box<dyn Inspect> {
        SqliteRows::new(self.file()).connect().await.expect("it works")
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("it works");
    connection.busy_timeout(Duration::from_secs(20)).expect("it works");
    connection
}

/// Follows a source, and does to its tables what it is told.
pub(super) struct Reader {
    pub(super) source: Box<dyn Source>,
    pub(super) place: Place,
    pub(super) last: Option<Commit>,
    pub(super) tables: BTreeMap<TableName, BTreeMap<Key, Row>>,
    /// Each table as it came last.
    pub(super) shapes: BTreeMap<TableName, Arc<Table>>,
    /// The parts of the last transaction.
    pub(super) parts: Vec<Vec<Change>>,
}

/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(30);

impl Reader {
    pub(super) async fn begin(service: &SqliteSource) -> Self {
        let mut source = service.connect().await.expect("it works");
        let Started::Fresh(place) = source.start(None).await.expect("it works") else {
            panic!("a first start is fresh")
        };
        let (tables, shapes) = (BTreeMap::new(), BTreeMap::new());
        Self { source, place, last: None, tables, shapes, parts: Vec::new() }
    }

    /// Reads until a position.
    pub(super) async fn reach(&mut self, upto: &Position) {
        while self.place.position < *upto {
            self.step().await;
        }
    }

    /// Reads until what was written by now.
    pub(super) async fn catch_up(&mut self, rig: &Rig) {
        self.reach(&rig.token()).await;
    }

    /// Reads until the end of the next transaction or progress.
    pub(super) async fn step(&mut self) {
        let mut parts = Vec::new();
        loop {
            let step = timeout(PATIENCE, self.source.next()).await.expect("a step comes");
            match step.expect("it works") {
                Step::Part { changes, .. } => parts.push(changes),
                Step::Commit { transaction, position, committed_at } => {
                    assert!(position > self.place.position, "positions rise");
                    let before = self.last.as_ref().map_or(0, |last| last.committed_at);
                    assert!(committed_at >= before, "the clock never goes back");
                    let offset = Offset::whole(Incarnation(1), position.clone());
                    self.last = Some(Commit { offset, transaction, committed_at });
                    self.place.position = position;
                    break;
                }
                // Only that there is nothing new.
                Step::Progress { position, .. } if position == self.place.position => {}
                Step::Progress { position, .. } => {
                    assert!(position > self.place.position, "positions rise");
                    self.place.position = position;
                    break;
                }
                Step::Abort { .. } => panic!("nothing is taken back"),
            }
        }
        for change in parts.iter().flatten() {
            self.shapes.insert(change.table.name.clone(), Arc::clone(&change.table));
            let rows = self.tables.entry(change.table.name.clone()).or_default();
            match &change.op {
                Op::Update { before, row } => {
                    assert!(row.is_complete(), "{change:?}");
                    assert_eq!(change.table.key_of(row).as_ref(), Some(before));
                    rows.insert(before.clone(), row.clone());
                }
                Op::Delete(key) => _ = rows.remove(key),
                Op::Insert(_) | Op::Truncate => panic!("nobody can know that: {change:?}"),
            }
        }
        self.parts = parts;
    }

    pub(super) fn rows(&self, table: &str) -> BTreeMap<Key, Row> {
        self.tables.get(&table.into()).cloned().unwrap_or_default()
    }

    /// Where this reader is to go on.
    pub(super) fn resume(&self) -> Resume {
        Resume { place: self.place.clone(), last: self.last.clone() }
    }

    /// The next fault, whatever comes before it.
    pub(super) async fn fault(&mut self) -> model::Fault {
        let fault = async {
            loop {
                if let Err(fault) = self.source.next().await {
                    return fault;
                }
            }
        };
        timeout(PATIENCE, fault).await.expect("a fault comes")
    }

    /// Starts anew, as after a crash.
    pub(super) async fn start_anew(&mut self, service: &SqliteSource) -> Started {
        self.source = service.connect().await.expect("it works");
        self.source.start(Some(&self.resume())).await.expect("it works")
    }

    /// Starts anew and goes on.
    pub(super) async fn go_on(&mut self, service: &SqliteSource) {
        assert_eq!(self.start_anew(service).await, Started::Resumed);
    }

    /// Starts anew where history was lost, and begins the next one.
    pub(super) async fn lose(&mut self, service: &SqliteSource, same: bool) -> String {
        let Started::Lost { why, same_history, now } = self.start_anew(service).await else {
            panic!("history is lost")
        };
        assert_eq!(same_history, same, "{why}");
        (self.place, self.last) = (now, None);
        let started = self.source.start(Some(&self.resume())).await.expect("it works");
        assert_eq!(started, Started::Resumed);
        why
    }
}
