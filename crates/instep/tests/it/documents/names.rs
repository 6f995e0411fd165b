//! What pages link to and name exists: pages and headings, tests, commands, codes and metrics.

use super::page::{Page, beside, links, root, spans};
use clap::{Command, CommandFactory};
use instep::cli::Cli;
use instep::commands::verify;
use model::Code;
use server::FAMILIES;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Links that lead nowhere, each with its place.
pub(super) fn dead_links(pages: &[Page]) -> Vec<String> {
    let anchors: BTreeMap<_, _> =
        pages.iter().map(|page| (page.path.as_str(), page.anchors())).collect();
    let mut dead = Vec::new();
    for page in pages {
        for (line, text) in &page.prose {
            for (path, anchor) in links(text) {
                let target = match path.as_str() {
                    "" => page.path.clone(),
                    path => beside(&page.path, path),
                };
                let leads = root().join(&target).exists()
                    && (anchor.is_empty()
                        || anchors.get(target.as_str()).is_some_and(|it| it.contains(&anchor)));
                if !leads {
                    dead.push(format!("{}:{line}: {path}#{anchor} leads nowhere", page.path));
                }
            }
        }
    }
    dead
}

/// Names in code spans that nothing has, each with its place.
pub(super) fn unknown(pages: &[Page]) -> Vec<String> {
    let tests = functions();
    let codes: BTreeSet<_> = Code::all().map(Code::name).collect();
    let metrics: BTreeSet<_> =
        FAMILIES.iter().chain(&verify::FAMILIES).map(|family| family.name).collect();
    let mut unknown = Vec::new();
    for page in pages {
        for (line, text) in &page.prose {
            for span in spans(text) {
                let exists = match span {
                    code if code.starts_with("E-") || code.starts_with("W-") => {
                        codes.contains(code)
                    }
                    typed if typed.starts_with("instep ") => is_command(typed),
                    metric if is_long(metric) && metric.starts_with("instep_") => {
                        metrics.contains(metric)
                    }
                    test if is_long(test) => tests.contains(test) || SETTINGS.contains(&test),
                    _ => true,
                };
                if !exists {
                    unknown.push(format!("{}:{line}: `{span}` is nowhere", page.path));
                }
            }
        }
    }
    unknown
}

/// Names of other programs that are as long as those of tests.
const SETTINGS: [&str; 1] = ["max_slot_wal_keep_size"];

/// Figures of thousands that no bench has printed, each with its place.
pub(super) fn unmeasured(pages: &[Page]) -> Vec<String> {
    let printed = Page::read("docs/bench.md").text;
    let printed = printed.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse().ok());
    let rounded: BTreeSet<u64> = printed.map(|number: u64| (number + 500) / 1_000).collect();
    let mut unmeasured = Vec::new();
    for page in pages {
        for (line, text) in &page.prose {
            let figures = text.split(|it: char| !it.is_ascii_digit() && it != ',');
            for figure in figures.filter_map(|figure| figure.strip_suffix(",000")) {
                if !figure.parse().is_ok_and(|thousands| rounded.contains(&thousands)) {
                    unmeasured.push(format!("{}:{line}: {figure},000", page.path));
                }
            }
        }
    }
    unmeasured
}

/// Whether it is a name of four words or more, as only tests and metrics have.
fn is_long(span: &str) -> bool {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    span.chars().all(plain) && span.matches('_').count() >= 3
}

/// Whether the program has this command; what follows it is the reader's.
fn is_command(typed: &str) -> bool {
    let mut command = Cli::command();
    for word in typed.split_whitespace().skip(1) {
        if word.starts_with('-') || !command.has_subcommands() {
            return true;
        }
        let inner: Option<Command> = command.find_subcommand(word).cloned();
        let Some(inner) = inner else { return false };
        command = inner;
    }
    true
}

/// Every function that the code of the repository has.
fn functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let names = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
                found.extend(names.map(|(name, _)| name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn a_command_is_known_by_its_words() {
    for known in
        ["instep run", "instep source adopt NAME", "instep config check", "instep --json x"]
    {
        assert!(is_command(known), "{known}");
    }
    for unknown in ["instep rum", "instep source adapt", "instep config checks"] {
        assert!(!is_command(unknown), "{unknown}");
    }
}
