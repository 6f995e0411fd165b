//! `instep run`: the line that says it is ready, what it listens on, and how it stops.

use super::http::{Api, fields};
use super::process::Process;
use super::waiting::{until, until_some};
use super::world::{database, write};
use crate::program::Folder;
use crate::rig::lines;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::time::Instant;

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
data_dir: kept/here
services: { a: { sqlite: a.db }, b: { sqlite: b.db } }
sources: { s: { from: a, tables: [t] } }
copies: { c: { of: s/t, to: b/t, create: true } }
";

const EMPTY: &str = "version: 1\nlisten: 127.0.0.1:0\n";

fn with_source(folder: &Folder) {
    write(folder, "a.db", "create table t (id integer primary key); insert into t values (1)");
}

#[test]
fn it_says_where_it_listens_once_it_is_ready() {
    let folder = Folder::with(EMPTY);
    let process = Process::begin(&folder, "run");
    let line = process.line();
    let port = line.strip_prefix("ready http://127.0.0.1:").expect("the address");
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    let api = Api::at(&format!("http://127.0.0.1:{port}"));
    assert_eq!(api.get("/readyz").status, 200, "it was ready before it said so");
    assert_eq!(api.get("/livez").status, 200);
    process.signal("TERM");
    let (lines, code) = process.rest();
    assert_eq!((lines, code), (Vec::<String>::new(), Some(0)), "nothing more on standard output");
}

#[test]
fn the_line_can_be_json() {
    let folder = Folder::with(EMPTY);
    let process = Process::begin(&folder, "--json run");
    let line: Value = serde_json::from_str(&process.line()).unwrap();
    assert_eq!(fields(&line), ["event", "listen", "pid"]);
    assert_eq!((&line["event"], &line["pid"]), (&json!("ready"), &json!(process.id())));
    let api = Api::at(line["listen"].as_str().unwrap());
    assert_eq!(api.get("/readyz").status, 200);
    process.signal("INT");
    let (lines, code) = process.rest();
    assert_eq!((lines, code), (Vec::<String>::new(), Some(0)), "one document, and no more");
}

#[test]
fn either_signal_stops_it_cleanly_in_time_even_with_requests_open() {
    let folder = Folder::with(CONFIG);
    with_source(&folder);
    for signal in ["TERM", "INT"] {
        let (process, api) = Process::start(&folder);
        until("it is filled", || api.json("/v1/copies")["copies"][0]["position"].is_string());
        // One that has said nothing, and one in the middle of its head.
        let silent = api.connect();
        let mut slow = api.connect();
        slow.write_all(b"GET /v1/status HTTP/1.1\r\nhost: ").unwrap();
        let began = Instant::now();
        process.signal(signal);
        let (_, code) = process.rest();
        assert_eq!(code, Some(0), "{signal}");
        assert!(began.elapsed().as_secs() < 10, "{signal}: {:?}", began.elapsed());
        drop((silent, slow));
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = Folder::with(EMPTY);
    for (signal, expected) in [("TERM", 143), ("INT", 130)] {
        let (process, api) = Process::start(&folder);
        // A request without its end keeps a clean stop waiting.
        let mut open = api.connect();
        let head = "POST /v1/failures/0/retry HTTP/1.1\r\nhost: 127.0.0.1\r\n\
                    content-length: 9\r\nexpect: 100-continue\r\n\r\n";
        open.write_all(head.as_bytes()).unwrap();
        let mut first = [0; 12];
        open.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 100", "the request is under way");
        process.signal(signal);
        until("it is stopping", || process.log().contains("stopping"));
        process.signal(signal);
        let began = Instant::now();
        assert_eq!(process.rest().1, Some(expected), "{signal}");
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
        fs::remove_file(folder.path().join("instep.log")).unwrap();
    }
}

#[test]
fn it_goes_on_where_it_stopped_and_after_a_crash() {
    let folder = Folder::with(CONFIG);
    with_source(&folder);
    let copied = |many: usize| {
        let rows = || lines(&database(&folder, "b.db"), "select id from t").ok();
        until("the copy has every row", || rows().is_some_and(|rows| rows.len() == many));
    };
    let (process, _) = Process::start(&folder);
    copied(1);
    process.signal("TERM");
    assert_eq!(process.rest().1, Some(0));
    write(&folder, "a.db", "insert into t values (2), (3)");
    let (process, _) = Process::start(&folder);
    copied(3);
    process.signal("KILL");
    assert_eq!(process.rest().1, None);
    write(&folder, "a.db", "insert into t values (4)");
    let (_process, _) = Process::start(&folder);
    copied(4);
}

#[test]
fn paths_are_relative_to_the_configuration_and_it_is_found_in_three_ways() {
    let folder = Folder::new();
    for (place, line, variable) in [
        ("first/instep.yaml", "--config first/instep.yaml run", "second/instep.yaml"),
        ("second/instep.yaml", "run", "second/instep.yaml"),
        ("instep.yaml", "run", ""),
    ] {
        let home = Path::new(place).parent().unwrap();
        folder.write(place, CONFIG);
        let database = home.join("a.db");
        write(&folder, database.to_str().unwrap(), "create table t (id integer primary key)");
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.args(line.split(' ')).current_dir(folder.path()).env_clear();
        command.env("INSTEP_CONFIG", variable).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let target = folder.path().join(home).join("b.db");
        let data = folder.path().join(home).join("kept/here/catalog.db");
        until("its files are there", || target.exists() && data.exists());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(!folder.path().join("instep-data").exists());
}

#[test]
fn the_log_goes_to_standard_error_and_is_json_off_a_terminal() {
    let folder = Folder::with(CONFIG);
    with_source(&folder);
    let (process, _) = Process::start(&folder);
    let told =
        until_some("something is logged", || Some(process.log()).filter(|it| !it.is_empty()));
    for line in told.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(!told.contains('\u{1b}'), "no colour");
}
