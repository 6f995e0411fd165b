//! What `instep run` does not begin with, and the code that it ends with.

use super::http::Api;
use super::process::Process;
use super::world::write;
use crate::program::{Folder, Ran};
use serde_json::json;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
services: { a: { sqlite: a.db } }
sources: { s: { from: a, tables: [t] } }
counts: { all: { of: s/t } }
";

/// Runs in a folder where it has to end by itself, with this code and this one problem.
fn refuses(folder: &Folder, code: i32, problem: &str) {
    let (lines, ended) = Process::begin(folder, "--json run").rest();
    let ran = Ran { code: ended.unwrap(), out: lines.join("\n"), err: String::new() };
    assert_eq!((ran.code, ran.problems()), (code, vec![problem.to_owned()]), "{}", ran.out);
    assert_eq!(ran.json()["status"], "error");
    assert!(!ran.json()["next_steps"].as_array().unwrap().is_empty());
    let process = Process::begin(folder, "run");
    let log = process.log_file();
    assert_eq!(process.rest(), (Vec::new(), Some(code)), "errors are for people to read");
    let said = fs::read_to_string(log).unwrap();
    let name = problem.rsplit(' ').next().unwrap();
    assert!(said.contains(name) && said.contains("fix: "), "{said}");
}

#[test]
fn a_data_directory_in_use_is_refused() {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", "create table t (id integer primary key)");
    let (mut process, api) = Process::start(&folder);
    refuses(&folder, 7, "E-DATA-LOCKED");
    assert!(process.is_running());
    assert_eq!(api.get("/readyz").status, 200, "the first one is not disturbed");
}

#[test]
fn a_port_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = Folder::with(&format!("version: 1\nlisten: {address}\n"));
    refuses(&folder, 2, "E-LISTEN-IN-USE");
}

#[test]
fn an_open_address_without_tokens_is_refused() {
    for open in ["0.0.0.0:0", "'[::]:0'"] {
        let folder = Folder::with(&format!("version: 1\nlisten: {open}\n"));
        refuses(&folder, 2, "2:9 E-LISTEN-OPEN");
        let check = folder.run("--json config check");
        assert_eq!((check.code, check.problems()), (2, vec!["2:9 E-LISTEN-OPEN".to_owned()]));
        let tokens = "auth: { tokens: [{ name: o, role: viewer, token: s3cret }] }";
        folder.write("instep.yaml", format!("version: 1\nlisten: {open}\n{tokens}\n"));
        let process = Process::begin(&folder, "run");
        let port = process.line().rsplit_once(':').unwrap().1.to_owned();
        let api = Api::at(&format!("http://127.0.0.1:{port}")).with("s3cret");
        assert_eq!(api.json("/v1/status")["sources"], json!([]));
    }
}

#[test]
fn a_configuration_that_is_wrong_is_refused_before_anything_is_made() {
    let folder = Folder::with("version: 1\nlisten: nowhere\n");
    refuses(&folder, 2, "2:9 E-CONFIG-TYPE");
    assert!(!folder.path().join("instep-data").exists());
}

/// A folder whose journal has something in it, and is not in use.
fn stopped() -> (Folder, PathBuf) {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", "create table t (id integer primary key)");
    let (process, api) = Process::start(&folder);
    let first = api.json("/v1/counts/all?at_least=0&wait=30s");
    assert_eq!(first["value"], 0);
    for id in 1..=20 {
        // One append each: those that follow vouch for those before.
        write(&folder, "a.db", &format!("insert into t values ({id})"));
        let path = format!("/v1/counts/all?at_least={}&wait=30s", id + 1);
        assert_eq!(api.json(&path)["value"], id);
    }
    process.signal("TERM");
    assert_eq!(process.rest().1, Some(0));
    let mut segments = Vec::new();
    files_below(&folder.path().join("instep-data/journal"), &mut segments);
    let largest = segments.into_iter().max_by_key(|path| written(path)).unwrap();
    (folder, largest)
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_below(&path, found),
            false => found.push(path),
        }
    }
}

/// Where the last byte of a file stands that is not zero.
fn written(path: &Path) -> usize {
    fs::read(path).unwrap().iter().rposition(|byte| *byte != 0).unwrap_or(0)
}

#[test]
fn a_damaged_journal_is_refused_and_left_as_it_is() {
    let (folder, segment) = stopped();
    let mut bytes = fs::read(&segment).unwrap();
    // In the middle of what was written long before the end.
    let middle = written(&segment) / 2;
    bytes[middle] ^= 0xff;
    fs::write(&segment, &bytes).unwrap();
    refuses(&folder, 1, "E-JOURNAL-DAMAGED");
    assert_eq!(fs::read(&segment).unwrap(), bytes, "nothing was cut");
}

#[test]
fn a_newer_journal_is_refused_and_left_as_it_is() {
    let (folder, segment) = stopped();
    let mut bytes = fs::read(&segment).unwrap();
    newer(&mut bytes);
    fs::write(&segment, &bytes).unwrap();
    refuses(&folder, 1, "E-JOURNAL-NEWER");
    assert_eq!(fs::read(&segment).unwrap(), bytes, "nothing was changed");
}

/// Makes a file of the journal one of the next version, with the checksum that belongs to it.
///
/// The checksum is a CRC-32C, in which what is changed of the bytes changes the sum alike.
fn newer(bytes: &mut [u8]) {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (version, length, sum) = (number(8), number(12) as usize, number(16));
    let changed = (version ^ (version + 1)).to_le_bytes();
    // From the version on, but for the checksum itself, nothing else is changed.
    let covered = changed.into_iter().chain(vec![0; 4 + length - 20]);
    let change = covered.fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0x82f6_3b78))
    });
    bytes[8..12].copy_from_slice(&(version + 1).to_le_bytes());
    bytes[16..20].copy_from_slice(&(sum ^ change).to_le_bytes());
}
