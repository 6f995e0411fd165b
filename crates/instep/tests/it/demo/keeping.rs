//! A demo that stays: its files can be looked into, changed, and followed on.

use super::performance::{Place, until};
use crate::rig::open;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};

#[test]
fn what_is_kept_goes_on_where_the_demo_ended() {
    let place = Place::new();
    let ran = place.run("demo --duration 3s --keep kept");
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.contains("next:  instep --config kept/instep.yaml run"), "{said}");
    assert!(said.contains("next:  instep --config kept/instep.yaml status"), "{said}");
    for name in ["instep.log", "instep-data", "today/quiz.db", "with-instep/platform.json"] {
        assert!(place.path().join("kept").join(name).exists(), "{name}");
    }
    // The usual port may be another program's here.
    let line = "--config kept/instep.yaml run --log-format json";
    let mut command = place.program(line);
    command.env("INSTEP_DEMO_LISTEN", "127.0.0.1:0");
    let mut running = command.spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let ready = lines.next().unwrap().unwrap();
    let url = ready.strip_prefix("ready ").unwrap();
    let count = || {
        let ran = place.run(&format!("--json counts questions --url {url}"));
        let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let values = told["data"]["values"].as_array()?.iter();
        values.map(|value| value["value"].as_i64()).sum::<Option<i64>>()
    };
    let folder = place.path().join("kept/with-instep");
    let ask = "select (select count(*) from questions)";
    let shards = ["questions-a.db", "questions-b.db"];
    let source = shards.map(|name| {
        open(&folder.join(name)).query_row(ask, [], |row| row.get::<_, i64>(0)).unwrap()
    });
    until("the count is told again", || count() == Some(source.iter().sum()));
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn a_row_that_somebody_else_puts_into_the_copy_is_found_and_exits_with_three() {
    let place = Place::new();
    let mut demo = place.begin("--json demo --duration 6s --keep kept");
    let copy = place.path().join("kept/with-instep/quiz.db");
    let insert = "insert or ignore into questions (id, topic, text, revision, shard)
                  values (1000000, 'music', 'mine', 1, 'questions/questions-a')";
    // A copy that is still being filled takes out what is not its source's.
    demo.meanwhile(|| {
        let _ = copy.exists().then(|| open(&copy).execute_batch(insert));
    });
    let ended = demo.ended();
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{told:#}");
    assert_eq!(told["status"], "differences");
    assert_eq!(told["data"]["copy"]["extra"], 1);
    assert_eq!(told["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn a_folder_with_something_in_it_is_left_as_it_is() {
    let place = Place::new();
    fs::write(place.path().join("mine"), "mine").unwrap();
    let ran = place.run("demo --keep .");
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("there is something in it"), "{said}");
    assert_eq!(place.left().len(), 1);
}
