//! Two servers with the same table: one that is written, and one that is to have its rows.

use crate::Shape;
use crate::apply::{Latency, Work};
use crate::server::settings;
use connectors::postgres::{Access, Session};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::postgres::Server;

/// A source and a target.
pub(crate) struct Pair {
    source: Server,
    target: Server,
}

const DATABASE: &str = "postgres";

/// The rows of the table, from their numbers.
const ROWS: &str = "select i, i % 100, i * 7, i * 1.25, now(), 'name ' || i, i % 2 = 0, \
                    repeat('b', 120) from generate_series";

impl Pair {
    /// Two servers that keep what they promise; none where there is no PostgreSQL.
    pub(crate) fn make() -> Option<Self> {
        let source = testkit::postgres::start(&settings())?;
        let target = testkit::postgres::start(&settings())?;
        Some(Self { source, target })
    }

    pub(crate) fn source_url(&self) -> String {
        self.source.url(DATABASE)
    }

    pub(crate) fn target_url(&self) -> String {
        self.target.url(DATABASE)
    }

    /// Makes the table anew on both sides.
    pub(crate) fn make_tables(&self) {
        for server in [&self.source, &self.target] {
            let drop = "drop publication if exists other; drop schema if exists instep cascade;
                        drop table if exists public.item";
            server.sql(DATABASE, drop);
            server.sql(
                DATABASE,
                "create table public.item (id bigint primary key, kind int not null, a bigint,
                     b numeric, at timestamptz not null default now(), name text, flag boolean,
                     body text);
                 create publication other for table public.item",
            );
            server.sql(DATABASE, "checkpoint");
        }
    }

    /// Gives both sides the same rows.
    pub(crate) fn fill(&self, rows: usize) {
        for server in [&self.source, &self.target] {
            let at = "timestamptz '2026-01-01'";
            let all = ROWS.replace("now()", at);
            server.sql(DATABASE, &format!("insert into public.item {all}(1, {rows}) i"));
            server.sql(DATABASE, "vacuum analyze public.item");
            server.sql(DATABASE, "checkpoint");
        }
    }

    /// Does so many rows of work, in transactions of one size, and then marks the end.
    pub(crate) fn write(&self, work: Work, shape: Shape) {
        let work = match work {
            Work::Insert => &format!("insert into public.item {ROWS}(first, first + size - 1) i"),
            Work::Update => {
                "update public.item set a = a + 1, body = repeat('c', 120) \
                 where id between first and first + size - 1"
            }
            Work::Delete => "delete from public.item where id between first and first + size - 1",
        };
        let Shape { size, rows, .. } = shape;
        let end = format!("insert into public.item {ROWS}({END}, {END}) i");
        let all = format!(
            "do $$ declare size int := {size}; first bigint := 1; begin
               set local synchronous_commit = off;
               while first <= {rows} loop
                 {work};
                 commit;
                 set local synchronous_commit = off;
                 first := first + size;
               end loop;
               set local synchronous_commit = on;
               {end};
             end $$"
        );
        self.source.sql(DATABASE, &all);
    }

    /// Waits until the last row is there.
    pub(crate) fn wait_for_end(&self, _: Shape) {
        let ask = format!("select count(*) from public.item where id = {END}");
        poll(&self.target_url(), &ask, "1");
    }

    /// Both sides have the same rows.
    pub(crate) fn check_equal(&self) {
        let ask = "select count(*), sum(hashtextextended(i::text, 0)) from public.item i";
        let [source, target] = [&self.source, &self.target].map(|it| it.sql(DATABASE, ask));
        assert_eq!(source, target, "the copy is not equal to its source");
    }

    /// Makes a subscription, which is the target's own.
    pub(crate) fn subscribe(&self) {
        let url = self.source_url();
        let make = format!(
            "create subscription other connection '{url}' publication other
             with (copy_data = false, streaming = on)"
        );
        self.target.sql(DATABASE, &make);
    }

    pub(crate) fn wait_until_subscribed(&self) {
        let ask = "select count(*) from pg_replication_slots where active";
        poll(&self.source_url(), ask, "1");
    }

    pub(crate) fn pause_subscription(&self) {
        self.target.sql(DATABASE, "alter subscription other disable");
        let ask = "select count(*) from pg_replication_slots where active";
        poll(&self.source_url(), ask, "0");
    }

    pub(crate) fn resume_subscription(&self) {
        self.target.sql(DATABASE, "alter subscription other enable");
    }

    pub(crate) fn unsubscribe(&self) {
        self.target.sql(DATABASE, "drop subscription other");
    }

    /// Drops every slot.
    pub(crate) fn drop_slots(&self) {
        let drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
                    where not active";
        while self.source.sql(DATABASE, "select count(*) from pg_replication_slots") != "0" {
            self.source.sql(DATABASE, drop);
        }
        let drop = "do $$ declare p text; begin for p in select pubname from pg_publication loop
                    execute format('drop publication %I', p); end loop; end $$";
        self.source.sql(DATABASE, drop);
    }

    /// So many transactions of one row a second for some seconds, and how long after its commit each
    /// has committed on the other side, by the clock that both servers share.
    pub(crate) fn latency(&self, rate: u32, seconds: u32) -> Latency {
        let dir = tempfile::tempdir().expect("a folder");
        let script = dir.path().join("script.sql");
        let insert = "insert into public.item select nextval('public.ids'), 1, 2, 3, now(), 'name', \
                      true, repeat('b', 120);\n";
        std::fs::write(&script, insert).expect("a script");
        self.source.sql(DATABASE, "drop sequence if exists public.ids; create sequence public.ids");
        let (port, seconds) = (self.source.port().to_string(), seconds.to_string());
        let mut command = Command::new("/usr/lib/postgresql/15/bin/pgbench");
        command.current_dir(dir.path()).args(["-n", "-M", "prepared", "-c", "8", "-j", "1"]);
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-T", &seconds]);
        command.args(["-R", &rate.to_string(), "-f"]).arg(&script).arg(DATABASE);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (stop, url) = (Arc::new(AtomicBool::new(false)), self.target_url());
        let watcher = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || watch(&url, &stop))
        };
        assert!(command.status().expect("pgbench is there").success());
        let count = self.source.sql(DATABASE, "select count(*) from public.item");
        poll(&self.target_url(), "select count(*) from public.item", &count);
        stop.store(true, Ordering::Relaxed);
        let seen = watcher.join().expect("it watched");
        let ask = "select id, extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000 \
                   from public.item";
        let committed = self.source.sql(DATABASE, ask);
        let late = committed.lines().map(|line| {
            let (id, at) = line.split_once('|').expect("two cells");
            let (id, at): (u64, f64) = (id.parse().expect("an id"), at.parse().expect("a time"));
            let first = seen.partition_point(|(last, _)| *last < id);
            seen.get(first).expect("it was seen in the end").1 - at
        });
        let mut late: Vec<f64> = late.collect();
        late.sort_by(f64::total_cmp);
        Latency { middle: late[late.len() / 2], slow: late[late.len() * 99 / 100] }
    }

    /// How long the target takes for the rows of its own table in binary, with their index: no copy
    /// can be faster.
    pub(crate) fn write_limit(&self, rows: usize) {
        let port = self.target.port().to_string();
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().display().to_string();
        for statement in [
            format!(
                "\\copy (select * from public.item where id <= {rows}) to '{path}' (format binary)"
            ),
            "truncate public.item".to_owned(),
            format!("\\copy public.item from '{path}' (format binary)"),
        ] {
            let mut command = Command::new("/usr/lib/postgresql/15/bin/psql");
            command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", DATABASE, "-qc"]);
            assert!(command.arg(statement).status().expect("psql is there").success());
        }
    }
}

