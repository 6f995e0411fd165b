//! PURE: where an API listens, from a URL or from the configuration.

use crate::config::Config;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an API listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_encrypted: bool,
    pub(super) name: String,
    pub(super) port: u16,
}

impl Address {
    /// The address of a URL without a path.
    pub(super) fn read(url: &str) -> Result<Self, String> {
        let none = || format!("{url:?} is no address of an API");
        let (scheme, rest) = url.split_once("://").ok_or_else(none)?;
        let is_encrypted = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(none()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let end = rest.rfind(']').map_or(0, |end| end + 1);
        let (name, port) = match rest[end..].split_once(':') {
            Some((more, port)) => {
                let port = port.parse().map_err(|_| none())?;
                (&rest[..end + more.len()], port)
            }
            None => (rest, if is_encrypted { 443 } else { 80 }),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b".-:_%".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_sound) {
            return Err(none());
        }
        Ok(Self { is_encrypted, name: name.to_owned(), port })
    }

    /// Where the instance of this configuration listens, as seen from the same machine.
    pub(super) fn of(config: &Config) -> Self {
        let ip = match config.listen.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        let is_encrypted = config.tls.is_some();
        Self { is_encrypted, name: ip.to_string(), port: config.listen.port() }
    }

    /// As a URL.
    pub(super) fn url(&self) -> String {
        format!("{}://{self}", if self.is_encrypted { "https" } else { "http" })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for (url, written) in [
            ("http://127.0.0.1:7171", "http://127.0.0.1:7171"),
            ("http://127.0.0.1:7171/", "http://127.0.0.1:7171"),
            ("https://instep.example", "https://instep.example:443"),
            ("http://[::1]:80", "http://[::1]:80"),
            ("https://[::1]", "https://[::1]:443"),
        ] {
            assert_eq!(Address::read(url).map(|it| it.url()), Ok(written.to_owned()));
        }
        for bad in
            ["", "127.0.0.1:1", "ftp://a", "http://", "http://a:b", "http://a/v1", "http://a b"]
        {
            assert!(Address::read(bad).is_err(), "{bad}");
        }
    }
}
