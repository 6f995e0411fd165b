//! `status` and `counts`: which instance they ask, and what they end with.

use super::http::Api;
use super::process::Process;
use super::world::{world, write};
use crate::program::Folder;
use std::net::TcpListener;

#[test]
fn they_ask_the_instance_of_the_configuration_or_the_one_at_a_url() {
    let (folder, _process, api) = at_a_port_of_its_own();
    assert_eq!(api.json("/v1/counts/all?at_least=0&wait=30s")["value"], 1);
    let asked = folder.run("counts all");
    assert_eq!((asked.code, asked.out.as_str()), (0, "1\n"), "{}", asked.err);
    assert_eq!(folder.run("status").code, 0);
    let world = world();
    let other = folder.run(&format!("counts all --url {}", world.api.url()));
    assert_eq!((other.code, other.out.as_str()), (0, "7\n"), "{}", other.err);
}

/// A process whose configuration says where it listens.
fn at_a_port_of_its_own() -> (Folder, Process, Api) {
    let folder = Folder::new();
    write(&folder, "a.db", "create table t (id integer primary key); insert into t values (1)");
    loop {
        // A port that is free now; another program may take it before ours does.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = format!(
            "version: 1\nlisten: {free}\nservices: {{ a: {{ sqlite: a.db }} }}\n\
             sources: {{ s: {{ from: a, tables: [t] }} }}\ncounts: {{ all: {{ of: s/t }} }}\n"
        );
        folder.write("instep.yaml", config);
        let process = Process::begin(&folder, "run");
        match process.first_line() {
            Some(line) => {
                let api = Api::at(line.strip_prefix("ready ").expect("the line of a ready one"));
                return (folder, process, api);
            }
            None => assert!(process.log().contains("E-LISTEN-IN-USE"), "{}", process.log()),
        }
    }
}

#[test]
fn a_count_that_can_not_be_told_yet_is_waited_for() {
    let folder = Folder::with(
        "version: 1\nlisten: 127.0.0.1:0\nlimits: { retry_pause_seconds: 0.2 }\n\
         services: { a: { sqlite: a.db } }\nsources: { s: { from: a, tables: [t] } }\n\
         counts: { all: { of: s/t } }\n",
    );
    let (_process, api) = Process::start(&folder);
    let url = api.url();
    let early = folder.run(&format!("--json counts all --url {url}"));
    assert_eq!(early.problems(), ["E-COUNT-NOT-READY"], "its source is not there");
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| folder.run(&format!("counts all --wait 30s --url {url}")));
        write(&folder, "a.db", "create table t (id integer primary key); insert into t values (1)");
        asking.join().unwrap()
    });
    assert_eq!((asked.code, asked.out.as_str()), (0, "1\n"), "{}", asked.err);
}

#[test]
fn a_url_needs_no_configuration() {
    let folder = Folder::new();
    let world = world();
    let url = world.api.url();
    for line in ["status", "counts", "counts all", "failures list"] {
        let ran = folder.run(&format!("--json {line} --url {url}"));
        assert_eq!(ran.code, 0, "{line}: {}", ran.out);
        let ran = folder.run(&format!("--json {line} --url {url}/"));
        assert_eq!(ran.code, 0, "{line}: {}", ran.out);
    }
    let without = folder.run("--json status");
    assert_eq!((without.code, without.problems()), (2, vec!["E-CONFIG-FILE".to_owned()]));
    let named = folder.run(&format!("--config nowhere.yaml --json status --url {url}"));
    assert_eq!(named.code, 2, "a configuration that is named has to be there");
}

#[test]
fn nobody_who_answers_is_four_and_a_url_that_is_none_is_two() {
    let folder = Folder::with("version: 1\nlisten: 127.0.0.1:1\n");
    for line in ["status", "status --check", "status --check --wait 100ms", "counts", "counts x"] {
        for url in ["", "--url http://127.0.0.1:1", "--url http://nowhere.invalid:80"] {
            let ran = folder.run(&format!("--json {line} {url}"));
            assert_eq!(
                (ran.code, ran.problems()),
                (4, vec!["E-API-UNREACHABLE".to_owned()]),
                "{line} {url}"
            );
        }
        for url in ["127.0.0.1", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port"] {
            let ran = folder.run(&format!("--json {line} --url {url}"));
            assert_eq!((ran.code, ran.problems()), (2, vec!["E-USAGE".to_owned()]), "{line} {url}");
        }
    }
    let port_zero = Folder::with("version: 1\nlisten: 127.0.0.1:0\n").run("status");
    assert_eq!(port_zero.code, 4, "{}", port_zero.err);
}

#[test]
fn what_nobody_compared_is_never_good() {
    let world = world();
    let url = world.api.url();
    let folder = Folder::new();
    for (line, code) in [
        ("status", 0),
        ("status --check", 6),
        ("status --wait 10ms", 8),
        ("status --check --wait 10ms", 8),
    ] {
        assert_eq!(folder.run(&format!("{line} --url {url}")).code, code, "{line}");
    }
}
