//! Access: where a database is and how to get in, read from a URL.
//!
//! The form is the one that other programs take:
//! `postgres://user:password@a:5432,b:5432/database?sslmode=verify-full&target_session_attrs=primary`.
//! What the URL leaves out is chosen here, once: in particular an address beyond this machine is
//! only spoken to by TLS with a certificate that names it, unless `sslmode` says otherwise.
//!
//! Must not know: sockets, certificates.

mod decode;
mod parameters;
mod parse;
mod settings;

use model::Fault;
pub use settings::{Access, Binding, Encryption, Password, Role, Server, TlsFiles};
use std::net::IpAddr;

impl Access {
    /// Reads a URL. The fault names the part that is wrong, and never shows the password.
    pub fn parse(url: &str) -> Result<Self, Fault> {
        parse::parse(url)
    }

    /// The same access, to the primary alone where the URL leaves it open which of several it is.
    #[must_use]
    pub fn to_primary(self) -> Self {
        // With one server, its own answer says more than that none is a primary.
        match (self.role, self.servers.len()) {
            (Role::Any, 2..) => Self { role: Role::Primary, ..self },
            _ => self,
        }
    }

    /// How a connection to one of the servers is encrypted: on this machine it may be plain.
    pub fn encryption_of(&self, server: &Server) -> Encryption {
        match server {
            Server::Socket { .. } => Encryption::Disable,
            Server::Tcp { name, .. } => self.encryption.unwrap_or(match is_loopback(name) {
                true => Encryption::Prefer,
                false => Encryption::VerifyFull,
            }),
        }
    }
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
