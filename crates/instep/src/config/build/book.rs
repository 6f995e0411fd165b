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
pub(super) struct Book(BTreeMap<String, Service>);

impl Book {
    /// The services of a configuration, and what stands against them.
    pub(super) fn read(root: &Setting, around: &Surroundings, troubles: &mut Vec<Trouble>) -> Self {
        let entries = root.get("services").map_or(&[][..], Setting::entries);
        let mut read =
            |entry: &Entry| Some((entry.name.clone(), service(entry, around, troubles)?));
        Self(entries.iter().filter_map(&mut read).collect())
    }

    /// What kind of database a service is.
    pub(super) fn kind(&self, service: &str) -> Option<ServiceKind> {
        Some(match self.0.get(service)? {
            Service::Sqlite(_) => ServiceKind::Sqlite,
            Service::Postgres(_) => ServiceKind::Postgres,
        })
    }

    /// What tells the database of a service from every other, whichever service and spelling leads
    /// to it: all of it for each server that may be meant.
    pub(super) fn places(&self, service: &str) -> BTreeSet<String> {
        match self.0.get(service) {
            None => BTreeSet::new(),
            Some(Service::Sqlite(path)) => {
                let file = followed(path).unwrap_or_else(|| path.clone());
                BTreeSet::from([file.to_string_lossy().into_owned()])
            }
            Some(Service::Postgres(access)) => {
                let place = |server: &Server| format!("{}/{}", shown(server), access.database);
                access.servers.iter().map(place).collect()
            }
        }
    }

    /// A table of a service.
    pub(super) fn spot(&self, service: &str, table: &str) -> Option<Spot> {
        let table = match self.kind(service)? {
            ServiceKind::Sqlite => table.to_ascii_lowercase(),
            ServiceKind::Postgres => table.to_owned(),
        };
        Some((self.places(service).pop_first()?, table))
    }

    /// All of them.
    pub(super) fn into_services(self) -> BTreeMap<String, Service> {
        self.0
    }
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
