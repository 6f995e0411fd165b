//! What the doctor says of a folder, and that it leaves the folder as it is.

use crate::program::Folder;
use crate::rig::open;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The configuration that faults are put into.
pub(super) const CONFIG: &str = "
version: 1
data_dir: data
listen: 127.0.0.1:0
services:
  app: { sqlite: app.db }
  report: { sqlite: report.db }
sources:
  quiz: { from: app, tables: [question] }
copies:
  questions: { of: quiz/question, to: report/question }
counts:
  topics: { of: quiz/question, by: [topic_id], where: deleted_at is null }
";

const QUESTION: &str =
    "create table question (id integer primary key, topic_id int, title text, deleted_at text)";

/// A folder in which everything is in order.
pub(super) fn sound() -> Folder {
    let folder = Folder::with(CONFIG);
    write(&folder, "app.db", &format!("pragma journal_mode = wal; {QUESTION}"));
    write(&folder, "app.db", "insert into question values (1, 7, 'a', null)");
    write(&folder, "report.db", QUESTION);
    folder
}

/// Writes to a database of a folder, and closes it again.
pub(super) fn write(folder: &Folder, name: &str, sql: &str) {
    open(&folder.path().join(name)).execute_batch(sql).unwrap();
}

/// Takes a database away.
pub(super) fn remove(folder: &Folder, name: &str) {
    for name in [name.to_owned(), format!("{name}-wal"), format!("{name}-shm")] {
        let _ = fs::remove_file(folder.path().join(name));
    }
}

/// What the doctor says, as a document; the folder has to be as before.
pub(super) fn look(folder: &Folder) -> (i32, Value) {
    let before = listed(folder.path());
    let ran = folder.run("--json doctor");
    assert_eq!(listed(folder.path()), before, "the doctor has written");
    let json = ran.json();
    let status = match ran.code {
        0 => "ok",
        3 => "differences",
        6 => "unverified",
        _ => "error",
    };
    assert_eq!(json["status"], status, "{json:#}");
    (ran.code, json)
}

/// The codes of what is wrong, without those that only warn of the room on this machine's disk.
pub(super) fn codes(json: &Value) -> Vec<String> {
    let problems = json["problems"].as_array().unwrap();
    let codes = problems.iter().map(|it| it["code"].as_str().unwrap().to_owned());
    codes.filter(|code| !code.starts_with("W-DISK") && code != "W-SERVICE-SLOW").collect()
}

/// The fault is found under this code and no other, and nothing is good because of it.
pub(super) fn finds(folder: &Folder, exit: i32, expected: &[&str]) -> Value {
    let (code, json) = look(folder);
    agrees(code, &json, exit, expected);
    for code in expected {
        let explained = folder.run(&format!("explain {code}"));
        assert_eq!(explained.code, 0, "{code}");
    }
    json
}

/// It ended with this code, because of what is known by these.
pub(crate) fn agrees(code: i32, json: &Value, exit: i32, expected: &[&str]) {
    let mut found = codes(json);
    // What rests on something that failed could not be looked at.
    if exit == 3 {
        found.retain(|code| code != "E-NOT-MEASURED");
    }
    let expected: Vec<_> = expected.iter().map(|&it| it.to_owned()).collect();
    assert_eq!((code, found), (exit, expected), "{json:#}");
}

/// The checks of a group.
pub(crate) fn checks<'a>(json: &'a Value, group: &str) -> &'a Vec<Value> {
    let groups = json["data"]["groups"].as_array().unwrap();
    let found = groups.iter().find(|it| it["name"] == group);
    found.unwrap_or_else(|| panic!("{group} was not looked at: {json:#}"))["checks"]
        .as_array()
        .unwrap()
}

/// What was found of a layer of a group.
pub(crate) fn found(json: &Value, group: &str, layer: &str) -> String {
    let checks = checks(json, group).iter().filter(|it| it["layer"] == layer);
    checks.map(|it| it["found"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every file below a folder with its bytes.
fn listed(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut listed = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => {
                listed.push((path.display().to_string(), Vec::new()));
                listed.extend(self::listed(&path));
            }
            Ok(found) if found.is_file() => {
                listed.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
            _ => listed.push((path.display().to_string(), Vec::new())),
        }
    }
    listed.sort();
    listed
}
