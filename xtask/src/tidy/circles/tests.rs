//! Planted circles, and shapes that look like circles and are none.

use super::*;

fn said(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, &str)> =
        files.iter().map(|(path, text)| (format!("crates/a/src/{path}"), *text)).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
}

fn circle(files: &[(&str, &str)]) -> String {
    let said = said(files);
    assert_eq!(said.len(), 1, "{said:?}");
    said.into_iter().next().unwrap()
}

#[test]
fn a_circle_of_two_is_found_with_the_names_used() {
    let text = circle(&[
        ("lib.rs", "mod apply; mod capture;"),
        ("apply.rs", "//! Applies.\nuse crate::capture::Step;\npub struct Batch;"),
        ("capture.rs", "use crate::apply::Batch;\npub struct Step;"),
    ]);
    assert!(text.starts_with("crates/a/src/apply.rs:2: "), "{text}");
    assert!(text.contains("apply -> capture -> apply"), "{text}");
    assert!(text.contains("`crate::apply::Batch` (crates/a/src/capture.rs:1)"), "{text}");
}

#[test]
fn a_longer_circle_is_found_whole() {
    let text = circle(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "fn f() { crate::c::g() }"),
        ("c.rs", "use super::d;\npub fn g(x: d::D) {}"),
        ("d.rs", "pub type D = crate::a::A;"),
    ]);
    assert!(text.contains("a -> b -> c -> d -> a"), "{text}");
}

#[test]
fn a_circle_behind_a_re_export_of_the_root_is_found() {
    let text = circle(&[
        ("lib.rs", "pub mod a; pub mod b; pub use a::A; pub use b::{B, C as D};"),
        ("a.rs", "use crate::D;\npub struct A;"),
        ("b.rs", "use crate::A;\npub struct B; pub struct C;"),
    ]);
    assert!(text.contains("a -> b -> a"), "{text}");
}

#[test]
fn a_circle_behind_globs_of_the_root_is_found() {
    circle(&[
        ("lib.rs", "mod a; mod b; pub use a::*; pub use b::*;"),
        ("a.rs", "use crate::B;\npub struct A;"),
        ("b.rs", "use crate::A;\npub struct B;"),
    ]);
    circle(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use super::*;\npub struct A(B);"),
        ("b.rs", "use crate::a::A;\npub struct B;"),
    ]);
}

#[test]
fn parent_and_child_that_use_each_other_are_a_circle() {
    let parent = ("apply.rs", "mod plan;\nuse plan::cut;\npub struct Batch;");
    let text = circle(&[
        ("lib.rs", "mod apply;"),
        parent,
        ("apply/plan.rs", "use super::Batch;\npub fn cut() {}"),
    ]);
    assert!(text.contains("apply -> apply::plan -> apply"), "{text}");
    circle(&[
        ("lib.rs", "mod apply;"),
        ("apply.rs", "mod plan;\npub struct Batch;\nfn run() { plan::cut() }"),
        ("apply/plan.rs", "pub fn cut() -> super::Batch { super::Batch }"),
    ]);
}

#[test]
fn paths_in_macros_types_and_function_bodies_count() {
    for body in [
        "fn f() { assert_eq!(crate::b::ONE, 1) }",
        "macro_rules! m { () => { $crate::b::ONE } }",
        "fn f(x: &crate::b::B) {}",
        "fn f() { use crate::b::ONE; }",
        "use crate::b;\nfn f() { b::g() }",
        "impl crate::b::T for A {}",
        "mod inner { use super::super::b::ONE; }",
    ] {
        circle(&[("lib.rs", "mod a; mod b;"), ("a.rs", body), ("b.rs", "use crate::a::A;")]);
    }
}

#[test]
fn a_module_that_leans_on_the_root_which_calls_it_is_a_circle() {
    let text = circle(&[
        ("main.rs", "mod a;\nstruct Shared;\nfn main() { a::run() }"),
        ("a.rs", "pub fn run() { let _ = crate::Shared; }"),
    ]);
    assert!(text.contains("a -> main -> a"), "{text}");
}

