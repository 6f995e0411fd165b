//! Requests under damage: whatever bytes come, an answer of the right class or none.

use crate::client::parse;
use crate::rig::{Rig, Setup};
use instep_server::{Bounds, Rate};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use testkit::fuzz::fuzz;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests() {
    let unlimited = Rate { burst: u32::MAX, each: Duration::from_nanos(1) };
    let bounds = Bounds { head: Duration::from_secs(2), requests: unlimited, ..Bounds::default() };
    let rig = Rig::with(Setup { runs: false, bounds, ..Setup::default() }).await;
    let at = rig.at;
    let request = |method: &str, path: &str, more: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{more}\r\n")
            .into_bytes()
    };
    let good = [
        request("GET", "/v1/status", ""),
        request("GET", "/v1/counts/by_topic?topic=7&at_least=3&wait=1ms", ""),
        request("GET", "/v1/counts/by_topic?limit=2&after=AQ", "If-None-Match: \"x\"\r\n"),
        request("GET", "/v1/failures?limit=1&after=x", "Authorization: Bearer x\r\n"),
        request("POST", "/v1/failures/0123456789abcdef/retry", "Content-Length: 0\r\n"),
        request(
            "POST",
            "/v1/failures/x/discard",
            "Content-Length: 2\r\nContent-Type: a/b\r\n\r\n{}",
        ),
        request("GET", "/metrics", "Transfer-Encoding: chunked\r\n\r\n0\r\n"),
    ];
    let words: &[&[u8]] = &[
        b"\r\n",
        b"\r\n\r\n",
        b"%",
        b"%00",
        b"%ff",
        b"topic.is=null",
        b"&",
        b"=",
        b"?",
        b"/..",
        b"//",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"HTTP/2.0",
        b"Host: a\r\n",
        b"Expect: 100-continue\r\n",
        b"Upgrade: h2c\r\n",
        b"wait=31s",
        b"\0",
        b"\xff",
    ];
    let (done, fuzzed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        fuzz("requests", &good, words, |input| {
            let mut stream = TcpStream::connect(at).expect("the server goes on");
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let _ = stream.write_all(input);
            let _ = stream.shutdown(Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let status = parse(&answer).map_or(0, |reply| reply.status);
            assert!(status < 500 || status == 503, "{status}");
            status.into()
        });
        done.send(()).expect("the test waits");
    });
    fuzzed.await.expect("no input breaks it");
    assert_eq!(rig.get("/livez").await.status, 200);
}
