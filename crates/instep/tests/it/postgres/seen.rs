//! A database of a real server, a folder with a configuration over it, and what the doctor says.

pub(super) use crate::doctor::seen::{agrees, checks, found};
use crate::program::{Folder, Ran};
use crate::rig::open;
use serde_json::Value;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::postgres::{Server, Settings, shared, start};

/// A table as everybody has one.
pub(super) const QUESTION: &str = "create table question (id bigint primary key,
    topic_id int not null, state text, title text, deleted_at timestamptz);
    insert into question select n, n % 3, 'live', 'q ' || n, null from generate_series(1, 30) n";

/// A database with a question table, and a configuration that follows it.
pub(super) struct Quiz {
    pub(super) server: Held,
    pub(super) database: String,
    pub(super) folder: Folder,
}

/// A server.
pub(super) enum Held {
    /// That of all tests, so that others have slots and transactions there.
    Shared(&'static Server),
    /// One of the test's own.
    Own(Server),
}

impl Deref for Held {
    type Target = Server;

    fn deref(&self) -> &Server {
        match self {
            Held::Shared(server) => server,
            Held::Own(server) => server,
        }
    }
}

impl Quiz {
    /// One of the server that all tests share; none where there is no PostgreSQL.
    pub(super) fn new() -> Option<Self> {
        Self::on(Held::Shared(shared()?))
    }

    fn on(server: Held) -> Option<Self> {
        let database = server.database();
        server.sql(&database, QUESTION);
        let quiz = Self { server, folder: Folder::new(), database };
        quiz.follow(&quiz.url(), "public.question");
        Some(quiz)
    }

    /// One of a server of its own.
    pub(super) fn of(lines: &[&str], access: &[&str]) -> Option<Self> {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        let settings =
            Settings { lines: owned(lines), access: owned(access), ..Settings::default() };
        Self::on(Held::Own(start(&settings)?))
    }

    /// Its URL, as the superuser.
    pub(super) fn url(&self) -> String {
        self.server.url(&self.database)
    }

    /// Its URL as another role.
    pub(super) fn url_as(&self, login: &str) -> String {
        self.url().replace("postgres@", &format!("{login}@"))
    }

    /// Follows tables over this URL.
    pub(super) fn follow(&self, url: &str, tables: &str) {
        self.follow_by(url, tables, "log");
    }

    /// Follows them in this way.
    pub(super) fn follow_by(&self, url: &str, tables: &str, capture: &str) {
        let config = format!(
            "version: 1\ndata_dir: data\nlisten: 127.0.0.1:0\n\
             services:\n  app: {{ postgres: \"{url}\" }}\n  report: {{ sqlite: report.db }}\n\
             sources:\n  quiz: {{ from: app, tables: [{tables}], capture: {capture} }}\n"
        );
        self.folder.write("instep.yaml", config);
        let report = open(&self.folder.path().join("report.db"));
        report.execute_batch("create table if not exists other (id integer primary key)").unwrap();
    }

    /// Adds to the configuration.
    pub(super) fn add(&self, more: &str) {
        let path = self.folder.path().join("instep.yaml");
        let config = std::fs::read_to_string(&path).unwrap();
        self.folder.write("instep.yaml", format!("{config}{more}"));
    }

    /// Runs statements as the superuser.
    pub(super) fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.database, statements)
    }

    /// A role of this name, which no other test has.
    pub(super) fn role(&self, more: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("role_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("create role {name} login {more}"));
        name
    }

    /// What the doctor says, which ends with this code and finds these; the server is as before.
    pub(super) fn finds(&self, exit: i32, expected: &[&str]) -> Value {
        let ran = self.doctor();
        let mut json = ran.json();
        if let Held::Shared(_) = self.server {
            let others = ["W-POSTGRES-WAL-KEPT", "W-POSTGRES-WAITS"];
            let problems = json["problems"].as_array_mut().unwrap();
            problems.retain(|it| !others.contains(&it["code"].as_str().unwrap()));
        }
        agrees(ran.code, &json, exit, expected);
        json
    }

    /// What the doctor says.
    pub(super) fn doctor(&self) -> Ran {
        const TRACES: &str = "select (select count(*) from pg_publication),
            (select count(*) from pg_class where relname like 'instep%')";
        let before = self.sql(TRACES);
        let ran = self.folder.run("--json doctor");
        assert_eq!(self.sql(TRACES), before, "the doctor has written");
        ran
    }
}

/// The remedy of the first problem of this code.
pub(super) fn fix(json: &Value, code: &str) -> String {
    let problems = json["problems"].as_array().unwrap();
    let found = problems.iter().find(|it| it["code"] == code);
    found.unwrap_or_else(|| panic!("{code}: {json:#}"))["fix"].as_str().unwrap().to_owned()
}
