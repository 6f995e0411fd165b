//! A database of a real server, followed; and one that wants passwords and certificates.

use instep_connectors::postgres::pgoutput::Decoder;
use instep_connectors::postgres::replication::{Carried, FeedLimits};
use instep_connectors::postgres::schema::{Described, describe};
use instep_connectors::postgres::types::Types;
use instep_connectors::postgres::{Access, Feed, Follow, Lsn, Replication, Session, Trouble};
use model::Position;
use std::sync::OnceLock;
use std::time::Duration;
use testkit::postgres::{Server, Settings};
use tokio::time::{sleep, timeout};

/// Nothing that is waited for takes so long, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A database of the shared server, of its own.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) access: Access,
    pub(crate) session: Session,
}

impl Database {
    /// A new one; none where there is no PostgreSQL.
    pub(crate) async fn new() -> Option<Self> {
        Self::of(testkit::postgres::shared()?).await
    }

    /// A new one of this server.
    pub(crate) async fn of(server: &Server) -> Option<Self> {
        let name = server.database();
        let mut access = Access::parse(&server.url(&name)).unwrap();
        access.connect_timeout = PATIENCE;
        let session = Session::connect(&access).await.unwrap();
        Some(Self { name, access, session })
    }

    /// Runs statements.
    pub(crate) async fn run(&self, statements: &str) {
        self.session.query(statements).await.unwrap_or_else(|it| panic!("{statements}: {it}"));
    }

    /// Runs statements one by one, each a transaction; no text in them has a semicolon.
    pub(crate) async fn each(&self, statements: &str) {
        for statement in statements.split(';') {
            self.run(statement).await;
        }
    }

    /// The one cell of an answer.
    pub(crate) async fn one(&self, query: &str) -> String {
        let rows = self.session.query(query).await.unwrap();
        rows[0][0].clone().unwrap_or_default()
    }

    /// Where the log ends: everything that was committed lies before.
    pub(crate) async fn end(&self) -> Position {
        let end: Lsn = self.one("select pg_current_wal_insert_lsn()").await.parse().unwrap();
        Position::from_number(end.0)
    }

    /// Waits until nobody reads the slots of this database.
    pub(crate) async fn released(&self) {
        until("nobody reads the slot", async || {
            let read = "select count(*) from pg_replication_slots
                where database = current_database() and active";
            self.one(read).await == "0"
        })
        .await;
    }

    /// A table, as the server describes it.
    pub(crate) async fn described(&self, table: &str) -> Described {
        let types = Types::read(&self.session.query(Types::QUERY).await.unwrap()).unwrap();
        describe(&self.session, &types, &[table.into()]).await.unwrap().remove(0).unwrap()
    }

    /// Another session of this database.
    pub(crate) async fn another(&self) -> Session {
        Session::connect(&self.access).await.unwrap()
    }

    /// Makes a slot that nobody else has, with everything published.
    pub(crate) async fn slot(&self) -> String {
        self.run("create publication everything for all tables").await;
        let slot = format!("slot_{}", self.name);
        let mut replication = Replication::connect(&self.access).await.unwrap();
        replication.create_slot(&slot, false, false).await.unwrap();
        slot
    }

    /// Follows a slot from where it was confirmed.
    pub(crate) async fn follow(&self, slot: &str, streaming: bool) -> Followed {
        let replication = Replication::connect(&self.access).await.unwrap();
        let follow = follow(slot, streaming);
        let feed = replication.follow(&follow, &limits()).await.unwrap();
        Followed { feed, decoder: Decoder::new(), end: Lsn(0) }
    }
}

pub(crate) fn follow(slot: &str, streaming: bool) -> Follow {
    Follow {
        slot: slot.to_owned(),
        after: Lsn(0),
        publications: vec!["everything".to_owned()],
        streaming,
        two_phase: false,
        local_only: false,
    }
}

pub(crate) fn limits() -> FeedLimits {
    FeedLimits { silence: PATIENCE, ..FeedLimits::default() }
}

/// A feed, message by message.
pub(crate) struct Followed {
    pub(crate) feed: Feed,
    decoder: Decoder,
    /// The furthest that the server said it is.
    pub(crate) end: Lsn,
}

