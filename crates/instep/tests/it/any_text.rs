//! For any text at all, reading ends in a configuration or in problems with a place, never in a
//! panic, and within bounds.

use instep::Problem;
use instep::config::{Loaded, Surroundings, load_text, to_json, to_yaml};
use proptest::prelude::*;
use proptest::sample::Index;
use std::path::PathBuf;

pub(crate) const GOOD: &str = r#"# A configuration of every shape.
version: 1
data_dir: "./é ${DIR:-data}"
listen: 127.0.0.1:7171
services:
  a: &book { sqlite: a.db }
  b: { 'sqlite': "b\x20.db" }
  c: *book
sources:
  s: { from: [a], tables: [t, "u v"], shard_in_key: false }
copies:
  x:
    of: s/t
    to: b/t
    fields: { target: source }
    create: true
counts:
  n:
    of: s/u v
    by: [topic]
    where: >-
      deleted_at is null
      and price <> '$$5'
    to: [b/n]
limits: { held_keys_max: "${N:-12}", lease_seconds: 2.5 }
auth:
  tokens:
    - name: ops
      role: operator
      token: s3cret
"#;

fn read(bytes: &[u8]) -> Result<Loaded, Vec<Problem>> {
    let around = Surroundings { variables: Default::default(), folder: PathBuf::from("/base") };
    load_text("x.yaml", bytes.to_vec(), around)
}

/// Whatever was read is sound: shown, it can be read again; whatever was not says where and why.
pub(crate) fn check(bytes: &[u8]) {
    match read(bytes) {
        Ok(loaded) => {
            let shown = to_yaml(&loaded.settings, &loaded.around).replace("\"***\"", "s3cret");
            let again = read(shown.as_bytes()).expect(&shown);
            let json = |loaded: &Loaded| to_json(&loaded.settings, &loaded.around);
            assert_eq!(json(&again), json(&loaded), "{shown}");
        }
        Err(problems) => {
            assert!(problems.iter().any(|problem| !problem.code.is_warning()));
            let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            for Problem { what, why, fix, place, .. } in &problems {
                assert!(!what.is_empty() && !why.is_empty() && !fix.is_empty());
                assert!(!what.contains(char::is_control), "{what:?}");
                let place = place.as_ref().unwrap();
                assert!(place.line >= 1 && place.line <= lines.len() + 1, "{place:?}");
                assert!(place.column >= 1 && place.column <= bytes.len() + 2, "{place:?}");
                let excerpt = place.excerpt.as_ref().unwrap();
                assert!(!excerpt.text.contains(char::is_control), "{excerpt:?}");
            }
            assert!(problems.is_sorted_by_key(|problem| problem.place.clone().map(|at| at.line)));
        }
    }
}

#[test]
fn the_good_text_is_good() {
    assert_eq!(read(GOOD.as_bytes()).map_err(|problems| format!("{problems:?}")).err(), None);
}

#[test]
fn a_text_cut_anywhere_is_read_or_refused() {
    (0..GOOD.len()).for_each(|end| check(&GOOD.as_bytes()[..end]));
}

#[test]
fn a_text_without_any_one_byte_is_read_or_refused() {
    for at in 0..GOOD.len() {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes.remove(at);
        check(&bytes);
    }
}

#[test]
fn depth_and_aliases_are_bounded() {
    let refused = |text: &str| {
        let problems = read(text.as_bytes()).unwrap_err();
        assert_eq!(problems[0].code.name(), "E-CONFIG-SYNTAX", "{problems:?}");
    };
    refused(&"[".repeat(100_000));
    refused(&format!("{}1{}", "[".repeat(200), "]".repeat(200)));
    refused(&(0..200).map(|deep| format!("{}a:\n", " ".repeat(deep))).collect::<String>());
    refused(&"- ".repeat(10_000));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    refused(&bomb);
    refused("a: &a [*a]\n");
    refused("a: &a { b: *a }\n");
}

#[test]
fn a_thousand_mistakes_are_a_thousand_problems_and_more_are_not_told() {
    let text: String = (0..20_000).map(|n| format!("wrong-{n}: 1\n")).collect();
    let problems = read(format!("version: 1\n{text}").as_bytes()).unwrap_err();
    assert_eq!(problems.len(), 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn anything_like_yaml_is_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..60),
    ) {
        check(parts.concat().as_bytes());
    }

    #[test]
    fn a_good_text_with_mistakes_is_read_or_refused(
        changes in prop::collection::vec((any::<Index>(), prop::sample::select(&PARTS[..]), 0usize..6), 1..5),
    ) {
        let mut text = GOOD.to_owned();
        for (at, part, length) in changes {
            let from = at.index(text.len() + 1);
            let from = (0..=from).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let to = (from + length).min(text.len());
            let to = (to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            text.replace_range(from..to, part);
        }
        check(text.as_bytes());
    }
}

const PARTS: [&str; 44] = [
    "version: 1\n",
    "services:\n",
    "sources: ",
    "copies: ",
    "counts: ",
    "auth: ",
    "tokens: ",
    "  ",
    "\n",
    "\n  ",
    "a",
    "of: s/t",
    "where: ",
    "= 1",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "- ",
    "&a ",
    "*a",
    "!!str ",
    "'",
    "\"",
    "\\",
    "|\n",
    ">-\n",
    "#",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "${A}",
    "${A:-b}",
    "$$",
    "~",
    "true",
    "5",
    "\t",
    "\r\n",
    "é",
    "\u{2028}",
    "? ",
];
