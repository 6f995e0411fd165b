//! A world that all tests that only look share: one process over one source with two copies and
//! many counts, and over sources of two shards.

use super::http::Api;
use super::process::Process;
use super::waiting::until;
use crate::program::Folder;
use crate::rig::open;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError, Weak};

const CONFIG: &str = r#"
version: 1
listen: 127.0.0.1:0
services:
  shop: { sqlite: shop.db }
  target: { sqlite: target.db }
  left: { sqlite: left.db }
  right: { sqlite: right.db }
sources:
  shop: { from: shop, tables: [item, "strange table"] }
  pair: { from: [left, right], tables: [row] }
copies:
  items: { of: shop/item, to: target/item, create: true }
  renamed: { of: shop/item, to: target/renamed, fields: { subject: topic } }
  rows: { of: pair/row, to: target/row, shard_column: shard, create: true }
counts:
  all: { of: shop/item }
  topics: { of: shop/item, by: [topic], to: [target/topic_count] }
  places: { of: shop/item, by: [topic, place] }
  photos: { of: shop/item, by: [photo] }
  live: { of: shop/item, by: [topic], where: deleted_at is null }
  strange: { of: shop/strange table, by: ["the kind"] }
  rows: { of: pair/row, by: [kind] }
  row_total: { of: pair/row, to: [target/row_count] }
"#;

const SHOP: &str = "
    pragma journal_mode = wal;
    create table item (id integer primary key, topic int, place text, photo blob, deleted_at text);
    insert into item values
        (1, 7, 'east', x'00ff10', null), (2, 7, 'west', x'00ff10', null), (3, 8, 'east', x'', null),
        (4, null, 'east', null, null), (5, null, null, null, 'monday'),
        (6, 9007199254740993, 'a&b=c é+%', null, null), (7, -1, '', null, 'tuesday');
    create table \"strange table\" (name text primary key not null, \"the kind\" text) without rowid;
    insert into \"strange table\" values ('a', '7'), ('b', 'null'), ('c', 'true'), ('d', '7');
";

/// How many items there are.
pub(super) const ITEMS: i64 = 7;

/// The world; it goes away with the last test that looks at it.
pub(super) struct World {
    pub(super) api: Api,
    pub(super) folder: Folder,
    /// Ends with the world.
    _process: Mutex<Process>,
}

static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());

/// The world as it is once everything is in step.
pub(super) fn world() -> Arc<World> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(world) = shared.upgrade() {
        return world;
    }
    let world = Arc::new(begin());
    *shared = Arc::downgrade(&world);
    world
}

fn begin() -> World {
    let folder = Folder::with(CONFIG);
    write(&folder, "shop.db", SHOP);
    for (shard, rows) in
        [("left", "(1, 'a'), (2, 'b'), (3, 'b')"), ("right", "(11, 'b'), (12, null)")]
    {
        let table = "create table row (id integer primary key, kind text)";
        write(&folder, &format!("{shard}.db"), &format!("{table}; insert into row values {rows}"));
    }
    let renamed = "create table renamed (id integer primary key, subject int, note text)";
    write(&folder, "target.db", renamed);
    let (process, api) = Process::start(&folder);
    let is_there =
        |copy: &serde_json::Value| copy["lag_changes"] == 0 && copy["position"].is_string();
    until("every copy is filled and every count is told", || {
        let status = api.json("/v1/status");
        let all = |kind: &str, is: &dyn Fn(&serde_json::Value) -> bool| {
            status[kind].as_array().unwrap().iter().all(is)
        };
        let is_all_there =
            all("copies", &is_there) && all("counts", &|count| count["position"].is_string());
        // Until a source has said what time it is, nobody knows.
        let is_timed = |count: &str| api.json(&format!("/v1/counts/{count}"))["as_of"].is_string();
        // A target that several groups made at once may have had to be tried again.
        let is_well = is_all_there && status["problems"] == serde_json::json!([]);
        is_well && ["all", "row_total"].into_iter().all(is_timed)
    });
    World { api, folder, _process: Mutex::new(process) }
}

/// A connection to a database of a folder, as other programs have one.
pub(super) fn database(folder: &Folder, name: &str) -> Connection {
    open(&folder.path().join(name))
}

/// Writes to a database of a folder.
pub(super) fn write(folder: &Folder, name: &str, sql: &str) {
    database(folder, name).execute_batch(sql).unwrap();
}
