//! PURE: a single value, with its variables in place, as what its shape wants.

use crate::config::node::Scalar;
use crate::config::setting::Value;
use crate::config::shape::{Shape, TEXT_BYTES_MAX};
use crate::config::span::{Mark, Span};
use crate::config::trouble::Trouble;
use crate::config::variables::{Unfilled, Variables, fill};
use crate::quote::quoted;
use model::Code;
use std::time::Duration;

/// A single value with its variables in place.
pub(super) struct Single<'a> {
    scalar: &'a Scalar,
    span: Span,
    text: String,
    /// Whether a variable stood there.
    filled: bool,
    /// Where the text begins, if it stands in the file as it is.
    pub(super) start: Option<Mark>,
}

impl<'a> Single<'a> {
    pub(super) fn read(
        scalar: &'a Scalar,
        span: Span,
        variables: &Variables,
        place: &str,
    ) -> Result<Self, Trouble> {
        let filled = fill(&scalar.text, variables)
            .map_err(|unfilled| unfilled_at(scalar, span, unfilled, place))?;
        if filled.text.len() > TEXT_BYTES_MAX {
            let what = format!("{place} has more than {TEXT_BYTES_MAX} bytes");
            let why = "no value needs that many";
            return Err(Trouble::new(Code::ConfigType, span, what, why, "shorten it"));
        }
        let start = scalar.verbatim.filter(|_| !filled.changed);
        Ok(Self { scalar, span, text: filled.text, filled: filled.changed, start })
    }

    /// The value as it was written, for people: what a variable holds may be a secret.
    pub(super) fn shown(&self) -> String {
        quoted(&self.scalar.text)
    }

    /// The text; a number or a word of YAML's own is none, but from a variable.
    pub(super) fn text(&self, shape: &Shape, place: &str) -> Result<String, Trouble> {
        if self.filled || self.scalar.kind() == TEXT {
            return Ok(self.text.clone());
        }
        Err(wrong_kind(self.scalar.kind(), self.span, shape, place))
    }

    /// The number, time or truth that a shape wants; in quotes only from a variable.
    pub(super) fn number(&self, shape: &Shape, place: &str) -> Result<Value, Trouble> {
        let kind = self.scalar.kind();
        if !self.filled && kind != kind_of(shape) {
            return Err(wrong_kind(kind, self.span, shape, place));
        }
        if let Some(value) = parse(&self.text, shape) {
            return Ok(value);
        }
        let newer = matches!(shape, Shape::Version) && whole(&self.text).is_some_and(|n| n > 1);
        let (code, which, fix) = match shape {
            Shape::Version if newer => (
                Code::ConfigNotYet,
                ", which is not in this version",
                "write 1, or run the version of Instep that reads it".to_owned(),
            ),
            Shape::Flag => {
                (Code::ConfigType, "", "write true or false, in small letters".to_owned())
            }
            _ => (Code::ConfigType, "", format!("write {}, in plain digits", shape.wanted())),
        };
        let what = format!("{place} is {}{which}", self.shown());
        let why = format!("it takes {}", shape.wanted());
        Err(Trouble::new(code, self.span, what, why, fix))
    }
}

/// Trouble about a value that is of another kind than its shape wants.
pub(super) fn wrong_kind(kind: &str, span: Span, shape: &Shape, place: &str) -> Trouble {
    let wanted = shape.wanted();
    let fix = match (kind, kind_of(shape)) {
        ("nothing", _) => "give it a value, or remove the key".to_owned(),
        (TEXT, NUMBER) => "write the number alone, without quotes and unit".to_owned(),
        (TEXT, TRUTH) => "write true or false, without quotes".to_owned(),
        (NUMBER | TRUTH, TEXT) => "put it in quotes".to_owned(),
        (TEXT | NUMBER | TRUTH, LIST) => "put it in [ ]".to_owned(),
        _ => format!("write {wanted}"),
    };
    let what = format!("{place} is {kind}");
    Trouble::new(Code::ConfigType, span, what, format!("it takes {wanted}"), fix)
}

const TEXT: &str = "text";
const NUMBER: &str = "a number";
const TRUTH: &str = "true or false";
const LIST: &str = "a list";
const MAP: &str = "a map of keys";

/// The kind that a shape wants, in the words of a node's kind.
fn kind_of(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_)
        | Shape::Word { .. }
        | Shape::Secret(_)
        | Shape::PostgresUrl
        | Shape::OneOrMore(_) => TEXT,
        Shape::Whole { .. } | Shape::Seconds { .. } | Shape::Version => NUMBER,
        Shape::Flag => TRUTH,
        Shape::List(_) => LIST,
        Shape::Record(_) | Shape::Choice(_) | Shape::Named(_) | Shape::Columns => MAP,
    }
}

fn unfilled_at(scalar: &Scalar, span: Span, unfilled: Unfilled, place: &str) -> Trouble {
    let (before, rest) = scalar.text.split_at(unfilled.at);
    let concerned = &rest[..unfilled.length];
    let exact = |start: Mark| Span::of(start.after(before), concerned);
    let why = format!("{place} asks for it");
    let span = scalar.verbatim.map_or(span, exact);
    Trouble::new(Code::ConfigVariable, span, unfilled.what, why, unfilled.fix)
}

fn parse(text: &str, shape: &Shape) -> Option<Value> {
    match shape {
        Shape::Flag => Some(Value::Flag(text.parse().ok()?)),
        Shape::Version => whole(text).filter(|version| *version == 1).map(Value::Whole),
        Shape::Whole { min, max } => {
            whole(text).filter(|number| (min..=max).contains(&number)).map(Value::Whole)
        }
        Shape::Seconds { millis_min, millis_max } => {
            let fits = |millis: &u64| (millis_min..=millis_max).contains(&millis);
            let millis = millis(text).filter(fits)?;
            Some(Value::Seconds(Duration::from_millis(millis)))
        }
        _ => None,
    }
}

/// A number in plain digits.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Seconds with up to three decimals, in milliseconds.
fn millis(text: &str) -> Option<u64> {
    let (seconds, rest) = text.split_once('.').unwrap_or((text, "0"));
    if rest.len() > 3 || whole(rest).is_none() {
        return None;
    }
    whole(seconds)?.checked_mul(1_000)?.checked_add(whole(&format!("{rest:0<3}"))?)
}
