//! Rule: every Rust file begins with a `//!` header that says in a sentence what the file is.

use super::finding::Finding;
use super::tree::{File, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let rust = tree.files().filter(|file| file.path.ends_with(".rs"));
    rust.filter_map(|file| {
        let what = fault(file)?;
        Some(Finding::new(&file.path, 1, what, MEND))
    })
    .collect()
}

const MEND: &str = "begin the file with `//!`: what it is, which invariant it keeps, what it must \
                    not know; in whole sentences";

fn fault(file: &File) -> Option<&'static str> {
    let header: Vec<&str> = file.text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    if header.is_empty() {
        return Some("the file has no header");
    }
    let opening = header.iter().map(|line| line.trim()).take_while(|line| !line.is_empty());
    let opening = opening.collect::<Vec<_>>().join(" ");
    if is_sentence(&opening) { None } else { Some("the header begins with no whole sentence") }
}

/// A capital (or code, or a number) first, a full stop somewhere, and between two stops at least
/// three words of letters.
fn is_sentence(text: &str) -> bool {
    let begins = text.chars().next().is_some_and(|first| !first.is_lowercase());
    let ends = text.ends_with(['.', '?', '!', ':']) || text.contains(". ");
    let mut parts = text.split(". ");
    begins && ends && parts.any(|part| part.split_whitespace().filter(is_word).count() >= 3)
}

/// Letters alone, but for marks around them and between them.
fn is_word(text: &&str) -> bool {
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    bare.starts_with(char::is_alphabetic)
        && bare.chars().all(|c| c.is_alphabetic() || "'’-_:/".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        check(&Tree::of(&[("build.rs", text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert!(said("fn main() {}")[0].starts_with("build.rs:1: the file has no header"));
        assert_eq!(said("// A comment is not enough.\nfn main() {}").len(), 1);
        assert_eq!(said("use std::fmt;\n//! Too late to say.").len(), 1);
    }

    #[test]
    fn a_header_that_is_no_sentence_is_found() {
        assert_eq!(said("//! rows").len(), 1);
        assert_eq!(said("//!\n//! The sentence must come first.").len(), 1);
    }

    #[test]
    fn a_header_without_words_is_found() {
        for header in
            ["//! - - - .", "//! 1 2 3.", "//! A1 B2 C3.", "//! One. Two. Three.", "//! … — ::."]
        {
            assert_eq!(said(header).len(), 1, "{header}");
        }
        assert!(said("//! Keys, in order.").is_empty());
    }

    #[test]
    fn a_sentence_over_two_lines_is_enough() {
        assert!(
            said("//! Rows and keys: cells in the order\n//! of a table's columns.").is_empty()
        );
        assert!(said("//! `Disk` writes. It lies about nothing\n//!\n//! ```text").is_empty());
    }
}