impl Followed {
    /// Messages as the decoder shows them, until one has this in it, and what came with it.
    pub(crate) async fn until(&mut self, wanted: &str) -> Vec<String> {
        let (mut shown, mut seen): (Vec<String>, usize) = (Vec::new(), 0);
        while !shown[seen..].iter().any(|it| it.contains(wanted)) {
            seen = shown.len();
            let lump = timeout(PATIENCE, self.feed.next()).await.expect("a lump").unwrap();
            for carried in lump.carried() {
                match carried.unwrap() {
                    Carried::Message { message, .. } => {
                        let message = self.decoder.read(message).unwrap();
                        shown.push(format!("{message:?}"));
                    }
                    Carried::Alive { end, .. } => self.end = end,
                }
            }
        }
        shown
    }

    /// Waits until the server says that it is this far.
    pub(crate) async fn alive_at(&mut self, end: Lsn) {
        let wait = async {
            while self.end < end {
                self.feed.ask();
                let lump = self.feed.next().await.unwrap();
                for carried in lump.carried() {
                    if let Carried::Alive { end, .. } = carried.unwrap() {
                        self.end = end;
                    }
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("the server gets this far");
    }

    /// Takes what comes and shows nothing of it, until the end of a transaction; how many rows it
    /// inserted.
    pub(crate) async fn rows_until_commit(&mut self) -> usize {
        let (mut rows, mut ended) = (0, false);
        while !ended {
            let lump = timeout(PATIENCE, self.feed.next()).await.expect("a lump").unwrap();
            for carried in lump.carried() {
                match carried.unwrap() {
                    Carried::Message { message: [b'I', ..], .. } => rows += 1,
                    Carried::Message { message: [b'C', ..], .. } => ended = true,
                    _ => {}
                }
            }
        }
        rows
    }
}

/// Takes what comes until the stream ends, and gives why it did.
pub(crate) async fn trouble_of(feed: &mut Feed) -> Trouble {
    let wait = async {
        loop {
            if let Err(trouble) = feed.next().await {
                break trouble;
            }
        }
    };
    timeout(PATIENCE, wait).await.expect("the stream ends")
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let wait = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("it never held: {what}"));
}

/// A server with TLS and logins, and the authority that vouches for its certificate.
pub(crate) struct Secure {
    pub(crate) server: Server,
    folder: tempfile::TempDir,
}

impl Secure {
    /// The one of all tests; none where there is no PostgreSQL.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Secure>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The path of a file in PEM: `ca`, `other-ca`, `client` or `client-key`.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A URL of the server for a role, at an address of this machine.
    pub(crate) fn url(&self, user: &str, at: &str, parameters: &str) -> String {
        let port = self.server.port();
        let patience = PATIENCE.as_secs();
        format!(
            "postgres://{user}:s%2Fcret@{at}:{port}/postgres?connect_timeout={patience}&{parameters}"
        )
    }

    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = certificates(folder.path());
        let access = ["scram", "md5", "password"].map(|way| {
            let method = if way == "scram" { "scram-sha-256" } else { way };
            format!("host all by_{way} 127.0.0.1/32 {method}")
        });
        let mut access = access.to_vec();
        access.push("hostssl all by_cert 127.0.0.1/32 cert".to_owned());
        access.push("host all nobody 127.0.0.1/32 reject".to_owned());
        let lines = ["ssl = on", "ssl_ca_file = 'ca.crt'"].map(str::to_owned).to_vec();
        let server = testkit::postgres::start(&Settings { lines, access, files: made })?;
        server.sql(
            "postgres",
            "set password_encryption = 'scram-sha-256';
             create role by_scram login replication password 's/cret';
             create role by_password login replication password 's/cret';
             create role by_cert login replication;
             create role nobody login;
             set password_encryption = 'md5';
             create role by_md5 login replication password 's/cret'",
        );
        Some(Self { server, folder })
    }
}

/// Writes what a client has, and gives what the server has.
fn certificates(folder: &std::path::Path) -> Vec<(String, String)> {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let authority = || {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        (parameters.self_signed(&key).unwrap().pem(), Issuer::new(parameters, key))
    };
    let (ca, issuer) = authority();
    let (other, _) = authority();
    let signed = |names: &[&str], common: &str| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().unwrap();
        (parameters.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    let (client, client_key) = signed(&[], "by_cert");
    let (server, server_key) = signed(&["localhost"], "server");
    for (name, text) in
        [("ca", &ca), ("other-ca", &other), ("client", &client), ("client-key", &client_key)]
    {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let files = [("server.crt", server), ("server.key", server_key), ("ca.crt", ca)];
    files.map(|(name, text)| (name.to_owned(), text)).to_vec()
}
