//! The files of a platform, read by themselves: what is true, and what a copy has. No service and no
//! Instep is asked.

use super::numbers::Numbers;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the files of a platform are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

/// A question as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// What it is about.
    pub(super) topic: String,
    /// Its words.
    pub(super) text: String,
    /// How often it was written.
    pub(super) revision: i64,
}

/// Questions by their numbers.
pub(super) type Questions = BTreeMap<i64, Question>;

/// The shards, by the names that Instep has for them.
pub(super) const SHARDS: [&str; 2] = ["questions-a", "questions-b"];

/// How long a reader waits for a file that is locked.
const PATIENCE: Duration = Duration::from_secs(10);

impl Files {
    /// The files in a folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// How many questions there are, counted in the shards.
    pub(super) fn recount(&self) -> rusqlite::Result<Numbers> {
        let mut sum = Numbers::new();
        for shard in SHARDS {
            let file = self.open(shard)?;
            let all = "select topic, count(*) from questions group by topic";
            let mut statement = file.prepare(all)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                *sum.entry(row.get(0)?).or_default() += row.get::<_, i64>(1)?;
            }
        }
        Ok(sum)
    }

    /// Every question of the shards.
    pub(super) fn source(&self) -> rusqlite::Result<Questions> {
        let mut all = Questions::new();
        for shard in SHARDS {
            all.extend(self.rows(shard)?);
        }
        Ok(all)
    }

    /// Every question of the quiz service's copy.
    pub(super) fn copy(&self) -> rusqlite::Result<Questions> {
        self.rows("quiz")
    }

    /// Where the shards are now, as a writer learns it and as Instep takes it.
    pub(super) fn position(&self) -> rusqlite::Result<String> {
        let mut places = Vec::new();
        for shard in SHARDS {
            let token = "select seq from sqlite_sequence where name = 'instep_changes'";
            let seq: i64 = self.open(shard)?.query_row(token, [], |row| row.get(0))?;
            places.push(format!("{shard}:{seq}"));
        }
        Ok(places.join(","))
    }

    /// Lets the reporting store take no writes until the connection is dropped.
    pub(super) fn stop_reporting(&self) -> rusqlite::Result<Connection> {
        let file = Connection::open(self.path("reporting"))?;
        file.busy_timeout(PATIENCE)?;
        file.execute_batch("begin immediate")?;
        Ok(file)
    }

    fn rows(&self, name: &str) -> rusqlite::Result<Questions> {
        let file = self.open(name)?;
        let mut statement = file.prepare("select id, topic, text, revision from questions")?;
        let rows = statement.query_map([], |row| {
            let question =
                Question { topic: row.get(1)?, text: row.get(2)?, revision: row.get(3)? };
            Ok((row.get(0)?, question))
        })?;
        rows.collect()
    }

    fn open(&self, name: &str) -> rusqlite::Result<Connection> {
        let file = Connection::open_with_flags(self.path(name), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        file.busy_timeout(PATIENCE)?;
        Ok(file)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }
}
