//! The program over one file of addresses.

use instep_platform::Caller;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_platform"))
}

#[tokio::test]
async fn the_services_of_a_file_answer_where_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("platform.json");
    let listen = "127.0.0.1:0";
    let written = json!({
        "mode": "followed",
        "questions": { "listen": listen, "shards": ["a.db"], "totals": "totals.db" },
        "quiz": { "listen": listen, "store": "quiz.db" },
        "reporting": { "listen": listen, "store": "reporting.db" },
    });
    fs::write(&file, written.to_string()).unwrap();
    let mut command = program();
    command.arg(&file).arg("--legacy").stdout(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut services = Vec::new();
    for line in lines.take(3) {
        let line = line.unwrap();
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
        services.push(Caller::new(address.parse().unwrap()));
    }
    let body = json!({ "topic": "music", "text": "one" });
    services[0].put("/questions/1", &body).await.unwrap();
    for service in &services {
        let asked = service.get("/questions/count?topic=music").await.unwrap();
        assert_eq!(asked["count"], 1, "{}", service.address());
    }
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn what_can_not_be_used_is_told_and_exits_with_two() {
    for (arguments, words) in [
        (&[][..], "no file is named"),
        (&["nowhere.json"], "nowhere.json"),
        (&["one.json", "two.json"], "one file is enough"),
    ] {
        let ran = program().args(arguments).output().unwrap();
        assert_eq!(ran.status.code(), Some(2));
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(said.contains(words), "{said}");
    }
}
