//! A source of several services: counts are summed, copies know whose each row is.

use super::process::Process;
use super::waiting::until;
use super::world::{database, world, write};
use crate::program::Folder;
use crate::rig::lines;
use serde_json::json;

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
limits: { hold_retry_seconds: 0.2, retry_pause_seconds: 0.2 }
services:
  one: { sqlite: one.db }
  two: { sqlite: two.db }
  target: { sqlite: target.db }
sources: { both: { from: [one, two], tables: [row], shard_in_key: SHARD } }
copies: { rows: { of: both/row, to: target/row, shard_column: shard, create: true } }
counts: { kinds: { of: both/row, by: [kind], to: [target/kinds] } }
";

fn folder(shard_in_key: bool) -> Folder {
    let folder = Folder::with(&CONFIG.replace("SHARD", &shard_in_key.to_string()));
    for name in ["one.db", "two.db"] {
        write(&folder, name, "create table row (id integer primary key, kind text)");
    }
    folder
}

fn comes_to(folder: &Folder, sql: &str, expected: &[&str]) {
    let found = || lines(&database(folder, "target.db"), sql).unwrap_or_default();
    until(&format!("{sql} gives {expected:?}"), || found() == expected);
}

const ROWS: &str = "select id, shard, kind from row order by id, shard";

#[test]
fn a_count_is_the_sum_of_its_shards() {
    let api = &world().api;
    let told = api.json("/v1/counts/rows");
    let group =
        |kind: serde_json::Value, value: i64| json!({"group": {"kind": kind}, "value": value});
    let expected = [group(json!(null), 1), group(json!("a"), 1), group(json!("b"), 3)];
    assert_eq!(told["values"], json!(expected));
    assert_eq!(api.json("/v1/counts/rows?kind=b")["value"], 3);
    assert_eq!(api.json("/v1/counts/rows?kind.is=null")["value"], 1);
    assert_eq!(api.json("/v1/counts/rows?limit=2")["values"], json!(expected[..2]));
}

#[test]
fn each_shard_moves_on_by_itself_and_is_waited_for_by_itself() {
    let folder = folder(false);
    let (_process, api) = Process::start(&folder);
    let first = api.json("/v1/counts/kinds?at_least=one:0,two:0&wait=30s");
    assert_eq!((&first["values"], &first["position"]), (&json!([]), &json!("one:1,two:1")));
    write(&folder, "one.db", "insert into row values (1, 'a'), (2, 'a')");
    let told = api.json("/v1/counts/kinds?kind=a&at_least=one:3&wait=30s");
    assert_eq!((&told["value"], &told["position"]), (&json!(2), &json!("one:3,two:1")));
    write(&folder, "two.db", "insert into row values (11, 'a'), (12, 'b')");
    let told = api.json("/v1/counts/kinds?kind=a&at_least=two:3&wait=30s");
    assert_eq!((&told["value"], &told["position"]), (&json!(3), &json!("one:3,two:3")));
    api.problem("/v1/counts/kinds?at_least=one:3,two:4", 503, "E-NOT-REACHED");
    comes_to(
        &folder,
        ROWS,
        &["1|'both/one'|'a'", "2|'both/one'|'a'", "11|'both/two'|'a'", "12|'both/two'|'b'"],
    );
    comes_to(&folder, "select kind, value from kinds order by kind", &["'a'|3", "'b'|1"]);
}

#[test]
fn a_key_that_moves_to_the_other_shard_is_there_once() {
    let folder = folder(false);
    write(&folder, "one.db", "insert into row values (1, 'a'), (2, 'a')");
    let (_process, api) = Process::start(&folder);
    comes_to(&folder, "select id from row order by id", &["1", "2"]);
    // The new shard has it first: until the old one lets go, it is a failure of the new one's.
    write(&folder, "two.db", "insert into row values (1, 'z')");
    until("it is held", || api.json("/v1/copies")["copies"][0]["failures"] == 1);
    write(&folder, "one.db", "delete from row where id = 1");
    comes_to(&folder, "select id, kind from row order by id", &["1|'z'", "2|'a'"]);
    until("nothing is held", || api.json("/v1/copies")["copies"][0]["failures"] == 0);
    write(&folder, "one.db", "delete from row");
    comes_to(&folder, "select id, kind from row order by id", &["1|'z'"]);
}

#[test]
fn rows_of_one_key_in_two_shards_are_two_where_the_shard_is_in_the_key() {
    let folder = folder(true);
    write(&folder, "one.db", "insert into row values (1, 'a'), (2, 'a')");
    write(&folder, "two.db", "insert into row values (1, 'b')");
    let (_process, api) = Process::start(&folder);
    comes_to(&folder, "select id, kind from row order by id, kind", &["1|'a'", "1|'b'", "2|'a'"]);
    write(
        &folder,
        "two.db",
        "update row set kind = 'c' where id = 1; insert into row values (2, 'd')",
    );
    comes_to(
        &folder,
        "select id, kind from row order by id, kind",
        &["1|'a'", "1|'c'", "2|'a'", "2|'d'"],
    );
    write(&folder, "one.db", "update row set id = 3 where id = 1; delete from row where id = 2");
    comes_to(&folder, "select id, kind from row order by id, kind", &["1|'c'", "2|'d'", "3|'a'"]);
    assert_eq!(api.json("/v1/copies")["copies"][0]["failures"], 0);
}

#[test]
fn a_shard_that_is_away_leaves_its_part_and_the_others_move_on() {
    let folder = folder(false);
    write(&folder, "one.db", "insert into row values (1, 'a')");
    write(&folder, "two.db", "insert into row values (2, 'a')");
    let (process, api) = Process::start(&folder);
    assert_eq!(api.json("/v1/counts/kinds?kind=a&at_least=one:1,two:1&wait=30s")["value"], 2);
    let away = folder.path().join("away.db");
    std::fs::rename(folder.path().join("two.db"), &away).unwrap();
    let connected =
        |shard: usize| api.json("/v1/status")["sources"][0]["services"][shard]["connected"].clone();
    until("it is seen to be away", || connected(1) == false);
    assert_eq!(connected(0), true);
    write(&folder, "one.db", "insert into row values (3, 'a')");
    let told = api.json("/v1/counts/kinds?kind=a&at_least=one:2&wait=30s");
    assert_eq!((&told["value"], &told["position"]), (&json!(3), &json!("one:2,two:1")));
    api.problem("/v1/counts/kinds?kind=a&at_least=two:2", 503, "E-NOT-REACHED");
    // The same after a start without it.
    process.signal("TERM");
    assert_eq!(process.rest().1, Some(0));
    let (_process, api) = Process::start(&folder);
    let told = api.json("/v1/counts/kinds?kind=a&at_least=one:2&wait=30s");
    assert_eq!((&told["value"], &told["position"]), (&json!(3), &json!("one:2,two:1")));
}
