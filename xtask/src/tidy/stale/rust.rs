//! The paths in a piece of Rust: `Vec<Segment>` names two types.
//!
//! A text that is no type, value, signature or item names itself and nothing else.

use crate::tidy::syntax;
use proc_macro2::{TokenStream, TokenTree};
use syn::{Expr, Item, Signature, Type};

pub(super) fn paths(text: &str) -> Vec<String> {
    let whole = || vec![text.to_owned()];
    if !text.contains(BEYOND_A_PATH) || !is_rust(text) {
        return whole();
    }
    let Ok(tokens) = text.parse::<TokenStream>() else {
        return whole();
    };
    let mut paths = Vec::new();
    let mut open = vec![tokens];
    while let Some(stream) = open.pop() {
        in_stream(stream, &mut paths, &mut open);
    }
    paths
}

const BEYOND_A_PATH: [char; 7] = ['<', '(', '{', '[', '&', ' ', '#'];

fn is_rust(text: &str) -> bool {
    let is_value = |value: Expr| !matches!(value, Expr::Binary(_) | Expr::Unary(_));
    syn::parse_str::<Type>(text).is_ok()
        || syn::parse_str::<Expr>(text).is_ok_and(is_value)
        || syn::parse_str::<Signature>(text).is_ok()
        || [text, &format!("{text};"), &format!("{text} {{}}")]
            .iter()
            .any(|text| syn::parse_str::<Item>(text).is_ok())
}

/// Adds the paths of one stream, and leaves its groups for later.
fn in_stream(stream: TokenStream, paths: &mut Vec<String>, open: &mut Vec<TokenStream>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in stream {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    end(&mut path, paths);
                }
                path.push(syntax::plain(&name));
                colons = 0;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
            other => {
                end(&mut path, paths);
                colons = 0;
                if let TokenTree::Group(group) = other {
                    open.push(group.stream());
                }
            }
        }
    }
    end(&mut path, paths);
}

fn end(path: &mut Vec<String>, paths: &mut Vec<String>) {
    if !path.is_empty() {
        paths.push(std::mem::take(path).join("::"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_generics_and_fields_is_named() {
        for (text, named) in [
            ("Vec<Row>", ["Vec", "Row"].as_slice()),
            ("Arc<dyn log::Log>", &["Arc", "dyn", "log::Log"]),
            ("Row { key }", &["Row", "key"]),
            ("&mut Row", &["mut", "Row"]),
            ("impl Log for Row", &["impl", "Log", "for", "Row"]),
            ("fn read(row: Row) -> Key", &["fn", "read", "Key", "row", "Row"]),
        ] {
            assert_eq!(paths(text), named, "{text}");
        }
    }

    #[test]
    fn what_is_no_rust_names_itself() {
        for text in ["Row", "log::read()", "Content-Type: Json", "E-DATA-LOCKED", "GET /Row"] {
            assert_eq!(paths(text).concat(), text.trim_end_matches("()"), "{text}");
        }
    }
}
