//! What hides an edge between modules: files and names that no path of the source leads to.
//!
//! Read from the tokens, so that macros and conditions hide nothing either.

use crate::tidy::finding::Finding;
use crate::tidy::syntax;
use crate::tidy::tree::{File, Tree};
use proc_macro2::{Span, TokenStream, TokenTree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.rust().filter(|(file, _)| file.path.contains("/src/"));
    sources.flat_map(|(file, _)| in_file(file)).collect()
}

fn in_file(file: &File) -> Vec<Finding> {
    let Ok(tokens) = file.text.parse::<TokenStream>() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut open = vec![tokens];
    while let Some(stream) = open.pop() {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for at in 0..tokens.len() {
            if let Some((span, what, mend)) = hides(&tokens[at..]) {
                findings.push(Finding::new(&file.path, span.start().line, what, mend));
            }
        }
        open.extend(tokens.iter().filter_map(inside));
    }
    findings
}

/// What the tokens begin with that hides an edge.
fn hides(tokens: &[TokenTree]) -> Option<(Span, &'static str, &'static str)> {
    let first = tokens.first()?;
    if is_mark(first, '#') {
        let group = tokens[1..].iter().find(|token| !is_mark(token, '!'))?;
        let (what, mend) = in_attribute(&inside(group)?)?;
        return Some((first.span(), what, mend));
    }
    let second = tokens.get(1)?;
    if is_name(first, "include") && is_mark(second, '!') {
        return Some((first.span(), "`include!` brings in source that no rule reads", MEND_FILE));
    }
    let to_itself = is_name(first, "extern")
        && is_name(second, "crate")
        && tokens.get(2).is_some_and(|third| is_name(third, "self"));
    to_itself.then_some((first.span(), "the crate gives itself a second name", MEND_NAME))
}

fn in_attribute(attribute: &TokenStream) -> Option<(&'static str, &'static str)> {
    let tokens: Vec<TokenTree> = attribute.clone().into_iter().collect();
    let first = tokens.first()?;
    if is_name(first, "macro_use") {
        return Some(("`#[macro_use]` brings in macros that no path names", MEND_MACRO));
    }
    if is_name(first, "path") && tokens.get(1).is_some_and(|next| is_mark(next, '=')) {
        return Some(("`#[path]` puts a module where its name does not lead", MEND_FILE));
    }
    if !is_name(first, "cfg_attr") {
        return None;
    }
    let given: Vec<TokenTree> = inside(tokens.get(1)?)?.into_iter().collect();
    let mut parts = given.split(|token| is_mark(token, ',')).skip(1);
    parts.find_map(|part| in_attribute(&part.iter().cloned().collect()))
}

const MEND_FILE: &str = "declare it with `mod` and keep the file at the module's own place";
const MEND_NAME: &str = "name the crate's own modules by `crate::`";
const MEND_MACRO: &str = "bring the macro in by its path, with `use`";

fn inside(token: &TokenTree) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    }
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == mark)
}

fn is_name(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(found) if syntax::plain(found) == name)
}
