//! PURE: what makes two values of a column the same.

use model::digest::same;
use model::{Cell, Decimal, Float, Moment, Value};
use std::fmt;
use std::str::FromStr;

/// What makes two values of a column the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// They mean the same: `1.0` and `1.00`, either zero, JSON whatever its spaces.
    #[default]
    Exact,
    /// Numbers are the same if they are worth the same, whole or not.
    Worth,
    /// Texts are the same without the blanks at their ends.
    Trim,
    /// Numbers are the same in 32 bits.
    Single,
    /// Times are the same without what is behind so many digits of a second.
    Digits(u32),
    /// NULL and a value that is not there are the same.
    NullAsMissing,
}

/// Digits of a second that are kept anywhere.
const DIGITS_MAX: u32 = 6;

impl Rule {
    /// Whether two cells are the same.
    pub fn joins(self, one: &Cell, other: &Cell) -> bool {
        match (self.plain(one.clone()), self.plain(other.clone())) {
            (Cell::Value(one), Cell::Value(other)) => same(&one, &other),
            (one, other) => one == other,
        }
    }

    /// The cell in the form in which what is the same is the same.
    #[must_use]
    pub fn plain(self, cell: Cell) -> Cell {
        match (self, cell) {
            (Rule::NullAsMissing, Cell::Missing) => Cell::Value(Value::Null),
            (_, Cell::Value(value)) => Cell::Value(self.plain_value(value)),
            (_, cell) => cell,
        }
    }

    fn plain_value(self, value: Value) -> Value {
        match (self, value) {
            (Rule::Worth, Value::Int(int)) => decimal(&int.to_string(), Value::Int(int)),
            (Rule::Worth, Value::Float(float)) => decimal(&written(float.0), Value::Float(float)),
            (Rule::Trim, Value::Text(text)) => Value::Text(text.trim_end_matches(' ').into()),
            (Rule::Single, value) => single(value),
            (Rule::Digits(digits), value) => cut(digits, value),
            (_, value) => value,
        }
    }
}

/// A float beyond what decimals hold stays what it is.
fn decimal(text: &str, otherwise: Value) -> Value {
    text.parse::<Decimal>().map_or(otherwise, Value::Decimal)
}

/// The nearest number of 32 bits, whatever kind of number it is.
fn single(value: Value) -> Value {
    let text = match &value {
        Value::Int(int) => int.to_string(),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Float(Float(float)) => {
            #[expect(clippy::cast_possible_truncation, reason = "that is the rule")]
            return Value::Float(Float(f64::from(*float as f32)));
        }
        _ => return value,
    };
    text.parse::<f32>().map_or(value, |float| Value::Float(Float(float.into())))
}

/// The shortest digits that are this number again.
fn written(float: f64) -> String {
    match float {
        float if float.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        float => format!("{float:e}"),
    }
}

