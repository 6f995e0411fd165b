//! `at_least` and `wait`: answers that are not before a position.

use super::process::Process;
use super::waiting::until_some;
use super::world::{ITEMS, World, database, world, write};
use crate::program::Folder;
use serde_json::{Value, json};

#[test]
fn a_position_that_was_reached_is_answered_at_once() {
    let World { api, .. } = &*world();
    for query in ["all?at_least=0", "topics?topic=7&at_least=0", "topics?at_least=0&wait=0s"] {
        let told = api.json(&format!("/v1/counts/{query}"));
        assert_eq!(told["position"], "1", "{query}");
    }
    let named = api.json("/v1/counts/all?at_least=shop:0");
    assert_eq!(named["value"], ITEMS, "its service may be named also where there is one alone");
}

#[test]
fn a_position_of_several_services_may_name_some_of_them() {
    let World { api, .. } = &*world();
    for at_least in ["left:0,right:0", "right:1,left:1", "left:1", "right:0"] {
        let told = api.json(&format!("/v1/counts/row_total?at_least={at_least}"));
        assert_eq!((&told["value"], &told["position"]), (&json!(5), &json!("left:1,right:1")));
    }
    for at_least in ["right:2", "left:0,right:7", "left:9"] {
        let path = format!("/v1/counts/row_total?at_least={at_least}");
        let problem = api.problem(&path, 503, "E-NOT-REACHED");
        assert!(problem["detail"].as_str().unwrap().contains("left:1,right:1"), "{problem}");
    }
}

#[test]
fn a_position_that_was_not_reached_is_to_be_asked_for_later() {
    let World { api, .. } = &*world();
    for query in ["all?at_least=1000", "topics?at_least=1000&wait=0s", "all?at_least=2&wait=50ms"] {
        let answer = api.get(&format!("/v1/counts/{query}"));
        answer.problem(503, "E-NOT-REACHED");
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!(seconds >= 1, "{query}");
    }
}

#[test]
fn what_is_no_position_is_malformed() {
    let World { api, .. } = &*world();
    for wrong in ["", "x", "-1", "1.5", "0/16B3748", "shop:", "shop:x", "other:1", "0,0", "shop:0,"]
    {
        let path = format!("/v1/counts/all?at_least={wrong}");
        api.problem(&path, 400, "E-REQUEST-MALFORMED");
    }
    for wrong in ["0", "left", "left:", "left:0,", "left:0,left:0", "middle:0", "left:0,right"] {
        let path = format!("/v1/counts/row_total?at_least={wrong}");
        api.problem(&path, 400, "E-REQUEST-MALFORMED");
    }
    api.problem("/v1/counts/nothing?at_least=0", 404, "E-COUNT-UNKNOWN");
}

#[test]
fn a_writer_reads_its_own_write() {
    let folder = Folder::with(
        "version: 1\nlisten: 127.0.0.1:0\nservices: { a: { sqlite: a.db } }\n\
         sources: { s: { from: a, tables: [item] } }\n\
         counts: { items: { of: s/item, by: [kind] } }\n",
    );
    write(&folder, "a.db", "create table item (id integer primary key, kind text)");
    let (_process, api) = Process::start(&folder);
    // Positions are there once it is followed.
    let first = api.json("/v1/counts/items?at_least=0&wait=30s");
    assert_eq!((&first["values"], &first["position"]), (&json!([]), &json!("1")));
    let writer = database(&folder, "a.db");
    let (mut tag, mut as_of) = (None, String::new());
    for number in 1..=10 {
        writer.execute_batch("begin immediate").unwrap();
        writer.execute("insert into item (kind) values ('k')", []).unwrap();
        let token = "select seq from sqlite_sequence where name='instep_changes'";
        let token: i64 = writer.query_row(token, [], |row| row.get(0)).unwrap();
        let path = format!("/v1/counts/items?kind=k&at_least={token}");
        api.problem(&path, 503, "E-NOT-REACHED");
        writer.execute_batch("commit").unwrap();
        let answer = api.get(&format!("{path}&wait=30s"));
        let told = answer.json();
        assert_eq!((&told["value"], answer.status), (&json!(number), 200), "{told}");
        let reached: i64 = told["position"].as_str().unwrap().parse().unwrap();
        assert!(reached >= token, "{told}");
        let new = answer.header("etag").map(str::to_owned);
        assert_ne!(std::mem::replace(&mut tag, new), tag, "another number, another tag");
        let clock = told["as_of"].as_str().unwrap().to_owned();
        assert!(clock >= as_of, "the source's clock never decreases");
        as_of = clock;
    }
}

#[test]
fn every_place_of_the_api_writes_positions_alike() {
    let World { api, .. } = &*world();
    let status = api.json("/v1/status");
    let copies = api.json("/v1/copies");
    assert_eq!(status["copies"][0]["position"], "1");
    assert_eq!(copies["copies"][2]["position"], "left:1,right:1");
    assert_eq!(status["sources"][0]["services"][0]["position"], "1");
    let lanes = status["log"]["lanes"].as_array().unwrap();
    assert!(lanes.iter().all(|lane| lane["last"] == json!("1") || lane["last"] == Value::Null));
}

#[test]
fn the_time_of_an_answer_goes_on_while_nothing_happens_and_never_back() {
    let folder = Folder::with(
        "version: 1\nlisten: 127.0.0.1:0\nservices: { a: { sqlite: a.db } }\n\
         sources: { s: { from: a, tables: [item] } }\ncounts: { all: { of: s/item } }\n",
    );
    let table = "create table item (id integer primary key); insert into item values (1)";
    write(&folder, "a.db", table);
    let now = || -> String {
        let now = "select strftime('%Y-%m-%dT%H:%M:%f', 'now')";
        database(&folder, "a.db").query_row(now, [], |row| row.get(0)).unwrap()
    };
    let mut before = now()[..19].to_owned();
    for _ in 0..2 {
        let (process, api) = Process::start(&folder);
        let told = || api.json("/v1/counts/all?at_least=0&wait=30s");
        // Until the source has said what time it is, nobody knows.
        let is_timed = |told: &Value| told["as_of"].is_string();
        let first = until_some("it says when", || Some(told()).filter(is_timed));
        let as_of = |told: &Value| told["as_of"].as_str().unwrap().to_owned();
        assert!(as_of(&first) >= before, "{first} is not before {before}");
        let is_later = |told: &Value| as_of(told) > as_of(&first);
        let last = until_some("its time goes on", || Some(told()).filter(is_later));
        assert_eq!(last["position"], first["position"], "nothing happened");
        assert!(as_of(&last)[..19] <= now()[..19], "{last} is not in the future");
        write(&folder, "a.db", "insert into item (id) values (null)");
        let after = api.json("/v1/counts/all?at_least=2&wait=30s");
        assert!(as_of(&after) >= as_of(&last), "{after}");
        before = as_of(&after);
        process.signal("TERM");
        assert_eq!(process.rest().1, Some(0));
    }
}
