//! The world of the storm: a quiz platform with two shards, a reporting database with a standby, and
//! two Insteps that keep copies and a count there.

use crate::postgres::two_instances::instep::Instep;
use crate::rig::Tmpfs;
use connectors::postgres::{Access, Session};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use testkit::postgres::{Server, Settings};

/// The shards, by the names of their services.
pub(super) const SHARDS: [&str; 2] = ["a", "b"];

const TABLES: &str = "
    create table topic (id bigint primary key, name text not null unique, n bigint not null,
        stamp bigint not null);
    create table question (id bigint primary key,
        topic_id bigint not null references topic on delete cascade on update cascade,
        place int not null, kind int not null, weight int not null, body text,
        stamp bigint not null, unique (topic_id, place));
    alter table question alter body set storage external";

/// The copies have the same rules, checked at once, and lie on a disk of their own.
const COPIES: &str = "
    create role mover login;
    create schema instep authorization mover;
    create schema counted authorization mover;
    create table topic (id bigint primary key, name text not null unique, n bigint not null,
        stamp bigint not null, shard text not null) SPACE;
    create table question (id bigint primary key, topic_id bigint not null references topic,
        place int not null, kind int not null, weight int not null, body text,
        stamp bigint not null, shard text not null, unique (topic_id, place)) SPACE;
    grant select, insert, update, delete, truncate on topic, question to mover";

const CONFIG: &str = "version: 1
data_dir: data
listen: 127.0.0.1:0
limits:
  retry_pause_seconds: 0.5
  lease_seconds: 2
  answer_seconds: 20
  hold_retry_seconds: 1
  segment_bytes_max: 262144
  batch_changes_max: 200
  bridge_deletes_max: 1000000
services:
  a: { postgres: \"SHARD-A\" }
  b: { postgres: \"SHARD-B\" }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: [a, b], tables: [public.topic, public.question] }
copies:
  topics: { of: quiz/public.topic, to: report/public.topic, shard_column: shard }
  questions: { of: quiz/public.question, to: report/public.question, shard_column: shard }
counts:
  kinds: { of: quiz/public.question, by: [kind], to: [report/counted.kinds] }
";

/// The world.
pub(super) struct World {
    /// The disk of the copies, until the standby takes over.
    disk: Option<Tmpfs>,
    source: Server,
    databases: [String; 2],
    primary: Server,
    standby: Server,
    has_failed_over: AtomicBool,
    report: String,
    /// How many transactions writers have committed.
    pub(super) committed: AtomicU64,
    /// Whether it is time to end.
    pub(super) is_over: AtomicBool,
}

impl World {
    /// A world; none where there is no PostgreSQL.
    pub(super) fn new() -> Option<Self> {
        let lines = |lines: &[&str]| Settings {
            lines: lines.iter().map(|&line| line.to_owned()).collect(),
            ..Settings::default()
        };
        let source = lines(&["wal_sender_timeout = 5s", "logical_decoding_work_mem = 64kB"]);
        let source = testkit::postgres::start(&source)?;
        let primary = testkit::postgres::start(&lines(&["wal_keep_size = 1GB"]))?;
        let databases = SHARDS.map(|_| source.database());
        databases.iter().for_each(|database| drop(source.sql(database, TABLES)));
        let report = primary.database();
        let folder = primary.folder().join("small");
        let disk = Tmpfs::mount(&folder, 262_144);
        if disk.is_some() {
            primary.tablespace("small", &folder);
        }
        let space = if disk.is_some() { "tablespace small" } else { "" };
        primary.sql(&report, &COPIES.replace("SPACE", space));
        primary.stop();
        let standby = primary.standby();
        Some(Self {
            disk,
            source,
            databases,
            primary,
            standby,
            has_failed_over: AtomicBool::default(),
            report,
            committed: AtomicU64::default(),
            is_over: AtomicBool::default(),
        })
    }

    /// An Instep of this world.
    pub(super) fn instep(&self) -> Instep {
        let [a, b] = self.databases.each_ref().map(|database| self.source.url(database));
        let config = CONFIG.replace("SHARD-A", &a).replace("SHARD-B", &b);
        Instep::new(&config.replace("TARGET", &self.url("mover")))
    }

    fn url(&self, role: &str) -> String {
        let (primary, standby) = (self.primary.port(), self.standby.port());
        format!("postgres://{role}@127.0.0.1:{primary},127.0.0.1:{standby}/{}", self.report)
    }

    /// A session in a shard, if it lets us in.
    pub(super) async fn in_shard(&self, shard: usize) -> Option<Session> {
        session(&self.source.url(&self.databases[shard])).await
    }

    /// A session in the reporting database, wherever that is written.
    pub(super) async fn in_copies(&self) -> Option<Session> {
        session(&self.url("postgres")).await
    }

    /// The disk of the copies, as long as they are on it.
    pub(super) fn disk(&self) -> Option<&Tmpfs> {
        self.disk.as_ref().filter(|_| !self.has_failed_over())
    }

    /// Whether the standby has taken over.
    pub(super) fn has_failed_over(&self) -> bool {
        self.has_failed_over.load(Ordering::SeqCst)
    }

    /// The server that the copies are in.
    pub(super) fn target(&self) -> &Server {
        if self.has_failed_over() { &self.standby } else { &self.primary }
    }

    /// The primary of the copies is gone, and with it what its standby does not have.
    pub(super) fn fail_over(&self) {
        self.primary.die();
        self.standby.promote();
        self.has_failed_over.store(true, Ordering::SeqCst);
    }

    /// Asks a shard.
    pub(super) fn ask_shard(&self, shard: usize, query: &str) -> String {
        self.source.sql(&self.databases[shard], query)
    }

    /// Asks the reporting database, or changes something there.
    pub(super) fn ask_copies(&self, query: &str) -> String {
        self.target().sql(&self.report, query)
    }

    /// Ends the connections of all Insteps to the sources.
    pub(super) fn cut(&self) {
        const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity
            where application_name like 'instep%' and pid <> pg_backend_pid()";
        self.ask_shard(0, CUT);
        self.ask_copies(CUT);
    }

    /// How many transactions writers have committed.
    pub(super) fn work(&self) -> u64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// Whether it is time to end.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

async fn session(url: &str) -> Option<Session> {
    let mut access = Access::parse(url).expect("a URL").to_primary();
    access.connect_timeout = Duration::from_secs(5);
    let session = Session::connect(&access).await.ok()?;
    session.query("set search_path = public").await.ok()?;
    Some(session)
}