/// Downwards, before 1970 as well.
fn cut(digits: u32, value: Value) -> Value {
    let step = 10_i64.pow(DIGITS_MAX.saturating_sub(digits));
    let cut = |micros: i64| micros.saturating_sub(micros.rem_euclid(step));
    let moment = |moment| match moment {
        Moment::At(micros) => Moment::At(cut(micros)),
        end => end,
    };
    match value {
        Value::Time(micros) => Value::Time(cut(micros)),
        Value::TimeTz(micros, east) => Value::TimeTz(cut(micros), east),
        Value::Timestamp(at) => Value::Timestamp(moment(at)),
        Value::TimestampTz(at) => Value::TimestampTz(moment(at)),
        other => other,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Exact => f.write_str("exact"),
            Rule::Worth => f.write_str("worth"),
            Rule::Trim => f.write_str("trim"),
            Rule::Single => f.write_str("single"),
            Rule::Digits(0) => f.write_str("seconds"),
            Rule::Digits(3) => f.write_str("ms"),
            Rule::Digits(digits) => write!(f, "digits:{digits}"),
            Rule::NullAsMissing => f.write_str("null-as-missing"),
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("digits:").and_then(|digits| digits.parse().ok());
        match (text, digits) {
            ("exact", _) => Ok(Rule::Exact),
            ("worth", _) => Ok(Rule::Worth),
            ("trim", _) => Ok(Rule::Trim),
            ("single", _) => Ok(Rule::Single),
            ("seconds", _) => Ok(Rule::Digits(0)),
            ("ms", _) => Ok(Rule::Digits(3)),
            ("null-as-missing", _) => Ok(Rule::NullAsMissing),
            (_, Some(digits @ 0..=DIGITS_MAX)) => Ok(Rule::Digits(digits)),
            _ => Err(format!(
                "`{text}` is no rule: exact, worth, trim, single, seconds, ms, digits:N with N up to \
                 {DIGITS_MAX}, or null-as-missing"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;
    use model::{Cell, Float, Moment, Value};

    fn cell(value: impl Into<Value>) -> Cell {
        Cell::Value(value.into())
    }

    fn number(text: &str) -> Cell {
        Cell::Value(Value::Decimal(text.parse().unwrap()))
    }

    #[test]
    fn each_rule_joins_what_it_says_and_nothing_else() {
        let at = |micros| Cell::Value(Value::TimestampTz(Moment::At(micros)));
        let json = |text: &str| Cell::Value(Value::Json(text.into()));
        let single = |float: f32| Cell::Value(Value::Float(Float(float.into())));
        for (rule, one, other, is_same) in [
            (Rule::Exact, number("1.0"), number("1.00"), true),
            (Rule::Exact, cell(0.0), cell(-0.0), true),
            (Rule::Exact, json("{\"a\":1,\"b\":2}"), json("{ \"b\":2, \"a\":1.0 }"), true),
            (Rule::Exact, cell(1), number("1"), false),
            (Rule::Exact, cell("a"), cell("a "), false),
            (Rule::Exact, cell(""), Cell::Value(Value::Null), false),
            (Rule::Exact, Cell::Missing, Cell::Value(Value::Null), false),
            (Rule::Exact, at(1), at(2), false),
            (Rule::Worth, cell(1), number("1.00"), true),
            (Rule::Worth, cell(1), cell(1.0), true),
            (Rule::Worth, cell(0.1), number("0.1"), true),
            (Rule::Worth, cell(9_007_199_254_740_993), cell(9_007_199_254_740_992.0), false),
            (Rule::Worth, cell(f64::NAN), number("NaN"), true),
            (Rule::Trim, cell("a"), cell("a  "), true),
            (Rule::Trim, cell("a"), cell(" a"), false),
            (Rule::Trim, cell("a"), cell("a\t"), false),
            (Rule::Single, cell(0.1), single(0.1), true),
            (Rule::Single, cell(0.1), cell(0.2), false),
            (Rule::Single, cell(0.1), number("0.1"), true),
            (Rule::Single, single(0.1), number("0.2"), false),
            (Rule::Single, cell(1), cell(1.0), true),
            (Rule::Single, cell(f64::NAN), number("NaN"), true),
            (Rule::Digits(3), at(1_999), at(1_000), true),
            (Rule::Digits(3), at(-1), at(-1_000), true),
            (Rule::Digits(3), at(-1), at(0), false),
            (Rule::Digits(0), at(1_000_000), at(1_999_999), true),
            (Rule::Digits(6), at(1), at(2), false),
            (Rule::NullAsMissing, Cell::Missing, Cell::Value(Value::Null), true),
            (Rule::NullAsMissing, Cell::Missing, cell(""), false),
        ] {
            assert_eq!(rule.joins(&one, &other), is_same, "{rule}: {one:?} {other:?}");
            assert_eq!(rule.joins(&other, &one), is_same, "{rule}: {other:?} {one:?}");
        }
    }

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        for text in ["exact", "worth", "trim", "single", "seconds", "ms", "digits:4"] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
        assert_eq!("digits:3".parse::<Rule>().unwrap(), Rule::Digits(3));
        for wrong in ["", "Exact", "digits:", "digits:7", "digits:-1"] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
    }
}
