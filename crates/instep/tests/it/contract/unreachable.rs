//! Databases that are not there: they are told of and tried again, and nothing else is held up.

use super::process::Process;
use super::waiting::{until, until_some};
use super::world::{database, write};
use crate::program::Folder;
use crate::rig::lines;
use serde_json::{Value, json};
use std::fs;

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
limits: { retry_pause_seconds: 0.2 }
services: { a: { sqlite: a.db }, b: { sqlite: b.db }, c: { sqlite: c.db } }
sources: { s: { from: a, tables: [t] } }
copies:
  kept: { of: s/t, to: b/t }
  made: { of: s/t, to: c/t, create: true }
counts: { all: { of: s/t } }
";

const TABLE: &str = "create table t (id integer primary key)";

fn copied(folder: &Folder, name: &str) -> Option<Vec<String>> {
    lines(&database(folder, name), "select id from t order by id").ok()
}

/// The codes of what is wrong now.
fn problems(status: &Value) -> Vec<&str> {
    let problems = status["problems"].as_array().unwrap().iter();
    problems.map(|problem| problem["code"].as_str().unwrap()).collect()
}

#[test]
fn a_source_that_is_not_there_is_told_of_and_followed_once_it_is() {
    let folder = Folder::with(CONFIG);
    write(&folder, "b.db", TABLE);
    let (mut process, api) = Process::start(&folder);
    let status = until_some("it is told of", || {
        Some(api.json("/v1/status")).filter(|it| problems(it).contains(&"E-SOURCE-UNAVAILABLE"))
    });
    let service = &status["sources"][0]["services"][0];
    assert_eq!((&service["connected"], &service["position"]), (&json!(false), &Value::Null));
    assert_eq!(status["copies"][0]["position"], Value::Null);
    let problem = status["problems"].as_array().unwrap().iter().find(|it| {
        it["code"] == "E-SOURCE-UNAVAILABLE" && it["what"].as_str().unwrap().contains("a.db")
    });
    assert!(problem.is_some(), "{status}");
    assert_eq!(api.get("/readyz").status, 200, "that is no reason to restart this process");
    let answer = api.get("/v1/counts/all");
    answer.problem(503, "E-COUNT-NOT-READY");
    assert!(answer.header("retry-after").is_some());
    assert!(!folder.path().join("a.db").exists(), "a source is never made");
    write(&folder, "a.db", &format!("{TABLE}; insert into t values (1), (2)"));
    until("both copies have come to be", || {
        ["b.db", "c.db"].iter().all(|name| copied(&folder, name).is_some_and(|it| it.len() == 2))
    });
    until("nothing is wrong any more", || api.json("/v1/status")["problems"] == json!([]));
    assert_eq!(api.json("/v1/counts/all?at_least=0&wait=30s")["value"], 2);
    assert_eq!(api.json("/v1/status")["sources"][0]["services"][0]["connected"], true);
    assert!(process.is_running());
}

#[test]
fn a_target_that_is_not_there_is_told_of_and_holds_up_itself_alone() {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", &format!("{TABLE}; insert into t values (1)"));
    let (mut process, api) = Process::start(&folder);
    let status = until_some("it is told of", || {
        Some(api.json("/v1/status")).filter(|it| problems(it).contains(&"E-TARGET-UNAVAILABLE"))
    });
    assert_eq!(status["copies"][0]["position"], Value::Null);
    assert!(!folder.path().join("b.db").exists(), "without `create: true` no file is made");
    until("the other copy is filled", || copied(&folder, "c.db").is_some_and(|it| it.len() == 1));
    assert_eq!(api.json("/v1/counts/all?at_least=0&wait=30s")["value"], 1);
    until("retries are counted", || {
        let page = api.get("/metrics").text();
        let retries =
            |line: &str| line.strip_prefix("instep_retries_total{target=\"kept\"} ")?.parse().ok();
        page.lines().find_map(retries).is_some_and(|retries: u64| retries >= 2)
    });
    write(&folder, "b.db", TABLE);
    until("it is filled", || copied(&folder, "b.db").is_some_and(|it| it.len() == 1));
    until("nothing is wrong any more", || api.json("/v1/status")["problems"] == json!([]));
    assert!(process.is_running());
}

#[test]
fn a_missing_target_table_is_told_of_with_the_key_that_makes_it() {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", &format!("{TABLE}; insert into t values (1)"));
    write(&folder, "b.db", "create table other (id)");
    let (_process, api) = Process::start(&folder);
    let status = until_some("it is told of", || {
        Some(api.json("/v1/status")).filter(|it| problems(it).contains(&"E-COPY-TABLE-MISSING"))
    });
    let all = status["problems"].as_array().unwrap();
    let problem = all.iter().find(|it| it["code"] == "E-COPY-TABLE-MISSING").unwrap();
    assert!(problem.to_string().contains("create: true"), "{problem}");
    assert!(problem["what"].as_str().unwrap().contains("kept"), "{problem}");
    write(&folder, "b.db", TABLE);
    until("it goes on by itself", || copied(&folder, "b.db").is_some_and(|it| it.len() == 1));
}

