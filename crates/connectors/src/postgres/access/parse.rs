//! PURE: the text of a URL, taken apart.

use super::decode::decode;
use super::parameters::Parameters;
use super::settings::{Access, Password, Server};
use model::{Code, Fault};
use std::path::PathBuf;

/// Where the packages of Debian put the socket.
const SOCKETS: &str = "/var/run/postgresql";

const PORT: u16 = 5432;

/// More servers than anybody names.
const SERVERS_MAX: usize = 64;

/// Reads a URL.
pub(super) fn parse(url: &str) -> Result<Access, Fault> {
    read(url).map_err(|what| Fault::stop(Code::PostgresUrl, what))
}

fn read(url: &str) -> Result<Access, String> {
    let schemes = ["postgres://", "postgresql://"];
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or("the URL does not begin with `postgres://`")?;
    // A fragment would be cut off in silence by others.
    if rest.contains('#') {
        return Err("the URL has a `#` in it: write %23 for one in a name or password".into());
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // A password with one of these would be taken for servers, and shown as such.
    if !authority.contains('@') && (path.contains('@') || query.contains('@')) {
        return Err("the user or password has a `/` or `?` in it: write %2F or %3F for it".into());
    }
    if path.contains('/') {
        return Err("the URL has more than one name behind its servers".into());
    }
    let (login, servers) = match authority.rsplit_once('@') {
        Some((login, servers)) => (Some(login), servers),
        None => (None, authority),
    };
    let parameters = Parameters::read(query)?;
    let (user, password) = login.map_or(Ok((None, None)), read_login)?;
    let user = parameters.user.clone().or(user).or_else(|| std::env::var("USER").ok());
    let user = user.ok_or("the URL names no user: write postgres://USER@…")?;
    let path = decode("the database", path)?;
    let database = parameters.database.clone().or((!path.is_empty()).then_some(path));
    // Without an `@` a user and password would be taken for a server and its port, and shown as such.
    let hide = |what| match authority.contains(':') && !authority.contains('@') {
        true => "behind a server stands no port; a user and password end in `@`".to_owned(),
        false => what,
    };
    let servers = read_servers(servers, &parameters).map_err(hide)?;
    let password = parameters.password.clone().or(password).map(Password::new);
    let database = database.unwrap_or_else(|| user.clone());
    Ok(parameters.into_access(servers, user, password, database))
}

fn read_login(login: &str) -> Result<(Option<String>, Option<String>), String> {
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(decode("the password", password)?)),
        None => (login, None),
    };
    let user = decode("the user", user)?;
    Ok(((!user.is_empty()).then_some(user), password))
}

/// Servers stand before the path, or, where a socket's folder has slashes, in `host=`.
fn read_servers(text: &str, parameters: &Parameters) -> Result<Vec<Server>, String> {
    let servers: Vec<Server> = match (&parameters.servers, text) {
        (Some(_), text) if !text.is_empty() => {
            return Err("the URL names servers before its path and in `host` as well".into());
        }
        (Some(names), _) => {
            let ports: Vec<&str> = parameters.ports.iter().flat_map(|it| it.split(',')).collect();
            let names: Vec<&str> = names.split(',').collect();
            if ports.len() > 1 && ports.len() != names.len() {
                return Err("`port` has another number of ports than `host` has servers".into());
            }
            let port_of = |at: usize| ports.get(at).or(ports.first()).copied();
            let servers = names.iter().enumerate().map(|(at, name)| server(name, port_of(at)));
            servers.collect::<Result<_, String>>()?
        }
        (None, "") => vec![server(SOCKETS, parameters.ports.as_deref())?],
        (None, text) => {
            let servers = text.split(',').map(|one| {
                let (name, port) = split_port(one)?;
                let name = decode("a server", name)?;
                server(&name, port.or(parameters.ports.as_deref()))
            });
            servers.collect::<Result<_, String>>()?
        }
    };
    match servers.len() {
        0..=SERVERS_MAX => Ok(servers),
        many => Err(format!("the URL names {many} servers, where {SERVERS_MAX} are allowed")),
    }
}

/// The brackets around an address of version 6 keep its colons from those before a port.
fn split_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (name, rest) = rest.split_once(']').ok_or("an address lacks its closing `]`")?;
        return match (rest, rest.strip_prefix(':')) {
            ("", _) => Ok((name, None)),
            (_, Some(port)) => Ok((name, Some(port))),
            _ => Err(format!("`{rest}` behind an address is no port")),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err(format!("`{text}` has several colons: write an address of version 6 in brackets"))
        }
        Some((name, port)) => Ok((name, Some(port))),
        None => Ok((text, None)),
    }
}

fn server(name: &str, port: Option<&str>) -> Result<Server, String> {
    let port = match port.filter(|port| !port.is_empty()) {
        None => PORT,
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("`{text}` is no port: ports go from 1 to 65535")),
        },
    };
    match name {
        "" => Err("a server has no name".into()),
        name if name.starts_with('/') => Ok(Server::Socket { folder: PathBuf::from(name), port }),
        name => Ok(Server::Tcp { name: name.into(), port }),
    }
}
