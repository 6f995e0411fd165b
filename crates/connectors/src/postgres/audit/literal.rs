//! PURE: a value as SQL, to be compared with a column whose index shall serve.
//!
//! The value may come from another store, so it may be one that the column cannot hold. Such a value
//! has no literal, or one that lies beyond everything that the column holds.

use super::relation::Held;
use crate::postgres::quote;
use crate::postgres::types::{Form, read, write};
use model::{Decimal, Float, Moment, Value};

/// Where a value lies among those of a column, as SQL; none if it lies above all of them.
pub(super) fn place(held: &Held, value: &Value) -> Option<String> {
    match (&held.form, value) {
        (Form::Int, Value::Decimal(_) | Value::Float(_)) if value.whole().is_none() => {
            Some(int(held, floor(value)?))
        }
        _ => literal(held, value),
    }
}

/// What a value is equal to in a column; none for what such a column cannot hold.
pub(super) fn literal(held: &Held, value: &Value) -> Option<String> {
    let typed = |name: &str| {
        let text = write(&held.form, value).ok()??;
        (!text.contains('\0')).then(|| format!("{}::{name}", quote::text(&text)))
    };
    match (&held.form, value) {
        (Form::Int, Value::Int(_) | Value::Decimal(_) | Value::Float(_)) => {
            Some(int(held, value.whole()?))
        }
        (Form::Int, Value::Bool(bool)) => Some(int(held, i64::from(*bool))),
        (Form::Decimal, Value::Int(_) | Value::Decimal(_) | Value::Float(_)) => {
            typed(if held.base.system == "xid8" { "xid8" } else { "numeric" })
        }
        (Form::Float8 | Form::Float4, Value::Float(_)) => typed("float8"),
        (Form::Float8, Value::Int(_) | Value::Decimal(_)) => float::<f64>(value, "float8"),
        (Form::Float4, Value::Int(_) | Value::Decimal(_)) => float::<f32>(value, "float4"),
        (Form::Bool, Value::Bool(bool)) => Some(bool.to_string()),
        (Form::Bool, Value::Int(int @ 0..=1)) => Some((*int == 1).to_string()),
        (
            Form::Date | Form::Timestamp | Form::TimestampTz,
            Value::Date(_) | Value::Timestamp(_) | Value::TimestampTz(_),
        ) => moment(value),
        (Form::Timestamp | Form::TimestampTz, Value::Text(text)) if is_far(text) => {
            Some(format!("{}::timestamptz", quote::text(text)))
        }
        (Form::Time, Value::Time(0..=DAY)) => typed("time"),
        (Form::TimeTz, Value::TimeTz(..)) => typed("timetz"),
        (Form::Interval, Value::Interval(_)) => typed("interval"),
        (Form::Uuid, Value::Uuid(_)) => typed("uuid"),
        (Form::Bytes, Value::Bytes(_)) => typed("bytea"),
        (Form::Json, Value::Json(_) | Value::Text(_)) => typed(&held.base.cast),
        (Form::Array(..), Value::Array(_)) => typed(&held.base.cast),
        (Form::Text, Value::Null | Value::RawText(_) | Value::Array(_) | Value::Bytes(_)) => None,
        (Form::Text, _) => of_text(held, &text(value)?),
        // As the server itself writes it.
        (form, Value::Text(text)) => match read(form, text.as_bytes()).ok()? {
            Value::Text(_) => None,
            own => literal(held, &own),
        },
        _ => None,
    }
}

/// The text that a value is in a column of texts.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Uuid(uuid) => hyphened(uuid),
        _ => write(&Form::Text, value).ok()??,
    };
    Some(text).filter(|text| !text.contains('\0'))
}

fn of_text(held: &Held, text: &str) -> Option<String> {
    let literal = quote::text(text);
    let cast = &held.base.cast;
    Some(match (held.is_any_text(), held.base.is_enumeration) {
        // It is then one of the column's own type, whatever that is.
        (true, _) => literal,
        // The server refuses labels that it does not know. They lie above those that it knows.
        (_, true) => format!(
            "coalesce((select l from unnest(enum_range(null::{cast})) as l where l::text = \
             {literal}), enum_last(null::{cast}))"
        ),
        _ => format!("{literal}::{cast}"),
    })
}

/// Numbers of any width compare with those of another and use the same index, but for those of the
/// server itself.
fn int(held: &Held, int: i64) -> String {
    let name = match &*held.base.system {
        "oid" | "xid" | "cid" => return format!("'{}'", int.clamp(0, u32::MAX.into())),
        _ => "int8",
    };
    format!("'{int}'::{name}")
}

/// The integer below a number that is none; the ends for what lies beyond.
fn floor(value: &Value) -> Option<i64> {
    let decimal = match value {
        Value::Decimal(decimal) => decimal.clone(),
        Value::Float(Float(float)) => format!("{float:e}").parse().ok()?,
        _ => return None,
    };
    let finite = match decimal.into_canonical() {
        Decimal::Finite(finite) => finite,
        Decimal::NegativeInfinity => return Some(i64::MIN),
        Decimal::PositiveInfinity | Decimal::NaN => return Some(i64::MAX),
    };
    let text = Decimal::Finite(finite.clone()).to_string();
    let whole = text.split('.').next().and_then(|whole| whole.parse::<i64>().ok());
    Some(match (whole, finite.is_negative()) {
        (Some(whole), true) => whole.saturating_sub(1),
        (Some(whole), false) => whole,
        (None, true) => i64::MIN,
        (None, false) => i64::MAX,
    })
}

