//! The server, what is written to it, and the reader that ours is held against.

use std::path::Path;
use std::process::Command;
use testkit::postgres::{Server, Settings};

/// A server with a table.
pub(crate) struct Place {
    server: Server,
}

const DATABASE: &str = "postgres";

/// The slot and the publication of the other reader.
const OTHER: &str = "other";

impl Place {
    /// A server that keeps what it promises; none where there is no PostgreSQL.
    pub(crate) fn make() -> Option<Self> {
        let lines = [
            "fsync = on",
            "full_page_writes = on",
            "max_wal_size = 8GB",
            "checkpoint_timeout = 30min",
            "shared_buffers = 512MB",
            "max_slot_wal_keep_size = -1",
            "autovacuum = off",
        ];
        let lines = lines.map(str::to_owned).to_vec();
        let server = testkit::postgres::start(&Settings { lines, ..Settings::default() })?;
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

    /// Has the other reader read up to there, and write it nowhere.
    pub(crate) fn receive(&self, end: &str) {
        let url = self.database();
        let program = Path::new("/usr/lib/postgresql/15/bin/pg_recvlogical");
        let mut command = Command::new(program);
        command.args(["-d", &url, "-S", OTHER, "--start", "-f", "/dev/null", "--endpos", end]);
        command.args([
            "-o",
            "proto_version=2",
            "-o",
            "streaming=on",
            "-o",
            "publication_names=other",
        ]);
        let done = command.output().expect("pg_recvlogical is there");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
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
