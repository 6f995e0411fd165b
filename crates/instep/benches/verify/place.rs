//! One server with the same table in two databases.

use crate::ROWS;
use testkit::postgres::{Server, Settings};

/// A table and its copy.
pub(crate) struct Place {
    server: Server,
}

/// The databases of the table and of its copy.
const DATABASES: [&str; 2] = ["app", "report"];

const TABLE: &str = "public.item";

impl Place {
    /// A server that keeps what it promises; none where there is no PostgreSQL.
    pub(crate) fn make() -> Option<Self> {
        let lines = [
            "fsync = on",
            "full_page_writes = on",
            "max_wal_size = 8GB",
            "checkpoint_timeout = 30min",
            "shared_buffers = 512MB",
            "autovacuum = off",
        ];
        let lines = lines.map(str::to_owned).to_vec();
        let server = testkit::postgres::start(&Settings { lines, ..Settings::default() })?;
        for database in DATABASES {
            server.sql("postgres", &format!("create database {database}"));
            server.sql(
                database,
                "create table public.item (id bigint primary key, kind int not null, a bigint,
                     b numeric, at timestamptz not null, name text, flag boolean, body text)",
            );
            let rows = format!(
                "insert into public.item select i, i % 100, i * 7, i * 1.25,
                     timestamptz '2026-01-01' + i * interval '1 second', 'name ' || i, i % 2 = 0,
                     repeat('b', 120) from generate_series(1, {ROWS}) i"
            );
            server.sql(database, &rows);
            server.sql(database, "vacuum analyze public.item");
        }
        server.sql("postgres", "checkpoint");
        Some(Self { server })
    }

    /// The URLs of both databases.
    pub(crate) fn databases(&self) -> [String; 2] {
        DATABASES.map(|database| self.server.url(database))
    }

    /// The URLs of both tables, as the command takes them.
    pub(crate) fn tables(&self) -> [String; 2] {
        self.databases().map(|url| format!("{url}?table={TABLE}"))
    }

    /// Makes so many rows of the copy differ, all over the table, and all others be the same.
    pub(crate) fn make_differ(&self, differing: u32) {
        let [_, copy] = DATABASES;
        let mend = "update public.item set body = repeat('b', 120) where body <> repeat('b', 120)";
        self.server.sql(copy, mend);
        if let Some(each) = ROWS.checked_div(differing) {
            let differ = format!(
                "update public.item set body = 'c' || substr(body, 2) where id % {each} = {}",
                each / 2
            );
            self.server.sql(copy, &differ);
        }
        // What one comparison finds tidied up the next one would, too.
        self.server.sql(copy, "vacuum public.item");
        self.server.sql(copy, "checkpoint");
    }
}
