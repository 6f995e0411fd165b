//! JSON that means the same has the same digest, however it is written.

use instep_model::{Cell, Column, Digest, Key, Kind, Row, Seed, Table, Value};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_way_in_which_json_is_written_does_not_matter(
        tree in tree(),
        (left, right) in (any::<u64>(), any::<u64>()),
    ) {
        prop_assert_eq!(digest(&written(&tree, left)), digest(&written(&tree, right)));
    }

    #[test]
    fn another_meaning_makes_another_digest(left in tree(), right in tree(), style in any::<u64>()) {
        let equal = digest(&written(&left, style)) == digest(&written(&right, style));
        prop_assert_eq!(equal, left == right);
    }

    #[test]
    fn a_text_that_is_no_json_is_compared_as_it_is_written(tree in tree(), style in any::<u64>()) {
        let text = written(&tree, style);
        prop_assert_ne!(digest(&format!("{text}!")), digest(&text));
        prop_assert_ne!(digest(&format!("{text}!")), digest(&format!("{text} !")));
    }

    #[test]
    fn no_text_does_harm(text in any::<String>(), close in "[\\[\\]{}\",:\\\\u0-9a-f .eE+-]{0,40}") {
        digest(&text);
        digest(&close);
    }
}

/// What a JSON text means; its members are sorted and each has its own name.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Word(&'static str),
    /// A number of hundredths.
    Number(i32),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Word("null")),
        Just(Tree::Word("true")),
        Just(Tree::Word("false")),
        (-500..500).prop_map(Tree::Number),
        text().prop_map(Tree::String),
    ];
    leaf.prop_recursive(3, 16, 4, |tree| {
        let members = vec((text(), tree.clone()), 0..4).prop_map(|mut members| {
            members.sort_by(|left, right| left.0.cmp(&right.0));
            members.dedup_by(|left, right| left.0 == right.0);
            Tree::Object(members)
        });
        prop_oneof![vec(tree, 0..4).prop_map(Tree::Array), members]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ab\"\\\\/\n]{0,2}", any::<String>()]
}

/// A tree as text; every choice that the grammar leaves is drawn from `style`.
fn written(tree: &Tree, mut style: u64) -> String {
    let mut out = String::new();
    put(tree, &mut style, &mut out);
    out
}

fn put(tree: &Tree, style: &mut u64, out: &mut String) {
    space(style, out);
    match tree {
        Tree::Word(word) => out.push_str(word),
        Tree::Number(hundredths) => put_number(*hundredths, style, out),
        Tree::String(text) => put_string(text, style, out),
        Tree::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                put(element, style, out);
            }
            space(style, out);
            out.push(']');
        }
        Tree::Object(members) => put_object(members, style, out),
    }
    space(style, out);
}

/// Members in any rotation; before the first, another value under the name of the last.
fn put_object(members: &[(String, Tree)], style: &mut u64, out: &mut String) {
    out.push('{');
    let start = if members.is_empty() { 0 } else { draw(style, 7) % members.len() };
    let (back, front) = members.split_at(start);
    let mut rotated: Vec<_> = front.iter().chain(back).cloned().collect();
    if let Some((name, _)) = rotated.last().cloned()
        && draw(style, 2) == 1
    {
        rotated.insert(0, (name, Tree::Number(123)));
    }
    for (index, (name, value)) in rotated.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        space(style, out);
        put_string(name, style, out);
        space(style, out);
        out.push(':');
        put(value, style, out);
    }
    space(style, out);
    out.push('}');
}

fn put_number(hundredths: i32, style: &mut u64, out: &mut String) {
    let sign = if hundredths < 0 { "-" } else { "" };
    let size = hundredths.unsigned_abs();
    out.push_str(&match draw(style, 4) {
        0 => format!("{sign}{size}e-2"),
        1 => format!("{sign}{}.{:02}", size / 100, size % 100),
        2 => format!("{sign}{}.{:03}E+1", size / 1000, size % 1000),
        _ => format!("{sign}{}.{:02}000e00", size / 100, size % 100),
    });
}

fn put_string(text: &str, style: &mut u64, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        let must = char < ' ' || char == '"' || char == '\\';
        if must || draw(style, 3) == 0 {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                let lower = draw(style, 2) == 0;
                let hex = if lower { format!("{unit:04x}") } else { format!("{unit:04X}") };
                out.push_str("\\u");
                out.push_str(&hex);
            }
        } else {
            out.push(char);
        }
    }
    out.push('"');
}

fn space(style: &mut u64, out: &mut String) {
    out.push_str(["", "", " ", "\n\t"][draw(style, 4)]);
}

/// A number below `end`, from a small generator of random numbers.
fn draw(style: &mut u64, end: usize) -> usize {
    *style = style.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*style >> 33).unwrap() % end
}

fn digest(json: &str) -> Digest {
    let column = Column {
        name: "json".into(),
        kind: Kind::Json,
        declared: "jsonb".into(),
        nullable: true,
        compares: instep_model::Compares::default(),
    };
    let table = Table { name: "t".into(), version: 1, columns: vec![column], key: vec![0] };
    let row = Row(vec![Cell::Value(Value::Json(json.into()))]);
    Digest::of(Seed::from_bytes([7; 16]), &table, &Key::new([1]), &row)
}
