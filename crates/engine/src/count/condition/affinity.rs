//! Affinity: what a literal becomes beside a column whose source decides by value, as SQLite does.
//!
//! A literal that the source would turn into another value than we do is refused; so are those of
//! which not every reader of numbers makes the same float.
//!
//! Must not know: columns, comparisons.

use super::compare::nearest;
use model::{Affinity, Decimal, Value};

/// A decimal of so many digits is the same float to every reader of numbers.
const DIGITS_MAX: usize = 15;

/// So is one whose last digit stands at most so many places from the point.
const PLACES_MAX: i64 = 290;

/// Why a literal is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unlike {
    /// What is wrong.
    pub(super) what: String,
    /// What to do about it.
    pub(super) fix: String,
}

/// What the literal is compared as.
pub(super) fn literal(affinity: Affinity, literal: &Value) -> Result<Value, Unlike> {
    match (affinity, literal) {
        (_, Value::Bool(bool)) => self::literal(affinity, &Value::Int((*bool).into())),
        (Affinity::Text, Value::Int(int)) => Ok(int.to_string().as_str().into()),
        (Affinity::Text, Value::Decimal(_)) => Err(Unlike {
            what: "a column of texts is compared with a number that is not whole".to_owned(),
            fix: "write it as the text that the column holds, as in '1.5'".to_owned(),
        }),
        (_, Value::Decimal(decimal)) => float(decimal),
        (Affinity::Numeric, Value::Text(text)) => match number(text) {
            Some(number) => number,
            None => Ok(literal.clone()),
        },
        _ => Ok(literal.clone()),
    }
}

/// Whether columns of these affinities compare value by value, as they stand: beside numbers texts
/// would be read as numbers, row by row.
pub(super) fn compare_alike(one: Affinity, other: Affinity) -> bool {
    (one == Affinity::Numeric) == (other == Affinity::Numeric)
}

/// The float that a decimal is read as.
fn float(decimal: &Decimal) -> Result<Value, Unlike> {
    let exact = match decimal.clone().into_canonical() {
        Decimal::Finite(finite) => {
            let digits = finite.digits();
            let written = digits.trim_end_matches('0');
            let zeros = places(digits.len() - written.len());
            let last = zeros - i64::from(finite.scale());
            written.len() <= DIGITS_MAX && last.abs() <= PLACES_MAX
        }
        _ => false,
    };
    if exact {
        return Ok(Value::Float(nearest(decimal)));
    }
    Err(Unlike {
        what: format!(
            "a number with a fraction, or beyond 64 bits, has more than {DIGITS_MAX} \
                       digits or is too large or small: as a float it is another number"
        ),
        fix: format!("write it with at most {DIGITS_MAX} digits, or as a whole number"),
    })
}

/// The number that a text stands for by itself: none if it is just a text.
fn number(text: &str) -> Option<Result<Value, Unlike>> {
    // Where a text goes on behind a NUL, versions of SQLite differ.
    if text.contains('\0') {
        return Some(Err(Unlike {
            what: "a column of numbers is compared with a text that has a NUL in it".to_owned(),
            fix: "write a number".to_owned(),
        }));
    }
    let blank = |char: char| matches!(char, ' ' | '\t'..='\r');
    let text = text.trim_matches(blank);
    let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(unsigned) => (text.starts_with('-'), unsigned),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = [whole, fraction.unwrap_or_default()].concat();
    let power = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    let is_number = !digits.is_empty()
        && are_digits(&digits)
        && power.is_none_or(|power| !power.is_empty() && are_digits(power));
    if !is_number {
        return None;
    }
    if fraction.is_none()
        && exponent.is_none()
        && let Ok(int) = text.parse()
    {
        return Some(Ok(Value::Int(int)));
    }
    // What is beyond these is refused as too large or small, whatever its digits.
    let power: i32 = exponent.map_or(0, |it| it.parse().unwrap_or(i32::from(i16::MAX)));
    let scale = i32::try_from(fraction.map_or(0, str::len)).ok()?;
    let decimal = Decimal::finite(negative, digits.as_bytes(), scale.saturating_sub(power));
    Some(float(&decimal.unwrap_or(Decimal::NaN)))
}

fn places(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{compare_alike, literal};
    use model::{Affinity, Value};

    const ALL: [Affinity; 3] = [Affinity::Blob, Affinity::Text, Affinity::Numeric];

    fn decimal(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    #[test]
    fn a_text_beside_numbers_is_the_number_that_it_is_written_as() {
        let number = |text: &str| literal(Affinity::Numeric, &Value::from(text)).unwrap();
        for (text, int) in
            [("5", 5), (" +5\n", 5), ("-007", -7), ("9007199254740993", (1 << 53) + 1)]
        {
            assert_eq!(number(text), Value::Int(int), "{text:?}");
        }
        for (text, float) in
            [("5.", 5.0), (".5", 0.5), ("1e3", 1000.0), ("-1.50E-1", -0.15), ("-0.0", -0.0)]
        {
            assert_eq!(number(text), Value::from(float), "{text:?}");
        }
        for text in ["", " ", ".", "-", "+ 5", "e5", "5e", "5e+", "0x10", "1_0", "5 5", "\u{a0}5"] {
            assert_eq!(number(text), Value::from(text), "{text:?}");
        }
        for text in ["9223372036854775808", "0.12345678901234567", "1e400", "1e-400", "5\0"] {
            assert!(literal(Affinity::Numeric, &text.into()).is_err(), "{text:?}");
        }
        for affinity in [Affinity::Blob, Affinity::Text] {
            assert_eq!(literal(affinity, &"5".into()), Ok(Value::from("5")));
        }
    }

    #[test]
    fn a_number_beside_texts_is_the_text_that_it_is_written_as() {
        assert_eq!(literal(Affinity::Text, &Value::Int(-5)), Ok(Value::from("-5")));
        assert_eq!(literal(Affinity::Text, &true.into()), Ok(Value::from("1")));
        assert!(literal(Affinity::Text, &decimal("1.5")).is_err(), "sources write it in many ways");
        for affinity in [Affinity::Blob, Affinity::Numeric] {
            assert_eq!(literal(affinity, &Value::Int(-5)), Ok(Value::Int(-5)));
            assert_eq!(literal(affinity, &decimal("1.50")), Ok(Value::from(1.5)));
            assert_eq!(literal(affinity, &false.into()), Ok(Value::Int(0)));
        }
    }

    #[test]
    fn a_decimal_that_is_no_float_is_refused() {
        let refused = literal(Affinity::Blob, &decimal("9007199254740992.5")).unwrap_err();
        assert_eq!(
            refused.what,
            "a number with a fraction, or beyond 64 bits, has more than 15 digits or is too large \
             or small: as a float it is another number"
        );
        let large = decimal("10000000000000000000000");
        assert_eq!(literal(Affinity::Numeric, &large), Ok(Value::from(1e22)));
    }

    #[test]
    fn nothing_is_made_of_null() {
        for affinity in ALL {
            assert_eq!(literal(affinity, &Value::Null), Ok(Value::Null));
        }
    }

    #[test]
    fn columns_of_numbers_compare_with_no_other() {
        for one in ALL {
            for other in ALL {
                let alike =
                    one == other || (one != Affinity::Numeric && other != Affinity::Numeric);
                assert_eq!(compare_alike(one, other), alike, "{one:?} and {other:?}");
            }
        }
    }
}
