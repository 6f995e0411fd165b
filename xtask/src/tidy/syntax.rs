//! Rule: every Rust file parses. Beside it, what several rules ask of a syntax tree.

use super::finding::Finding;
use super::tree::Tree;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let broken = tree.files().filter_map(|file| match &file.syntax {
        Some(Err(error)) => Some(Finding::new(
            &file.path,
            error.span().start().line,
            format!("not Rust: {error}"),
            "mend the syntax; the other rules pass this file over until then",
        )),
        _ => None,
    });
    broken.collect()
}

/// Whether the code is compiled for tests alone: `#[cfg(test)]`, `#[test]` and their like.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        if last.is_some_and(|segment| segment.ident == "test") {
            return true;
        }
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
    })
}

/// The attributes of an item that can be left out of a build.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name itself: `r#segment` is `segment`.
pub(crate) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}

/// Every name in the tokens, however deep.
pub(crate) fn names(tokens: TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    let mut open = vec![tokens.into_iter()];
    while let Some(stream) = open.last_mut() {
        match stream.next() {
            Some(TokenTree::Ident(name)) => found.push(name),
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            Some(_) => {}
            None => {
                open.pop();
            }
        }
    }
    found
}

fn needs_test(condition: &Meta) -> bool {
    if condition.path().is_ident("test") {
        return true;
    }
    let Meta::List(list) = condition else {
        return false;
    };
    list.path.is_ident("all")
        && list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(needs_test))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_is_for_tests(text: &str) -> bool {
        let file = syn::parse_file(text).unwrap();
        is_for_tests(attributes(&file.items[0]))
    }

    #[test]
    fn a_file_that_does_not_parse_is_a_finding() {
        let tree = Tree::of(&[("a.rs", "fn a() {}\n\nfn {"), ("b.rs", "fn b() {}")]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("a.rs:3: not Rust"));
    }

    #[test]
    fn code_for_tests_alone_is_told_from_code_that_ships() {
        assert!(first_is_for_tests("#[cfg(test)] mod tests {}"));
        assert!(first_is_for_tests("#[cfg(all(test, unix))] mod tests {}"));
        assert!(first_is_for_tests("#[tokio::test] async fn it_holds() {}"));
        assert!(!first_is_for_tests("#[cfg(any(test, unix))] mod shared {}"));
        assert!(!first_is_for_tests("#[cfg(not(test))] mod real {}"));
    }
}
