//! Planted stale names in a small house, and names that are none of its business.

use super::*;

/// What the rule says of a README with this text.
fn said(text: &str) -> Vec<String> {
    let tree = Tree::of(&[
        ("ARCHITECTURE.md", ""),
        ("CONTRIBUTING.md", ""),
        ("README.md", text),
        ("crates/engine/src/apply.rs", "pub struct Applier;\nimpl Applier { fn run() {} }"),
        ("crates/engine/src/lib.rs", "pub mod apply;\npub enum Fate { Retry }"),
        ("crates/model/src/lib.rs", "pub mod position;"),
        ("crates/model/src/position.rs", "name! { TableName }"),
        (".ci/run", ""),
        ("docs/decisions/0001-one.md", ""),
    ]);
    check(&tree).iter().map(ToString::to_string).collect()
}

#[test]
fn a_stale_path_is_found() {
    assert!(said("One.\nSee `crates/engine/src/aply.rs`.")[0].starts_with("README.md:2: "));
    for gone in ["`crates/motor`", "`docs/gone.md`", "`fuzz/`", "`old.rs`", "[a](docs/gone.md)"] {
        assert_eq!(said(gone).len(), 1, "{gone}");
    }
}

#[test]
fn a_path_may_begin_at_any_folder() {
    let text = "`crates/engine/src/apply.rs` `engine/src/apply.rs` `apply.rs` `crates/engine` \
                `crates/` `.ci/run` `docs/decisions/*.md` `crates/{engine,model}/` `src/apply`";
    assert_eq!(said(text), Vec::<String>::new());
}

#[test]
fn a_stale_type_is_found() {
    assert!(said("The `Aplier` applies.")[0].contains("`Aplier` is defined nowhere"));
    for gone in ["`Fate::Again`", "`crate::aply`", "`engine::apply::Aplier`", "`apply::start()`"] {
        assert_eq!(said(gone).len(), 1, "{gone}");
    }
}

#[test]
fn a_stale_type_inside_another_is_found() {
    for gone in [
        "`Vec<Segmentt>`",
        "`Arc<dyn Walkerr>`",
        "`Walkerr { a }`",
        "`&mut Aplier`",
        "`Fate::Again { after }`",
        "`Applier::run(Aplier)`",
        "`fn run(of: Aplier)`",
        "`Result<Applier, engine::aply::Fault>`",
    ] {
        assert_eq!(said(gone).len(), 1, "{gone}");
    }
    assert!(said("`Vec<Segmentt>`")[0].contains("names `Segmentt`, which is defined nowhere"));
}

#[test]
fn a_span_over_two_lines_hides_no_stale_name() {
    let said = said("See `Applier\nrun` and `Aplier`, `Vec<\nAplier>`.");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("README.md:2: "), "{said:?}");
}

#[test]
fn what_is_defined_may_be_named() {
    let text = "`Applier` `Applier::run()` `Fate::Retry` `Retry` `TableName` `crate::apply` \
                `engine::apply::Applier` `instep_model::position::TableName`";
    assert_eq!(said(text), Vec::<String>::new());
}

#[test]
fn what_is_not_of_this_house_is_left_alone() {
    let text = "`/v1/status` `instep.yaml` `forms/public.form_responses` `state/` `SIGTERM` `P1` \
                `BTreeMap` `tokio::time::sleep` `std::time::Instant` `Option<Applier>` `apply` \
                `application/json` `${FORMS_DB_URL:-postgres://localhost/forms}` `E-DATA-LOCKED`";
    assert_eq!(said(text), Vec::<String>::new());
}

#[test]
fn a_command_that_is_gone_is_found() {
    assert!(said("`cargo xtask ci`")[0].contains("there is no `cargo xtask ci`"));
    assert_eq!(said("```sh\ncargo xtask ci\n```").len(), 1);
    assert!(said("```sh\ncargo xtask test\n```").is_empty());
}

#[test]
fn a_missing_page_is_a_finding() {
    let said: Vec<String> = check(&Tree::of(&[])).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3);
    assert!(said[0].starts_with("README.md:1: there is no such page"));
}
