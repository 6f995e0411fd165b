//! Rule: a crate uses only the crates of ours that the table allows, and ARCHITECTURE.md shows
//! the same table.
//!
//! Crates go by the names of their folders. Optional, target-specific and build dependencies
//! count; for tests alone, the crates of the product may also use testkit.

mod manifests;

use super::finding::Finding;
use super::tree::{File, Tree};
use manifests::{Dependency, Member};
use std::collections::BTreeSet;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in manifests::members(tree) {
        if row(&member.folder).is_none() || !is_in_place(&member) {
            findings.push(unknown(&member));
            continue;
        }
        let forbidden = member.uses.iter().filter(|used| !allowed(&member.folder, used));
        findings.extend(forbidden.map(|used| edge(&member, used)));
    }
    findings.extend(manifests::strays(tree).into_iter().map(stray));
    match tree.file(PAGE) {
        Some(page) => findings.extend(compared(page)),
        None => findings.push(Finding::new(PAGE, 1, "there is no such page", paste())),
    }
    findings
}

/// What the crate in `user` calls the crate in `used`, by its manifest's tables of dependencies.
pub(super) fn names_for(tree: &Tree, user: &str, used: &str) -> Vec<String> {
    let users = manifests::members(tree).into_iter().filter(|member| member.folder == user);
    let uses = users.flat_map(|member| member.uses).filter(|one| one.folder == used);
    uses.map(|one| one.key.replace('-', "_")).collect()
}

/// Who may use whom. A new row or a new edge comes with a page in docs/decisions.
const TABLE: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("worker", &["model"]),
    ("engine", &["model", "worker"]),
    ("connectors", &["model", "worker"]),
    ("journal", &["model"]),
    ("compare", &["model"]),
    ("testkit", &["model", "journal"]),
    ("server", &["engine", "model"]),
    ("sim", &["engine", "journal", "model", "testkit"]),
    ("instep", &["server", "engine", "connectors", "compare", "journal", "model", "platform"]),
    ("platform", &[]),
    ("xtask", &[]),
];

const FOR_TESTS: &str = "testkit";

/// They use the product from outside, or not at all, and so do their tests.
const OUTSIDE: [&str; 2] = ["platform", "xtask"];

const PAGE: &str = "ARCHITECTURE.md";
const FENCE: &str = "```edges";

fn row(folder: &str) -> Option<&'static [&'static str]> {
    TABLE.iter().find(|(name, _)| *name == folder).map(|(_, used)| *used)
}

/// Whether the crate is where its row means it to be: another folder of that name has no row.
fn is_in_place(member: &Member) -> bool {
    let outside = OUTSIDE.contains(&member.folder.as_str()) && member.place == member.folder;
    outside || member.place == format!("crates/{}", member.folder)
}

fn allowed(folder: &str, used: &Dependency) -> bool {
    let for_tests = used.for_tests
        && used.folder == FOR_TESTS
        && folder != FOR_TESTS
        && !OUTSIDE.contains(&folder);
    for_tests || row(folder).is_some_and(|row| row.contains(&used.folder.as_str()))
}

fn unknown(member: &Member) -> Finding {
    Finding::new(
        &member.manifest,
        1,
        format!("the crate `{}` at {} is not in the table of edges", member.folder, member.place),
        "decide its place in a page of docs/decisions, then add its row to TABLE and the page",
    )
}

fn stray(file: &File) -> Finding {
    Finding::new(
        &file.path,
        1,
        "a package that is no member of the workspace: nothing checks what it uses",
        "make it a member below `crates/` with a row in TABLE, or take it out",
    )
}

fn edge(member: &Member, used: &Dependency) -> Finding {
    let way = if used.for_tests { " for its tests" } else { "" };
    let may = match row(&member.folder) {
        Some([]) | None => "no crate of ours".to_owned(),
        Some(row) => row.join(", "),
    };
    Finding::new(
        &member.manifest,
        used.line,
        format!("`{} -> {}` is no allowed edge{way}", member.folder, used.folder),
        format!("`{}` may use {may}; move the code, or pass values through model", member.folder),
    )
}

/// Compares the page's fenced table with ours, edge by edge.
fn compared(page: &File) -> Vec<Finding> {
    let Some((at, rows)) = fenced(page) else {
        return vec![Finding::new(PAGE, 1, "the table of edges is missing", paste())];
    };
    let shown: BTreeSet<(String, String)> = rows.iter().flat_map(|row| parsed(row)).collect();
    let ours: BTreeSet<(String, String)> = TABLE
        .iter()
        .flat_map(|(from, to)| to.iter().map(|to| ((*from).to_owned(), (*to).to_owned())))
        .collect();
    let absent = ours.difference(&shown).map(|(from, to)| {
        let what = format!("the table does not show the allowed edge `{from} -> {to}`");
        Finding::new(PAGE, at, what, paste())
    });
    let invented = shown.difference(&ours).map(|(from, to)| {
        let what = format!("the table shows `{from} -> {to}`, which is not allowed");
        Finding::new(PAGE, at, what, paste())
    });
    absent.chain(invented).collect()
}

fn fenced(page: &File) -> Option<(usize, Vec<&str>)> {
    let mut lines = page.lines().skip_while(|(_, line)| line.trim() != FENCE);
    let (at, _) = lines.next()?;
    Some((at, lines.map(|(_, line)| line).take_while(|line| line.trim() != "```").collect()))
}

