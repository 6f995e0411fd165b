//! PURE: whether a request was meant for this API, and not sent by a page of another web site.
//!
//! Where no token is needed, a page could reach the API through a name of its own that it lets
//! resolve to a loopback address; so only names that cannot be bent that way are answered.

use std::net::{IpAddr, SocketAddr};

/// Whether an authority names a loopback address or the one that is listened on; with any port,
/// since ports are forwarded.
pub(crate) fn is_ours(authority: &str, listens_on: SocketAddr) -> bool {
    let Some(name) = name_of(authority) else { return false };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.is_ok_and(|address| {
        let address = address.to_canonical();
        address.is_loopback() || address == listens_on.ip().to_canonical()
    })
}

/// Whether a browser's `Origin` is the site that the request is for.
pub(crate) fn is_same_site(origin: &str, authority: &str) -> bool {
    let site = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    site.is_some_and(|site| site.eq_ignore_ascii_case(authority))
}

/// The name or address of an authority, without its port.
fn name_of(authority: &str) -> Option<&str> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            authority.split_at(end)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_the_address_listened_on_are_ours() {
        let listens_on = "192.0.2.7:7171".parse().expect("an address");
        for ours in [
            "localhost",
            "LocalHost:7171",
            "127.0.0.1",
            "127.0.0.9:80",
            "[::1]:7171",
            "[::ffff:127.0.0.1]",
            "192.0.2.7:9",
        ] {
            assert!(is_ours(ours, listens_on), "{ours}");
        }
        for strange in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:7171",
            "192.0.2.8",
            "[::2]",
            "[::1",
            "127.0.0.1:port",
            "127.0.0.1:7171@evil.example",
            "0.0.0.0",
        ] {
            assert!(!is_ours(strange, listens_on), "{strange}");
        }
    }

    #[test]
    fn a_browser_says_from_which_site_it_sends() {
        assert!(is_same_site("http://127.0.0.1:7171", "127.0.0.1:7171"));
        assert!(is_same_site("https://Instep.example", "instep.example"));
        for other in ["null", "http://evil.example", "127.0.0.1:7171", "http://127.0.0.1:7172"] {
            assert!(!is_same_site(other, "127.0.0.1:7171"), "{other}");
        }
    }
}
