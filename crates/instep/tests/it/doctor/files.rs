//! Faults of SQLite files.

use super::seen::{CONFIG, agrees, checks, finds, found, look, remove, sound, write};
use crate::program::Folder;
use crate::rig::{Tmpfs, open};
use std::fs;
use std::process::Command;

#[test]
fn what_is_in_order_is_good_and_nothing_is_written() {
    let folder = sound();
    let json = finds(&folder, 0, &[]);
    assert_eq!(json["data"]["running"], false);
    for group in ["config", "app", "report", "data_dir", "listen", "copies", "counts"] {
        assert!(!checks(&json, group).is_empty(), "{group}");
    }
    assert!(found(&json, "app", "connect").contains("nobody uses now"), "{json:#}");
    // While somebody has it open, too.
    let connection = open(&folder.path().join("app.db"));
    connection.execute_batch("insert into question values (2, 7, 'b', null)").unwrap();
    let json = finds(&folder, 0, &[]);
    assert!(found(&json, "app", "connect").contains("in use"), "{json:#}");
}

#[test]
fn a_person_reads_every_look_and_one_verdict() {
    let ran = sound().run("doctor");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let last = ran.out.lines().last().unwrap();
    assert!(last.contains("good"), "{}", ran.out);
    assert!(ran.out.is_ascii() || !ran.out.contains('✔'), "signs are for terminals");
    let folder = sound();
    remove(&folder, "app.db");
    let ran = folder.run("doctor");
    assert_eq!(ran.code, 3);
    for words in
        ["FAIL app", "reason: ", "evidence: ", "fix: ", "[E-FILE-MISSING]", "not looked at:"]
    {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(
        ran.out.lines().last().unwrap().contains("not in order: 1 check failed"),
        "{}",
        ran.out
    );
}

#[test]
fn a_missing_file_is_found() {
    let folder = sound();
    remove(&folder, "app.db");
    let json = finds(&folder, 3, &["E-FILE-MISSING"]);
    assert_eq!(checks(&json, "app").len(), 1, "nothing below it is looked at");
    assert!(found(&json, "copies", "capability").contains("`app`"), "{json:#}");
    let folder = sound();
    remove(&folder, "report.db");
    finds(&folder, 3, &["E-FILE-MISSING"]);
    folder.write(
        "instep.yaml",
        CONFIG.replace("report/question }", "report/question, create: true }"),
    );
    finds(&folder, 0, &[]);
    // What makes files makes no folders.
    let made = CONFIG.replace("report/question }", "report/question, create: true }");
    folder.write("instep.yaml", made.replace("report.db", "nowhere/deep/report.db"));
    finds(&folder, 3, &["E-FILE-MISSING"]);
}

#[test]
fn what_is_no_database_is_found() {
    let folder = sound();
    remove(&folder, "app.db");
    fs::create_dir(folder.path().join("app.db")).unwrap();
    finds(&folder, 3, &["E-FILE-UNSUITABLE"]);
    fs::remove_dir(folder.path().join("app.db")).unwrap();
    folder.write("app.db", "a text, and a long one, that is no database at all");
    finds(&folder, 3, &["E-FILE-UNSUITABLE"]);
    // One that begins well, and is damaged behind that.
    write(&folder, "other.db", "create table question (id integer primary key)");
    let mut bytes = fs::read(folder.path().join("other.db")).unwrap();
    bytes[100..].fill(0x5a);
    folder.write("app.db", bytes);
    finds(&folder, 3, &["E-FILE-UNSUITABLE"]);
    // A pipe would be waited at for ever.
    fs::remove_file(folder.path().join("app.db")).unwrap();
    let pipe = Command::new("mkfifo").arg(folder.path().join("app.db")).status().unwrap();
    assert!(pipe.success());
    finds(&folder, 3, &["E-FILE-UNSUITABLE"]);
}

#[test]
fn a_file_that_could_only_be_read_by_writing_beside_it_is_not_measured() {
    let folder = sound();
    let connection = open(&folder.path().join("app.db"));
    connection.execute_batch("insert into question values (3, 7, 'c', null)").unwrap();
    for ending in ["", "-wal"] {
        let name = |file: &str| folder.path().join(format!("{file}{ending}"));
        fs::copy(name("app.db"), name("taken.db")).unwrap();
    }
    folder.write("instep.yaml", CONFIG.replace("app.db", "taken.db"));
    let (code, json) = look(&folder);
    assert_eq!(code, 6, "{json:#}");
    assert!(found(&json, "app", "connect").contains("no index of it"), "{json:#}");
}

#[test]
fn a_table_that_can_not_be_followed_is_found() {
    for (sql, code) in [
        ("select 1", "E-TABLE-MISSING"),
        ("create table question (id int, topic_id, deleted_at)", "E-TABLE-NO-KEY"),
        ("create table question (id text primary key, topic_id, deleted_at)", "E-TABLE-NO-KEY"),
        ("create view question as select 1 as id", "E-TABLE-UNSUITABLE"),
        ("create virtual table question using fts5(topic_id)", "E-TABLE-UNSUITABLE"),
        (
            "create table question (id text not null collate nocase primary key, topic_id)",
            "E-TABLE-UNSUITABLE",
        ),
    ] {
        let folder = sound();
        write(&folder, "app.db", &format!("drop table question; {sql}"));
        let json = finds(&folder, 3, &[code]);
        assert_eq!(checks(&json, "copies")[0]["state"], "not_measured", "{sql}");
    }
}

#[test]
fn columns_that_a_count_or_a_copy_needs_are_looked_for() {
    let folder = sound();
    write(&folder, "app.db", "alter table question rename column topic_id to subject");
    let json = finds(&folder, 3, &["E-CONFIG-WHERE"]);
    assert!(found(&json, "counts", "capability").contains("topic_id"), "{json:#}");
    let folder = sound();
    folder.write(
        "instep.yaml",
        CONFIG.replace("report/question }", "report/question, fields: { name: title } }"),
    );
    let json = finds(&folder, 3, &["E-COPY-COLUMNS"]);
    assert!(found(&json, "copies", "capability").contains("no column name"), "{json:#}");
    let folder = sound();
    write(&folder, "report.db", "drop table question");
    finds(&folder, 3, &["E-COPY-TABLE-MISSING"]);
    write(&folder, "report.db", "create table question (id int, topic_id int)");
    finds(&folder, 3, &["E-COPY-COLUMNS"]);
    let folder = sound();
    write(&folder, "report.db", "alter table question drop column title");
    let json = finds(&folder, 0, &[]);
    assert!(found(&json, "copies", "capability").contains("lacks"), "{json:#}");
}

#[test]
fn a_copy_that_refers_to_what_nobody_fills_is_warned_of() {
    let folder = sound();
    let refers = "drop table question; create table question
        (id integer primary key, topic_id int references topic, title text, deleted_at text)";
    write(&folder, "report.db", refers);
    let json = finds(&folder, 0, &["W-COPY-REFERS"]);
    assert!(json["summary"].as_str().unwrap().contains("warning"), "{json:#}");
}

#[test]
fn a_writer_that_does_not_let_go_is_named() {
    let me = format!("process {}", std::process::id());
    for (mode, begin, words) in [
        ("wal", "begin immediate", "from writing"),
        ("delete", "begin immediate", "from writing"),
        ("delete", "begin exclusive", "from reading"),
    ] {
        let folder = sound();
        write(&folder, "app.db", &format!("pragma journal_mode = {mode}"));
        let holder = open(&folder.path().join("app.db"));
        holder.execute_batch(begin).unwrap();
        // No file is read here meanwhile: closing it would end every lock of this process on it.
        let ran = folder.run("--json doctor");
        let json = ran.json();
        agrees(ran.code, &json, 3, &["E-FILE-LOCKED"]);
        let said = found(&json, "app", "connect");
        assert!(said.contains(&me) && said.contains(words), "{mode} {begin}: {said}");
        holder.execute_batch("rollback").unwrap();
        finds(&folder, 0, &[]);
    }
}

#[test]
fn a_source_that_may_not_be_written_is_found() {
    let folder = sound();
    let Some(disk) = Tmpfs::mount(&folder.path().join("disk"), 1_000) else { return };
    fs::copy(folder.path().join("app.db"), folder.path().join("disk/app.db")).unwrap();
    disk.set_writable(false);
    folder.write("instep.yaml", CONFIG.replace("app.db", "disk/app.db"));
    finds(&folder, 3, &["E-SOURCE-READ-ONLY"]);
}

#[test]
fn two_names_of_one_file_are_one_after_the_other() {
    let folder = Folder::with(
        "
version: 1
listen: 127.0.0.1:0
services: { one: { sqlite: app.db }, two: { sqlite: ./link.db }, three: { sqlite: app.db } }
sources: { s: { from: one, tables: [t] } }
copies: { c: { of: s/t, to: two/u, create: true } }
",
    );
    write(&folder, "app.db", "create table t (id integer primary key)");
    std::os::unix::fs::symlink("app.db", folder.path().join("link.db")).unwrap();
    let json = finds(&folder, 0, &[]);
    assert!(found(&json, "two", "name").contains("it leads to"), "{json:#}");
    assert!(found(&json, "three", "authentication").contains("read it"), "{json:#}");
}
