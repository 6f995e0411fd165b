//! Rule: the simulation's oracle never names the engine that it judges.
//!
//! An oracle that borrows the engine's rules would agree with the engine's mistakes.

use super::finding::Finding;
use super::syntax;
use super::tree::Tree;
use proc_macro2::TokenStream;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        if !file.path.starts_with(PLACE) || !file.path.ends_with(".rs") {
            continue;
        }
        let Ok(tokens) = file.text.parse::<TokenStream>() else {
            continue;
        };
        for name in syntax::names(tokens) {
            if JUDGED.iter().any(|judged| name == judged) {
                findings.push(Finding::new(
                    &file.path,
                    name.span().start().line,
                    format!("the oracle names `{name}`"),
                    "derive the truth from what the sources committed, with model's nouns alone",
                ));
            }
        }
    }
    findings
}

/// The file `oracle.rs`, its folder, and any sibling that begins like them.
const PLACE: &str = "crates/sim/src/oracle";

const JUDGED: [&str; 2] = ["engine", "instep_engine"];

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
}
