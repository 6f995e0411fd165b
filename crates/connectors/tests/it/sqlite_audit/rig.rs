//! A file with tables in it, and sessions that look at it.

use instep_connectors::sqlite::{File, SqliteAudit};
use model::{Ask, Audit, Cell, Key, Kind, Row, Selection, Service, Value, Wanted};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

pub(super) struct Rig {
    folder: TempDir,
}

impl Rig {
    /// A file in which these statements were run.
    pub(super) fn new(statements: &str) -> Self {
        let rig = Self::empty();
        rig.hand().execute_batch(statements).unwrap();
        rig
    }

    /// A folder without a file.
    pub(super) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("a b#?%.db")
    }

    /// A connection that others have.
    pub(super) fn hand(&self) -> Connection {
        let hand = Connection::open(self.path()).unwrap();
        hand.busy_timeout(Duration::from_secs(30)).unwrap();
        hand
    }

    pub(super) fn audit(&self) -> SqliteAudit {
        self.patient(Duration::from_secs(30))
    }

    pub(super) fn patient(&self, busy: Duration) -> SqliteAudit {
        SqliteAudit::new(File { busy, ..File::new(&self.path()) })
    }

    pub(super) async fn session(&self) -> Box<dyn Audit> {
        self.audit().connect().await.unwrap()
    }

    /// What is in the folder: names, and what stands for the bytes.
    pub(super) fn files(&self) -> BTreeMap<String, (usize, u64)> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|it| it.unwrap());
        let stands_for = |path: PathBuf| {
            let (bytes, mut hasher) = (fs::read(path).unwrap(), DefaultHasher::new());
            bytes.hash(&mut hasher);
            (bytes.len(), hasher.finish())
        };
        files.map(|it| (it.file_name().into_string().unwrap(), stands_for(it.path()))).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.files().into_keys().collect()
    }
}

/// Asks for these columns of a table.
pub(super) fn ask(table: &str, key: &[(&str, Kind)], columns: &[(&str, Kind)]) -> Ask {
    Ask {
        table: table.into(),
        key: key.iter().map(|it| wanted(it.0, it.1)).collect(),
        columns: columns.iter().map(|it| wanted(it.0, it.1)).collect(),
        condition: None,
        from: None,
        seeds: [1, 2],
    }
}

pub(super) fn wanted(name: &str, kind: Kind) -> Wanted {
    Wanted { name: name.into(), kind }
}

pub(super) fn key<V: Into<Value>>(value: V) -> Key {
    Key::new([value])
}

pub(super) fn range(after: Option<Key>, upto: Option<Key>) -> Selection {
    Selection::Range { after, upto }
}

/// All rows, read in stretches of so many.
pub(super) async fn all(session: &mut dyn Audit, ask: &Ask, rows_max: usize) -> Vec<(Key, Row)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let rows = session.rows(ask, &range(after, None), rows_max).await.unwrap();
        after = rows.found.last().map(|(key, _)| key.clone());
        all.extend(rows.found);
        if !rows.more {
            return all;
        }
        assert!(all.len() < 100_000, "there is no end to it");
    }
}

/// The keys of all rows.
pub(super) async fn keys(session: &mut dyn Audit, ask: &Ask, rows_max: usize) -> Vec<Key> {
    all(session, ask, rows_max).await.into_iter().map(|(key, _)| key).collect()
}

pub(super) fn values(row: &Row) -> Vec<Value> {
    let value = |cell: &Cell| match cell {
        Cell::Value(value) => value.clone(),
        other => panic!("{other:?}"),
    };
    row.0.iter().map(value).collect()
}
