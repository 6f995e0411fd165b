//! PURE: what stands behind the question mark of a URL.

use super::decode::decode;
use super::settings::{Access, Binding, Encryption, Password, Role, Server, TlsFiles};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a connection may take where the URL does not say it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the parameters say, before it is known what the rest of the URL says.
#[derive(Default)]
pub(super) struct Parameters {
    /// Servers and their ports, apart.
    pub(super) servers: Option<String>,
    /// One port, or as many as servers.
    pub(super) ports: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    role: Option<Role>,
    encryption: Option<Encryption>,
    files: TlsFiles,
    binding: Option<Binding>,
    application_name: Option<String>,
    options: Option<String>,
    connect_timeout: Option<Duration>,
}

const KNOWN: &str = "application_name, channel_binding, connect_timeout, dbname, host, options, \
                     password, port, sslcert, sslkey, sslmode, sslrootcert, target_session_attrs \
                     and user";

const ROLES: [(&str, Role); 6] = [
    ("any", Role::Any),
    ("read-write", Role::ReadWrite),
    ("read-only", Role::ReadOnly),
    ("primary", Role::Primary),
    ("standby", Role::Standby),
    ("prefer-standby", Role::PreferStandby),
];

const ENCRYPTIONS: [(&str, Encryption); 5] = [
    ("disable", Encryption::Disable),
    ("prefer", Encryption::Prefer),
    ("require", Encryption::Require),
    ("verify-ca", Encryption::VerifyCa),
    ("verify-full", Encryption::VerifyFull),
];

const BINDINGS: [(&str, Binding); 3] =
    [("disable", Binding::Disable), ("prefer", Binding::Prefer), ("require", Binding::Require)];

impl Parameters {
    /// Reads `name=value&name=value`.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut parameters = Self::default();
        let mut seen = BTreeSet::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // It may be the rest of a password with an `&` in it.
            let name =
                if KNOWN.contains(pair) { format!("`{pair}`") } else { "a parameter".into() };
            let (name, value) = pair.split_once('=').ok_or(format!("{name} has no value"))?;
            let value = decode(&format!("`{name}`"), value)?;
            if !seen.insert(name) {
                return Err(format!("`{name}` stands twice in the URL"));
            }
            parameters.set(name, value)?;
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "host" => self.servers = Some(value),
            "port" => self.ports = Some(value),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "application_name" => self.application_name = Some(value),
            "options" => self.options = Some(value),
            "sslrootcert" if value == "system" => self.files.root = None,
            "sslrootcert" => self.files.root = Some(value.into()),
            "sslcert" => self.files.cert = Some(value.into()),
            "sslkey" => self.files.key = Some(value.into()),
            "sslmode" => self.encryption = Some(one_of(name, &value, &ENCRYPTIONS)?),
            "channel_binding" => self.binding = Some(one_of(name, &value, &BINDINGS)?),
            "target_session_attrs" => self.role = Some(one_of(name, &value, &ROLES)?),
            "connect_timeout" => match value.parse() {
                Ok(seconds @ 1..=3600) => self.connect_timeout = Some(Duration::from_secs(seconds)),
                _ => return Err(format!("`{name}={value}`: give it 1 to 3600 seconds")),
            },
            _ => return Err(format!("the URL has a parameter `{name}`; known are {KNOWN}")),
        }
        Ok(())
    }

    /// With what the rest of the URL says, and the defaults.
    pub(super) fn into_access(
        self,
        servers: Vec<Server>,
        user: String,
        password: Option<Password>,
        database: String,
    ) -> Access {
        Access {
            servers,
            role: self.role.unwrap_or(Role::Any),
            user,
            password,
            database,
            encryption: self.encryption,
            files: self.files,
            binding: self.binding.unwrap_or(Binding::Prefer),
            application_name: self.application_name.unwrap_or_else(|| "instep".to_owned()),
            options: self.options,
            connect_timeout: self.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        }
    }
}

fn one_of<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(word, _)| *word == value).map(|(_, it)| *it);
    found.ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        format!("`{name}={value}`: it is one of {}", words.join(", "))
    })
}
