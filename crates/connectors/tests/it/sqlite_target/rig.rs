//! A file with tables in it, a connection that leads, and a hand that looks at the file from outside.

use instep_connectors::CopyTo;
use instep_connectors::sqlite::File;
use instep_connectors::sqlite::target::{SqliteCopyRows, SqliteTarget};
use model::{
    Batch, CopyName, Effect, Epoch, Fault, Hold, Incarnation, Inspect, Key, Lane, Leadership, Mode,
    Offset, Outcome, Position, Row, Service, Table, Target, Tenure, Write,
};
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use testkit::conformance::rows;

/// A folder that goes away with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("instep-connectors-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("it can be made");
        Self(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("copies.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The table of the suites, as a user would make it here; 13 may not be refused.
pub(super) const TABLE: &str = "create table questions_copy (
    id integer primary key, topic int, body text check (body <> 'refused'))";

/// The same for rows of several lanes.
pub(super) const OWNED: &str = "create table questions_copy (
    id integer primary key, topic int, body text check (body <> 'refused'), shard text)";

/// A file with a copy in it.
pub(crate) struct Rig {
    pub(super) folder: Arc<Folder>,
    pub(super) copy: CopyTo,
    pub(super) target: SqliteTarget,
    pub(super) table: Arc<Table>,
}

impl Rig {
    /// A file in which these statements were run, with the copy `copy` in the table
    /// `questions_copy`.
    pub(super) fn new(statements: &str) -> Self {
        Self::of(statements, CopyTo::new("copy", "questions_copy"), rows::table("questions"))
    }

    /// The same with rows of several lanes.
    pub(super) fn owned(statements: &str) -> Self {
        let copy = CopyTo::new("copy", "questions_copy");
        let copy = CopyTo { shard_column: Some("shard".into()), ..copy };
        Self::of(statements, copy, rows::table("questions"))
    }

    /// A file with this copy of this table.
    pub(super) fn of(statements: &str, copy: CopyTo, table: Arc<Table>) -> Self {
        let folder = Arc::new(Folder::new());
        let hand = Connection::open(folder.file()).expect("it can be made");
        hand.execute_batch(statements).expect("they are sound");
        let target = SqliteTarget::new(file(&folder), vec![copy.clone()]);
        Self { folder, copy, target, table }
    }

    /// A file that is not there.
    pub(super) fn without_file(copy: CopyTo, table: Arc<Table>) -> Self {
        let folder = Arc::new(Folder::new());
        let target = SqliteTarget::new(file(&folder), vec![copy.clone()]);
        Self { folder, copy, target, table }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.file()
    }

    pub(super) fn inspect(&self) -> Arc<dyn Service<dyn Inspect>> {
        self.inspect_lane(None)
    }

    pub(super) fn inspect_lane(&self, lane: Option<&str>) -> Arc<dyn Service<dyn Inspect>> {
        let (file, copy) = (file(&self.folder), self.copy.clone());
        let lane = lane.map(Lane::from);
        Arc::new(SqliteCopyRows::new(file, copy, self.table.name.clone(), lane))
    }

    /// A connection that others than Instep have.
    pub(super) fn hand(&self) -> Connection {
        hand(&self.path())
    }

    pub(super) async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        self.target.connect().await
    }

    pub(crate) async fn lead(&self) -> Led {
        Led::new(self, "lane").await
    }

    /// What the file has, as text, one row a line.
    pub(super) fn dump(&self, sql: &str) -> String {
        let hand = self.hand();
        let mut statement = hand.prepare(sql).expect("it is sound");
        let count = statement.column_count();
        let line = |row: &rusqlite::Row<'_>| {
            let cells = (0..count).map(|at| match row.get_ref(at).expect("a column") {
                rusqlite::types::ValueRef::Null => "-".to_owned(),
                rusqlite::types::ValueRef::Integer(int) => int.to_string(),
                rusqlite::types::ValueRef::Real(float) => format!("{float:?}"),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                rusqlite::types::ValueRef::Blob(bytes) => format!("{bytes:?}"),
            });
            Ok(cells.collect::<Vec<_>>().join("|"))
        };
        let lines = statement.query_map([], line).expect("it is answered");
        lines.map(|line| line.expect("a row")).collect::<Vec<_>>().join("\n")
    }

    /// A write to the copy.
    pub(super) fn write(&self, effect: Effect) -> Write {
        let (copy, table) = (self.copy.name.clone(), self.table.clone());
        Write { copy, table, version: at(1).change(0), effect }
    }

    /// A put of a row.
    pub(crate) fn put(&self, row: Row) -> Write {
        let key = self.table.key_of(&row).expect("a key");
        self.write(Effect::Put { key, row, new: false })
    }
}

/// A connection that leads a lane.
pub(crate) struct Led {
    pub(super) target: Box<dyn Target>,
    pub(super) lane: Lane,
    pub(super) epoch: Epoch,
}

impl Led {
    pub(super) async fn new(rig: &Rig, lane: &str) -> Self {
        let mut target = rig.connect().await.expect("a connection");
        let lane = Lane::from(lane);
        let answer = target.lead(&lane, &tenure(1)).await.expect("an answer");
        let Leadership::Held(epoch) = answer else { panic!("{answer:?}") };
        Self { target, lane, epoch }
    }

    pub(super) fn batch(&self, number: u64, writes: Vec<Write>) -> Batch {
        Batch {
            lane: self.lane.clone(),
            epoch: self.epoch,
            writes: writes.into(),
            holds: Vec::new(),
            discards: Vec::new(),
            passes: Vec::new(),
            watermark: at(number),
            last: true,
        }
    }

    /// Writes in one transaction; the reason, if it is refused.
    pub(crate) async fn together(&mut self, number: u64, writes: Vec<Write>) -> Option<String> {
        let batch = self.batch(number, writes);
        match self.target.apply(&batch, Mode::Together).await.expect("an answer") {
            Outcome::Written { .. } => None,
            Outcome::Refused(reason) => Some(reason),
        }
    }

    /// Writes row by row; which writes were refused.
    pub(super) async fn each(&mut self, number: u64, writes: Vec<Write>) -> Vec<usize> {
        let batch = self.batch(number, writes);
        let outcome = self.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
        let Outcome::Written { refused, .. } = outcome else { panic!("{outcome:?}") };
        refused.into_iter().map(|refusal| refusal.write).collect()
    }

    pub(super) async fn holds(&mut self) -> Vec<Hold> {
        self.target.standing(&self.lane).await.expect("a standing").holds
    }

    pub(super) async fn held(&mut self) -> Vec<Key> {
        self.holds().await.into_iter().map(|hold| hold.key).collect()
    }
}

pub(super) fn hand(path: &Path) -> Connection {
    let hand = Connection::open(path).expect("it can be opened");
    hand.busy_timeout(Duration::from_secs(5)).expect("it takes it");
    hand
}

/// The file, with little patience, so that tests of locks are quick.
pub(super) fn file(folder: &Folder) -> File {
    File { busy: Duration::from_millis(100), ..File::new(&folder.file()) }
}

pub(super) fn tenure(connection: u64) -> Tenure {
    let lasting = Duration::from_secs(60);
    Tenure { instance: "one".into(), run: 1, connection, lasting }
}

pub(super) fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

pub(super) fn copy_name() -> CopyName {
    "copy".into()
}
