//! What is proposed for odd and for random databases can be checked and run.

use crate::rig::{Chance, Rig, lines, open, until};
use serde_json::Value;
use std::fs;

/// Proposes a configuration for `source.db`, and takes it with the address of a test.
fn proposed(rig: &Rig) -> Value {
    let output = rig.command(&["--json", "init", "--from", "sqlite:source.db"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said:#}");
    let config = said["data"]["config"].as_str().unwrap();
    fs::write(rig.path("instep.yaml"), format!("{config}\nlisten: 127.0.0.1:0\n")).unwrap();
    let check = rig.command(&["--json", "config", "check"]);
    let text = String::from_utf8(check.stdout).unwrap();
    assert_eq!(check.status.code(), Some(0), "{text}\n{config}");
    said["data"].clone()
}

/// Runs what was proposed until each table has its copy and each count is told.
async fn runs(rig: &Rig, data: &Value) {
    let doctor = rig.command(&["doctor"]);
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    let running = rig.run().await;
    let tables = data["tables"].as_array().unwrap();
    for table in tables {
        let name = table["name"].as_str().unwrap().replace('"', "\"\"");
        let ask = format!("select * from \"{name}\"");
        let read = |file: &str| {
            let path = rig.path(file);
            let mut rows = lines(&path.exists().then(|| open(&path))?, &ask).ok()?;
            rows.sort();
            Some(rows)
        };
        let is_copied = until("a table is copied", || {
            let source = read("source.db");
            source.is_some() && source == read("source-copy.db")
        });
        assert!(is_copied.await, "{name} is not copied:\n{}", rig.log());
    }
    let log = rig.log();
    let counts = tables.iter().flat_map(|table| table["counts"].as_array().unwrap());
    for count in counts {
        let line = format!("\"who\":\"count {}\"", count.as_str().unwrap());
        let is_told = until("a count is told", || {
            let log = rig.log();
            log.lines().any(|it| it.contains(&line) && it.contains("\"counted\""))
        });
        assert!(is_told.await, "{count} is not told:\n{}", rig.log());
    }
    assert!(!log.contains("E-"), "{log}");
    running.stop().await;
}

fn rig(sql: &str) -> Rig {
    let rig = Rig::new("", &[]);
    rig.write("source.db", sql);
    rig
}

#[tokio::test]
async fn names_that_need_quotes_are_proposed_such_that_they_run() {
    let rig = rig(
        "create table \"order\" (\"group\" integer primary key, \"select\" text, \"limit\" int);
         create table \"odd table # 1: {x}\" (id integer primary key, \"the kind\" text);
         create table \"a\"\"b'c\" (\"k\"\"1\" integer primary key, \"x_id\" int, \"deleted_at\" text);
         create table \"日本語\" (\"番号\" integer primary key, \"種類_id\" int);
         create table \"no\" (id integer primary key, yes_id int);
         create table \"5\" (id integer primary key, type text);
         create table \"a/b\" (id integer primary key, value int);
         create table \"$HOME ${X} $$\" (id integer primary key, status text);
         create table \"- dash\" (id integer primary key, \"a.is\" int references \"5\");
         create table \"it's ~\" (id text not null primary key, kind text collate nocase);
         create table pair (a int not null, b text not null, c_id int, primary key (a, b));
         create table strict_one (id int primary key not null, status text) strict, without rowid;
         create table made (id integer primary key, a int, b int as (a * 2) stored, c int as (a + 1));
         create table \"Case\" (id integer primary key, \"DELETED_AT\" text, Role text);
         insert into \"order\" values (1, 'x', 2), (2, null, 3);
         insert into \"a\"\"b'c\" values (1, 7, null), (2, 7, 'monday');
         insert into \"日本語\" values (1, 5);
         insert into \"$HOME ${X} $$\" values (1, 'new');
         insert into pair values (1, 'a', null), (1, 'b', 4);
         insert into made (id, a) values (1, 2);
         insert into \"Case\" values (1, null, 'boss'), (2, 'now', 'boss');",
    );
    let data = proposed(&rig);
    assert_eq!(data["left_out"], serde_json::json!([]), "{data:#}");
    assert_eq!(data["tables"].as_array().unwrap().len(), 14);
    runs(&rig, &data).await;
}

#[tokio::test]
async fn a_random_database_is_proposed_such_that_it_runs() {
    let rig = rig(&random(7));
    let data = proposed(&rig);
    runs(&rig, &data).await;
}

#[test]
fn proposals_for_random_databases_are_in_order() {
    for seed in 0..12 {
        let rig = rig(&random(seed));
        let data = proposed(&rig);
        assert!(!data["tables"].as_array().unwrap().is_empty(), "seed {seed}");
        let doctor = rig.command(&["doctor"]);
        assert!(
            doctor.status.success(),
            "seed {seed}: {}",
            String::from_utf8_lossy(&doctor.stdout)
        );
        assert!(!rig.path("source-copy.db").exists());
    }
}

/// The tables of a random database; the first can always be followed.
fn random(seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let mut sql = String::from("create table t0 (id integer primary key, topic_id int);");
    for table in 1..=3 + chance.below(4) {
        let mut columns = vec![match chance.below(4) {
            0 => "id integer primary key".to_owned(),
            1 => "id text not null primary key".to_owned(),
            2 => "id text primary key".to_owned(),
            _ => "id int not null unique".to_owned(),
        }];
        for column in 0..chance.below(6) {
            let name = chance.one(&["status", "a b", "deleted_at", "x_id", "é", "count", "wait"]);
            let of = chance.one(&["int", "text", "blob", "", "real", "text collate nocase"]);
            let name =
                if chance.once_in(3) { format!("{name}{column}") } else { (*name).to_owned() };
            if !columns.iter().any(|it| it.starts_with(&format!("\"{name}\""))) {
                columns.push(format!("\"{name}\" {of}"));
            }
        }
        let name = format!("{} {table}", chance.one(&["t", "select", "Ü", "x'y", "a/b", "#"]));
        sql.push_str(&format!("create table \"{name}\" ({});", columns.join(", ")));
        for row in 0..chance.below(40) {
            let value = chance.one(&["null", "'a'", "7", "x'00ff'", "1.5", "''", "''"]);
            let values = columns.iter().skip(1).map(|_| *value).collect::<Vec<_>>();
            let values: String = values.iter().map(|value| format!(", {value}")).collect();
            sql.push_str(&format!("insert into \"{name}\" values ({row}{values});"));
        }
    }
    sql
}
