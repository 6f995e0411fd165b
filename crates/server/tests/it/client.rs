//! A client that sends exactly the bytes that a test wants sent.

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The code of a problem, which has to be a whole one.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        for field in ["type", "title", "detail", "fix"] {
            assert!(
                problem[field].as_str().is_some_and(|text| text.len() > 3),
                "{field}: {problem}"
            );
        }
        let code = problem["code"].as_str().expect("a code").to_owned();
        assert_eq!(problem["type"], format!("urn:instep:{code}"));
        code
    }
}

/// A request without a body and with the usual name of the server.
pub(crate) async fn get(at: SocketAddr, path: &str) -> Reply {
    send(at, "GET", path, &[]).await
}

/// A request without a body.
pub(crate) async fn send(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Reply {
    raw(at, request(at, method, path, headers, "").as_bytes()).await
}

/// A whole request.
pub(crate) fn request(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text += &format!("host: {at}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("content-length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

/// Sends these bytes and reads what comes back until the other side closes.
pub(crate) async fn raw(at: SocketAddr, bytes: &[u8]) -> Reply {
    let stream = TcpStream::connect(at).await.expect("a connection");
    over(stream, bytes).await
}

/// The same over any stream.
pub(crate) async fn over(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Reply {
    let _ = stream.write_all(bytes).await;
    let read = rest(&mut stream).await;
    parse(&read).unwrap_or_else(|| panic!("no reply: {:?}", String::from_utf8_lossy(&read)))
}

/// Everything until the other side closes.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = timeout(Duration::from_secs(60), stream.read_to_end(&mut read))
        .await
        .expect("the other side closes");
    read
}

/// The reply in these bytes.
pub(crate) fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
    let mut body = bytes[end + 4..].to_vec();
    // Another reply may follow; an answer without its body says how long it would be.
    if let Some(length) = headers.get("content-length").and_then(|it| it.parse().ok()) {
        assert!(body.is_empty() || body.len() >= length, "the whole of it");
        body.truncate(length);
    }
    Some(Reply { status, headers, body })
}
