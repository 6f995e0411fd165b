//! Rule: the simulation's oracle never names the engine that it judges.
//!
//! An oracle that borrows the engine's rules would agree with the engine's mistakes. So that no
//! other module passes the engine on under a name of its own, the oracle uses none of its crate.

use super::circles::references::{self, Named, Scope};
use super::edges;
use super::finding::Finding;
use super::syntax;
use super::tree::{File, Tree};
use proc_macro2::TokenStream;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let judged = judged(tree);
    let lent = lent(tree);
    let mut findings = Vec::new();
    for (file, parsed) in tree.rust() {
        if let Some(inside) = file.path.strip_prefix(SOURCE).filter(|path| path.starts_with(ROOT)) {
            findings.extend(names(file, &judged));
            let scopes = references::scopes(&module(inside), parsed);
            findings.extend(strangers(file, &scopes));
            findings.extend(borrowed(file, &scopes, &lent));
        }
    }
    findings
}

/// The crate that has the oracle.
const USER: &str = "sim";
const SOURCE: &str = "crates/sim/src/";

/// The file `oracle.rs`, its folder, and any sibling that begins like them.
const ROOT: &str = "oracle";

const JUDGED: &str = "engine";
const MEND: &str = "derive the truth from what the sources committed, with model's nouns alone";

/// Every name that the engine goes by: its own two, those of the manifest, and those that an
/// `extern crate` anywhere in the crate gives it.
fn judged(tree: &Tree) -> BTreeSet<String> {
    let mut judged = BTreeSet::from([JUDGED.to_owned(), format!("instep_{JUDGED}")]);
    judged.extend(edges::names_for(tree, USER, JUDGED));
    let mut renames = Renames { found: Vec::new() };
    for (_, parsed) in tree.rust().filter(|(file, _)| file.path.starts_with(SOURCE)) {
        renames.visit_file(parsed);
    }
    for (from, to) in renames.found {
        if judged.contains(&from) {
            judged.insert(to);
        }
    }
    judged
}

struct Renames {
    found: Vec<(String, String)>,
}

impl<'ast> Visit<'ast> for Renames {
    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if let Some((_, name)) = &item.rename {
            self.found.push((syntax::plain(&item.ident), syntax::plain(name)));
        }
        visit::visit_item_extern_crate(self, item);
    }
}

fn names(file: &File, judged: &BTreeSet<String>) -> Vec<Finding> {
    let Ok(tokens) = file.text.parse::<TokenStream>() else {
        return Vec::new();
    };
    let named = syntax::names(tokens).into_iter().filter_map(|name| {
        let text = syntax::plain(&name);
        let what = format!("the oracle names `{text}`");
        let line = name.span().start().line;
        judged.contains(&text).then(|| Finding::new(&file.path, line, what, MEND))
    });
    named.collect()
}

/// The paths that lead into the rest of the crate.
fn strangers(file: &File, scopes: &[Scope]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for scope in scopes {
        let imports = scope.imports.iter().map(|import| &import.named);
        for named in imports.chain(&scope.paths).filter(|named| leads_out(scope, named)) {
            let what = format!("the oracle names `{}` of its crate", named.segments.join("::"));
            findings.push(Finding::new(&file.path, named.line, what, MEND));
        }
    }
    findings
}

/// The macros that the rest of the crate writes, and that a bare name may call.
fn lent(tree: &Tree) -> BTreeSet<String> {
    let rest = tree.rust().filter_map(|(file, parsed)| {
        let inside = file.path.strip_prefix(SOURCE).filter(|path| !path.starts_with(ROOT))?;
        Some(references::scopes(&module(inside), parsed))
    });
    rest.flatten().flat_map(|scope| scope.macros).collect()
}

fn borrowed(file: &File, scopes: &[Scope], lent: &BTreeSet<String>) -> Vec<Finding> {
    let calls = scopes.iter().flat_map(|scope| &scope.calls);
    let borrowed = calls.filter(|call| call.segments.iter().any(|name| lent.contains(name)));
    let finding = |call: &Named| {
        let what = format!("the oracle calls `{}!` of its crate", call.segments.join("::"));
        Finding::new(&file.path, call.line, what, MEND)
    };
    borrowed.map(finding).collect()
}

fn module(inside: &str) -> Vec<String> {
    let path = inside.strip_suffix(".rs").unwrap_or(inside);
    path.split('/').map(str::to_owned).collect()
}

