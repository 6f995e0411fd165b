//! Rule: what the house documents name in code style exists.
//!
//! Checked are paths and links, types and qualified names, and the commands of `cargo xtask`.
//! A bare lower-case word may be anything, and is left alone.

mod claims;
mod rust;

use super::definitions;
use super::finding::Finding;
use super::tree::{File, Tree};
use crate::cli::Cli;
use claims::Claim;
use clap::CommandFactory;
use std::collections::BTreeSet;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let known = Known::read(tree);
    let mut findings = Vec::new();
    for page in PAGES {
        match tree.file(page) {
            Some(file) => findings.extend(in_page(file, &known)),
            None => findings.push(Finding::new(page, 1, "there is no such page", "write it")),
        }
    }
    findings
}

const PAGES: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Names that the pages may use and that nobody here defines: the standard library's and HTTP's.
const FOREIGN: &str = "Arc BTreeMap BTreeSet Box Clone Copy Debug Default Display Drop Duration Eq \
                       Err Error Fn FnMut FnOnce From Future Hash HashMap HashSet Instant Into \
                       Iterator Mutex None Ok Option Ord Ordering Path PathBuf Pin Rc RefCell \
                       Result RwLock Self Send Some String Sync SystemTime Unpin Vec VecDeque \
                       Weak Authorization Bearer ETag";

/// Folders of a running Instep's data directory, which no repository holds.
const RUNTIME: [&str; 2] = ["state/", "instep-data/"];

fn in_page(file: &File, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, claim) in claims::of(&file.text) {
        if let Some((what, mend)) = fault(&claim, known) {
            findings.push(Finding::new(&file.path, line, what, mend));
        }
    }
    findings
}

fn fault(claim: &Claim, known: &Known) -> Option<(String, String)> {
    match claim {
        Claim::Code(text) if is_path(text, known) => {
            let missing = !known.has_path(text);
            missing.then(|| (format!("`{text}` does not exist"), MEND_PATH.to_owned()))
        }
        Claim::Code(text) => {
            let name = rust::paths(text).iter().find_map(|path| unknown_name(path, known))?;
            let what = if name == *text {
                format!("`{text}` is defined nowhere")
            } else {
                format!("`{text}` names `{name}`, which is defined nowhere")
            };
            Some((what, MEND_NAME.to_owned()))
        }
        Claim::Link(path) => {
            let missing = !known.has_path(path);
            missing.then(|| (format!("the link to {path} leads nowhere"), MEND_PATH.to_owned()))
        }
        Claim::Command(name) => {
            let missing = !known.commands.contains(name);
            let mend = format!("the commands are: {}", known.commands.join(", "));
            missing.then(|| (format!("there is no `cargo xtask {name}`"), mend))
        }
    }
}

const MEND_PATH: &str = "name what is there now, from the root or from any folder above the file";
const MEND_NAME: &str = "name what the code says now; a page follows the code";

/// Whether the text speaks of a file or folder of this repository.
fn is_path(text: &str, known: &Known) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/*{},".contains(c);
    if text.starts_with('/') || !text.chars().all(plain) || RUNTIME.contains(&text) {
        return false;
    }
    let text = text.strip_prefix("./").unwrap_or(text);
    let Some((first, _)) = text.split_once('/') else {
        return claims::SOURCE_ENDINGS.iter().any(|ending| text.ends_with(ending));
    };
    text.ends_with('/')
        || claims::SOURCE_ENDINGS.iter().any(|ending| text.ends_with(ending))
        || known.has_path(first)
}

/// The first part of a type or a qualified name that nobody defines.
fn unknown_name(text: &str, known: &Known) -> Option<String> {
    let text = text.strip_suffix("()").unwrap_or(text);
    let parts: Vec<&str> = text.split("::").collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !parts.iter().all(|part| !part.is_empty() && part.chars().all(plain)) {
        return None;
    }
    let (first, rest) = parts.split_first()?;
    let is_ours = *first == "crate" || known.crates.contains(*first);
    if rest.is_empty() && (is_ours || !is_camel_case(first)) {
        return None;
    }
    if !is_ours && (FOREIGN.split(' ').any(|name| name == *first) || known.outside(first)) {
        return None;
    }
    let checked = if is_ours { rest } else { parts.as_slice() };
    let unknown = checked.iter().find(|part| !known.names.contains(**part))?;
    Some((*unknown).to_owned())
}

fn is_camel_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.contains(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// What the tree has.
struct Known<'a> {
    tree: &'a Tree,
    names: BTreeSet<String>,
    crates: BTreeSet<String>,
    commands: Vec<String>,
}

impl<'a> Known<'a> {
    fn read(tree: &'a Tree) -> Known<'a> {
        let mut names = BTreeSet::new();
        let mut crates = BTreeSet::new();
        for (file, syntax) in tree.rust() {
            names.extend(definitions::of(syntax).into_iter().map(|found| found.name));
            if let Some((package, _)) = file.path.split_once("/src/") {
                let folder = package.rsplit('/').next().unwrap_or(package).to_owned();
                crates.insert(format!("instep_{folder}"));
                crates.insert(folder);
            }
        }
        let commands = Cli::command();
        let commands = commands.get_subcommands().map(|one| one.get_name().to_owned()).collect();
        Known { tree, names, crates, commands }
    }

    /// Whether a file or folder ends with these parts; `*` and `{a,b}` stand for what they do.
    fn has_path(&self, text: &str) -> bool {
        let text = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
        let files = || self.tree.files().map(|file| file.path.as_str());
        let folders = || self.tree.folders().iter().map(String::as_str);
        claims::spelled_out(text)
            .iter()
            .all(|text| files().chain(folders()).any(|path| claims::ends_with(path, text)))
    }

    /// A crate from elsewhere: nobody defines its name here as a module or type.
    fn outside(&self, first: &str) -> bool {
        !is_camel_case(first) && !self.names.contains(first)
    }
}

#[cfg(test)]
mod tests;
