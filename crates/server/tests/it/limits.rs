//! The bounds: what comes slowly, is too large, or is too many.

use crate::client::{parse, raw, request, rest};
use crate::rig::{Rig, Setup};
use instep_server::{Bounds, Listener};
use model::Code;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn a_head_that_does_not_come_ends_its_connection() {
    let bounds = Bounds { head: Duration::from_millis(300), ..Bounds::default() };
    let rig = bounded(bounds).await;
    for beginning in ["", "GET /livez HTTP/1.1\r\nhost: x"] {
        let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
        stream.write_all(beginning.as_bytes()).await.expect("sent");
        let began = Instant::now();
        rest(&mut stream).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{beginning:?}");
    }
    // Nor does one that is left open after its answer.
    let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
    let idle = format!("GET /livez HTTP/1.1\r\nhost: {}\r\n\r\n", rig.at);
    stream.write_all(idle.as_bytes()).await.expect("sent");
    assert_eq!(parse(&rest(&mut stream).await).map(|reply| reply.status), Some(200));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_does_not_come_is_not_waited_for() {
    let bounds =
        Bounds { body_bytes_max: 100, request: Duration::from_millis(500), ..Bounds::default() };
    let rig = bounded(bounds).await;
    let path = "/v1/failures/1/retry";
    let large = request(rig.at, "POST", path, &[], &"x".repeat(101));
    let reply = raw(rig.at, large.as_bytes()).await;
    assert_eq!((reply.status, reply.problem().as_str()), (413, "E-BODY-TOO-LARGE"));
    let announced = request(rig.at, "POST", path, &[("content-length", "9999999")], "");
    assert_eq!(raw(rig.at, announced.as_bytes()).await.status, 413);
    let chunked = request(rig.at, "POST", path, &[("transfer-encoding", "chunked")], "");
    let chunked = format!("{chunked}80\r\n{}\r\n0\r\n\r\n", "x".repeat(128));
    assert_eq!(raw(rig.at, chunked.as_bytes()).await.status, 413);
    let slow = request(rig.at, "POST", path, &[("content-length", "50")], "");
    let reply = raw(rig.at, slow.as_bytes()).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "E-REQUEST-SLOW"));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let rig = bounded(Bounds::default()).await;
    for (name, length) in [("x", 100_000), ("authorization", 50_000)] {
        let large = request(rig.at, "GET", "/livez", &[(name, &"x".repeat(length))], "");
        let status = raw(rig.at, large.as_bytes()).await.status;
        assert!((400..500).contains(&status), "{status}");
    }
    let many = vec![("x", "y"); 200];
    let status = raw(rig.at, request(rig.at, "GET", "/livez", &many, "").as_bytes()).await.status;
    assert!((400..500).contains(&status), "{status}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_again() {
    let rig = bounded(Bounds { connections_max: 3, ..Bounds::default() }).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        kept.push(TcpStream::connect(rig.at).await.expect("a connection"));
    }
    let mut late = TcpStream::connect(rig.at).await.expect("a connection");
    let reply = parse(&rest(&mut late).await).expect("a reply");
    assert_eq!((reply.status, reply.problem().as_str()), (503, "E-TOO-MANY-CONNECTIONS"));
    assert_eq!(reply.header("retry-after"), Some("1"));
    kept.pop();
    // The place is free as soon as its connection has been found to be closed.
    let began = Instant::now();
    loop {
        let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
        let get = request(rig.at, "GET", "/livez", &[], "");
        let _ = stream.write_all(get.as_bytes()).await;
        let reply = parse(&rest(&mut stream).await);
        if reply.is_some_and(|reply| reply.status == 200) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_connection_ends_when_its_time_is_up() {
    let rig = bounded(Bounds { connection: Duration::from_millis(200), ..Bounds::default() }).await;
    let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
    let began = Instant::now();
    rest(&mut stream).await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_clear_fault() {
    let taken = Listener::bind("127.0.0.1:0").await.expect("a port");
    let fault = Listener::bind(&taken.address().to_string()).await.expect_err("it is taken");
    assert_eq!(fault.code, Code::ListenInUse);
    assert!(fault.what.contains(&taken.address().to_string()), "{fault}");
    for address in ["192.0.2.1:0", "no such name:1", "127.0.0.1"] {
        let fault = Listener::bind(address).await.expect_err("nobody listens there");
        assert_eq!(fault.code, Code::ListenFailed, "{fault}");
    }
}

async fn bounded(bounds: Bounds) -> Rig {
    Rig::with(Setup { runs: false, bounds, ..Setup::default() }).await
}