#[test]
fn a_source_that_goes_away_for_a_while_is_followed_again() {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", &format!("{TABLE}; insert into t values (1)"));
    write(&folder, "b.db", TABLE);
    let (_process, api) = Process::start(&folder);
    assert_eq!(api.json("/v1/counts/all?at_least=0&wait=30s")["value"], 1);
    let (here, away) = (folder.path().join("a.db"), folder.path().join("away.db"));
    fs::rename(&here, &away).unwrap();
    let connected = || api.json("/v1/status")["sources"][0]["services"][0]["connected"].clone();
    until("it is seen to be away", || connected() == false);
    assert_eq!(api.json("/v1/counts/all")["value"], 1, "a number stays, with its position");
    fs::rename(&away, &here).unwrap();
    write(&folder, "a.db", "insert into t values (2)");
    assert_eq!(api.json("/v1/counts/all?at_least=2&wait=30s")["value"], 2);
    until("it is connected", || connected() == true);
}

#[test]
fn another_database_in_its_place_is_refused_until_a_person_adopts_it() {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", &format!("{TABLE}; insert into t values (1)"));
    write(&folder, "b.db", TABLE);
    let (process, api) = Process::start(&folder);
    assert_eq!(api.json("/v1/counts/all?at_least=0&wait=30s")["value"], 1);
    until("it is filled", || copied(&folder, "b.db").is_some_and(|it| it.len() == 1));
    process.signal("TERM");
    assert_eq!(process.rest().1, Some(0));
    fs::rename(folder.path().join("a.db"), folder.path().join("old.db")).unwrap();
    write(&folder, "a.db", &format!("{TABLE}; insert into t values (5), (6)"));
    let (process, api) = Process::start(&folder);
    let told =
        || Some(api.json("/v1/status")).filter(|it| problems(it).contains(&"E-SOURCE-CHANGED"));
    until_some("it is told of", told);
    api.problem("/v1/counts/all?at_least=50&wait=30s", 409, "E-SOURCE-CHANGED");
    assert_eq!(copied(&folder, "b.db"), Some(vec!["1".to_owned()]), "nothing of it is taken");
    assert_eq!(folder.run("--json source adopt s").json()["status"], "ok");
    until("it is followed", || copied(&folder, "b.db").is_some_and(|it| it == ["5", "6"]));
    assert_eq!(api.json("/v1/counts/all?at_least=0&wait=30s")["value"], 2);
    drop(process);
}

#[test]
fn a_position_is_null_while_a_copy_is_filled() {
    const ROWS: usize = 300;
    let folder =
        Folder::with(&CONFIG.replace("0.2 }", "0.2, ask_rows_max: 1, stretches_ahead_max: 1 }"));
    let rows = format!(
        "with recursive n (id) as (values (1) union all select id + 1 from n where id < {ROWS})
        insert into t select id from n"
    );
    write(&folder, "a.db", &format!("{TABLE}; {rows}"));
    write(&folder, "b.db", TABLE);
    let (_process, api) = Process::start(&folder);
    // Whoever holds the target locked keeps it as it is, in the middle.
    let lock = database(&folder, "b.db");
    until("a part of it is there", || {
        lock.execute_batch("begin immediate").unwrap();
        let there = lines(&lock, "select id from t").unwrap().len();
        let is_part = (1..ROWS).contains(&there);
        if !is_part {
            lock.execute_batch("rollback").unwrap();
        }
        is_part
    });
    let copy = || api.json("/v1/copies")["copies"][0].clone();
    let filling = until_some("it is seen", || Some(copy()).filter(|it| it["phase"] == "filling"));
    assert_eq!(filling["position"], Value::Null, "{filling}");
    assert_eq!(filling["state"], "unverified", "{filling}");
    lock.execute_batch("rollback").unwrap();
    until("it is filled", || copy()["position"] == "1");
    assert_eq!(copied(&folder, "b.db").map(|it| it.len()), Some(ROWS));
}

#[test]
fn a_table_that_can_not_be_followed_is_told_of_with_what_to_do() {
    for (table, code) in [
        ("create table t (id int, name text)", "E-TABLE-NO-KEY"),
        ("create table t (id text primary key)", "E-TABLE-NO-KEY"),
        ("create table t (id text primary key not null collate nocase)", "E-TABLE-UNSUITABLE"),
        ("create table t (id integer primary key)", "E-TABLE-MISSING"),
    ] {
        let folder = Folder::with(CONFIG);
        let table = match code {
            "E-TABLE-MISSING" => table.replace("table t", "table other"),
            _ => table.to_owned(),
        };
        write(&folder, "a.db", &table);
        write(&folder, "b.db", TABLE);
        let (mut process, api) = Process::start(&folder);
        let told = || Some(api.json("/v1/status")).filter(|it| problems(it).contains(&code));
        let status = until_some("it is told of", told);
        let all = status["problems"].as_array().unwrap();
        let problem = all.iter().find(|it| it["code"] == code).unwrap();
        assert!(problem["what"].as_str().unwrap().contains('t'), "{problem}");
        assert!(problem["fix"].as_str().unwrap().contains("by itself"), "{problem}");
        assert_eq!(folder.run(&format!("explain {code}")).code, 0);
        let mended = format!("drop table if exists t; {TABLE}; insert into t values (1)");
        write(&folder, "a.db", &mended);
        let told = api.json("/v1/counts/all?at_least=0&wait=30s");
        assert_eq!(told["value"], 1, "it is followed once it can be");
        until("it is copied", || copied(&folder, "b.db").is_some_and(|rows| rows == ["1"]));
        until("nothing is wrong any more", || api.json("/v1/status")["problems"] == json!([]));
        assert!(process.is_running());
    }
}
