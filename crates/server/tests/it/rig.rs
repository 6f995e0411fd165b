//! The interface over works over memory systems, listening on a port of its own.

use crate::client::{Reply, get, send};
use engine::count::Count;
use engine::works::{Followed, KeptCopy, KeptCount, Shard, Tokens};
use engine::{
    Board, Copy, Counting, Group, Instance, Limits, Numbers, Pipeline, SortedState, SqliteCatalog,
    StateBounds, Stop, WhenFull, Works,
};
use instep_server::{Bounds, Certificates, Listener, Ready, Settings, Token, serve};
use model::{Cell, Claim, Lane, Log, Op, Position, Row, Table};
use serde_json::Value as Json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use testkit::conformance::rows::table;
use testkit::memory::database::Database;
use testkit::memory::log::MemoryLog;
use testkit::memory::store::{Manners, Store};
use testkit::memory::target::CopyOf;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What to set up.
pub(crate) struct Setup {
    pub(crate) shards: Vec<&'static str>,
    pub(crate) copies: bool,
    pub(crate) groups_max: usize,
    pub(crate) tokens: Vec<Token>,
    pub(crate) tls: Option<Certificates>,
    pub(crate) bounds: Bounds,
    /// Whether the works run from the beginning.
    pub(crate) runs: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            shards: vec!["a"],
            copies: true,
            groups_max: 1_000_000,
            tokens: Vec::new(),
            tls: None,
            bounds: Bounds::default(),
            runs: true,
        }
    }
}

/// The interface, and everything below it.
pub(crate) struct Rig {
    pub(crate) databases: Vec<Database>,
    pub(crate) table: Arc<Table>,
    pub(crate) store: Store,
    pub(crate) works: Arc<Works>,
    pub(crate) ready: Ready,
    pub(crate) at: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) serving: JoinHandle<()>,
    running: Vec<JoinHandle<()>>,
    _folder: TempDir,
}

impl Rig {
    /// One shard, one copy, three counts, and no tokens.
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let table = table("questions");
        let rule = |row: &Row| (row.0[2] == Cell::from("bad")).then(|| "not this one".to_owned());
        let manners = Manners { rule: Arc::new(rule), ..Manners::plain(Claim::Transactional) };
        let (store, log) = (Store::new(manners), Arc::new(MemoryLog::new()));
        let (mut databases, mut shards) = (Vec::new(), Vec::new());
        for service in &setup.shards {
            let database = Database::new(&format!("server-{service}"));
            database.define(&table);
            let log: Arc<dyn Log> = log.clone();
            let around = Around { folder: folder.path(), store: &store, log, table: &table };
            let pipeline = pipeline(&setup, &around, &database, service).await;
            shards.push(Shard { service: (*service).into(), pipeline, tokens: TOKENS });
            databases.push(database);
        }
        let copy = KeptCopy {
            name: "mirror".into(),
            source: 0,
            of: table.name.clone(),
            to: "documents/questions".into(),
            group: "documents".into(),
        };
        let count = |count| KeptCount { source: 0, count, pushes: Vec::new() };
        let works = Arc::new(Works {
            sources: vec![Followed { name: "questions".into(), shards }],
            copies: setup.copies.then_some(copy).into_iter().collect(),
            counts: counts(&table).into_iter().map(count).collect(),
            log,
        });
        let (ready, stop) = (Ready::new(), Stop::new());
        ready.set(true);
        let Setup { tokens, tls, bounds, .. } = setup;
        let settings = Settings { tokens, tls, bounds, ready: ready.clone() };
        let listener = Listener::bind("127.0.0.1:0").await.expect("a port");
        let (at, until) = (listener.address(), stop.clone());
        let serving = serve(listener, settings, works.clone(), async move { until.wait().await });
        let serving = tokio::spawn(serving);
        let running = Vec::new();
        let mut rig = Self {
            databases,
            table,
            store,
            works,
            ready,
            at,
            stop,
            serving,
            running,
            _folder: folder,
        };
        if setup.runs {
            rig.run();
        }
        rig
    }

    /// Starts the works.
    pub(crate) fn run(&mut self) {
        let (works, stop) = (self.works.clone(), self.stop.clone());
        self.running.push(tokio::spawn(async move { works.run(&stop).await }));
    }

    /// Commits changes in one transaction of the first shard; its position.
    pub(crate) fn change(&self, ops: impl IntoIterator<Item = Op>) -> u64 {
        self.change_in(0, ops)
    }

    /// Commits changes in one transaction of a shard; its position.
    pub(crate) fn change_in(&self, shard: usize, ops: impl IntoIterator<Item = Op>) -> u64 {
        let change = |op| model::Change { table: self.table.clone(), op };
        let position = self.databases[shard].transact(ops.into_iter().map(change));
        position.to_number().expect("a number")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        get(self.at, path).await
    }

    pub(crate) async fn post(&self, path: &str) -> Reply {
        send(self.at, "POST", path, &[]).await
    }

    /// What a path answers, once its answer is as it should be.
    pub(crate) async fn until(&self, path: &str, is_it: impl Fn(&Json) -> bool) -> Json {
        let began = Instant::now();
        loop {
            let reply = self.get(path).await;
            if reply.status == 200 && is_it(&reply.json()) {
                return reply.json();
            }
            let waited = began.elapsed() < Duration::from_secs(60);
            assert!(waited, "waited in vain at {path}: {} {}", reply.status, reply.text());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the counts are told at a position or later.
    pub(crate) async fn counted(&self, position: u64) {
        let path = format!("/v1/counts/all?at_least={position}&wait=30s");
        self.until(&path, |_| true).await;
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.serving.abort();
        self.running.iter().for_each(JoinHandle::abort);
    }
}

/// Positions of the memory database are numbers.
const TOKENS: Tokens = Tokens {
    write: |position| position.to_number().map_or_else(String::new, |number| number.to_string()),
    read: |text| text.parse().ok().map(Position::from_number),
};

struct Around<'a> {
    folder: &'a Path,
    store: &'a Store,
    log: Arc<dyn Log>,
    table: &'a Arc<Table>,
}

