//! A process of `instep run`, seen from outside: what it says, where it listens, how it ends.

use super::http::Api;
use super::waiting::until_some;
use crate::program::Folder;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How long a line of it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    said: Receiver<String>,
    log: PathBuf,
}

impl Process {
    /// Starts the program in a folder.
    pub(crate) fn begin(folder: &Folder, line: &str) -> Self {
        let log = folder.path().join("instep.log");
        let file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.args(line.split_whitespace()).current_dir(folder.path()).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        // Ends with the process.
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Self { child, said, log }
    }

    /// Starts `instep run` in a folder, and waits until it is ready.
    pub(crate) fn start(folder: &Folder) -> (Self, Api) {
        let process = Self::begin(folder, "run");
        let line = process.line();
        let api = Api::at(line.strip_prefix("ready ").expect("the line that says it is ready"));
        (process, api)
    }

    /// Its next line on standard output.
    pub(crate) fn line(&self) -> String {
        let line = self.said.recv_timeout(PATIENCE);
        line.unwrap_or_else(|_| panic!("it says nothing more:\n{}", self.log()))
    }

    /// Its first line; none if it ends without one.
    pub(crate) fn first_line(&self) -> Option<String> {
        match self.said.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing:\n{}", self.log()),
        }
    }

    /// Everything that it still says, until its end, and the code that it ends with.
    pub(crate) fn rest(mut self) -> (Vec<String>, Option<i32>) {
        let status = until_some("it ends", || self.child.try_wait().unwrap());
        let mut lines = Vec::new();
        // The other end is closed once the process has ended and everything was read.
        while let Ok(line) = self.said.recv_timeout(PATIENCE) {
            lines.push(line);
        }
        (lines, status.code())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: the standard library can send no other signal than KILL.
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Where it logs to.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    /// What it has logged, in all runs in its folder.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
