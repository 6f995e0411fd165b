//! A demo that runs, and the place that it leaves its files in.

use crate::rig::until_some;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::time::sleep;

/// A folder in which demos make their temporary ones.
pub(super) struct Place {
    folder: TempDir,
}

/// A demo that runs.
pub(super) struct Performance(Child);

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these arguments.
    pub(super) fn program(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.args(line.split_whitespace()).current_dir(self.path());
        command.env_clear().env("TMPDIR", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub(super) fn run(&self, line: &str) -> Output {
        self.program(line).output().unwrap()
    }

    /// Starts it.
    pub(super) fn begin(&self, line: &str) -> Performance {
        Performance(self.program(line).spawn().unwrap())
    }

    /// Everything that is in the folder.
    pub(super) fn left(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The processes that were told of a path in this folder: those of Instep that a demo started.
    pub(super) fn processes(&self) -> Vec<String> {
        let here = self.path().to_str().unwrap();
        let lines = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let line = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
        lines.filter(|line| line.contains(here) && line.contains(" run ")).collect()
    }

    /// Waits until a demo's Instep runs.
    pub(super) fn has_instep(&self) {
        until("Instep runs", || !self.processes().is_empty());
    }
}

impl Performance {
    /// Sends it a signal, such as `TERM`.
    pub(super) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits until it says something with these words; what it says later is read and forgotten.
    pub(super) fn says(&mut self, words: &str) {
        let mut lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(words)), "it never says {words}");
        // Ends with the process.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    }

    /// Does something again and again until its end, which it comes to by itself.
    pub(super) fn meanwhile(&mut self, mut act: impl FnMut()) {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            while self.0.try_wait().unwrap().is_none() {
                act();
                sleep(Duration::from_millis(20)).await;
            }
        });
    }

    /// Waits for its end.
    pub(super) fn ended(self) -> Output {
        self.0.wait_with_output().unwrap()
    }
}

/// Waits until a condition holds.
pub(super) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let found = runtime.block_on(until_some(what, || holds().then_some(())));
    assert!(found.is_some(), "waited in vain until {what}");
}
