//! A process of the program, from its start to its end.

use super::wait::{until, until_some};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A process; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    said: Receiver<String>,
}

impl Running {
    /// Starts it; what it logs is added to a file.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        // Ends with the process.
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Self { child, said }
    }

    /// Waits for the line that says that it is ready.
    pub(crate) async fn ready(&mut self, log: impl Fn() -> String) {
        let is_ready = until("the program is ready", || {
            assert!(self.is_running(), "it ended instead of becoming ready:\n{}", log());
            self.said.try_iter().any(|line| line.starts_with("ready http://127."))
        });
        assert!(is_ready.await, "it does not become ready:\n{}", log());
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: the standard library can send no other signal than KILL.
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) async fn stop(self) {
        self.signal("TERM");
        assert_eq!(self.ended().await.code(), Some(0), "a clean stop");
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let ended = until_some("the program ends", || self.child.try_wait().unwrap()).await;
        ended.expect("it ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
