//! `--json`: one document on standard output, whatever comes; and what people read instead.

use super::world::world;
use crate::program::Folder;
use crate::rig::lines;
use model::Code;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// Every command, in a state in which it works or fails.
fn commands(url: &str) -> Vec<(String, i32)> {
    let closed = "--url http://127.0.0.1:1";
    let commands = [
        ("config check", 0),
        ("config show", 0),
        ("config schema", 0),
        ("config diff instep.yaml", 0),
        ("config diff other.yaml", 3),
        ("config diff nowhere.yaml", 2),
        ("--config nowhere.yaml config check", 2),
        ("--config nowhere.yaml run", 2),
        ("--config nowhere.yaml status", 2),
        ("--config broken.yaml config check", 2),
        ("--config broken.yaml run", 2),
        ("source list", 0),
        ("source adopt nothing", 2),
        ("source detach nothing", 2),
        ("explain E-DATA-LOCKED", 0),
        ("explain E-NOTHING", 2),
        ("nonsense", 2),
        ("status --nonsense", 2),
        ("status --wait soon", 2),
        ("counts --at-least 5", 2),
        ("", 2),
    ];
    let fixed = commands.map(|(line, code)| (line.to_owned(), code));
    let asking = ["status", "status --check", "counts", "counts all", "failures list"];
    let unanswered = asking.map(|line| (format!("{line} {closed}"), 4));
    let answered = [
        ("status", 0),
        ("status --check", 6),
        ("status --wait 10ms", 8),
        ("counts", 0),
        ("counts all", 0),
        ("counts topics", 0),
        ("counts topics topic=7", 0),
        ("counts topics topic.is=null", 0),
        ("counts topics topic", 2),
        ("counts nothing", 2),
        ("counts topics topik=1", 2),
        ("counts all --at-least x", 2),
        ("counts all --at-least 0 --wait 1s", 0),
        ("counts all --at-least 99999", 8),
        ("failures list", 0),
        ("failures show 0", 2),
        ("failures retry 0", 2),
        ("failures discard 0", 2),
    ];
    let answered = answered.map(|(line, code)| (format!("{line} --url {url}"), code));
    fixed.into_iter().chain(unanswered).chain(answered).collect()
}

fn folder() -> Folder {
    let folder = Folder::with("version: 1\n");
    folder.write("other.yaml", "version: 1\nlisten: 127.0.0.1:9\n");
    folder.write("broken.yaml", "version: 1\nwrong: 1\n");
    folder
}

#[test]
fn every_command_ends_with_one_document_of_exactly_the_documented_fields() {
    let folder = folder();
    for (line, code) in commands(&world().api.url()) {
        let ran = folder.run(&format!("--json {line}"));
        assert_eq!(ran.code, code, "{line}: {}", ran.out);
        let json = ran.json();
        let status = match code {
            0 => "ok",
            3 => "differences",
            6 => "unverified",
            _ => "error",
        };
        assert_eq!(json["status"], status, "{line}");
        assert!(json["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{line}");
        assert!(json["data"].is_object(), "{line}");
        for step in json["next_steps"].as_array().unwrap() {
            assert_eq!(super::http::fields(step), ["command", "text"], "{line}");
        }
        for problem in json["problems"].as_array().unwrap() {
            let code = problem["code"].as_str().unwrap();
            assert!(Code::all().any(|it| it.name() == code), "{line}: {code}");
            if let Value::Object(place) = &problem["where"] {
                let names: Vec<_> = place.keys().collect();
                assert_eq!(names, ["column", "file", "line"], "{line}");
            }
        }
        // What could not be done names at least one problem, or is told by its status.
        assert!(
            code == 0 || [3, 6, 8].contains(&code) || json["problems"] != json!([]),
            "{line}: {json}"
        );
    }
}

#[test]
fn for_people_the_data_is_on_standard_output_and_messages_are_not() {
    let folder = folder();
    for (line, code) in commands(&world().api.url()) {
        let ran = folder.run(&line);
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
        match code {
            0 => assert!(!ran.out.is_empty(), "{line} says nothing"),
            2 | 4 => {
                assert_eq!(ran.out, "", "{line}");
                assert!(!ran.err.is_empty(), "{line}");
            }
            _ => assert!(!ran.err.is_empty(), "{line}"),
        }
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{line}: no terminal");
    }
}

#[test]
fn every_code_that_is_ever_said_is_explained() {
    let folder = folder();
    let mut seen = 0;
    for (line, _) in commands(&world().api.url()) {
        for problem in folder.run(&format!("--json {line}")).json()["problems"].as_array().unwrap()
        {
            let code = problem["code"].as_str().unwrap();
            let explained = folder.run(&format!("--json explain {code}"));
            assert_eq!(explained.code, 0, "{code}");
            assert!(explained.json()["data"]["explanation"].as_str().unwrap().len() > 40, "{code}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn colours_are_for_terminals_alone_and_never_where_they_are_refused() {
    let folder = Folder::with("version: 1\nwrong: 1\n");
    // `script` gives the program a terminal.
    let on_terminal = |variables: &[(&str, &str)]| {
        let line = format!("{} config check", env!("CARGO_BIN_EXE_instep"));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(folder.path()).env("TERM", "xterm");
        command.env_remove("NO_COLOR").envs(variables.iter().copied()).stdin(Stdio::null());
        let said = command.output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("E-CONFIG-UNKNOWN-KEY"), "{said}");
        said.contains('\u{1b}')
    };
    assert!(on_terminal(&[]));
    assert!(!on_terminal(&[("NO_COLOR", "1")]));
    assert!(!on_terminal(&[("TERM", "dumb")]));
}

#[test]
fn the_numbers_of_the_command_are_those_of_the_api() {
    let world = world();
    let folder = folder();
    let ran = folder.run(&format!("--json counts topics topic=7 --url {}", world.api.url()));
    let told = world.api.json("/v1/counts/topics?topic=7");
    let data = ran.json()["data"].clone();
    for field in ["name", "group", "value", "position", "state", "verified_through"] {
        assert_eq!(data[field], told[field], "{field}");
    }
    let all = folder.run(&format!("counts places --url {}", world.api.url()));
    assert_eq!(all.out.lines().count(), 8, "a heading and seven groups: {}", all.out);
    let status = folder.run(&format!("--json status --url {}", world.api.url())).json();
    assert_eq!(status["data"]["copies"], world.api.json("/v1/copies")["copies"]);
    // What is told is what is there.
    let target = super::world::database(&world.folder, "target.db");
    assert_eq!(lines(&target, "select value from row_count").unwrap(), ["5"]);
}