/// The number of the last row.
const END: u64 = 100_000_000;

/// Asks on one connection until the answer is this.
fn poll(url: &str, ask: &str, answer: &str) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let access = Access::parse(url).expect("a URL");
        let session = Session::connect(&access).await.expect("a session");
        loop {
            let rows = session.query(ask).await.expect("an answer");
            if rows[0][0].as_deref() == Some(answer) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

/// Which row was the last at which time, in milliseconds, as often as it can be asked without being
/// in the way. The rows of several clients may come in another order than their numbers, by as little
/// on either side.
fn watch(url: &str, stop: &AtomicBool) -> Vec<(u64, f64)> {
    const ASK: &str = "select pg_sleep(0.0003); select coalesce(max(id), 0)::text, \
                       (extract(epoch from clock_timestamp()) * 1000)::text from public.item";
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let access = Access::parse(url).expect("a URL");
        let session = Session::connect(&access).await.expect("a session");
        let mut seen: Vec<(u64, f64)> = Vec::new();
        let mut is_last = false;
        while !is_last {
            is_last = stop.load(Ordering::Relaxed);
            let rows = session.query(ASK).await.expect("an answer");
            let [Some(last), Some(at)] = &rows[1][..] else { panic!("two cells: {rows:?}") };
            let last = last.parse().expect("an id");
            if seen.last().is_none_or(|(known, _)| *known < last) {
                seen.push((last, at.parse().expect("a time")));
            }
        }
        seen
    })
}
