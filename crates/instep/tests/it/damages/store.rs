//! The stores: a hand that writes to each, and what a comparison reads them by.

use connectors::postgres::{Access, PostgresAudit, Session};
use connectors::sqlite::{File, SqliteAudit};
use model::{Audit, Service};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// A hand that writes to one.
#[derive(Clone)]
pub(super) enum Hand {
    Sqlite(PathBuf, Arc<Mutex<Connection>>),
    Postgres(String, Arc<Session>),
}

/// What a comparison reads a PostgreSQL by.
pub(super) fn postgres(url: &str) -> Arc<dyn Service<dyn Audit>> {
    Arc::new(PostgresAudit::new(Access::parse(url).expect("it is a URL")))
}

impl Hand {
    /// A store of its own.
    pub(super) async fn new(kind: Kind, folder: &Path, name: &str) -> Option<Self> {
        match kind {
            Kind::Sqlite => {
                let path = folder.join(name);
                let hand = Connection::open(&path).expect("it can be made");
                hand.pragma_update(None, "journal_mode", "wal").expect("it can be set");
                hand.pragma_update(None, "synchronous", "off").expect("it can be set");
                hand.busy_timeout(Duration::from_secs(30)).expect("it can be set");
                Some(Hand::Sqlite(path, Arc::new(Mutex::new(hand))))
            }
            Kind::Postgres => {
                let server = testkit::postgres::shared()?;
                let database = tokio::task::block_in_place(|| server.database());
                let url = server.url(&database);
                let session = Session::connect(&Access::parse(&url).expect("it is a URL")).await;
                let session = session.expect("it can be reached");
                session.query("set search_path = public").await.expect("it can be set");
                Some(Hand::Postgres(url, Arc::new(session)))
            }
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Hand::Sqlite(..) => Kind::Sqlite,
            Hand::Postgres(..) => Kind::Postgres,
        }
    }

    pub(super) async fn run(&self, statements: &str) {
        match self {
            Hand::Sqlite(_, hand) => {
                let hand = Arc::clone(hand);
                let run = || hand.lock().expect("no panic").execute_batch(statements);
                tokio::task::block_in_place(run).unwrap_or_else(|it| panic!("{it}: {statements}"));
            }
            Hand::Postgres(_, session) => {
                let run = session.query(statements).await;
                run.unwrap_or_else(|it| panic!("{it}: {statements}"));
            }
        }
    }

    /// What a comparison reads it by.
    pub(super) fn audit(&self) -> Arc<dyn Service<dyn Audit>> {
        match self {
            Hand::Sqlite(path, _) => Arc::new(SqliteAudit::new(File::new(path))),
            Hand::Postgres(url, _) => postgres(url),
        }
    }

    /// The name of a table of this name.
    pub(super) fn table(&self, name: &str) -> String {
        match self {
            Hand::Sqlite(..) => name.to_owned(),
            Hand::Postgres(..) => format!("public.{name}"),
        }
    }
}
