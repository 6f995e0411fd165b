//! Node: the configuration as it was written, each piece with its place.

use super::span::{Mark, Span};

/// One piece of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub content: Content,
}

/// What a piece of the configuration is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values, in the order in which they are written; no key stands twice.
    Map(Vec<Pair>),
}

/// A single value.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// The value, with quotes, escapes and folds undone.
    pub text: String,
    /// Whether it stands there without quotes, so that `5` is a number.
    pub plain: bool,
    /// Where the text begins, if it stands in the file as it is, in one line.
    pub verbatim: Option<Mark>,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// What the node is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) => scalar.kind(),
            Content::List(_) => "a list",
            Content::Map(_) => "a map of keys",
        }
    }
}

impl Scalar {
    /// What the value is by YAML's core rules, for people.
    pub(super) fn kind(&self) -> &'static str {
        if !self.plain {
            return "text";
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => "nothing",
            "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => "true or false",
            text if is_number(text) => "a number",
            _ => "text",
        }
    }
}

/// Whether a plain value is a number by YAML's core rules.
fn is_number(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let radix = |prefix, radix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
    };
    let named =
        matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN");
    let digits = bare.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && bare.contains(|c: char| c.is_ascii_digit())
        && bare.parse::<f64>().is_ok();
    named || digits || radix("0x", 16) || radix("0o", 8)
}