#[test]
fn a_clean_tree_has_no_finding() {
    let clean = said(&[
        ("lib.rs", "//! Picture.\npub mod a; pub mod b; mod c;\npub use a::A; pub use b::B;"),
        ("a.rs", "mod plan;\nuse crate::c::C;\nuse plan::cut;\npub(crate) struct A;"),
        ("a/plan.rs", "use crate::c;\npub(super) fn cut() -> c::C { c::C }"),
        ("b.rs", "use crate::A;\nuse other::c::D;\npub struct B;"),
        ("c.rs", "pub(in crate::c) struct C;"),
    ]);
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn tests_may_look_anywhere() {
    let clean = said(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub struct A;\n#[cfg(test)]\nmod tests { use crate::b::B; }"),
        ("b.rs", "use crate::a::A;\npub struct B;\n#[cfg(test)]\nmod tests;"),
        ("b/tests.rs", "use super::B;\nuse crate::a::A;"),
    ]);
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn a_variable_with_a_modules_name_is_no_edge() {
    let clean = said(&[
        ("lib.rs", "mod a;"),
        ("a.rs", "mod plan;\npub struct A;\nfn f(plan: u8) -> u8 { plan }"),
        ("a/plan.rs", "use super::A;"),
    ]);
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn two_circles_that_share_no_module_are_two_findings() {
    let said = said(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::a::A;"),
        ("c.rs", "use crate::d::D;"),
        ("d.rs", "use crate::c::C;"),
    ]);
    assert_eq!(said.len(), 2, "{said:?}");
}

/// Expects a circle of `a` with this text, a facade, and a `b` that uses `a`.
fn circle_through(root: &str, facade: &str, text: &str) {
    let said = circle(&[
        ("lib.rs", root),
        ("facade.rs", facade),
        ("a.rs", text),
        ("b.rs", "use crate::a::A;\npub struct B;\npub fn g() {}"),
    ]);
    assert!(said.contains("b") && said.contains("modules form a circle"), "{said}");
}

#[test]
fn paths_in_attributes_count() {
    for text in [
        "struct A {\n #[arg(value_parser = crate::b::g)]\n field: u8 }",
        "#[derive(Default)]\n#[group(crate::b::B)]\nstruct A;",
        "#[kept = crate::b::ONE]\nstruct A;",
        "#[group(crate::b::B)]\nmod inner {}",
    ] {
        circle(&[("lib.rs", "mod a; mod b;"), ("a.rs", text), ("b.rs", "use crate::a::A;")]);
    }
    let clean = said(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "/// See [`crate::b::B`].\nstruct A;"),
        ("b.rs", "use crate::a::A;"),
    ]);
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn grouped_paths_in_macros_count() {
    for text in [
        "macro_rules! m { () => { use $crate::{b::g}; } }",
        "macro_rules! m { () => { use $crate::{c as d, b::{self, g as h}}; } }",
        "macro_rules! m { () => { use $crate::b::*; } }",
        "fn f() { run! { use crate::{c::D, b::*}; } }",
    ] {
        circle(&[("lib.rs", "mod a; mod b;"), ("a.rs", text), ("b.rs", "use crate::a::A;")]);
    }
}

#[test]
fn a_product_or_a_field_in_a_macro_is_no_path() {
    let clean = said(&[
        ("lib.rs", "mod a; mod b; pub struct Shared;"),
        ("a.rs", "fn f() { m!(crate::c * ::b::g(), b: { x }, S { b: other::b::g }) }"),
        ("b.rs", "use crate::a::A;"),
    ]);
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn a_facade_hides_no_circle() {
    let root = "mod a; mod b; mod facade; pub use facade::*;";
    for (facade, text) in [
        ("pub use crate::b::*;", "use crate::B;\npub struct A;"),
        ("pub use super::b::B;", "use crate::*;\npub struct A(B);"),
        ("pub use super::*;", "pub struct A;\nfn f() { crate::facade::b::g() }"),
        ("pub use crate::{self as all};", "pub struct A;\nfn f() { crate::facade::all::b::g() }"),
        ("pub use crate::b as c;", "use crate::*;\npub struct A;\nfn f() { c::g() }"),
    ] {
        circle_through(root, facade, text);
    }
}

#[test]
fn a_glob_of_the_root_brings_its_modules_and_variants() {
    circle_through("mod a; mod b; mod facade;", "", "use crate::*;\nfn f() { b::g() }");
    circle(&[
        ("lib.rs", "mod a; mod b; pub use b::Kind::*;"),
        ("a.rs", "pub struct A;\nfn f() { crate::First; }"),
        ("b.rs", "use crate::a::A;\npub enum Kind { First }"),
    ]);
}

#[test]
fn globs_that_bring_each_other_come_to_an_end() {
    let clean = said(&[
        ("lib.rs", "mod a; mod b; pub use a::*; pub use b::*; use other::*; use more::*;"),
        ("a.rs", "pub use other::*;\nfn f() { unknown::g() }"),
        ("b.rs", "use crate::a::*;\nfn f() { unknown::g() }"),
    ]);
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn raw_names_are_names() {
    for text in ["use crate::r#b::g;", "fn f() { m!(crate::r#b::g()) }"] {
        circle(&[("lib.rs", "mod a; mod r#b;"), ("a.rs", text), ("b.rs", "use crate::r#a::A;")]);
    }
}

#[test]
fn what_hides_an_edge_is_a_finding() {
    for text in [
        "#[path = \"b.rs\"] mod c;",
        "#[cfg_attr(unix, path = \"b.rs\")] mod c;",
        "#[cfg_attr(unix, inline, cfg_attr(a, path = \"b.rs\"))] mod c;",
        "m! { #[path = \"b.rs\"] mod c; }",
        "extern crate self as own;",
        "#[macro_use] mod c {}",
        "#![macro_use]",
        "include!(\"b.rs\");",
        "fn f() { std::include!(\"b.rs\") }",
    ] {
        let said = said(&[("lib.rs", "mod a;"), ("a.rs", &format!("//! A.\n{text}"))]);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(said[0].starts_with("crates/a/src/a.rs:2: "), "{said:?}");
        assert!(said[0].contains("mend: "), "{said:?}");
    }
    let clean = "const A: &str = include_str!(\"a.txt\");\n#[serde(path = 1)]\n#[inline]\nfn \
                 path() { let path = 1; }\nextern crate other as name;";
    assert!(said(&[("lib.rs", clean)]).is_empty());
}

#[test]
fn a_macro_lent_to_the_modules_below_is_a_use_of_its_module() {
    let text = circle(&[
        ("lib.rs", "macro_rules! m { () => { $crate::b::g() } }\nmod a; mod b;"),
        ("a.rs", "pub struct A;\nfn f() { m!(); println!() }"),
        ("b.rs", "use crate::a::A;\npub fn g() {}"),
    ]);
    assert!(text.contains("`m!` (crates/a/src/a.rs:2)"), "{text}");
}
