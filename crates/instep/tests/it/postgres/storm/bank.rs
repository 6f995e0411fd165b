//! A bank in a database: accounts between which money moves, items that come and go, a log that is
//! emptied now and then; and the program that keeps copies and a count of them.

use crate::program::Folder;
use crate::rig::{Running, lines, open, watermark};
use connectors::postgres::{Access, Session, Trouble};
use rusqlite::Connection;
use std::process::Command;
use std::time::Duration;
use testkit::postgres::{Server, Settings};

/// How much money there is.
pub(super) const TOTAL: i64 = 64_000;

/// How many items there may be.
pub(super) const ITEMS: u64 = 400;

/// The lane of the source.
const LANE: &str = "bank/app";

const TABLES: &str = "
    create table account (id int primary key, holder text not null, balance bigint not null);
    insert into account select n, 'holder ' || n, 1000 from generate_series(1, 64) n;
    create table item (id bigint primary key, kind text not null, n int, body text);
    alter table item alter body set storage external;
    insert into item select n, 'kind ' || n % 5, n, repeat('x', 3000) from generate_series(1, 200) n;
    create table log (at bigint primary key, what text);
    insert into log values (0, 'made')";

/// What has to be equal in the database and in the copy.
const EQUAL: [(&str, &str); 4] = [
    (
        "select id, '''' || holder || '''', balance from public.account order by id",
        "select id, holder, balance from account order by id",
    ),
    (
        "select id, '''' || kind || '''', coalesce(n::text, 'null'), '''' || body || ''''
         from public.item order by id",
        "select id, kind, n, body from item order by id",
    ),
    (
        "select at, '''' || what || '''' from public.log order by at",
        "select at, what from log order by at",
    ),
    (
        "select '''' || kind || '''', count(*) from public.item group by kind
         order by kind collate \"C\"",
        "select kind, value from item_count where count = 'items' order by kind",
    ),
];

/// A server with the tables of a bank, in a database of this name.
fn server() -> Option<(Server, String)> {
    let lines = ["wal_sender_timeout = 5s", "logical_decoding_work_mem = 64kB"];
    let lines = lines.map(str::to_owned).to_vec();
    let server = testkit::postgres::start(&Settings { lines, ..Settings::default() })?;
    let database = server.database();
    server.sql(&database, TABLES);
    Some((server, database))
}

/// The bank.
pub(super) struct Bank {
    pub(super) server: Server,
    pub(super) access: Access,
    database: String,
    folder: Folder,
}

impl Bank {
    /// A bank with a server of its own; none where there is no PostgreSQL.
    pub(super) fn open(capture: &str) -> Option<Self> {
        let (server, database) = server()?;
        let url = server.url(&database);
        Some(Self::over(server, database, &url, capture))
    }

    /// A bank with a standby, which is followed wherever its primary is.
    pub(super) fn with_standby() -> Option<(Self, Server)> {
        let (server, database) = server()?;
        server.stop();
        let standby = server.standby();
        let both = format!("127.0.0.1:{},127.0.0.1:{}", server.port(), standby.port());
        let url = format!("postgres://postgres@{both}/{database}");
        Some((Self::over(server, database, &url, "log"), standby))
    }

    fn over(server: Server, database: String, url: &str, capture: &str) -> Self {
        let folder = Folder::with(&format!(
            "version: 1\ndata_dir: data\nlisten: 127.0.0.1:0\n\
             limits: {{ retry_pause_seconds: 0.5, lease_seconds: 2 }}\n\
             services:\n  app: {{ postgres: \"{url}\" }}\n  report: {{ sqlite: report.db }}\n\
             sources:\n  bank: {{ from: app, tables: [public.account, public.item, public.log], \
             capture: {capture} }}\n\
             copies:\n  accounts: {{ of: bank/public.account, to: report/account, create: true }}\n  \
             items: {{ of: bank/public.item, to: report/item, create: true }}\n  \
             logs: {{ of: bank/public.log, to: report/log, create: true }}\n\
             counts:\n  items: {{ of: bank/public.item, by: [kind], to: [report/item_count] }}\n"
        ));
        let mut access = Access::parse(url).expect("a URL").to_primary();
        access.connect_timeout = Duration::from_secs(60);
        Self { server, access, database, folder }
    }

    /// The name of its database.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// Starts the program.
    pub(super) async fn run(&self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.arg("run").current_dir(self.folder.path());
        let mut running = Running::spawn(command, &self.folder.path().join("instep.log"));
        running.ready(|| self.log()).await;
        running
    }

    /// Everything that was logged, in all runs.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("instep.log")).unwrap_or_default()
    }

    /// Runs statements, or not.
    pub(super) fn try_sql(&self, statements: &str) -> bool {
        self.server.try_sql(&self.database, statements).status.success()
    }

    /// Runs statements, if the server lets us; what they would break is then broken already.
    pub(super) fn sql(&self, statements: &str) {
        self.try_sql(statements);
    }

    /// The copy, if it is there.
    pub(super) fn copy(&self) -> Option<Connection> {
        let path = self.folder.path().join("report.db");
        path.exists().then(|| open(&path))
    }

    /// How far the copy has come, where it stands at a place.
    pub(super) fn reached(copy: &Connection) -> Option<u64> {
        let passed = "select count(*) from instep_passes where lane = ?1 and purpose is null";
        let passed: i64 = copy.query_row(passed, [LANE], |row| row.get(0)).ok()?;
        let standing = watermark(copy, LANE).ok()??;
        (passed == 3 && !standing.is_inside()).then(|| standing.position.to_number())?
    }

    /// What differs between the database and the copy.
    pub(super) async fn differences(&self, session: &Session) -> Result<Vec<String>, Trouble> {
        let copy = self.copy().expect("a copy");
        let mut differences = Vec::new();
        for (source, target) in EQUAL {
            let rows = session.query(source).await?;
            let line = |row: Vec<Option<String>>| {
                row.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("|")
            };
            let there: Vec<String> = rows.into_iter().map(line).collect();
            // The table of a count is made with its first push.
            let here = lines(&copy, target).unwrap_or_default();
            if there != here {
                let differs = |(one, other): (&String, &String)| one != other;
                let at = there.iter().zip(&here).position(differs);
                let shown = |rows: &[String]| {
                    let at = at.unwrap_or_else(|| there.len().min(here.len()));
                    rows.get(at).map(|row| row.chars().take(60).collect::<String>())
                };
                differences.push(format!(
                    "{target}: {} rows there and {} here; first {:?}, {:?}",
                    there.len(),
                    here.len(),
                    shown(&there),
                    shown(&here)
                ));
            }
        }
        Ok(differences)
    }
}
