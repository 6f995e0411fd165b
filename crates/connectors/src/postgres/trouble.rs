//! Trouble: what can go wrong on the way to a server and with it, before it is judged.

use std::error::Error;
use std::fmt;
use std::io;

/// Why something with a server failed.
#[derive(Debug)]
pub enum Trouble {
    /// The connection broke, or was never made.
    Broken(io::Error),
    /// The server did not answer in time.
    Silent(String),
    /// Encryption is not as it has to be.
    Tls(String),
    /// The login cannot be done in the way that the server asks for.
    Login(String),
    /// The server refused something, with its reasons.
    Refused(Box<Refused>),
    /// None of the servers has the role that is wanted.
    Role(String),
    /// The server sent what no server of this kind sends.
    Malformed(String),
}

/// What a server says when it refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The five characters that say what kind it is.
    pub sqlstate: String,
    /// In the server's own language.
    pub message: String,
    /// More of it, where the server has more to say.
    pub detail: Option<String>,
    /// What the server advises.
    pub hint: Option<String>,
    /// The schema of what it is about.
    pub schema: Option<String>,
    /// The table that it is about.
    pub table: Option<String>,
    /// The column that it is about.
    pub column: Option<String>,
    /// The constraint that it is about.
    pub constraint: Option<String>,
}

impl Trouble {
    /// What the server says, if it is the server that refused.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Trouble::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// The server sent what no server of this kind sends.
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Trouble::Malformed(what.into())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Broken(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Broken(error) => write!(f, "the connection failed: {error}"),
            Trouble::Refused(refused) => fmt::Display::fmt(refused, f),
            Trouble::Silent(what)
            | Trouble::Tls(what)
            | Trouble::Login(what)
            | Trouble::Role(what)
            | Trouble::Malformed(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for Refused {
    /// Without the detail, which may show the values of a row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.sqlstate)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl Error for Trouble {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Trouble::Broken(error) => Some(error),
            _ => None,
        }
    }
}
