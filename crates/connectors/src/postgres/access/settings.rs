//! What a URL says about a database, every part of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that is needed to get into one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Servers to try, one after the other.
    pub servers: Vec<Server>,
    /// Which of them will do.
    pub role: Role,
    /// The role to log in as.
    pub user: String,
    /// Its password, where it has one.
    pub password: Option<Password>,
    /// The database.
    pub database: String,
    /// How connections are encrypted; by default it depends on the server.
    pub encryption: Option<Encryption>,
    /// The files for it.
    pub files: TlsFiles,
    /// Whether a login has to prove that nobody sits in between.
    pub binding: Binding,
    /// What the server shows of us in its list of sessions.
    pub application_name: String,
    /// Options for the session, as a command line of the server takes them.
    pub options: Option<String>,
    /// How long a connection may take, name resolution and login included.
    pub connect_timeout: Duration,
}

/// One address of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A name or an address, and a port.
    Tcp {
        /// As in the URL.
        name: String,
        /// The port.
        port: u16,
    },
    /// A socket of this machine.
    Socket {
        /// The folder that it is in.
        folder: PathBuf,
        /// The port that it is named for.
        port: u16,
    },
}

/// Which of several servers will do; `target_session_attrs` in the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Whichever answers.
    Any,
    /// One that can be written to.
    ReadWrite,
    /// One that cannot.
    ReadOnly,
    /// The primary.
    Primary,
    /// A standby.
    Standby,
    /// A standby, or else whichever answers.
    PreferStandby,
}

/// How a connection is encrypted; `sslmode` in the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encryption {
    /// Not at all.
    Disable,
    /// If the server can, with whatever certificate.
    Prefer,
    /// With whatever certificate.
    Require,
    /// With a certificate that is trusted.
    VerifyCa,
    /// With a trusted certificate that names the server.
    VerifyFull,
}

/// Whether a login is bound to the encrypted connection; `channel_binding` in the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// Never.
    Disable,
    /// Where both sides can.
    Prefer,
    /// Or not at all.
    Require,
}

/// Files in PEM, by the names that the URL gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who may vouch for the server; the system's own list where it is absent.
    pub root: Option<PathBuf>,
    /// Our certificate, for servers that ask for one.
    pub cert: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
}

/// A password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// Its bytes, for the login alone.
    pub(in crate::postgres) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Access {
    /// Where it is, without how to get in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self.servers.iter().map(ToString::to_string).collect();
        write!(f, "{}/{}", servers.join(","), self.database)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Server::Tcp { name, port } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Server::Tcp { name, port } => write!(f, "{name}:{port}"),
            Server::Socket { folder, port } => {
                write!(f, "{}", folder.join(format!(".s.PGSQL.{port}")).display())
            }
        }
    }
}
