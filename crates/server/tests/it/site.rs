//! Requests that a page of another web site sends, or that were meant for another server.

use crate::client::{raw, send};
use crate::rig::{Rig, Setup};
use instep_server::{Role, Token};

#[tokio::test]
async fn without_tokens_only_loopback_names_are_answered() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    let port = rig.at.port();
    for ours in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), "[::1]:9".to_owned()] {
        let reply = send(rig.at, "GET", "/v1/copies", &[("host", &ours)]).await;
        assert_eq!(reply.status, 200, "{ours}");
    }
    for strange in ["evil.example", "localhost.evil.example", "", "127.0.0.1@evil.example"] {
        let reply = send(rig.at, "GET", "/v1/copies", &[("host", strange)]).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "E-SITE-REFUSED"), "{strange}");
    }
    let two = [("host", "localhost"), ("host", "evil.example")];
    assert_ne!(send(rig.at, "GET", "/v1/copies", &two).await.status, 200);
    let absolute = "GET http://evil.example/v1/copies HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(rig.at, absolute.as_bytes()).await.status, 403);
    let nameless = raw(rig.at, b"GET /v1/copies HTTP/1.0\r\n\r\n").await;
    assert_eq!(nameless.status, 403);
    assert_eq!(raw(rig.at, b"GET /livez HTTP/1.0\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn with_tokens_any_name_is_answered() {
    let tokens = vec![Token::new("ops", Role::Operator, "secret")];
    let rig = Rig::with(Setup { runs: false, tokens, ..Setup::default() }).await;
    let headers = [("host", "instep.example"), ("authorization", "Bearer secret")];
    assert_eq!(send(rig.at, "GET", "/v1/copies", &headers).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_site_decides_nothing() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    let path = "/v1/failures/1/discard";
    for origin in ["http://evil.example", "null", "https://127.0.0.1:1"] {
        let reply = send(rig.at, "POST", path, &[("origin", origin)]).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "E-SITE-REFUSED"), "{origin}");
    }
    let own = format!("http://{}", rig.at);
    assert_eq!(send(rig.at, "POST", path, &[("origin", &own)]).await.status, 404);
    assert_eq!(send(rig.at, "POST", path, &[]).await.status, 404);
    let read = send(rig.at, "GET", "/v1/copies", &[("origin", "http://evil.example")]).await;
    assert_eq!(read.header("access-control-allow-origin"), None, "and its page can not read it");
}
