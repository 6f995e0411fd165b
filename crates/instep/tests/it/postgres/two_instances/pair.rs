//! Two Insteps over one source and one target.

use super::instep::Instep;
use crate::contract::waiting::until;
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use testkit::postgres::{Server, Settings};

const CONFIG: &str = "version: 1
data_dir: data
listen: 127.0.0.1:0
limits: LIMITS
services:
  app: { postgres: \"SOURCE\" }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: app, tables: [public.thing] }
copies:
  things: { of: quiz/public.thing, to: report/public.thing }
counts:
  things: { of: quiz/public.thing, to: [report/public.counted] }
";

/// The copy, with a row of the target's own for each row that is written to it.
const COPY: &str = "create table thing (id bigint primary key, n int);
    create table written (id bigint not null);
    create function note() returns trigger language plpgsql as $$ begin
        insert into public.written values (new.id); return new; end $$;
    create trigger note before insert or update on thing for each row execute function note()";

/// Everything.
pub(super) struct Pair {
    pub(super) insteps: [Instep; 2],
    server: Arc<Server>,
    source: String,
    target: String,
}

impl Pair {
    /// Two that do not run yet; none where there is no PostgreSQL.
    pub(super) fn new(limits: &str) -> Option<Self> {
        // What others write would be kept for us, too.
        let server = testkit::postgres::start(&Settings::default())?;
        let (source, target) = (server.database(), server.database());
        server.sql(&source, "create table thing (id bigint primary key, n int)");
        server.sql(&target, COPY);
        let config = CONFIG.replace("LIMITS", limits).replace("SOURCE", &server.url(&source));
        let config = config.replace("TARGET", &server.url(&target));
        let insteps = [Instep::new(&config), Instep::new(&config)];
        Some(Self { insteps, server: server.into(), source, target })
    }

    /// Starts one of them.
    pub(super) fn start(&mut self, which: usize) {
        self.insteps[which].start();
    }

    /// Runs statements at the source.
    pub(super) fn source(&self, statements: &str) -> String {
        self.server.sql(&self.source, statements)
    }

    /// Runs statements at the target.
    pub(super) fn target(&self, statements: &str) -> String {
        self.server.sql(&self.target, statements)
    }

    /// Puts rows into the source.
    pub(super) fn add(&self, ids: Range<u64>) {
        let Range { start, end } = ids;
        self.source(&format!(
            "insert into thing select i, i from generate_series({start}, {end} - 1) i"
        ));
    }

    /// Puts rows into the source one by one, from this one on, until it is ended.
    pub(super) fn load(&self, first: u64) -> Load {
        let (is_over, next) = (Arc::new(AtomicBool::new(false)), AtomicU64::new(first));
        let (server, source) = (self.server.clone(), self.source.clone());
        let over = is_over.clone();
        let thread = thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let id = next.fetch_add(3, Ordering::SeqCst);
                let three = format!("({id}, 0), ({}, 0), ({}, 0)", id + 1, id + 2);
                server.sql(&source, &format!("insert into thing values {three}"));
            }
        });
        Load { is_over, thread }
    }

    /// Waits until copy and count are what the source is.
    pub(super) fn has_all(&self) {
        let all = "select count(*), md5(string_agg(it::text, ' ' order by id)) from thing it";
        until("the copy has everything", || self.source(all) == self.target(all));
        let (real, told) = ("select count(*) from thing", "select value from counted");
        let is_made = "select to_regclass('counted') is not null";
        let has_count = || self.target(is_made) == "t" && self.source(real) == self.target(told);
        until("so has the count", has_count);
    }

    /// How many rows were ever written to the copy.
    pub(super) fn written(&self) -> u64 {
        self.target("select count(*) from written").parse().expect("a number")
    }

    /// No row was written twice.
    pub(super) fn each_was_written_once(&self) {
        let doubled = "select id, count(*) from written group by id having count(*) > 1 limit 9";
        assert_eq!(self.target(doubled), "", "{}", self.insteps[0].log());
    }

    /// Who holds the lease of the source's lane.
    pub(super) fn leader(&self) -> usize {
        let leader = self.target("select instance from instep.leases where lane = 'quiz/app'");
        let found = self.insteps.iter().position(|it| it.has_run() && it.name() == leader);
        found.expect("one of both")
    }

    /// The epoch of that lease.
    pub(super) fn epoch(&self) -> String {
        self.target("select epoch from instep.leases where lane = 'quiz/app'")
    }

    /// How many slots there are at the source, and how many of them are read.
    pub(super) fn slots(&self) -> String {
        self.source(
            "select count(*), count(*) filter (where active) from pg_replication_slots
             where database = current_database()",
        )
    }

    /// Writes so much at the source that a slot that nobody reads keeps more than it may.
    pub(super) fn fill_wal(&self) {
        let mib = "select pg_logical_emit_message(false, 'filler', repeat('x', 1 << 20))";
        self.source(&format!("{mib} from generate_series(1, 40)"));
        self.source("checkpoint");
    }
}

/// Rows that come one by one.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Load {
    /// Ends it.
    pub(super) fn end(self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.thread.join().expect("every row is taken");
    }
}

/// What a status says of the copy.
pub(super) fn copy(status: &Value) -> &Value {
    &status["copies"][0]
}

/// The codes of what a status says is wrong.
pub(super) fn codes(status: &Value) -> Vec<&str> {
    let problems = status["problems"].as_array().expect("a list").iter();
    problems.map(|it| it["code"].as_str().expect("a code")).collect()
}
