//! The Instep of the demo: a process of its own, started, killed and started again.

use super::folder::{Folder, LISTEN};
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;

/// The process, while there is one; killed when it is dropped.
#[derive(Debug)]
pub(super) struct Instance {
    config: PathBuf,
    log: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Where it answers, once it does.
    url: Arc<OnceLock<String>>,
}

/// How much of the log is shown where Instep has failed.
const LINES_SHOWN: usize = 5;

impl Instance {
    /// The Instep of this folder, which is not started.
    pub(super) fn new(folder: &Folder) -> Self {
        Self { config: folder.at("instep.yaml"), log: folder.at("instep.log"), running: None }
    }

    /// Starts it, unless it runs.
    pub(super) fn start(&mut self) -> io::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--config")
            .arg(&self.config)
            .args(["run", "--log-format", "pretty"])
            .env(LISTEN, "127.0.0.1:0")
            // A key that interrupts the demo is not for it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let url = Arc::new(OnceLock::new());
        if let Some(out) = child.stdout.take() {
            let url = url.clone();
            let listen = move || {
                let lines = BufReader::new(out).lines().map_while(Result::ok);
                for line in lines {
                    if let Some(at) = line.strip_prefix("ready ") {
                        // A second line of that kind would say the same.
                        let _ = url.set(at.to_owned());
                    }
                }
            };
            // Ends with the process.
            let spawned = thread::Builder::new().name("instep said".to_owned()).spawn(listen);
            if let Err(error) = spawned {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(error);
            }
        }
        self.running = Some(Running { child, url });
        Ok(())
    }

    /// Where it answers; nothing while it does not.
    pub(super) fn url(&self) -> Option<&str> {
        self.running.as_ref()?.url.get().map(String::as_str)
    }

    /// Whether there is a process.
    pub(super) fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Kills it, as a crash would; it has no chance to tidy up.
    pub(super) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself; then nothing is left to be killed.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    /// How it has ended although nobody has killed it.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.running.as_mut()?.child.try_wait().ok()?
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().rev().take(LINES_SHOWN).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}
