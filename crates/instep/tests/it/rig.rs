//! The rig: a directory with a configuration and SQLite files, and the program over them as its
//! users run it. Whether all is well is judged by the files alone.

mod chance;
mod preload;
mod running;
mod sql;
mod tmpfs;
mod wait;

pub(crate) use chance::Chance;
pub(crate) use preload::Syncs;
pub(crate) use running::Running;
pub(crate) use sql::{digest, lines, open, watermark};
pub(crate) use tmpfs::Tmpfs;
pub(crate) use wait::{until, until_some};

use model::Incarnation;
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// What stands at the top of each configuration: short pauses, so that healing is soon seen, and
/// small files of the journal, so that there are several.
const TOP: &str = "
version: 1
data_dir: data
listen: 127.0.0.1:0
limits:
  retry_pause_seconds: 0.5
  lease_seconds: 2
  hold_retry_seconds: 1
  segment_bytes_max: 262144
";

/// A shop: its items, the copy of them, and how many there are of each kind.
const SHOP: &str = "
services:
  source: { sqlite: source.db }
  target: { sqlite: target.db }
sources:
  shop: { from: source, tables: [item] }
copies:
  items: { of: shop/item, to: target/item, create: true }
counts:
  items: { of: shop/item, by: [kind], to: [target/item_count] }
";

/// The shop's table.
pub(crate) const ITEM: &str =
    "create table item (id integer primary key, kind text not null, title text)";

/// What has to be equal in the source and in the target.
pub(crate) type Pair = (&'static str, &'static str);

/// What has to be equal for the shop.
const SHOP_PAIRS: [Pair; 2] = [
    (
        "select id, kind, title from item order by id",
        "select id, kind, title from item order by id",
    ),
    (
        "select kind, count(*) from item group by kind order by kind",
        "select kind, value from item_count where count = 'items' order by kind",
    ),
];

/// A directory that goes away with the test.
#[derive(Debug)]
pub(crate) struct Rig {
    folder: TempDir,
    target: &'static str,
    pairs: &'static [Pair],
}

impl Rig {
    /// A directory with a configuration, and what has to be equal in `source.db` and `target.db`.
    pub(crate) fn new(config: &str, pairs: &'static [Pair]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rig = Self { folder, target: "target.db", pairs };
        fs::write(rig.path("instep.yaml"), format!("{TOP}{config}")).unwrap();
        rig
    }

    /// The shop, with some items.
    pub(crate) fn shop() -> Self {
        Self::shop_in("target.db")
    }

    /// The shop, with its target in this file.
    pub(crate) fn shop_in(target: &'static str) -> Self {
        let config = SHOP.replace("target.db", target);
        let rig = Self { target, ..Self::new(&config, &SHOP_PAIRS) };
        rig.write("source.db", &format!("pragma journal_mode = wal; {ITEM}"));
        rig.sell(1, 300);
        rig
    }

    /// Puts items with these numbers into the shop.
    pub(crate) fn sell(&self, first: i64, last: i64) {
        self.write("source.db", &items(first, last));
    }

    /// Allows a pass over the copies to delete rows, as only a person may; while nothing runs.
    pub(crate) fn allow_deletes(&self, rows: u64) {
        let rows = rows.to_string();
        let line = ["source", "allow-deletes", "shop", "--in", "target", "--rows", &rows];
        assert!(self.command(&line).status.success());
    }

    /// A file of the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection as other programs have one.
    pub(crate) fn open(&self, name: &str) -> Connection {
        open(&self.path(name))
    }

    /// Writes to a file.
    pub(crate) fn write(&self, name: &str, sql: &str) {
        self.open(name).execute_batch(sql).unwrap();
    }

    /// What a query says, a line a row; nothing where it can not be asked.
    pub(crate) fn ask(&self, name: &str, sql: &str) -> Option<Vec<String>> {
        let path = self.path(name);
        lines(&path.exists().then(|| open(&path))?, sql).ok()
    }

