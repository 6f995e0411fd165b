//! Where the API listens, and to whom.

use crate::config::forms;
use crate::config::secret::is_readable_by_all;
use crate::config::setting::{Setting, Value};
use crate::config::surroundings::Surroundings;
use crate::config::trouble::Trouble;
use crate::config::types::{Role, Tls, Token};
use model::Code;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;

/// The address, the certificate and the tokens.
pub(super) fn listening(
    root: &Setting,
    around: &Surroundings,
    troubles: &mut Vec<Trouble>,
) -> Option<(SocketAddr, Option<Tls>, Vec<Token>)> {
    let tokens = root.get("auth").and_then(|auth| auth.get("tokens"));
    let read = tokens.and_then(|tokens| read_tokens(tokens.items(), troubles));
    let certified = root.get("tls").is_some();
    let tls = root.get("tls").and_then(|tls| read_tls(tls, around, troubles));
    let listen = root.get("listen")?;
    let address = forms::address(listen.text()?)?;
    if !address.ip().to_canonical().is_loopback() {
        // A token that could not be read was meant to be one.
        if tokens.is_some_and(is_empty_list) {
            troubles.push(open(listen));
        } else if !certified {
            troubles.push(plain(listen));
        }
    }
    (tls.is_some() == certified).then_some((address, tls, read?))
}

fn is_empty_list(setting: &Setting) -> bool {
    matches!(&setting.value, Value::List(items) if items.is_empty())
}

fn open(listen: &Setting) -> Trouble {
    let what = "`listen` is open to other machines, and `auth` has no token";
    let why = "anybody who reaches it could read the data and change what Instep does";
    let fix = "listen on 127.0.0.1, or add a token under `auth.tokens`";
    Trouble::new(Code::ListenOpen, listen.span, what, why, fix)
}

fn plain(listen: &Setting) -> Trouble {
    let what = "`listen` is open to other machines, and there is no `tls`";
    let why = "tokens and data travel readable for whoever is between";
    let fix = "set `tls.cert` and `tls.key`, or keep a proxy with TLS in front";
    Trouble::new(Code::ListenPlain, listen.span, what, why, fix)
}

fn read_tokens(items: &[Setting], troubles: &mut Vec<Trouble>) -> Option<Vec<Token>> {
    check_alike(items, troubles);
    let token = |item: &Setting| {
        let role = match item.get("role")?.text()? {
            "operator" => Role::Operator,
            _ => Role::Viewer,
        };
        let name = item.get("name")?.text()?.to_owned();
        Some(Token { name, role, secret: item.get("token")?.secret()?.clone() })
    };
    items.iter().map(token).collect()
}

/// Refuses tokens of one name, and tokens of one secret: both would leave open who it is.
fn check_alike(items: &[Setting], troubles: &mut Vec<Trouble>) {
    let mut names = BTreeMap::new();
    let mut secrets = BTreeMap::new();
    for item in items {
        let of = |key| item.get(key).filter(|setting| !matches!(setting.value, Value::Bad));
        let (name, secret) = (of("name"), of("token"));
        let fix = "give each person or program a token of its own";
        if let Some((at, text)) = name.and_then(|name| Some((name, name.text()?)))
            && let Some(line) = names.insert(text, at.span.start.line)
        {
            let what = format!("two tokens are named `{text}`");
            let why = format!("the name says whose it is; the first is in line {line}");
            troubles.push(Trouble::new(Code::ConfigDuplicate, at.span, what, why, fix));
        }
        if let Some((at, secret)) = secret.and_then(|at| Some((at, at.secret()?)))
            && let Some(line) = secrets.insert(secret.reveal(), at.span.start.line)
        {
            let what = "two tokens have one secret";
            let why = format!("nobody could say whose it is; the first is in line {line}");
            troubles.push(Trouble::new(Code::ConfigDuplicate, at.span, what, why, fix));
        }
    }
}

fn read_tls(tls: &Setting, around: &Surroundings, troubles: &mut Vec<Trouble>) -> Option<Tls> {
    let mut file = |key: &str| {
        let setting = tls.get(key)?;
        let written = setting.text()?;
        let path = around.path(written);
        if let Err(error) = begins(&path) {
            let what = format!("`tls.{key}` names the file {written}: {error}");
            let why = format!("it is read from {}", path.display());
            let fix = "name a file that can be read";
            troubles.push(Trouble::new(Code::ConfigFile, setting.span, what, why, fix));
            return None;
        }
        if key == "key" && is_readable_by_all(&path) {
            let what = format!("every user of this machine may read {written}");
            let why = "it holds the private key of the API";
            let fix = format!("chmod 600 {written}");
            troubles.push(Trouble::new(Code::SecretReadable, setting.span, what, why, fix));
        }
        Some(path)
    };
    let (cert, key) = (file("cert"), file("key"));
    Some(Tls { cert: cert?, key: key? })
}

/// Reads the first byte of a file, which shows that there is one.
fn begins(path: &Path) -> io::Result<()> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    File::open(path)?.read_exact(&mut [0]).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it is empty"),
        _ => error,
    })
}
