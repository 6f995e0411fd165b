//! What a demo tells: to programs, to people without a terminal, and on one.

use super::performance::Place;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

fn document(out: &[u8]) -> Value {
    serde_json::from_slice(out).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_short_demo_ends_with_differences_on_one_side_alone() {
    let place = Place::new();
    let ran = place.run("--json demo --duration 6s --seed 11");
    let said = String::from_utf8_lossy(&ran.stderr);
    let told = document(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{said}\n{told:#}");
    assert_eq!((&told["status"], &told["problems"]), (&json!("ok"), &json!([])));
    assert!(told["next_steps"].as_array().is_some_and(|steps| !steps.is_empty()));
    let data = &told["data"];
    assert_eq!(data["seed"], 11);
    assert!(number(&data["changes"]) >= 60, "{data}");
    assert!(number(&data["kills"]) >= 1, "{data}");
    let mut sum = 0;
    for count in data["counts"].as_array().unwrap() {
        assert!(count["group"]["topic"].is_string(), "{count}");
        assert_eq!((&count["api"], &count["copy"]), (&count["source"], &count["source"]));
        sum += number(&count["source"]);
    }
    let copy = json!({ "compared": sum, "missing": 0, "extra": 0, "different": 0 });
    assert_eq!(data["copy"], copy);
    assert!(number(&data["legacy"]["different"]) > 0, "{data}");
    assert!(number(&data["legacy"]["compared"]) > number(&data["legacy"]["different"]));
    assert!(place.left().is_empty() && place.processes().is_empty());
}

#[test]
fn without_a_terminal_the_story_is_plain_lines() {
    let place = Place::new();
    let ran = place.run("demo --duration 5s");
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    for words in [
        "today        ",
        "with Instep  ",
        " answers and ",
        "the first second write failed",
        "clients dropped their connections",
        "Instep was killed (SIGKILL)",
        "both reporting stores take no writes",
        "both reporting stores take writes again",
        "THE FULL COMPARISON",
        "with Instep  every answer and every row equals the source",
        "next:  instep demo --keep ./demo",
    ] {
        assert!(said.contains(words), "`{words}` is missing:\n{said}");
    }
    assert!(place.left().is_empty());
}

/// A demo on a terminal that `script` gives it, with keys that are pressed once there is a picture.
fn on_terminal(place: &Place, line: &str, (variable, value): (&str, &str), keys: &str) -> String {
    let line = format!("{} {line}", env!("CARGO_BIN_EXE_instep"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.path());
    command.env("TERM", "xterm").env_remove("NO_COLOR").env("TMPDIR", place.path());
    command.env(variable, value).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Held open: its end would be one for the terminal.
    let mut typed = child.stdin.take().unwrap();
    let (mut said, mut part) = (Vec::new(), [0; 4_096]);
    let (mut out, mut keys) = (child.stdout.take().unwrap(), keys.bytes());
    loop {
        let read = out.read(&mut part).unwrap();
        said.extend_from_slice(&part[..read]);
        if read == 0 {
            break;
        }
        if said.windows(6).any(|words| words == b"k kill")
            && let Some(key) = keys.next()
        {
            typed.write_all(&[key]).unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(said).unwrap()
}

#[test]
fn on_a_terminal_there_is_a_picture_that_ends_with_a_key() {
    let place = Place::new();
    let said = on_terminal(&place, "demo --duration 60m", ("LC_ALL", "C"), "xdfq");
    assert!(said.contains("TODAY") && said.contains("WITH INSTEP"), "{said}");
    assert!(said.contains("\u{1b}[1m") && said.contains("THE FULL COMPARISON"), "{said}");
    assert!(said.contains("clients dropped") && said.contains("no second write fails"), "{said}");
    // The cursor is shown again.
    assert!(said.rfind("\u{1b}[?25h") > said.rfind("\u{1b}[?25l"), "{said}");
    assert!(place.left().is_empty());
}

#[test]
fn a_picture_without_colour_has_none() {
    let place = Place::new();
    let said = on_terminal(&place, "demo --duration 60m", ("NO_COLOR", "1"), "q");
    assert!(said.contains("TODAY") && !said.contains("\u{1b}[1m"), "{said}");
}

#[test]
fn a_terminal_that_can_do_nothing_gets_lines() {
    let place = Place::new();
    let said = on_terminal(&place, "demo --duration 3s", ("TERM", "dumb"), "");
    assert!(said.contains("THE FULL COMPARISON") && !said.contains('\u{1b}'), "{said}");
}
