//! A database with tables in it, a connection that leads, and a hand that looks from outside.

use instep_connectors::CopyTo;
use instep_connectors::postgres::{Access, PostgresCopyRows, PostgresTarget, Session};
use model::{
    Batch, Effect, Epoch, Fault, Hold, Incarnation, Inspect, Key, Lane, Leadership, Mode, Offset,
    Outcome, Position, Row, Service, Table, Target, Tenure, Write,
};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows;
use testkit::postgres::{Server, shared};
use tokio::time::{Instant, sleep};

/// How long anything is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The table of the suites, as a user would make it here; 13 may not be refused.
pub(super) const TABLE: &str = "create table public.questions_copy (
    id bigint primary key, topic bigint, body text check (body <> 'refused'))";

/// The same for rows of several lanes.
pub(super) const OWNED: &str = "create table public.questions_copy (
    id bigint primary key, topic bigint, body text check (body <> 'refused'), shard text)";

/// The copy of the suites.
pub(super) fn copy() -> CopyTo {
    CopyTo::new("copy", "public.questions_copy")
}

/// A database with a copy in it.
pub(super) struct Rig {
    server: &'static Server,
    pub(super) database: String,
    pub(super) copy: CopyTo,
    pub(super) target: PostgresTarget,
    pub(super) table: Arc<Table>,
}

impl Rig {
    /// A database in which these statements were run, with the copy `copy` in the table
    /// `public.questions_copy`; none where there is no PostgreSQL.
    pub(super) fn new(statements: &str) -> Option<Self> {
        Self::of(statements, copy(), rows::table("questions"))
    }

    /// The same with rows of several lanes.
    pub(super) fn owned(statements: &str) -> Option<Self> {
        let copy = CopyTo { shard_column: Some("shard".into()), ..copy() };
        Self::of(statements, copy, rows::table("questions"))
    }

    /// A database with this copy of this table.
    pub(super) fn of(statements: &str, copy: CopyTo, table: Arc<Table>) -> Option<Self> {
        let server = shared()?;
        let database = server.database();
        server.sql(&database, statements);
        let access = Access::parse(&server.url(&database)).expect("a URL");
        let target = PostgresTarget::new(access, vec![copy.clone()]);
        Some(Self { server, database, copy, target, table })
    }

    /// The same database as if it were new, with these statements run.
    pub(super) fn again(&self, statements: &str) {
        let clean = "set client_min_messages = 'warning'; drop schema if exists instep cascade;
            drop schema public cascade; create schema public";
        self.sql(&format!("{clean}; {statements}"));
    }

    pub(super) fn access(&self) -> Access {
        Access::parse(&self.server.url(&self.database)).expect("a URL")
    }

    /// The same as another role than the server's first.
    pub(super) fn access_as(&self, role: &str) -> Access {
        let url = self.server.url(&self.database).replacen("postgres@", &format!("{role}@"), 1);
        Access::parse(&url).expect("a URL")
    }

    /// A session beside those of the target.
    pub(super) async fn session(&self) -> Session {
        Session::connect(&self.access()).await.expect("a session")
    }

    pub(super) fn inspect(&self) -> Arc<dyn Service<dyn Inspect>> {
        self.inspect_lane(None)
    }

    pub(super) fn inspect_lane(&self, lane: Option<&str>) -> Arc<dyn Service<dyn Inspect>> {
        let (copy, lane) = (self.copy.clone(), lane.map(Lane::from));
        Arc::new(PostgresCopyRows::new(self.access(), copy, self.table.name.clone(), lane))
    }

    /// Runs statements as others than Instep would; the rows of their answers as lines, cells
    /// between bars.
    pub(super) fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.database, statements)
    }

    pub(super) async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        self.target.connect().await
    }

    pub(super) async fn lead(&self) -> Led {
        Led::new(self, "lane").await
    }

    /// A write to the copy.
    pub(super) fn write(&self, effect: Effect) -> Write {
        let (copy, table) = (self.copy.name.clone(), self.table.clone());
        Write { copy, table, version: at(1).change(0), effect }
    }

    /// A put of a row.
    pub(super) fn put(&self, row: Row) -> Write {
        let key = self.table.key_of(&row).expect("a key");
        self.write(Effect::Put { key, row, new: false })
    }

    /// A put of a row that the source has just made.
    pub(super) fn insert(&self, row: Row) -> Write {
        let key = self.table.key_of(&row).expect("a key");
        self.write(Effect::Put { key, row, new: true })
    }
}

/// A connection that leads a lane.
pub(super) struct Led {
    pub(super) target: Box<dyn Target>,
    pub(super) lane: Lane,
    pub(super) epoch: Epoch,
}

impl Led {
    pub(super) async fn new(rig: &Rig, lane: &str) -> Self {
        Self::by(rig, lane, &tenure(1)).await
    }

    pub(super) async fn by(rig: &Rig, lane: &str, tenure: &Tenure) -> Self {
        let mut target = rig.connect().await.expect("a connection");
        let lane = Lane::from(lane);
        let answer = target.lead(&lane, tenure).await.expect("an answer");
        let Leadership::Held(epoch) = answer else { panic!("{answer:?}") };
        Self { target, lane, epoch }
    }

    pub(super) fn batch(&self, number: u64, writes: Vec<Write>) -> Batch {
        Batch {
            lane: self.lane.clone(),
            epoch: self.epoch,
            writes: writes.into(),
            holds: Vec::new(),
            discards: Vec::new(),
            passes: Vec::new(),
            watermark: at(number),
            last: true,
        }
    }

    /// Writes in one transaction; the reason, if it is refused.
    pub(super) async fn together(&mut self, number: u64, writes: Vec<Write>) -> Option<String> {
        let batch = self.batch(number, writes);
        match self.target.apply(&batch, Mode::Together).await.expect("an answer") {
            Outcome::Written { .. } => None,
            Outcome::Refused(reason) => Some(reason),
        }
    }

    /// Writes row by row; which writes were refused.
    pub(super) async fn each(&mut self, number: u64, writes: Vec<Write>) -> Vec<usize> {
        let batch = self.batch(number, writes);
        let outcome = self.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
        let Outcome::Written { refused, .. } = outcome else { panic!("{outcome:?}") };
        refused.into_iter().map(|refusal| refusal.write).collect()
    }

    /// Waits until everything up to there is on the disk.
    pub(super) async fn flush(&mut self, number: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let batch = self.batch(number, Vec::new());
            let outcome = self.target.apply(&batch, Mode::Together).await.expect("written");
            let Outcome::Written { flushed, .. } = outcome else { panic!("{outcome:?}") };
            if flushed == Some(at(number)) {
                return;
            }
            assert!(Instant::now() < deadline, "it is never told");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn holds(&mut self) -> Vec<Hold> {
        self.target.standing(&self.lane).await.expect("a standing").holds
    }

    pub(super) async fn held(&mut self) -> Vec<Key> {
        self.holds().await.into_iter().map(|hold| hold.key).collect()
    }
}

pub(super) fn tenure(connection: u64) -> Tenure {
    let lasting = Duration::from_secs(60);
    Tenure { instance: "one".into(), run: 1, connection, lasting }
}

pub(super) fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}
