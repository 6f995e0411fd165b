//! What is logged of requests: enough to find a fault, and nothing that they carry.

use crate::client::send;
use crate::rig::{Rig, Setup};
use instep_server::{Role, Token};
use model::Op;
use std::io;
use std::sync::{Arc, Mutex};
use testkit::conformance::rows::row;
use tracing_subscriber::fmt::MakeWriter;

#[tokio::test]
async fn logs_name_routes_and_deciders_but_neither_secrets_nor_values() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(lines.clone())
        .with_ansi(false)
        .finish();
    // Of every test in this process: that no secret is logged holds for all of them.
    tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    let tokens = vec![
        Token::new("ops", Role::Operator, "canary-secret"),
        Token::new("looks", Role::Viewer, "canary-viewer"),
    ];
    let rig = Rig::with(Setup { tokens, ..Setup::default() }).await;
    rig.change([Op::Insert(row(1, 424_242, "bad")), Op::Insert(row(2, 424_242, "canary-row"))]);
    let ops = ("authorization", "Bearer canary-secret");
    let id = loop {
        let list = send(rig.at, "GET", "/v1/failures", &[ops]).await.json();
        if let Some(id) = list["failures"][0]["id"].as_str() {
            break id.to_owned();
        }
        tokio::task::yield_now().await;
    };
    for path in ["/v1/counts/by_both?topic=424242&body=canary-row", "/v1/status", "/canary-path"] {
        send(rig.at, "GET", path, &[ops]).await;
    }
    let path = format!("/v1/failures/{id}/retry");
    send(rig.at, "POST", &path, &[ops]).await;
    send(rig.at, "POST", &path, &[("authorization", "Bearer canary-viewer")]).await;
    send(rig.at, "GET", "/v1/status", &[("authorization", "Bearer canary-wrong")]).await;
    let lines = lines.text();
    for part in ["/v1/counts/{name}", "a failure is tried again", "\"ops\"", &id, "WARN", "looks"] {
        assert!(lines.contains(part), "{part} is missing:\n{lines}");
    }
    for part in ["canary", "424242"] {
        assert!(!lines.contains(part), "{part} was logged:\n{lines}");
    }
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