    /// In which history of its source the target stands.
    pub(crate) fn history(&self, lane: &str) -> Incarnation {
        let standing = watermark(&self.open(self.target), lane).unwrap();
        standing.expect("the copies have begun").incarnation
    }

    /// How many rows the copy has; none while it can not be read.
    pub(crate) fn copied(&self) -> usize {
        self.ask(self.target, "select id from item").map_or(0, |rows| rows.len())
    }

    /// Takes a file of SQLite away, with what belongs to it.
    pub(crate) fn remove(&self, name: &str) {
        for file in [name.to_owned(), format!("{name}-wal"), format!("{name}-shm")] {
            let _ = fs::remove_file(self.path(&file));
        }
    }

    /// Copies a file of SQLite as it is now, for a backup.
    pub(crate) fn back_up(&self, name: &str, to: &str) {
        self.remove(to);
        let path = self.path(to);
        self.write(name, &format!("vacuum into '{}'", path.display()));
        self.write(to, "pragma journal_mode = wal");
    }

    /// Puts a file of SQLite in another one's place in one step, as good tools do.
    pub(crate) fn put_in_place(&self, from: &str, name: &str) {
        for file in [format!("{name}-wal"), format!("{name}-shm")] {
            let _ = fs::remove_file(self.path(&file));
        }
        fs::rename(self.path(from), self.path(name)).unwrap();
    }

    /// Whether copies and counts equal the source.
    pub(crate) fn is_in_step(&self) -> bool {
        self.pairs.iter().all(|(source, target)| {
            let source = self.ask("source.db", source);
            source.is_some() && source == self.ask(self.target, target)
        })
    }

    /// Waits until copies and counts equal the source.
    pub(crate) async fn converges(&self) {
        let all =
            async || until("copies and counts equal their source", || self.is_in_step()).await;
        if !all().await {
            let said = self.log();
            let said = &said[said.len().saturating_sub(6_000)..];
            for (source, target) in self.pairs {
                let (source, target) =
                    (self.ask("source.db", source), self.ask(self.target, target));
                if source != target {
                    println!("source {source:?}\ntarget {target:?}");
                }
            }
            panic!("copies and counts do not come to equal their source; the log ends:\n{said}");
        }
    }

    /// Starts the program and waits until it is ready.
    pub(crate) async fn run(&self) -> Running {
        let mut running = self.begin();
        running.ready(|| self.log()).await;
        running
    }

    /// Starts the program.
    pub(crate) fn begin(&self) -> Running {
        self.begin_with(&[])
    }

    /// Starts the program with these variables.
    pub(crate) fn begin_with(&self, variables: &[(&str, &str)]) -> Running {
        let mut command = self.program();
        command.arg("run").envs(variables.iter().copied());
        Running::spawn(command, &self.path("instep.log"))
    }

    /// Runs a command to its end.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).output().unwrap()
    }

    /// Everything that was logged, in all runs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("instep.log")).unwrap_or_default()
    }

    /// Waits until something is logged.
    pub(crate) async fn logs(&self, words: &str) {
        self.logs_one_of(&[words]).await;
    }

    /// Waits until something was logged so many times.
    pub(crate) async fn logs_again(&self, words: &str, times: usize) {
        let is_logged = until(words, || self.log().matches(words).count() >= times).await;
        assert!(is_logged, "{words} is not logged {times} times:\n{}", self.log());
    }

    /// Waits until one of these is logged.
    pub(crate) async fn logs_one_of(&self, several: &[&str]) {
        let is_logged = || several.iter().any(|words| self.log().contains(words));
        let is_logged = until("something is logged", is_logged).await;
        assert!(is_logged, "{several:?} is never logged:\n{}", self.log());
    }

    /// The program in this directory, with no arguments yet.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.current_dir(self.folder.path()).env_remove("INSTEP_CONFIG");
        command
    }
}

/// The statement that makes items with these numbers.
pub(crate) fn items(first: i64, last: i64) -> String {
    format!(
        "with recursive number (id) as (values ({first})
             union all select id + 1 from number where id < {last})
         insert into item (id, kind, title)
         select id, 'kind ' || (id % 7), 'item ' || id from number"
    )
}
