//! A real PostgreSQL for tests: its own data in a temporary folder, its own port on loopback.
//!
//! Invariant: a server never outlives the process that started it, however that ends. A keeper
//! holds the other end of a pipe; when the pipe breaks it ends the server by its process id and
//! removes the folder. Where there is no PostgreSQL a test says that it did not run, and on a build
//! machine (`CI=true`) it fails. `INSTEP_POSTGRES_FOLDER` names the programs of another version.
//!
//! Must not know: what is tested with it.

mod history;
mod keeper;
mod programs;
mod tablespace;

use keeper::Keeper;
use programs::Programs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// What a server is started with, beside what each has.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Lines of `postgresql.conf`.
    pub lines: Vec<String>,
    /// Lines of `pg_hba.conf`, before those that trust everybody on this machine.
    pub access: Vec<String>,
    /// Files beside the data, readable for the server alone.
    pub files: Vec<(String, String)>,
}

/// A running server; ended when it is dropped, or with the process.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    programs: Programs,
    _keeper: Keeper,
}

/// The server that all tests of a process share; none where there is no PostgreSQL.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| start(&Settings::default())).as_ref()
}

/// Starts a server of one's own; none where there is no PostgreSQL.
pub fn start(settings: &Settings) -> Option<Server> {
    let Some(programs) = Programs::find() else {
        let missing = "there is no PostgreSQL 15 on this machine, which this test needs; on Debian \
                       it is the package `postgresql-15`";
        let must_run = env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!must_run, "{missing}");
        println!("NOT RUN: {missing}");
        return None;
    };
    Some(Server::start(programs, settings))
}

impl Server {
    fn start(programs: Programs, settings: &Settings) -> Self {
        let mut server = Self::in_new_folder(programs);
        let data = server.data();
        let data = data.to_str().expect("a path in UTF-8");
        let made = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"];
        server.programs.must("initdb", &[&made[..], &["--locale=C"]].concat());
        server.write_settings(settings);
        server.start_at_a_free_port();
        server
    }

    fn in_new_folder(programs: Programs) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("instep-pg-{}-{number}", process::id()));
        fs::create_dir(&folder).expect("a folder for the server");
        programs.own(&folder);
        let keeper = Keeper::of(&folder);
        Self { folder, port: 0, programs, _keeper: keeper }
    }

    fn start_at_a_free_port(&mut self) {
        // Somebody else may take the port between its choice and the start.
        let started = (0..10).any(|_| {
            self.port = free_port();
            self.try_start()
        });
        assert!(started, "PostgreSQL did not start: {}", self.log());
    }

    /// The folder with its socket, its files and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The port, on loopback and of the socket.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases over loopback, as its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a new database, and gives its name.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name}"));
        name
    }

    /// Runs statements one by one, and gives the rows of their answers as lines, cells between
    /// bars.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let done = self.try_sql(database, statements);
        let failure = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{statements}: {failure}");
        String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
    }

    /// The same, where it may fail.
    pub fn try_sql(&self, database: &str, statements: &str) -> Output {
        let port = self.port.to_string();
        let folder = self.folder.to_str().expect("a path in UTF-8");
        let who = ["-h", folder, "-p", &port, "-U", "postgres", "-d", database];
        let how = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statements];
        self.programs.run("psql", &[&who[..], &how].concat())
    }

    /// Ends the server as a crash does, and starts it again.
    pub fn crash(&self) {
        self.die();
        self.start_again();
    }

    /// Ends the server as a crash does, until it is started again.
    pub fn die(&self) {
        self.control(&["stop", "-m", "immediate", "-w", "-t", "120"]);
    }

    /// Ends the server in order, as for a night; whoever is connected is sent away.
    pub fn stop(&self) {
        let stopped = self.control(&["stop", "-m", "fast", "-w", "-t", "120"]);
        assert!(stopped, "PostgreSQL did not stop: {}", self.log());
    }

    /// Starts the server after it was stopped, at its port.
    pub fn start_again(&self) {
        // Somebody else may have its port for a moment.
        let started = (0..10).any(|_| self.try_start());
        assert!(started, "PostgreSQL did not come back: {}", self.log());
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn try_start(&self) -> bool {
        let log = self.folder.join("log");
        let port = format!("-p {}", self.port);
        let log = log.to_str().expect("a path in UTF-8");
        self.control(&["-l", log, "-o", &port, "-w", "-t", "120", "start"])
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let data = self.data();
        let data = ["-D", data.to_str().expect("a path in UTF-8")];
        self.programs.run("pg_ctl", &[&data[..], arguments].concat()).status.success()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn write_settings(&self, settings: &Settings) {
        for (name, text) in &settings.files {
            let path = self.data().join(name);
            fs::write(&path, text).expect("a file beside the data");
            self.programs.own(&path);
        }
        let socket = format!("unix_socket_directories = '{}'", self.folder.display());
        let lines = ALWAYS.iter().map(|&line| line.to_owned());
        let lines: Vec<_> = lines.chain([socket]).chain(settings.lines.iter().cloned()).collect();
        append(&self.data().join("postgresql.conf"), &lines);
        let access = self.data().join("pg_hba.conf");
        let trusts = fs::read_to_string(&access).expect("initdb wrote it");
        fs::write(&access, settings.access.join("\n") + "\n" + &trusts).expect("a writable file");
    }
}

/// What every server is started with. Commits stay synchronous: decoding shows only what the
/// write-ahead log holds.
const ALWAYS: [&str; 9] = [
    "listen_addresses = '127.0.0.1'",
    "wal_level = logical",
    "max_replication_slots = 500",
    "max_wal_senders = 64",
    "max_connections = 200",
    "max_prepared_transactions = 20",
    "fsync = off",
    "full_page_writes = off",
    "max_slot_wal_keep_size = 1GB",
];

fn append(path: &Path, lines: &[String]) {
    let before = fs::read_to_string(path).expect("initdb wrote it");
    fs::write(path, before + "\n" + &lines.join("\n") + "\n").expect("a writable file");
}

fn free_port() -> u16 {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    free.local_addr().expect("a bound socket has an address").port()
}