/// A number as a float, if it is none that is too large for one.
fn float<F: std::str::FromStr + Into<f64>>(value: &Value, name: &str) -> Option<String> {
    let text = write(&Form::Decimal, value).ok()??;
    let float: f64 = text.parse::<F>().ok()?.into();
    let is_held = float.is_finite() || matches!(value, Value::Decimal(it) if !is_finite(it));
    is_held.then(|| format!("'{text}'::{name}"))
}

fn is_finite(decimal: &Decimal) -> bool {
    matches!(decimal, Decimal::Finite(_))
}

/// Days and times compare with each other, and use the same index. The server has none before the
/// year 4713 before Christ.
fn moment(value: &Value) -> Option<String> {
    let (moment, name, unit) = match value {
        Value::Date(moment) => (moment, "date", 1),
        Value::Timestamp(moment) => (moment, "timestamp", DAY),
        Value::TimestampTz(moment) => (moment, "timestamptz", DAY),
        Value::Text(text) if is_far(text) => {
            return Some(format!("{}::timestamptz", quote::text(text)));
        }
        _ => return None,
    };
    let days = match moment {
        Moment::At(number) => number.div_euclid(unit),
        Moment::BeforeAll | Moment::AfterAll => 0,
    };
    let text = match days {
        _ if days < DAYS_MIN => "-infinity".to_owned(),
        _ if days > DAYS_MAX => "infinity".to_owned(),
        _ => write(&Form::Timestamp, value).ok()??,
    };
    Some(format!("'{text}'::{name}"))
}

/// Whether it is a time that is too far for our numbers, but not for the server's.
fn is_far(text: &str) -> bool {
    let year = text.split('-').next().and_then(|year| year.parse::<i64>().ok());
    year.is_some_and(|year| year <= YEAR_MAX)
        && matches!(read(&Form::TimestampTz, text.as_bytes()), Ok(Value::Text(_)))
}

const YEAR_MAX: i64 = 294_276;
const DAY: i64 = 86_400_000_000;
/// The server's first day, and its last.
const DAYS_MIN: i64 = -2_440_588;
const DAYS_MAX: i64 = 2_145_031_948;

fn hyphened(uuid: &[u8; 16]) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::super::relation::{Base, Held};
    use super::{literal, place};
    use crate::postgres::types::Form;
    use model::{Moment, Value};

    fn held(form: Form, system: &str) -> Held {
        let base = Base {
            system: system.into(),
            cast: "public.some".into(),
            is_enumeration: false,
            operators: None,
        };
        Held { name: "a".into(), sql: "\"a\"".into(), nullable: true, form, base }
    }

    fn decimal(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    #[test]
    fn a_number_lies_where_the_integer_below_it_does() {
        let int = held(Form::Int, "int4");
        for (value, lies, is) in [
            (decimal("7.00"), "'7'::int8", true),
            (decimal("1.5"), "'1'::int8", false),
            (decimal("-1.5"), "'-2'::int8", false),
            (decimal("-0.5"), "'-1'::int8", false),
            (decimal("1e40"), "'9223372036854775807'::int8", false),
            (decimal("-1e40"), "'-9223372036854775808'::int8", false),
            (decimal("-Infinity"), "'-9223372036854775808'::int8", false),
            (Value::from(f64::NAN), "'9223372036854775807'::int8", false),
            (Value::from(2.5e-9), "'0'::int8", false),
        ] {
            assert_eq!(place(&int, &value).as_deref(), Some(lies), "{value:?}");
            assert_eq!(literal(&int, &value).as_deref(), Some(lies).filter(|_| is), "{value:?}");
        }
        assert_eq!(place(&int, &Value::from("x")), None);
        assert_eq!(place(&int, &Value::Null), None);
    }

    #[test]
    fn a_float_of_32_bits_is_found_by_its_digits_and_by_what_it_is_worth() {
        let single = held(Form::Float4, "float4");
        let widened = Value::from(f64::from(0.1_f32));
        assert!(literal(&single, &widened).unwrap().ends_with("::float8"));
        assert_eq!(literal(&single, &decimal("0.1")).as_deref(), Some("'0.1'::float4"));
        assert_eq!(literal(&single, &decimal("1e39")), None);
    }

    #[test]
    fn times_that_the_server_does_not_have_lie_at_the_ends() {
        let at = held(Form::Timestamp, "timestamp");
        let lies = |moment| place(&at, &Value::Timestamp(moment)).unwrap();
        assert_eq!(lies(Moment::At(i64::MIN)), "'-infinity'::timestamp");
        assert_eq!(lies(Moment::At(0)), "'1970-01-01 00:00:00'::timestamp");
        assert_eq!(lies(Moment::AfterAll), "'infinity'::timestamp");
        let day = |days| place(&at, &Value::Date(Moment::At(days))).unwrap();
        assert_eq!(day(1), "'1970-01-02'::date");
        assert_eq!(day(i64::MAX), "'infinity'::date");
    }

    #[test]
    fn no_text_ends_a_quotation_early() {
        let text = held(Form::Text, "text");
        assert_eq!(literal(&text, &Value::from("it's")).as_deref(), Some("'it''s'"));
        assert_eq!(literal(&text, &Value::from("a\0b")), None);
        assert_eq!(literal(&text, &Value::text(b"\xff")), None);
        let other = held(Form::Text, "");
        assert_eq!(literal(&other, &Value::from("a'")).as_deref(), Some("'a'''::public.some"));
    }
}
