//! The address book: every service, and what tells one database from every other.

use crate::config::flows::Spot;
use crate::config::setting::{Entry, Setting};
use crate::config::surroundings::Surroundings;
use crate::config::trouble::Trouble;
use crate::config::types::{Service, ServiceKind};
use connectors::postgres::Access;
use connectors::postgres::access::{Password, Server};
use model::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Every service by its name, but those that could not be read.
pub(super) struct Book {
    services: BTreeMap<String, Service>,
    /// Where the database of each may be met, whichever service and spelling leads there.
    places: BTreeMap<String, BTreeSet<String>>,
}

impl Book {
    /// The services of a configuration, and what stands against them.
    pub(super) fn read(root: &Setting, around: &Surroundings, troubles: &mut Vec<Trouble>) -> Self {
        let entries = root.get("services").map_or(&[][..], Setting::entries);
        let mut read =
            |entry: &Entry| Some((entry.name.clone(), service(entry, around, troubles)?));
        let services: BTreeMap<_, _> = entries.iter().filter_map(&mut read).collect();
        let places = services.iter().map(|(name, it)| (name.clone(), places(it))).collect();
        Self { services, places: joined(places) }
    }

    /// What kind of database a service is.
    pub(super) fn kind(&self, service: &str) -> Option<ServiceKind> {
        Some(match self.services.get(service)? {
            Service::Sqlite(_) => ServiceKind::Sqlite,
            Service::Postgres(_) => ServiceKind::Postgres,
        })
    }

    /// What tells the database of a service from every other: all of it for each server that may be
    /// meant. Two services lead to one database where they have a place in common, and then all.
    pub(super) fn places(&self, service: &str) -> BTreeSet<String> {
        self.places.get(service).cloned().unwrap_or_default()
    }

    /// A table of a service.
    pub(super) fn spot(&self, service: &str, table: &str) -> Option<Spot> {
        let table = self.kind(service)?.told_apart(table);
        Some((self.places.get(service)?.first()?.clone(), table))
    }

    /// All of them.
    pub(super) fn into_services(self) -> BTreeMap<String, Service> {
        self.services
    }
}

/// The servers and the database that a service leads to.
fn places(service: &Service) -> BTreeSet<String> {
    match service {
        Service::Sqlite(path) => {
            let file = followed(path).unwrap_or_else(|| path.clone());
            BTreeSet::from([file.to_string_lossy().into_owned()])
        }
        Service::Postgres(access) => {
            let place = |server: &Server| format!("{}/{}", shown(server), access.database);
            access.servers.iter().map(place).collect()
        }
    }
}

/// The places of each service, with those of all that lead to the same database: servers that one
/// address names together are one database, also for who names only one of them.
fn joined(of: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut databases: Vec<BTreeSet<String>> = Vec::new();
    for own in of.values() {
        let (same, others): (Vec<_>, Vec<_>) =
            databases.into_iter().partition(|database| !database.is_disjoint(own));
        databases = others;
        databases.push(same.into_iter().flatten().chain(own.iter().cloned()).collect());
    }
    let all = |own: BTreeSet<String>| {
        databases.iter().find(|it| !it.is_disjoint(&own)).cloned().unwrap_or(own)
    };
    of.into_iter().map(|(service, own)| (service, all(own))).collect()
}

fn service(entry: &Entry, around: &Surroundings, troubles: &mut Vec<Trouble>) -> Option<Service> {
    if let Some(path) = entry.setting.get("sqlite") {
        return Some(Service::Sqlite(around.path(path.text()?)));
    }
    let url = entry.setting.get("postgres")?.url()?;
    let mut access = Access::parse(url.reveal()).ok()?;
    let files = &mut access.files;
    for file in [&mut files.root, &mut files.cert, &mut files.key].into_iter().flatten() {
        *file = around.folder.join(&*file).components().collect();
    }
    if let Some(password) = entry.setting.get("password") {
        if access.password.is_some() {
            let what = format!("`services.{}` has two passwords", entry.name);
            let why = "one stands in its URL, and one beside it";
            let fix = "keep one of them, best the one beside it in a file";
            troubles.push(Trouble::new(Code::ConfigDuplicate, password.span, what, why, fix));
            return None;
        }
        access.password = Some(Password::new(password.secret()?.reveal()));
    }
    Some(Service::Postgres(Box::new(access)))
}

/// The file behind every link; one that is yet to be made may still stand behind a linked folder.
fn followed(path: &Path) -> Option<PathBuf> {
    let file = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(file)
}

/// A server by its address; all names of this machine are one, its sockets among them.
fn shown(server: &Server) -> String {
    let is_here = |name: &str| {
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    match server {
        Server::Socket { port, .. } => format!("localhost:{port}"),
        Server::Tcp { name, port } if is_here(name) => format!("localhost:{port}"),
        Server::Tcp { name, port } => format!("{}:{port}", name.to_ascii_lowercase()),
    }
}
