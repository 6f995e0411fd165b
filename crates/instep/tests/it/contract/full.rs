//! A full journal: what becomes of the copy that holds it up, as `when_full` says, seen over HTTP.

use super::http::Api;
use super::process::Process;
use super::waiting::{until, until_some};
use super::world::{database, write};
use crate::program::Folder;
use crate::rig::lines;
use rusqlite::Connection;
use serde_json::{Value, json};

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
when_full: WHEN
limits:
  journal_bytes_max: 1048576
  segment_bytes_max: 65536
  part_bytes_max: 32768
  inline_bytes_max: 32768
  full_grace_seconds: 0.1
  retry_pause_seconds: 0.2
  ask_rows_max: 1
  stretches_ahead_max: 1
services: { a: { sqlite: a.db }, b: { sqlite: b.db }, c: { sqlite: c.db } }
sources: { s: { from: a, tables: [t] } }
copies:
  held: { of: s/t, to: b/t, create: true }
  free: { of: s/t, to: c/t, create: true }
";

const ROWS: usize = 300;

/// A source with rows, and both copies of it.
fn filled(when: &str) -> (Folder, Process, Api) {
    let folder = Folder::with(&CONFIG.replace("WHEN", when));
    write(
        &folder,
        "a.db",
        &format!(
            "pragma journal_mode = wal;
            create table t (id integer primary key, round int, body text);
            with recursive n (id) as (values (1) union all select id + 1 from n where id < {ROWS})
            insert into t select id, 0, '' from n"
        ),
    );
    let (process, api) = Process::start(&folder);
    until("both copies are filled", || {
        let copies = api.json("/v1/copies")["copies"].clone();
        [0, 1].into_iter().all(|place| copies[place]["position"].is_string())
    });
    (folder, process, api)
}

/// Whoever holds this keeps a copy from following.
fn hold(folder: &Folder) -> Connection {
    let lock = database(folder, "b.db");
    lock.execute_batch("begin immediate").unwrap();
    lock
}

/// Changes every row; how often by now.
fn change(folder: &Folder, round: &mut usize) {
    *round += 1;
    let change = format!("update t set round = {round}, body = hex(randomblob(200))");
    write(folder, "a.db", &change);
}

fn copy(api: &Api, place: usize) -> Value {
    api.json("/v1/copies")["copies"][place].clone()
}

/// How many rows of a copy are of this round.
fn of_round(copy: &Connection, round: usize) -> usize {
    lines(copy, &format!("select id from t where round = {round}")).unwrap().len()
}

fn is_full(api: &Api) -> bool {
    let status = api.json("/v1/status");
    status["problems"].as_array().unwrap().iter().any(|it| it["code"] == "E-JOURNAL-FULL")
}

#[test]
fn a_copy_that_may_be_let_go_is_detached_and_bridged_when_it_is_back() {
    let (folder, process, api) = filled("detach");
    let lock = hold(&folder);
    let mut round = 0;
    until("the journal is full, and the copy is let go", || {
        change(&folder, &mut round);
        copy(&api, 0)["phase"] == "detached"
    });
    let detached = copy(&api, 0);
    assert_eq!(
        (&detached["phase"], &detached["state"]),
        (&json!("detached"), &json!("unverified"))
    );
    let other = database(&folder, "c.db");
    until("the other one goes on", || of_round(&other, round) == ROWS);
    assert_eq!(of_round(&lock, 0), ROWS, "this one has nothing of it");
    let told = "is not waited for any more";
    until("it is logged", || process.log().contains(told));
    lock.execute_batch("rollback").unwrap();
    // Held again in the middle of being compared.
    until("a part of it is mended", || {
        lock.execute_batch("begin immediate").unwrap();
        let is_part = (1..ROWS).contains(&of_round(&lock, round));
        if !is_part {
            lock.execute_batch("rollback").unwrap();
        }
        is_part
    });
    let phase = || Some(copy(&api, 0)).filter(|copy| copy["phase"] == "bridging");
    let bridging = until_some("it is told", phase);
    assert_eq!(bridging["position"], Value::Null, "{bridging}");
    lock.execute_batch("rollback").unwrap();
    until("it is as its source", || of_round(&lock, round) == ROWS);
    let is_well = |copy: &Value| copy["phase"] == "following" && copy["position"].is_string();
    until("it follows", || is_well(&copy(&api, 0)));
    change(&folder, &mut round);
    until("both go on", || of_round(&lock, round) == ROWS && of_round(&other, round) == ROWS);
}

#[test]
fn a_copy_that_must_not_be_let_go_is_waited_for() {
    let (folder, process, api) = filled("wait");
    let lock = hold(&folder);
    let mut round = 0;
    until("the journal is full", || {
        change(&folder, &mut round);
        is_full(&api)
    });
    // For longer than it would have been given.
    let mut looks = 0;
    until("it is still full", || {
        assert_ne!(copy(&api, 0)["phase"], "detached");
        looks += usize::from(is_full(&api));
        looks > 20
    });
    lock.execute_batch("rollback").unwrap();
    let other = database(&folder, "c.db");
    until("both have all", || of_round(&lock, round) == ROWS && of_round(&other, round) == ROWS);
    until("nothing is wrong any more", || api.json("/v1/status")["problems"] == json!([]));
    let copies = api.json("/v1/copies")["copies"].clone();
    assert!([0, 1].into_iter().all(|place| copies[place]["phase"] == "following"), "{copies}");
    assert!(!process.log().contains("is not waited for any more"), "{}", process.log());
}
