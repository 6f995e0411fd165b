//! `explain`: what a code means, why it comes up and what to do.

use crate::report::Report;
use crate::suggest;
use model::Code;
use serde_json::json;

/// Explains a code, also one typed in small letters or without its first one.
pub fn run(asked: &str) -> Report {
    let upper = asked.to_uppercase();
    let is_asked = |code: &Code| code.name() == upper || code.name().get(2..) == Some(&upper);
    match Code::all().find(is_asked) {
        Some(code) => {
            let data = json!({ "code": code.name(), "explanation": code.explain() });
            let text = format!("{code}\n\n{}\n", wrapped(code.explain()));
            Report::done(format!("what {code} means")).with(text, data)
        }
        None => {
            let fix = suggest::fix(asked, Code::all().map(Code::name));
            let shown: String = asked.chars().take(60).collect();
            Report::usage(format!("there is no code `{}`", shown.escape_debug()), fix)
        }
    }
}

/// A text in lines that a terminal holds.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let long = word.chars().count();
        if width > 0 && width + 1 + long > COLUMNS_MAX {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += long;
    }
    lines
}

const COLUMNS_MAX: usize = 88;
