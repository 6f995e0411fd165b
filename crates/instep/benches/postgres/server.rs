//! The server, what is written to it, and the reader that ours is held against.

use crate::cost::Cost;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use testkit::postgres::{Server, Settings};

/// A server with a table.
pub(crate) struct Place {
    server: Server,
}

/// What a server is started with that keeps what it promises.
pub(crate) fn settings() -> Settings {
    let lines = [
        "fsync = on",
        "full_page_writes = on",
        "max_wal_size = 8GB",
        "checkpoint_timeout = 30min",
        "shared_buffers = 512MB",
        "max_slot_wal_keep_size = -1",
        "autovacuum = off",
        "track_commit_timestamp = on",
    ];
    Settings { lines: lines.map(str::to_owned).to_vec(), ..Settings::default() }
}

const DATABASE: &str = "postgres";

/// The slot and the publication of the other reader.
const OTHER: &str = "other";

impl Place {
    /// A server that keeps what it promises; none where there is no PostgreSQL.
    pub(crate) fn make() -> Option<Self> {
        let server = testkit::postgres::start(&settings())?;
        Some(Self { server })
    }

    /// The URL of the database.
    pub(crate) fn database(&self) -> String {
        self.server.url(DATABASE)
    }

    /// Makes the table anew.
    pub(crate) fn make_table(&self) {
        self.sql(
            "drop publication if exists other; drop table if exists public.item;
             create table public.item (id bigint primary key, kind int not null, a bigint, b numeric,
                 at timestamptz not null default now(), name text, flag boolean, body text);
             create publication other for table public.item",
        );
        self.sql("checkpoint");
    }

    /// Writes so many rows in transactions of this size.
    pub(crate) fn write(&self, size: usize, rows: usize, update: bool) {
        let work = match update {
            false => {
                "insert into public.item select i, i % 100, i * 7, i * 1.25, now(), 'name ' || i, \
                 i % 2 = 0, repeat('b', 120) from generate_series(first, first + size - 1) i"
            }
            true => {
                "update public.item set a = a + 1, body = repeat('c', 120) \
                 where id between first and first + size - 1"
            }
        };
        self.sql(&format!(
            "do $$ declare size int := {size}; first bigint := 1; begin
               set local synchronous_commit = off;
               while first <= {rows} loop
                 {work};
                 commit;
                 set local synchronous_commit = off;
                 first := first + size;
               end loop; end $$"
        ));
    }

    /// Makes the slot of the other reader.
    pub(crate) fn make_slot(&self) {
        self.sql(&format!("select pg_create_logical_replication_slot('{OTHER}', 'pgoutput')"));
    }

    /// Where everything that was written ends, on disk.
    pub(crate) fn end(&self) -> String {
        self.sql("select pg_logical_emit_message(true, 'end', '')");
        self.sql("select pg_current_wal_flush_lsn()")
    }

    /// The other reader.
    fn receiver(&self) -> Command {
        let url = self.database();
        let mut command = Command::new("/usr/lib/postgresql/15/bin/pg_recvlogical");
        command.args(["-d", &url, "-S", OTHER, "--start", "-f", "/dev/null"]);
        command.args([
            "-o",
            "proto_version=2",
            "-o",
            "streaming=on",
            "-o",
            "publication_names=other",
        ]);
        command
    }

    /// Has the other reader read up to there, and write it nowhere.
    pub(crate) fn receive(&self, end: &str) {
        let mut command = self.receiver();
        command.args(["--endpos", end]);
        let done = command.output().expect("pg_recvlogical is there");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Writes the whole table nowhere, in binary.
    pub(crate) fn copy_binary(&self) {
        let port = self.server.port().to_string();
        let mut command = Command::new("/usr/lib/postgresql/15/bin/psql");
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", DATABASE, "-c"]);
        command.arg("copy public.item to stdout (format binary)").stdout(Stdio::null());
        assert!(command.status().expect("psql is there").success());
    }

    /// Makes the table of questions anew, with a trigger that keeps a count or without.
    pub(crate) fn make_questions(&self, with_trigger: bool) {
        self.sql(
            "drop publication if exists other; drop table if exists public.question, public.counter;
             create table public.question (id bigint generated always as identity primary key,
                 topic int not null, body text);
             create publication other for table public.question;
             create table public.counter (topic int primary key, n bigint not null);
             insert into public.counter select t, 0 from generate_series(1, 20) t;
             create or replace function public.keep() returns trigger language plpgsql as $$ begin
                 update public.counter set n = n + 1 where topic = new.topic; return null;
             end $$",
        );
        if with_trigger {
            self.sql(
                "create trigger keep after insert on public.question for each row \
                 execute function public.keep()",
            );
        }
        self.sql("checkpoint");
    }

    /// Drains a slot for as long as the process lives.
    pub(crate) fn drain(&self) -> Child {
        self.make_slot();
        let child = self.receiver().stderr(Stdio::null()).spawn().expect("pg_recvlogical is there");
        self.wait_for_reader();
        child
    }

    /// Waits until somebody reads a slot.
    pub(crate) fn wait_for_reader(&self) {
        while self.sql("select count(*) from pg_replication_slots where active") == "0" {}
    }

    /// Eight clients that insert questions of twenty topics, some far more often than others.
    pub(crate) fn clients(&self, seconds: u32) -> Cost {
        let dir = tempfile::tempdir().expect("a folder");
        let script = dir.path().join("script.sql");
        let insert = "\\set topic random_zipfian(1, 20, 1.1)\n\
                      insert into public.question (topic, body) values (:topic, repeat('b', 100));\n";
        std::fs::write(&script, insert).expect("a script");
        let (port, seconds) = (self.server.port().to_string(), seconds.to_string());
        let mut command = Command::new("/usr/lib/postgresql/15/bin/pgbench");
        command.current_dir(dir.path()).args(["-n", "-M", "prepared", "-c", "8", "-j", "2"]);
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-T", &seconds]);
        command.args(["-l", "--sampling-rate", "0.1", "-f"]).arg(&script).arg(DATABASE);
        let done = command.output().expect("pgbench is there");
        let said = String::from_utf8_lossy(&done.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|it| it.split(' ').next()?.parse().ok()).expect("a rate");
        Cost { rate, slow: slowest_of_a_hundred(dir.path()) }
    }

    /// Drops every slot, and what was written.
    pub(crate) fn drop_slots(&self) {
        let drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
                    where not active";
        while self.sql("select count(*) from pg_replication_slots") != "0" {
            self.sql(drop);
        }
    }

    fn sql(&self, statements: &str) -> String {
        self.server.sql(DATABASE, statements)
    }
}

/// From what pgbench logs of each transaction: its third word is the time in microseconds.
fn slowest_of_a_hundred(dir: &Path) -> f64 {
    let mut times: Vec<f64> = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder").filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with("pgbench_log") {
            let log = std::fs::read_to_string(entry.path()).expect("a log");
            times
                .extend(log.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()));
        }
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() * 99 / 100).map_or(f64::NAN, |micros| micros / 1_000.0)
}
