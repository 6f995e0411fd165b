//! What is seen of an instance, while all is well and while it is not.

use crate::client::{parse, rest, send};
use crate::rig::{Rig, Setup};
use model::Op;
use serde_json::{Value as Json, json};
use std::time::Duration;
use testkit::conformance::rows::row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

#[tokio::test]
async fn the_status_shows_every_part_with_its_position() {
    let rig = Rig::new().await;
    let end = rig.change([Op::Insert(row(1, 7, "body"))]).to_string();
    let follows = |status: &Json| status["copies"][0]["position"] == json!(end);
    let status = rig.until("/v1/status", follows).await;
    rig.counted(end.parse().expect("a number")).await;
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["state"], "unverified");
    let service = &status["sources"][0]["services"][0];
    assert_eq!(status["sources"][0]["name"], "questions");
    assert_eq!(*service, json!({"name": "a", "connected": true, "position": end}));
    assert_eq!(status["log"]["kind"], "embedded");
    assert_eq!(status["log"]["lanes"][0]["lane"], "questions/a");
    assert_eq!(status["log"]["lanes"][0]["last"], end);
    assert_eq!(
        status["copies"][0],
        json!({"name": "mirror", "of": "questions/questions", "to": "documents/questions",
               "elsewhere": [], "phase": "following", "state": "unverified", "position": end, "lag_changes": 0,
               "failures": 0, "progress": null, "verified_through": null})
    );
    assert_eq!(status["problems"], json!([]));
    let copies = rig.get("/v1/copies").await.json();
    assert_eq!(copies["copies"], status["copies"]);
    let counts = rig.get("/v1/counts").await.json();
    let all = json!({"name": "all", "by": [], "state": "unverified", "position": end});
    assert_eq!(counts["counts"][0], all);
    assert_eq!(counts["counts"][2]["by"], json!(["topic", "body"]));
    let brief = json!({"name": "all", "state": "unverified", "position": end});
    assert_eq!(rig.get("/v1/status").await.json()["counts"][0], brief);
}

#[tokio::test]
async fn what_does_not_run_yet_has_no_position_and_is_not_called_good() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    let status = rig.get("/v1/status").await.json();
    assert_eq!(status["state"], "unverified");
    assert_eq!(status["sources"][0]["services"][0]["connected"], false);
    let copy = &status["copies"][0];
    assert_eq!((&copy["phase"], &copy["position"]), (&json!("filling"), &Json::Null));
    assert_eq!(
        copy["progress"],
        json!({"rows_done": null, "rows_estimated": null, "rows_per_second": null,
               "eta_seconds": null})
    );
    assert_eq!(
        (&copy["lag_changes"], &status["counts"][0]["position"]),
        (&Json::Null, &Json::Null)
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_once_with_its_cause_and_its_way_out() {
    let rig = Rig::new().await;
    rig.change([Op::Insert(row(1, 7, "bad"))]);
    let is_held = |status: &Json| status["state"] == "diverged";
    let status = rig.until("/v1/status", is_held).await;
    assert_eq!(status["copies"][0]["state"], "diverged");
    let problems = status["problems"].as_array().expect("a list");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0]["code"], "E-ROWS-HELD");
    assert_eq!(problems[0]["what"], "copy mirror: 1 key is held back");
    for field in ["why", "fix"] {
        assert!(problems[0][field].as_str().is_some_and(|text| text.len() > 20));
    }
    let before = rig.change([Op::Insert(row(2, 7, "good"))]);
    rig.counted(before).await;
    rig.databases[0].become_another("server-9");
    let is_noticed = |status: &Json| {
        let problems = status["problems"].as_array().expect("a list");
        problems.iter().any(|problem| problem["code"] == "E-SOURCE-CHANGED")
    };
    let status = rig.until("/v1/status", is_noticed).await;
    let what = status["problems"].to_string();
    assert!(what.contains("source questions, service a: "), "{what}");
    let reply = rig.get(&format!("/v1/counts/all?at_least={}&wait=10s", before + 1_000)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (409, "E-SOURCE-CHANGED"));
}

#[tokio::test]
async fn ready_is_the_instance_and_live_is_the_process() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    rig.ready.set(false);
    assert_eq!(rig.get("/livez").await.json(), json!({"status": "live"}));
    let reply = rig.get("/readyz").await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "E-NOT-READY"));
    assert_eq!(reply.header("retry-after"), Some("1"));
    rig.ready.set(true);
    assert_eq!(rig.get("/readyz").await.json(), json!({"status": "ready"}));
}

#[tokio::test]
async fn every_answer_tells_a_browser_to_be_careful_and_says_nothing_of_the_server() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    for path in ["/livez", "/v1/status", "/v1/nothing", "/metrics"] {
        let reply = rig.get(path).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert!(reply.header("content-security-policy").is_some(), "{path}");
        assert_eq!(reply.header("server"), None, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_a_wrong_method_names_the_right_ones() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    for path in ["/", "/v1", "/v1/changes", "/v1/differences", "/v1/counts/", "/v1/status/"] {
        let reply = rig.get(path).await;
        assert_eq!((reply.status, reply.problem().as_str()), (404, "E-ROUTE-UNKNOWN"), "{path}");
    }
    assert_eq!(rig.post("/v1/repairs").await.status, 404);
    for (method, path, allowed) in [
        ("POST", "/v1/status", "GET,HEAD"),
        ("DELETE", "/v1/counts/all", "GET,HEAD"),
        ("OPTIONS", "/livez", "GET,HEAD"),
        ("GET", "/v1/failures/1/retry", "POST"),
    ] {
        let reply = send(rig.at, method, path, &[]).await;
        assert_eq!((reply.status, reply.problem().as_str()), (405, "E-METHOD-REFUSED"), "{path}");
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
    let head = send(rig.at, "HEAD", "/v1/status", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_stop_ends_what_waits_and_comes_to_its_end() {
    let mut rig = Rig::new().await;
    let end = rig.change([Op::Insert(row(1, 7, "body"))]);
    rig.counted(end).await;
    let at = rig.at;
    // What follows a request in the same packet is at hand once the first is answered.
    let path = format!("/v1/counts/all?at_least={}&wait=30s", end + 1_000);
    let mut waiting = TcpStream::connect(at).await.expect("a connection");
    let two = format!("GET /livez HTTP/1.1\r\n\r\nGET {path} HTTP/1.1\r\nhost: {at}\r\n\r\n");
    waiting.write_all(two.as_bytes()).await.expect("sent");
    let mut first = [0; 1_000];
    assert!(waiting.read(&mut first).await.expect("an answer") > 0);
    let idle = TcpStream::connect(at).await.expect("a connection");
    let began = Instant::now();
    rig.stop.ask();
    let reply = parse(&rest(&mut waiting).await).expect("a reply");
    assert_eq!((reply.status, reply.problem().as_str()), (503, "E-NOT-READY"));
    (&mut rig.serving).await.expect("it ends");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(TcpStream::connect(at).await.is_err(), "nothing listens any more");
    drop(idle);
}
