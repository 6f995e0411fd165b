//! A small client of the API, which can also say what no client should.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// How long an answer may take; longer than the API ever lets one wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an API answers.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Name or address, and port.
    pub(crate) address: String,
    token: Option<String>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Api {
    /// The API at a URL.
    pub(crate) fn at(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("a URL without encryption").to_owned();
        Self { address, token: None }
    }

    /// The same, for whoever has a token.
    pub(crate) fn with(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str) -> Answer {
        self.ask("POST", path, &[], b"")
    }

    /// Sends a request on a connection of its own.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let answer = Answer::read(&self.send(&self.request(method, path, headers, body)));
        answer.unwrap_or_else(|| panic!("{method} {path} is not answered"))
    }

    /// The bytes of a request.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let (token, length) =
            (self.token.as_ref().map(|it| format!("Bearer {it}")), body.len().to_string());
        let mut all = vec![("host", self.address.as_str()), ("connection", "close")];
        all.extend(token.as_deref().map(|token| ("authorization", token)));
        if !body.is_empty() {
            all.push(("content-length", &length));
        }
        for (name, value) in all.iter().chain(headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }

    /// Sends bytes on a connection, and brings all that comes back until its end.
    pub(crate) fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        // It may hang up before it has read everything.
        let _ = stream.write_all(bytes);
        read_all(&mut stream)
    }

    /// Sends bytes and nothing more, and brings all that comes back until its end.
    pub(crate) fn send_and_close(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        read_all(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The document at a path.
    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        answer.json()
    }

    /// The problem that a path answers with.
    pub(crate) fn problem(&self, path: &str, status: u16, code: &str) -> Value {
        self.get(path).problem(status, code)
    }
}

impl Answer {
    /// The first answer among bytes, if they are one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Option<Vec<_>>>()?;
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if let Some(length) = answer.header("content-length").and_then(|it| it.parse().ok()) {
            answer.body.truncate(length);
        }
        Some(answer)
    }

    /// A header, if it is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(it, _)| it == name);
        let first = found.next().map(|(_, value)| value.as_str());
        first.filter(|_| found.next().is_none())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem that it is, with exactly the fields that one has.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(fields(&problem), ["code", "detail", "fix", "status", "title", "type"]);
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()));
        for text in ["type", "title", "detail", "fix"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{text} of {problem}");
        }
        problem
    }
}

/// The names of an object's fields, in order.
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well; what came before counts.
    let _ = stream.read_to_end(&mut bytes);
    bytes
}
