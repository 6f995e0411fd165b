//! PURE: how a value may stand in a file.
//!
//! Reading is lenient (`decode.rs`), so one value has many spellings. A row is looked for under each of
//! them and read before it is taken for the right one, so a spelling too many does no harm; one too few
//! means that such a row is not found by its key. That is so for decimals, floats and spans of time that
//! are written neither as Instep writes them nor as a number, for JSON and arrays as others write them,
//! for instants of another zone than UTC, and for whole numbers with a sign or zeros before them.

use crate::sqlite::target;
use model::{Float, Value};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::collections::BTreeSet;

/// A value as SQLite has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Int(i64),
    Real(f64),
    Text(Box<[u8]>),
    Blob(Box<[u8]>),
}

impl Raw {
    /// What stands there; none for NULL.
    pub(super) fn of(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => None,
            ValueRef::Integer(int) => Some(Raw::Int(int)),
            ValueRef::Real(float) => Some(Raw::Real(float)),
            ValueRef::Text(text) => Some(Raw::Text(text.into())),
            ValueRef::Blob(bytes) => Some(Raw::Blob(bytes.into())),
        }
    }

    fn text(text: &str) -> Self {
        Raw::Text(text.as_bytes().into())
    }
}

impl ToSql for Raw {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Raw::Int(int) => ValueRef::Integer(*int),
            Raw::Real(float) => ValueRef::Real(*float),
            Raw::Text(text) => ValueRef::Text(text),
            Raw::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The spellings of a value, the most likely first; none for NULL alone.
pub(super) fn spellings(value: &Value) -> Vec<Raw> {
    let mut spellings = match value {
        Value::Null => return Vec::new(),
        Value::Int(int) => return vec![Raw::Int(*int), Raw::text(&int.to_string())],
        Value::Text(text) => return vec![Raw::text(text)],
        Value::RawText(bytes) => return vec![Raw::Text(bytes.clone())],
        Value::Bytes(bytes) => return vec![Raw::Blob(bytes.clone())],
        Value::Bool(bool) => return bools(*bool),
        Value::Uuid(uuid) => vec![Raw::Blob(uuid.as_slice().into())],
        Value::Float(Float(float)) if float.is_nan() => Vec::new(),
        Value::Float(Float(float)) => vec![Raw::Real(*float), Raw::text(&float.to_string())],
        Value::Decimal(decimal) => numbers(&decimal.to_string()),
        _ => Vec::new(),
    };
    if let Some(text) = target::text_of(value) {
        let texts = match value {
            Value::Uuid(_) => {
                let bare = text.replace('-', "");
                vec![text.to_uppercase(), bare.to_uppercase(), bare, text]
                    .into_iter()
                    .rev()
                    .collect()
            }
            Value::Timestamp(_) => moments(&text, &["", "Z", "+00:00"]),
            Value::TimestampTz(_) => {
                moments(text.trim_end_matches("+00:00"), &["+00:00", "Z", "", "+00", "+0000"])
            }
            Value::Time(_) => fractions(&text),
            _ => vec![text],
        };
        spellings.splice(0..0, texts.iter().map(|text| Raw::text(text)));
    }
    spellings
}

/// The spelling that is most like this other value of the same column.
pub(super) fn alike(spellings: Vec<Raw>, sample: Option<&Raw>) -> Option<Raw> {
    let likeness = |raw: &Raw| match (raw, sample) {
        (Raw::Text(text), Some(Raw::Text(sample))) => 1 + u8::from(marks(text) == marks(sample)),
        (Raw::Int(_) | Raw::Real(_), Some(Raw::Int(_) | Raw::Real(_))) => 1,
        (Raw::Blob(_), Some(Raw::Blob(_))) => 1,
        _ => 0,
    };
    // Of several that are as like, the first is the most likely.
    spellings.into_iter().rev().max_by_key(likeness)
}

/// The characters that tell one spelling from another: none of those that say which value it is.
fn marks(text: &[u8]) -> BTreeSet<u8> {
    let mark = |byte: &u8| match byte {
        b'0'..=b'9' | b'.' => None,
        b'a'..=b'f' => Some(b'a'),
        b'A'..=b'F' => Some(b'A'),
        other => Some(*other),
    };
    text.iter().filter_map(mark).collect()
}

fn bools(bool: bool) -> Vec<Raw> {
    let words = if bool {
        ["true", "t", "1", "TRUE", "True", "T"]
    } else {
        ["false", "f", "0", "FALSE", "False", "F"]
    };
    let words = words.iter().map(|word| Raw::text(word));
    [Raw::Int(bool.into())].into_iter().chain(words).collect()
}

/// A decimal as one of SQLite's numbers.
fn numbers(decimal: &str) -> Vec<Raw> {
    let int = decimal.parse().ok().map(Raw::Int);
    let float = decimal.parse().ok().filter(|float: &f64| !float.is_nan()).map(Raw::Real);
    int.into_iter().chain(float).collect()
}

/// A day and a clock, divided and ended in each way.
fn moments(text: &str, endings: &[&str]) -> Vec<String> {
    if !text.contains(' ') {
        return vec![text.to_owned()];
    }
    let mut moments = Vec::new();
    for ending in endings {
        for clock in fractions(text) {
            moments.push(format!("{clock}{ending}"));
            moments.push(format!("{}{ending}", clock.replace(' ', "T")));
        }
    }
    moments
}

/// A clock with as many digits of a second as it needs, with three and with six.
fn fractions(clock: &str) -> Vec<String> {
    let mut forms = vec![clock.to_owned()];
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    for digits in [3, 6] {
        if fraction.len() < digits {
            forms.push(format!("{whole}.{fraction:0<digits$}"));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::{Raw, alike, spellings};
    use crate::sqlite::audit::decode;
    use model::{Kind, Moment, Value};
    use rusqlite::types::ValueRef;

    #[test]
    fn a_value_takes_the_form_that_its_column_has() {
        let form = |value: &Value, sample: &str| {
            let found = alike(spellings(value), Some(&Raw::text(sample))).unwrap();
            let Raw::Text(text) = found else { panic!("{found:?}") };
            String::from_utf8(text.into()).unwrap()
        };
        let uuid = Value::Uuid([0xab; 16]);
        for sample in [
            "01234567-89ab-cdef-0123-456789abcdef",
            "01234567-89AB-CDEF-0123-456789ABCDEF",
            "0123456789abcdef0123456789abcdef",
            "0123456789ABCDEF0123456789ABCDEF",
        ] {
            let found = form(&uuid, sample);
            assert_eq!(found.len(), sample.len(), "{sample}");
            assert_eq!(found.contains('A'), sample.contains('A'), "{sample}");
        }
        let at = Value::TimestampTz(Moment::At(1_500_000));
        for (sample, found) in [
            ("2025-11-21 23:59:59+00:00", "1970-01-01 00:00:01.5+00:00"),
            ("2025-11-21T23:59:59.123Z", "1970-01-01T00:00:01.5Z"),
            ("2025-11-21 23:59:59", "1970-01-01 00:00:01.5"),
        ] {
            assert_eq!(form(&at, sample), found);
        }
        let blob = alike(spellings(&uuid), Some(&Raw::Blob([1].into())));
        assert_eq!(blob, Some(Raw::Blob([0xab; 16].into())));
        assert_eq!(alike(spellings(&Value::Int(5)), None), Some(Raw::Int(5)));
    }

    #[test]
    fn each_spelling_of_a_time_and_a_uuid_is_read_as_that_value() {
        for (kind, value) in [
            (Kind::Timestamp, Value::Timestamp(Moment::At(-1_500_000))),
            (Kind::Timestamp, Value::Timestamp(Moment::BeforeAll)),
            (Kind::TimestampTz, Value::TimestampTz(Moment::At(i64::MAX))),
            (Kind::Time, Value::Time(3_000_000)),
            (Kind::Uuid, Value::Uuid([0x1f; 16])),
            (Kind::Bool, Value::Bool(true)),
            (Kind::Bool, Value::Bool(false)),
        ] {
            for spelling in spellings(&value) {
                let raw = match &spelling {
                    Raw::Text(text) => ValueRef::Text(text),
                    Raw::Blob(bytes) => ValueRef::Blob(bytes),
                    Raw::Int(int) => ValueRef::Integer(*int),
                    Raw::Real(float) => ValueRef::Real(*float),
                };
                assert_eq!(decode::read(kind, raw), value, "{spelling:?}");
            }
        }
    }
}
