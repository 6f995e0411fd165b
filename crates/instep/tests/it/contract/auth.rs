//! Who may ask: tokens and roles, for the API and for the commands.

use super::http::Api;
use super::process::Process;
use super::waiting::{until, until_some};
use super::world::{world, write};
use crate::program::Folder;
use serde_json::json;

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
auth:
  tokens:
    - { name: eve, role: viewer, token: look-only }
    - { name: ops, role: operator, token: { file: ops.token } }
services: { a: { sqlite: a.db } }
sources: { s: { from: a, tables: [t] } }
counts: { all: { of: s/t } }
";

fn guarded() -> (Folder, Process, Api) {
    let folder = Folder::with(CONFIG);
    folder.write("ops.token", "may-do-all\n");
    write(&folder, "a.db", "create table t (id integer primary key)");
    let (process, api) = Process::start(&folder);
    (folder, process, api)
}

const ROUTES: [(&str, &str); 10] = [
    ("GET", "/v1/status"),
    ("GET", "/v1/copies"),
    ("GET", "/v1/counts"),
    ("GET", "/v1/counts/all"),
    ("GET", "/v1/failures"),
    ("POST", "/v1/failures/0123456789abcdef/retry"),
    ("POST", "/v1/failures/0123456789abcdef/discard"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/nothing"),
];

#[test]
fn who_has_no_token_or_a_wrong_one_is_told_nothing() {
    let (folder, process, api) = guarded();
    for path in ["/livez", "/readyz"] {
        assert_eq!(api.get(path).status, 200, "{path} is open");
    }
    for (method, path) in ROUTES {
        let answer = api.ask(method, path, &[], b"");
        answer.problem(401, "E-AUTH-TOKEN");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{path}");
        let answer = api.with("wrong").ask(method, path, &[], b"");
        answer.problem(401, "E-AUTH-TOKEN");
    }
    for header in
        ["look-only", "Basic look-only", "Bearer", "Bearer look-only x", "bearer look-onl"]
    {
        let answer = api.ask("GET", "/v1/status", &[("authorization", header)], b"");
        answer.problem(401, "E-AUTH-TOKEN");
    }
    let two = [("authorization", "Bearer look-only"), ("authorization", "Bearer look-only")];
    api.ask("GET", "/v1/status", &two, b"").problem(401, "E-AUTH-TOKEN");
    assert_eq!(api.with("look-only").get("/v1/status").status, 200);
    let shown = format!("{}{}", process.log(), folder.run("config show").out);
    assert!(!shown.contains("look-only") && !shown.contains("may-do-all"), "{shown}");
}

#[test]
fn who_tries_many_wrong_tokens_is_told_when_to_come_again() {
    let (_folder, _process, api) = guarded();
    let wrong = api.with("wrong");
    let refused = until_some("it is refused", || {
        let answer = wrong.get("/v1/status");
        if answer.status == 401 {
            // As fast as it can, faster than attempts are forgotten.
            let tries = (0..40).map(|_| wrong.get("/v1/status"));
            return tries.into_iter().find(|answer| answer.status == 429);
        }
        Some(answer)
    });
    refused.problem(429, "E-TOO-MANY-REQUESTS");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(api.get("/livez").status, 200, "probes are answered");
    // It is meant: whoever waits is heard again.
    until("it is answered", || api.with("look-only").get("/v1/status").status == 200);
}

#[test]
fn a_viewer_looks_and_an_operator_decides() {
    let (folder, process, api) = guarded();
    let all = "/v1/counts/all?at_least=0&wait=30s";
    assert_eq!(api.with("look-only").get(all).status, 200);
    let (viewer, operator) = (api.with("look-only"), api.with("may-do-all"));
    for (method, path) in ROUTES {
        let expected = match (method, path) {
            ("POST", _) | (_, "/v1/nothing") => 404,
            _ => 200,
        };
        let status = |api: &Api| api.ask(method, path, &[], b"").status;
        assert_eq!(status(&operator), expected, "{method} {path}");
        assert_eq!(status(&viewer), if method == "POST" { 403 } else { expected }, "{path}");
    }
    viewer.post("/v1/failures/0/retry").problem(403, "E-AUTH-ROLE");
    // The commands take their token from the configuration.
    let asked = folder.run(&format!("--json status --url {}", api.url()));
    assert_eq!(asked.code, 0, "{}", asked.out);
    folder.write("viewer.yaml", CONFIG.replace("    - { name: ops", "    # - { name: ops"));
    let asked = format!("--json --config viewer.yaml failures retry 0 --url {}", api.url());
    assert_eq!(folder.run(&asked).code, 5, "a viewer may not");
    folder.write("nobody.yaml", "version: 1\n");
    let refused = folder.run(&format!("--json --config nobody.yaml status --url {}", api.url()));
    assert_eq!((refused.code, refused.problems()), (5, vec!["E-AUTH-TOKEN".to_owned()]));
    drop(process);
}

#[test]
fn without_tokens_only_this_machine_is_answered_and_no_page_of_another_site() {
    let api = &world().api;
    for host in ["evil.example", "127.0.0.1.evil.example", "", "192.0.2.1"] {
        let bytes = format!("GET /v1/status HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = super::http::Answer::read(&api.send(bytes.as_bytes())).unwrap();
        assert!((400..500).contains(&answer.status), "{host}: {}", answer.status);
    }
    let from = [("origin", "http://evil.example")];
    let answer = api.ask("POST", "/v1/failures/0/retry", &from, b"");
    answer.problem(403, "E-SITE-REFUSED");
    assert_eq!(api.json("/v1/failures")["failures"], json!([]));
}