fn leads_out(scope: &Scope, named: &Named) -> bool {
    let mut segments = named.segments.iter().map(String::as_str).peekable();
    let mut at: Vec<&str> = match segments.peek() {
        Some(&"crate") => Vec::new(),
        Some(&("self" | "super")) => scope.module.iter().map(String::as_str).collect(),
        _ => return false,
    };
    segments.next_if(|first| *first != "super");
    while segments.next_if_eq(&"super").is_some() {
        at.pop();
    }
    at.extend(segments);
    // `crate` alone is the root: the name of nothing, but a way to everything.
    !at.first().is_some_and(|first| first.starts_with(ROOT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_found_however_it_is_named() {
        for text in [
            "//! Truth.\nuse engine::apply::plan;",
            "//! Truth.\nfn a() { instep_engine::plan() }",
            "//! Truth.\nuse {model::Row, engine::Plan};",
            "//! Truth.\nfn a() { assert_eq!(1, engine::ONE) }",
        ] {
            let findings = check(&Tree::of(&[("crates/sim/src/oracle/fold.rs", text)]));
            assert_eq!(findings.len(), 1, "{text}");
            assert!(findings[0].to_string().starts_with("crates/sim/src/oracle/fold.rs:2:"));
        }
    }

    #[test]
    fn prose_and_other_files_may_name_it() {
        let tree = Tree::of(&[
            (
                "crates/sim/src/oracle.rs",
                "//! Judges the engine.\n// engine\nfn a() { \"engine\"; }",
            ),
            ("crates/sim/src/world.rs", "use engine::Plan;"),
        ]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn the_engine_is_found_under_every_other_name() {
        let root = "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\n\
                    core-of = { package = \"instep-engine\", path = \"crates/engine\" }";
        let engine = "[package]\nname = \"instep-engine\"";
        for (uses, root_file, text) in [
            ("eng = { package = \"instep-engine\", path = \"../engine\" }", "", "use eng::Plan;"),
            ("core-of.workspace = true", "", "use core_of::Plan;"),
            ("engine = \"1\"", "", "use r#engine::Plan;"),
            ("engine = \"1\"", "extern crate engine as e;", "fn a() { e::plan() }"),
        ] {
            let sim = format!("[package]\nname = \"instep-sim\"\n[dependencies]\n{uses}");
            let findings = check(&Tree::of(&[
                ("Cargo.toml", root),
                ("crates/engine/Cargo.toml", engine),
                ("crates/sim/Cargo.toml", &sim),
                ("crates/sim/src/lib.rs", root_file),
                ("crates/sim/src/oracle.rs", text),
            ]));
            assert_eq!(findings.len(), 1, "{text}");
        }
    }

    #[test]
    fn nothing_of_the_crate_may_pass_the_engine_on() {
        for text in [
            "use crate::setup::Plan;",
            "use crate::{oracle::truth::Truth, setup};",
            "use crate::*;",
            "use crate as all;",
            "use super::super::setup;",
            "fn a() { self::super::super::setup::plan() }",
            "fn a() { assert_eq!(crate::setup::ONE, 1) }",
            "#[kept(crate::setup::ONE)]\nstruct A;",
            "mod inner { use super::super::super::*; }",
        ] {
            let findings = check(&Tree::of(&[("crates/sim/src/oracle/fold.rs", text)]));
            assert_eq!(findings.len(), 1, "{text}");
        }
        let own = "use super::*;\nuse super::truth::Truth;\nuse crate::oracle::log;\nuse std::fmt;\n\
                   use model::Key;\nuse testkit::memory;\npub(crate) fn a() { self::b() }\n\
                   mod inner { use super::super::Truth; }";
        assert!(check(&Tree::of(&[("crates/sim/src/oracle/fold.rs", own)])).is_empty());
        let lent = Tree::of(&[
            ("crates/sim/src/lib.rs", "macro_rules! plan { () => { engine::plan() } }"),
            ("crates/sim/src/oracle.rs", "fn a() { plan!(); vec![1]; }"),
        ]);
        assert_eq!(check(&lent).len(), 1);
        let above = Tree::of(&[("crates/sim/src/oracle.rs", "use super::setup;")]);
        assert_eq!(check(&above).len(), 1);
    }
}
