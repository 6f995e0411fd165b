//! Rule: names keep to the glossary, and nothing says that it is unfinished.
//!
//! Only names that are defined here count: calling something that others named is free.

use super::definitions::{self, Definition, Kind};
use super::finding::Finding;
use super::tree::{File, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, syntax) in tree.rust() {
        findings.extend(path_fault(file));
        let defined = definitions::of(syntax).into_iter().filter(is_checked);
        findings.extend(defined.filter_map(|found| name_fault(file, &found)));
    }
    for file in tree.files() {
        findings.extend(file.lines().filter_map(|(number, line)| unfinished(file, number, line)));
    }
    findings
}

struct Word {
    word: &'static str,
    say: &'static str,
    /// Whether it is only wrong as the whole name, as in `common` but not in `common_prefix`.
    alone: bool,
}

const WORDS: [Word; 10] = [
    Word { word: "sink", say: "target", alone: false },
    Word { word: "event", say: "change", alone: false },
    Word { word: "lsn", say: "position", alone: false },
    Word { word: "drift", say: "difference", alone: false },
    Word { word: "checkpoint", say: "watermark", alone: false },
    Word { word: "helper", say: "what it does", alone: false },
    Word { word: "manager", say: "what it does", alone: false },
    Word { word: "util", say: "what is in it", alone: true },
    Word { word: "common", say: "what is in it", alone: true },
    Word { word: "misc", say: "what is in it", alone: true },
];

struct Exception {
    below: &'static str,
    word: &'static str,
}

const EXCEPTIONS: [Exception; 3] = [
    // PostgreSQL's own name for its position, in the one folder that reads it.
    Exception { below: "crates/connectors/src/postgres", word: "lsn" },
    // The moment at which a store syncs what it holds, which is no watermark.
    Exception { below: "crates/engine/src/state", word: "checkpoint" },
    // SQLite's own name for folding its log into the database.
    Exception { below: "crates/engine/src/catalog", word: "checkpoint" },
];

// Joined from two parts each, so that this file does not break its own rule.
const UNFINISHED_WORDS: [&str; 3] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
const UNFINISHED_CALLS: [&str; 2] = [concat!("to", "do!"), concat!("unimple", "mented!")];

fn is_checked(found: &Definition) -> bool {
    !matches!(found.kind, Kind::Field | Kind::Macro)
}

fn name_fault(file: &File, found: &Definition) -> Option<Finding> {
    let word = banned(&file.path, &found.name)?;
    let what = format!("`{}` says `{}`", found.name, word.word);
    Some(Finding::new(&file.path, found.line, what, mend(word)))
}

fn path_fault(file: &File) -> Option<Finding> {
    let parts = file.path.strip_suffix(".rs")?.split('/');
    let word = parts.filter_map(|part| banned(&file.path, part)).next()?;
    let what = format!("the path says `{}`", word.word);
    Some(Finding::new(&file.path, 1, what, mend(word)))
}

fn mend(word: &Word) -> String {
    format!("name it for {}, see docs/glossary.md", word.say)
}

fn banned(path: &str, name: &str) -> Option<&'static Word> {
    let parts = split(name);
    WORDS.iter().find(|word| {
        let says = if word.alone { parts == [word.word] } else { has(&parts, word.word) };
        says && !EXCEPTIONS.iter().any(|one| path.starts_with(one.below) && one.word == word.word)
    })
}

fn has(parts: &[String], word: &str) -> bool {
    parts.iter().any(|part| part == word)
}

/// The words of a name, in lower case and without the `s` of a plural.
fn split(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase())
                || after.is_some_and(|after| after.is_lowercase()));
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words.iter().map(|word| word.strip_suffix('s').unwrap_or(word).to_owned()).collect()
}

fn unfinished(file: &File, number: usize, line: &str) -> Option<Finding> {
    let whole =
        |word: &&&str| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == **word);
    let word = UNFINISHED_WORDS.iter().find(whole);
    let word = word.or_else(|| UNFINISHED_CALLS.iter().find(|call| line.contains(**call)))?;
    let what = format!("`{word}` says that this is unfinished");
    Some(Finding::new(&file.path, number, what, "finish it, or leave it out and say so nowhere"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_banned_word_in_a_definition_is_found_with_the_right_one() {
        for text in ["struct HTTPSink;", "fn next_event() {}", "enum A { Drift }", "mod helpers {}"]
        {
            assert_eq!(said("a.rs", text).len(), 1, "{text}");
        }
        assert!(said("a.rs", "//! A.\nfn flush_lsn() {}")[0].starts_with("a.rs:2: `flush_lsn`"));
        assert!(said("a.rs", "fn flush_lsn() {}")[0].contains("name it for position"));
    }

    #[test]
    fn a_banned_word_in_a_path_is_found() {
        assert!(said("src/utils.rs", "")[0].starts_with("src/utils.rs:1: the path says `util`"));
        assert_eq!(said("src/common/a.rs", "").len(), 1);
    }

    #[test]
    fn calls_and_longer_words_are_free() {
        assert!(said("a.rs", "fn prevent() { futures::sink(next_event()); }").is_empty());
        assert!(said("a.rs", "fn common_prefix() {}").is_empty());
        assert!(said("a.rs", "impl Subscriber for A { fn event(&self) {} }").is_empty());
    }

    #[test]
    fn a_word_may_stand_where_it_is_the_systems_own() {
        assert!(said("crates/connectors/src/postgres/slot.rs", "fn lsn() {}").is_empty());
        assert_eq!(said("crates/connectors/src/sqlite.rs", "fn lsn() {}").len(), 1);
    }

    #[test]
    fn unfinished_words_are_found_in_any_text() {
        for word in UNFINISHED_WORDS {
            assert_eq!(said("docs/a.md", &format!("One.\n{word}: two.")).len(), 1);
        }
        assert_eq!(said("a.rs", &format!("fn a() {{ {}() }}", UNFINISHED_CALLS[0])).len(), 1);
        assert!(said("a.sh", &format!("mktemp a.{}", "X".repeat(6))).is_empty());
    }
}
