//! The program as its users run it, over files in a directory of their own.

use rusqlite::Connection;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(60);

const LIMITS: &str = "
version: 1
data_dir: data
listen: 127.0.0.1:0
limits: { retry_pause_seconds: 0.5, lease_seconds: 2 }
";

/// A directory with a configuration and files, and the program over them while it runs.
pub(crate) struct Running {
    folder: TempDir,
    child: Option<Child>,
}

impl Running {
    /// The program is not started yet.
    pub(crate) fn new(config: &str) -> Self {
        let running = Self { folder: TempDir::new().unwrap(), child: None };
        running.configure(config);
        running
    }

    /// Another configuration, for the next start.
    pub(crate) fn configure(&self, config: &str) {
        let path = self.folder.path().join("instep.yaml");
        fs::write(path, format!("{LIMITS}{config}")).unwrap();
    }

    /// A connection as a user has one.
    pub(crate) fn open(&self, file: &str) -> Connection {
        let connection = Connection::open(self.folder.path().join(file)).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        let set =
            || connection.execute_batch("pragma journal_mode = wal; pragma synchronous = off");
        // Another mode is not waited for: SQLite says at once that others are at work.
        self.until_equal("its mode is set", || (Ok(()), set()));
        connection
    }

    /// Starts the program; one that runs is killed first.
    pub(crate) fn start(&mut self) {
        self.kill();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_instep"))
            .args(["run", "--config"])
            .arg(self.folder.path().join("instep.yaml"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// What is said of the configuration.
    pub(crate) fn check(&self) -> String {
        let checked = Command::new(env!("CARGO_BIN_EXE_instep"))
            .args(["config", "check", "--config"])
            .arg(self.folder.path().join("instep.yaml"))
            .output()
            .unwrap();
        let said = [checked.stdout, checked.stderr].concat();
        String::from_utf8(said).unwrap()
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What the program has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until two are equal: what should be, and what is.
    pub(crate) fn until_equal<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        mut both: impl FnMut() -> (T, T),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let end = Instant::now() + PATIENCE;
            loop {
                let (expected, found) = both();
                if expected == found {
                    return;
                }
                if Instant::now() > end {
                    let log = self.log();
                    panic!("{what}\nexpected {expected:?}\nfound    {found:?}\n{log}");
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
