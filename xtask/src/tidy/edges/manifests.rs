//! The workspace's manifests: which crates of ours each member uses, and where it says so.

use crate::tidy::tree::{File, Tree};
use toml::{Table, Value};

/// A member of the workspace.
#[derive(Debug)]
pub(super) struct Member {
    /// The name of its folder.
    pub(super) folder: String,
    /// From the root.
    pub(super) place: String,
    pub(super) manifest: String,
    pub(super) uses: Vec<Dependency>,
}

/// A crate of ours that a member uses.
#[derive(Debug)]
pub(super) struct Dependency {
    /// The name of the used crate's folder.
    pub(super) folder: String,
    /// What the user calls it.
    pub(super) key: String,
    pub(super) for_tests: bool,
    pub(super) line: usize,
}

/// Every member below the root's patterns; none if the root has no manifest.
pub(super) fn members(tree: &Tree) -> Vec<Member> {
    let Some(root) = tree.file("Cargo.toml").and_then(parsed) else {
        return Vec::new();
    };
    let packages = packages(tree, &root);
    let shared = at(&root, &["workspace", "dependencies"]).cloned().unwrap_or_default();
    let member = |package: &Package| Member {
        folder: package.folder.clone(),
        place: package.place.to_owned(),
        manifest: package.file.path.clone(),
        uses: uses(package, &packages, &shared),
    };
    packages.iter().map(member).collect()
}

/// The manifests of packages that the root's patterns do not reach, the root's own included.
pub(super) fn strays(tree: &Tree) -> Vec<&File> {
    let root = tree.file("Cargo.toml").and_then(parsed).unwrap_or_default();
    let is_package = |file: &&File| parsed(file).is_none_or(|table| table.contains_key("package"));
    let manifests = tree.files().filter(|file| file.path.rsplit('/').next() == Some("Cargo.toml"));
    let outside = manifests.filter(|file| {
        file.path.strip_suffix("/Cargo.toml").is_none_or(|path| !is_member(&root, path))
    });
    outside.filter(is_package).collect()
}

struct Package<'a> {
    name: String,
    folder: String,
    place: &'a str,
    file: &'a File,
    table: Table,
}

fn packages<'a>(tree: &'a Tree, root: &Table) -> Vec<Package<'a>> {
    let package = |file: &'a File| {
        let path = file.path.strip_suffix("/Cargo.toml")?;
        if !is_member(root, path) {
            return None;
        }
        let table = parsed(file)?;
        let name = at(&table, &["package"])?.get("name")?.as_str()?.to_owned();
        let folder = path.rsplit('/').next().unwrap_or(path).to_owned();
        Some(Package { name, folder, place: path, file, table })
    };
    tree.files().filter_map(package).collect()
}

fn is_member(root: &Table, path: &str) -> bool {
    let says = |key| {
        let patterns = at(root, &["workspace"]).and_then(|table| table.get(key)?.as_array());
        let mut patterns = patterns.into_iter().flatten().filter_map(Value::as_str);
        patterns.any(|pattern| matches(pattern, path))
    };
    says("members") && !says("exclude")
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(above) => path.rsplit_once('/').is_some_and(|(folder, _)| folder == above),
        None => pattern == path,
    }
}

fn uses(package: &Package, packages: &[Package], shared: &Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (table, for_tests) in tables(&package.table) {
        for (key, value) in table {
            let name = package_name(key, value, shared);
            if let Some(used) = packages.iter().find(|package| package.name == name) {
                let line = line_of(package.file, key);
                let (folder, key) = (used.folder.clone(), key.clone());
                found.push(Dependency { folder, key, for_tests, line });
            }
        }
    }
    found
}

/// Every table of dependencies, with whether it is for tests alone.
fn tables(manifest: &Table) -> Vec<(&Table, bool)> {
    let mut places = vec![manifest];
    if let Some(targets) = at(manifest, &["target"]) {
        places.extend(targets.values().filter_map(Value::as_table));
    }
    let kinds =
        [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let own = places.into_iter().flat_map(|place| {
        kinds.iter().filter_map(|(kind, for_tests)| Some((at(place, &[kind])?, *for_tests)))
    });
    own.collect()
}

/// The package behind a key, through a new name and through the workspace's own table.
fn package_name<'a>(key: &'a str, value: &'a Value, shared: &'a Table) -> &'a str {
    let given = |value: &'a Value| value.get("package").and_then(Value::as_str);
    if let Some(name) = given(value) {
        return name;
    }
    match shared.get(key) {
        Some(entry) if value.get("workspace").is_some() => given(entry).unwrap_or(key),
        _ => key,
    }
}

/// Where the key begins a line, a table's heading included.
fn line_of(file: &File, key: &str) -> usize {
    let begins = |line: &str| {
        let rest = line.trim_start().strip_prefix(key).unwrap_or("x");
        rest.starts_with([' ', '=', '.']) || line.trim_end().ends_with(&format!(".{key}]"))
    };
    file.lines().find(|(_, line)| begins(line)).map_or(1, |(number, _)| number)
}

fn at<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}

fn parsed(file: &File) -> Option<Table> {
    file.text.parse().ok()
}