fn parsed(row: &str) -> Vec<(String, String)> {
    let Some((from, to)) = row.split_once("->") else {
        return Vec::new();
    };
    to.split(',').map(|to| (from.trim().to_owned(), to.trim().to_owned())).collect()
}

fn paste() -> String {
    let rows = TABLE.iter().filter(|(_, to)| !to.is_empty());
    let rows: Vec<String> = rows.map(|(from, to)| format!("{from} -> {}", to.join(", "))).collect();
    format!("let {PAGE} hold this fence:\n{FENCE}\n{}\n```", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\n\
        [workspace.dependencies]\nengine = { package = \"instep-engine\", path = \"crates/engine\" }\n\
        testkit = { package = \"instep-testkit\", path = \"crates/testkit\" }\n";

    fn package(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    /// What the rule says of a tree in which `folder` has this manifest; the page is sound.
    fn said(folder: &str, rest: &str) -> Vec<String> {
        let manifest = format!("{folder}/Cargo.toml");
        let engine = package("instep-engine", "");
        let testkit = package("instep-testkit", "");
        let own = package("own", rest);
        let mend = paste();
        let page = mend.split_once('\n').map_or("", |(_, fence)| fence);
        let mut files = vec![("Cargo.toml", ROOT), (PAGE, page), (&manifest, &own)];
        for (path, text) in
            [("crates/engine/Cargo.toml", &engine), ("crates/testkit/Cargo.toml", &testkit)]
        {
            if path != manifest {
                files.push((path, text));
            }
        }
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_allowed_edge_is_no_finding() {
        assert!(said("crates/server", "[dependencies]\nengine.workspace = true\n").is_empty());
        assert!(said("crates/model", "[dev-dependencies]\ntestkit.workspace = true\n").is_empty());
    }

    #[test]
    fn a_forbidden_edge_is_found_at_its_line() {
        let said = said("crates/journal", "[dependencies]\nengine.workspace = true\n");
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("crates/journal/Cargo.toml:4: `journal -> engine`"),
            "{said:?}"
        );
    }

    #[test]
    fn every_way_to_depend_counts() {
        for rest in [
            "[dependencies]\ncore = { package = \"instep-engine\", path = \"../engine\" }\n",
            "[dependencies.engine]\nworkspace = true\noptional = true\n",
            "[build-dependencies]\ninstep-engine = { path = \"../engine\" }\n",
            "[target.'cfg(unix)'.dependencies]\nengine.workspace = true\n",
            "[dev-dependencies]\nengine.workspace = true\n",
            "[dependencies]\ntestkit.workspace = true\n",
        ] {
            assert_eq!(said("crates/journal", rest).len(), 1, "{rest}");
        }
    }

    #[test]
    fn a_crate_is_no_dependency_of_its_own_tests() {
        let own = "[dev-dependencies]\ninstep-testkit = { path = \".\" }\n";
        let text = package("instep-testkit", own);
        let tree = Tree::of(&[("Cargo.toml", ROOT), ("crates/testkit/Cargo.toml", &text)]);
        assert!(check(&tree)[0].to_string().contains("`testkit -> testkit`"));
    }

    #[test]
    fn those_outside_use_no_crate_of_ours_even_in_tests() {
        assert_eq!(said("xtask", "[dev-dependencies]\ntestkit.workspace = true\n").len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert!(said("crates/extra", "")[0].contains("`extra` at crates/extra is not in"));
    }

    #[test]
    fn a_package_that_is_no_member_is_found() {
        for folder in ["crates/engine/inner", "extra/bridge", "extra/engine", "bridge"] {
            let said = said(folder, "[dependencies]\nengine.workspace = true\n");
            assert_eq!(said.len(), 1, "{folder}: {said:?}");
            assert!(said[0].starts_with(&format!("{folder}/Cargo.toml:1: ")), "{said:?}");
            assert!(said[0].contains("no member"), "{said:?}");
        }
    }

    #[test]
    fn a_member_in_another_place_has_no_row() {
        let root = "[workspace]\nmembers = [\"crates/*\", \"extra/*\"]\nexclude = \
                    [\"crates/model\"]\n[package]\nname = \"whole\"\n";
        let (engine, model) = (package("bridge", ""), package("instep-model", ""));
        let files = [
            ("Cargo.toml", root),
            ("crates/model/Cargo.toml", &model),
            ("extra/engine/Cargo.toml", &engine),
        ];
        let said: Vec<String> = check(&Tree::of(&files)).iter().map(ToString::to_string).collect();
        assert!(said[0].contains("`engine` at extra/engine is not in the table"), "{said:?}");
        assert!(said[1].starts_with("Cargo.toml:1: a package that is no member"), "{said:?}");
        assert!(said[2].starts_with("crates/model/Cargo.toml:1: a package"), "{said:?}");
    }

    #[test]
    fn a_page_that_shows_another_table_is_found() {
        let page = "```edges\nengine -> model, journal\n```\n";
        let findings = check(&Tree::of(&[(PAGE, page)]));
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(text.iter().any(|line| line.contains("shows `engine -> journal`")), "{text:?}");
        assert!(text.iter().any(|line| line.contains("does not show")), "{text:?}");
        assert!(check(&Tree::of(&[]))[0].to_string().contains("engine -> model"));
    }
}
