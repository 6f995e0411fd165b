//! A bash that goes on from block to block, with the program, a folder and an address of its own.

use super::server;
use crate::rig;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use testkit::postgres::Server;
use tokio::runtime::Builder;

/// What pages call the address of the API.
const SHOWN: &str = "127.0.0.1:7171";

/// How long a block may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A bash in a folder that goes away with it.
pub(super) struct Session {
    folder: TempDir,
    child: Child,
    typed: Option<ChildStdin>,
    said: Receiver<String>,
    /// What pages say, and what stands for it here.
    names: Vec<(&'static str, String)>,
    blocks: usize,
}

/// How a block ended, and the file that what it says goes to, also later.
pub(super) struct Ran {
    pub(super) succeeded: bool,
    number: usize,
}

impl Session {
    pub(super) fn new(server: Option<&Server>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_instep")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder.path());
        command.env("PATH", format!("{}:{path}", program.display())).env("HOME", folder.path());
        command.env_remove("INSTEP_CONFIG").env_remove("NO_COLOR").env("LC_ALL", "C.UTF-8");
        if let Some(server) = server {
            command.env("PGHOST", "127.0.0.1").env("PGPORT", server.port().to_string());
            command.env("PGUSER", "postgres").env("PSQLRC", "/dev/null");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        // Ends with the process.
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let typed = child.stdin.take();
        let server = server.map(|it| (server::SHOWN, format!("127.0.0.1:{}", it.port())));
        let names = [(SHOWN, address(child.id()))].into_iter().chain(server).collect();
        let mut session = Self { folder, child, typed, said, names, blocks: 0 };
        // Whatever happens, nothing that a page has started goes on after it.
        session.type_in("trap 'kill -9 $(jobs -p) 2> /dev/null' EXIT\nset -u\n");
        // A writer waits for a moment when the file is busy, as the tutorial tells.
        session.type_in("sqlite3() { command sqlite3 -cmd '.timeout 20000' \"$@\"; }\n");
        session
    }

    /// Writes a file.
    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), self.here(text)).unwrap();
    }

    /// Gives each configuration an address of this session, where it has none.
    fn settle(&self) {
        for path in self.files("yaml") {
            let mut text = fs::read_to_string(&path).unwrap();
            if !text.lines().any(|line| line.starts_with("listen:")) {
                text.push_str(&format!("listen: {}\n", self.names[0].1));
                fs::write(path, text).unwrap();
            }
        }
    }

    /// The files of the folder with this ending.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|it| it == ending)).collect()
    }

    /// Runs commands in the shell itself; the first that fails ends it.
    pub(super) fn run(&mut self, commands: &str) -> Ran {
        let number = self.block(commands);
        // A reader is slower than a script: what was killed has ended before anything else is typed.
        let kills = commands.contains("kill ") && !commands.contains("instep run");
        let wait = if kills { "wait $! || true\n" } else { "" };
        self.type_in(&format!(
            "set -e\n. ./.block{number} < /dev/null > .said{number} 2>&1\nset +e\n{wait}echo done 0\n"
        ));
        Ran { succeeded: self.done(), number }
    }

    /// Runs commands beside the shell, so that they may fail and be run again.
    pub(super) fn ask(&mut self, commands: &str) -> Ran {
        let number = self.block(commands);
        self.type_in(&format!(
            "( set -e; . ./.block{number} ) < /dev/null > .said{number} 2>&1\necho done $?\n"
        ));
        Ran { succeeded: self.done(), number }
    }

    /// What a block has said up to now, in the words of the page.
    pub(super) fn said(&self, ran: &Ran) -> String {
        let bytes = fs::read(self.folder.path().join(format!(".said{}", ran.number)));
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let shown = |text: String, (shown, here): &(&str, String)| text.replace(here, shown);
        self.names.iter().fold(text, shown)
    }

    /// A text of a page with the names of this session.
    fn here(&self, text: &str) -> String {
        let here = |text: String, (shown, here): &(&str, String)| text.replace(shown, here);
        self.names.iter().fold(text.to_owned(), here)
    }

    /// What running instances have logged into files, for a test that fails.
    pub(super) fn logs(&self) -> String {
        let logs = self.files("log").into_iter();
        logs.map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
    }

    fn block(&mut self, commands: &str) -> usize {
        self.settle();
        self.blocks += 1;
        let commands = self.here(commands);
        fs::write(self.folder.path().join(format!(".block{}", self.blocks)), commands).unwrap();
        self.blocks
    }

    fn type_in(&mut self, text: &str) {
        // A shell that has ended takes nothing; whoever waits for it finds out.
        let _ = self.typed.as_mut().unwrap().write_all(text.as_bytes());
    }

    /// Waits for the end of a block; whether it succeeded.
    fn done(&self) -> bool {
        self.said.recv_timeout(PATIENCE).is_ok_and(|line| line == "done 0")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.typed.take());
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let ended = rig::until("the shell ends", || !matches!(self.child.try_wait(), Ok(None)));
        if !runtime.block_on(ended) {
            let _ = self.child.kill();
        }
    }
}

/// An address of this machine that no other test has: the loopback network is large, and its port is
/// none that is given to clients.
fn address(process: u32) -> String {
    let [_, high, middle, low] = process.to_be_bytes();
    format!("127.{}.{middle}.{low}:7171", 64 + high % 64)
}
