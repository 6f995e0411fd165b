//! Comparisons that are made again and again, and one that is told to stop.

use super::rig::Pair;
use crate::rig::until_some;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A program that runs on; killed when it is dropped.
struct Going {
    child: Child,
    out: Receiver<String>,
    err: std::path::PathBuf,
}

impl Going {
    fn begin(pair: &Pair, flags: &str) -> Self {
        let err = pair.folder.path().join("said.txt");
        let mut command = pair.program(flags);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(&err).unwrap());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, out) = channel();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self { child, out, err }
    }

    /// The next line of standard output.
    async fn line(&self) -> String {
        let line = until_some("it says a verdict", || self.out.try_recv().ok()).await;
        line.unwrap_or_else(|| panic!("{}", fs::read_to_string(&self.err).unwrap()))
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    async fn ended(&mut self) -> i32 {
        let status = until_some("it ends", || self.child.try_wait().unwrap()).await;
        status.unwrap().code().unwrap()
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn each_verdict_is_a_line_and_the_last_one_is_the_exit() {
    let pair = Pair::new();
    let mut going = Going::begin(&pair, "--every 200ms --settle 50ms --output json");
    let read = async |going: &Going| serde_json::from_str::<Value>(&going.line().await).unwrap();
    let first = read(&going).await;
    assert_eq!((&first["status"], &first["data"]["compared"]), (&"ok".into(), &10.into()));
    assert!(first["at"].as_str().unwrap().ends_with('Z'));
    pair.write("copy.db", "delete from question where id = 1");
    while read(&going).await["status"] != "differences" {}
    going.signal("TERM");
    assert_eq!(going.ended().await, 3);
    let mut going = Going::begin(&pair, "--every 200ms --settle 50ms");
    assert!(going.line().await.contains("Z  1 row differs: 1 missing"));
    pair.write("copy.db", "insert into question select 1, 1, 'question 1', 0.5");
    while !going.line().await.contains("Z  in step: 10 rows") {}
    going.signal("INT");
    assert_eq!(going.ended().await, 0);
}

#[tokio::test]
async fn metrics_are_served_where_it_was_asked_for() {
    let pair = Pair::broken();
    let flags = "--every 200ms --settle 50ms --listen 127.0.0.1:0";
    let mut going = Going::begin(&pair, flags);
    going.line().await;
    let said = fs::read_to_string(&going.err).unwrap();
    let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let page = get(&address, "/metrics").1;
    for line in [
        "instep_verify_state{table=\"question\",state=\"diverged\"} 1",
        "instep_verify_differences{table=\"question\",kind=\"missing\"} 1",
        "instep_verify_unsettled{table=\"question\"} 0",
    ] {
        assert!(page.lines().any(|it| it == line), "{line}: {page}");
    }
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/readyz").0, 200);
    assert_eq!(get(&address, "/v1/status").0, 404);
    let mut stream = TcpStream::connect(&address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let taken = pair.verify(&format!("--json --every 5m --listen {address}"));
    assert_eq!((taken.code, taken.problems()), (2, vec!["E-LISTEN-IN-USE".to_owned()]));
    // A copy that is away is no verdict, and comes back.
    let (here, away) = (pair.folder.path().join("copy.db"), pair.folder.path().join("away.db"));
    fs::rename(&here, &away).unwrap();
    let gone = "instep_verify_state{table=\"question\",state=\"unverified\"} 1";
    // The one that was on its way when the copy went may still have found some.
    let is_gone = until_some("it is unverified", || {
        let page = get(&address, "/metrics").1;
        (page.contains(gone) && !page.contains("instep_verify_differences{")).then_some(())
    });
    assert!(is_gone.await.is_some());
    fs::rename(&away, &here).unwrap();
    while !going.line().await.contains("3 rows differ") {}
    going.signal("TERM");
    assert_eq!(going.ended().await, 3);
}

#[tokio::test]
async fn one_that_is_told_to_stop_says_how_far_it_came() {
    let pair = Pair::broken();
    let mut going = Going::begin(&pair, "--settle 10m --patience 20m --json");
    // It waits for rows to settle by now, or will in a moment; either way it is told before its end.
    let begun = until_some("it has begun", || {
        let fds = fs::read_dir(format!("/proc/{}/fd", going.child.id())).ok()?;
        let links = fds.filter_map(|it| fs::read_link(it.ok()?.path()).ok());
        links.into_iter().any(|it| it.ends_with("copy.db")).then_some(())
    });
    assert!(begun.await.is_some());
    going.signal("INT");
    assert_eq!(going.ended().await, 6);
    let mut text = String::new();
    while let Ok(line) = going.out.recv() {
        text.push_str(&line);
    }
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["status"], "unverified");
}