async fn pipeline(
    setup: &Setup,
    around: &Around<'_>,
    database: &Database,
    service: &str,
) -> Pipeline {
    let lane: Lane = format!("questions/{service}").as_str().into();
    let limits = Limits {
        retry_pause_first: Duration::from_millis(10),
        retry_pause_max: Duration::from_millis(100),
        stop: Duration::from_secs(1),
        groups_max: setup.groups_max,
        ..Limits::default()
    };
    let state = SortedState::open(&around.folder.join(service), StateBounds::default()).await;
    let catalog = SqliteCatalog::open(&around.folder.join(format!("{service}.db"))).await;
    let counts = counts(around.table);
    let inspect =
        CopyOf { store: around.store.clone(), copy: "mirror".into(), lane: Some(lane.clone()) };
    let copy = Copy {
        name: "mirror".into(),
        of: around.table.name.clone(),
        inspect: Some(Arc::new(inspect)),
        keeps: false,
    };
    let group = Group {
        name: "documents".into(),
        service: Arc::new(around.store.clone()),
        copies: vec![copy],
        when_full: WhenFull::Detach,
    };
    Pipeline {
        source: Arc::new(database.slot("main")),
        inspect: Arc::new(database.clone()),
        log: around.log.clone(),
        catalog: Arc::new(catalog.expect("a catalog").catalog),
        groups: setup.copies.then_some(group).into_iter().collect(),
        counting: Some(Counting {
            numbers: Numbers::new(&lane, &counts, limits.groups_max),
            counts,
            state: Arc::new(state.expect("a state").store),
        }),
        limits,
        instance: Instance { name: "one".into(), run: 1 },
        board: Board::with_clock(now),
        lane,
    }
}

fn counts(table: &Table) -> Vec<Count> {
    let count = |name: &str, by: &[&str]| Count {
        name: name.into(),
        of: table.name.clone(),
        by: by.iter().map(|column| (*column).into()).collect(),
        condition: None,
    };
    vec![count("all", &[]), count("by_topic", &["topic"]), count("by_both", &["topic", "body"])]
}

#[expect(clippy::disallowed_methods, reason = "the clock that people go by")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("in our days")
}
