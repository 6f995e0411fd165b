//! Requests that no client should send: each gets a problem or a clean end, and the process goes on.

use super::http::{Answer, Api};
use super::world::world;
use std::io::{Read, Write};

/// Every route, with the method that it takes.
const ROUTES: [(&str, &str); 11] = [
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/status"),
    ("GET", "/v1/copies"),
    ("GET", "/v1/counts"),
    ("GET", "/v1/counts/topics"),
    ("GET", "/v1/failures"),
    ("POST", "/v1/failures/0123456789abcdef/retry"),
    ("POST", "/v1/failures/0123456789abcdef/discard"),
];

/// The routes that know every parameter that they take. Others are asked by programs that add some
/// of their own, as probes and scrapers do.
fn is_strict(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// The process is there, and answers right.
fn is_well(api: &Api) {
    assert_eq!(api.get("/livez").status, 200);
    assert_eq!(api.json("/v1/counts/topics?topic=7")["value"], 2);
}

/// An answer that is a problem of the client's, if there is one at all.
fn is_refused(bytes: &[u8], what: &str) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let answer = Answer::read(bytes).unwrap_or_else(|| panic!("{what}: no answer at all"));
    assert!((400..500).contains(&answer.status), "{what}: {}", answer.status);
    // The connection itself refuses what is no request, before there is a problem to tell.
    if !answer.body.is_empty() {
        let code = answer.json()["code"].as_str().unwrap().to_owned();
        answer.problem(answer.status, &code);
    }
    false
}

#[test]
fn a_method_that_a_route_does_not_take_is_refused_with_those_that_it_takes() {
    let api = &world().api;
    for (right, path) in ROUTES {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"] {
            if method != right {
                let answer = api.ask(method, path, &[], b"");
                answer.problem(405, "E-METHOD-REFUSED");
                assert!(answer.header("allow").unwrap().contains(right), "{method} {path}");
            }
        }
    }
    api.problem("/v1/nothing", 404, "E-ROUTE-UNKNOWN");
    api.problem("/v2/status", 404, "E-ROUTE-UNKNOWN");
    api.problem("/v1/status/", 404, "E-ROUTE-UNKNOWN");
    is_well(api);
}

#[test]
fn a_parameter_that_nobody_reads_is_refused() {
    let api = &world().api;
    for (method, path) in ROUTES.iter().filter(|(_, path)| is_strict(path)) {
        for query in ["nonsense=1", "nonsense", "=", "at_leest=5", "nonsense=1&nonsense=1"] {
            let answer = api.ask(method, &format!("{path}?{query}"), &[], b"");
            answer.problem(400, "E-REQUEST-MALFORMED");
        }
        let many = vec!["limit=1"; 5_000].join("&");
        let bytes = api.send(&api.request(method, &format!("{path}?{many}"), &[], b""));
        is_refused(&bytes, path);
    }
    is_well(api);
}

#[test]
fn a_text_that_is_wrongly_encoded_is_refused() {
    let api = &world().api;
    for (method, path) in ROUTES.iter().filter(|(_, path)| is_strict(path)) {
        for query in ["limit=%", "limit=%4", "limit=%zz", "%ff=1", "limit=%c3%28"] {
            let answer = api.ask(method, &format!("{path}?{query}"), &[], b"");
            answer.problem(400, "E-REQUEST-MALFORMED");
        }
    }
    for path in ["/v1/counts/%ff", "/v1/failures/%ff/retry", "/v1/counts/%00", "/v1/%2e%2e/status"]
    {
        let method = if path.ends_with("retry") { "POST" } else { "GET" };
        is_refused(&api.send(&api.request(method, path, &[], b"")), path);
    }
    for target in ["v1/status", "*", "//", "/v1/counts/é", "/v1/sta tus"] {
        let bytes = api.send_and_close(&api.request("GET", target, &[], b""));
        is_refused(&bytes, target);
    }
    is_well(api);
}

