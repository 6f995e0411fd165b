//! Whatever bytes come: an answer of the right class or none, and the server goes on.

use crate::client::{parse, rest};
use crate::rig::{Rig, Setup};
use instep_server::Bounds;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn random_bytes_are_never_more_than_a_bad_request() {
    let rig = quick().await;
    let lines = "(GET|POST|get|PUT|\\PC{0,5}) [/a-z%?=&.]{0,30}( HTTP/1\\.[019])?\r\n";
    let heads = "([a-zA-Z-]{1,20}: ?[ -~]{0,30}\r\n){0,5}(\r\n)?[a-z0-9\r\n]{0,20}";
    let bytes = prop_oneof![
        any::<Vec<u8>>(),
        (lines, heads).prop_map(|(line, head)| (line + &head).into_bytes()),
        heads.prop_map(|head| format!("GET /v1/counts/all HTTP/1.1\r\n{head}").into_bytes()),
    ];
    for bytes in drawn(bytes, 300) {
        let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let reply = parse(&rest(&mut stream).await);
        let status = reply.map_or(400, |reply| reply.status);
        // Without a server's name, nothing but the two open routes would be answered.
        assert!((400..500).contains(&status), "{status}: {:?}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(rig.get("/livez").await.status, 200);
}

#[tokio::test]
async fn random_queries_and_names_are_answered_with_what_is_wrong() {
    let rig = quick().await;
    let queries = prop_oneof![
        "[a-z_.]{0,10}=[!-~&&[^#]]{0,20}",
        "(topic|topic.is|at_least|wait|limit|after)=[-A-Za-z0-9%_+.~:]{0,30}",
        "[!-~&&[^#]]{0,40}",
    ];
    let names = "[!-~&&[^#?/]]{0,12}";
    let words = (prop_oneof![Just("by_topic".to_owned()), names.boxed()], queries, any::<bool>());
    for (name, query, of_failures) in drawn(words, 300) {
        let path = match of_failures {
            true => format!("/v1/failures?{query}"),
            false => format!("/v1/counts/{name}?{query}"),
        };
        let reply = rig.get(&path).await;
        match reply.status {
            200 => {}
            503 => assert_eq!(reply.problem(), "E-COUNT-NOT-READY", "{path}"),
            // What is no address at all is refused before there is a request.
            400 if reply.body.is_empty() => {}
            status => {
                assert!((400..500).contains(&status), "{status}: {path}");
                reply.problem();
            }
        }
    }
    assert_eq!(rig.get("/readyz").await.status, 200);
}

async fn quick() -> Rig {
    let bounds = Bounds { head: Duration::from_secs(2), ..Bounds::default() };
    Rig::with(Setup { runs: false, bounds, ..Setup::default() }).await
}

fn drawn<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, cases: usize) -> Vec<T> {
    let mut runner = TestRunner::default();
    let draw = |_| strategy.new_tree(&mut runner).expect("a value").current();
    (0..cases).map(draw).collect()
}
