//! The address book: every service, and what tells one table from every other.

use crate::config::flows::Spot;
use crate::config::setting::Setting;
use crate::config::surroundings::Surroundings;
use crate::config::types::Service;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every service by its name, but those that could not be read.
pub(super) fn book(root: &Setting, around: &Surroundings) -> BTreeMap<String, Service> {
    let entries = root.get("services").map_or(&[][..], Setting::entries);
    let service = |setting: &Setting| {
        let path = setting.get("sqlite")?.text()?;
        Some(Service::Sqlite(around.path(path)))
    };
    let named = entries.iter().map(|entry| Some((entry.name.clone(), service(&entry.setting)?)));
    named.flatten().collect()
}

/// A table of a service, the same whichever service and spelling leads to it.
pub(super) fn spot(
    root: &Setting,
    service: &str,
    table: &str,
    around: &Surroundings,
) -> Option<Spot> {
    let written = root.get("services")?.get(service)?.get("sqlite")?.text()?;
    let path = around.path(written);
    let file = followed(&path).unwrap_or(path);
    Some((file.to_string_lossy().into_owned(), table.to_ascii_lowercase()))
}

/// The file behind every link; one that is yet to be made may still stand behind a linked folder.
fn followed(path: &Path) -> Option<PathBuf> {
    let file = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(file)
}