#[test]
fn a_body_that_is_too_large_or_none_that_is_known_is_refused() {
    let api = &world().api;
    let json = [("content-type", "application/json")];
    for (_, path) in ROUTES.iter().filter(|(method, _)| *method == "POST") {
        let large = vec![b' '; 65 << 10];
        let answer = api.ask("POST", path, &json, &large);
        answer.problem(413, "E-BODY-TOO-LARGE");
        let announced = [("content-length", "99999999999"), json[0]];
        let bytes = api.send(&api.request("POST", path, &announced, b""));
        assert!(!is_refused(&bytes, path), "it is told before anything is sent");
        let chunked = [("transfer-encoding", "chunked"), json[0]];
        let mut request = api.request("POST", path, &chunked, b"");
        request.extend_from_slice(format!("{:x}\r\n", large.len()).as_bytes());
        request.extend_from_slice(&[&large[..], b"\r\n0\r\n\r\n"].concat());
        is_refused(&api.send(&request), path);
        for (kind, body, status) in [
            ("text/plain", "x", 415),
            ("application/json", "[1]", 400),
            ("application/json", "{\"a\":1}", 400),
            ("application/json", "{", 400),
            ("application/json", "\u{fffd}", 400),
        ] {
            let answer = api.ask("POST", path, &[("content-type", kind)], body.as_bytes());
            assert_eq!(answer.status, status, "{kind} {body}: {}", answer.text());
        }
        assert_eq!(api.ask("POST", path, &json, b"{}").status, 404, "an empty object is fine");
    }
    // A look may bring a body along; nobody reads it.
    for (_, path) in ROUTES.iter().filter(|(method, _)| *method == "GET") {
        let bytes = api.send(&api.request("GET", path, &[], &vec![b'x'; 1 << 20]));
        let status = Answer::read(&bytes).map(|answer| answer.status);
        assert!(matches!(status, None | Some(200 | 413)), "{path}: {status:?}");
    }
    is_well(api);
}

#[test]
fn a_head_that_is_too_large_or_none_is_refused() {
    let api = &world().api;
    let long = "x".repeat(200 << 10);
    for (method, path) in ROUTES {
        let bytes = api.send(&api.request(method, path, &[("x-long", &long)], b""));
        is_refused(&bytes, path);
        let names: Vec<String> = (0..200).map(|number| format!("x-{number}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
        is_refused(&api.send(&api.request(method, path, &many, b"")), path);
    }
    is_refused(&api.send(&api.request("GET", &format!("/v1/{long}"), &[], b"")), "a long path");
    is_well(api);
}

#[test]
fn what_is_no_request_ends_the_connection() {
    let api = &world().api;
    let host = &api.address;
    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(),
        b"\0\0\0\0\0\0\0\0\r\n\r\n".to_vec(),
        b"hello\r\n\r\n".to_vec(),
        b"GET /livez HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET /v1/status HTTP/1.1\r\n\r\n".to_vec(),
        format!("GET /v1/status HTTP/1.1\r\nhost: {host}\r\nhost: evil.example\r\n\r\n")
            .into_bytes(),
        format!("GET /v1/status HTTP/1.1\r\nhost: {host}\r\nbad name: 1\r\n\r\n").into_bytes(),
        format!("GET /v1/status HTTP/1.1\r\nhost: {host}\r\nx: a\0b\r\n\r\n").into_bytes(),
        format!("POST /v1/failures/0/retry HTTP/1.1\r\nhost: {host}\r\ncontent-length: -1\r\n\r\n")
            .into_bytes(),
        format!(
            "POST /v1/failures/0/retry HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1\r\n\
             content-length: 2\r\n\r\nx"
        )
        .into_bytes(),
        format!(
            "POST /v1/failures/0/retry HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\
             \r\nzz\r\n"
        )
        .into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&garbage).into_owned();
        is_refused(&api.send_and_close(&garbage), &shown);
    }
    for (method, path) in ROUTES {
        // A good request, and garbage right behind it on the same connection.
        let good = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        let bytes = api.send_and_close(&[good.as_bytes(), b"\x01\x02 garbage\r\n\r\n"].concat());
        let first = Answer::read(&bytes).unwrap();
        assert!(matches!(first.status, 200 | 404), "{path}: {}", first.status);
    }
    is_well(api);
}

#[test]
fn requests_that_follow_each_other_are_answered_in_their_order() {
    let api = &world().api;
    let host = &api.address;
    let ask = |path: &str, end: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{end}\r\n");
    let three = [
        ask("/v1/counts/topics?topic=7", ""),
        ask("/v1/nothing", ""),
        ask("/v1/counts/topics?topic=8", "connection: close\r\n"),
    ];
    let said = String::from_utf8(api.send(three.concat().as_bytes())).unwrap();
    let places: Vec<_> = ["\"topic\":7", "E-ROUTE-UNKNOWN", "\"topic\":8"]
        .iter()
        .map(|part| said.find(part).unwrap_or_else(|| panic!("{part}: {said}")))
        .collect();
    assert!(places.is_sorted(), "{said}");
}

#[test]
fn one_who_is_slow_holds_up_nobody_else_and_is_let_go() {
    let api = &world().api;
    let mut slow: Vec<_> = ROUTES
        .iter()
        .map(|(method, path)| {
            let mut stream = api.connect();
            write!(stream, "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-", api.address).unwrap();
            stream
        })
        .collect();
    is_well(api);
    for (stream, (_, path)) in slow.iter_mut().zip(ROUTES) {
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        is_refused(&said, path);
    }
    is_well(api);
}
