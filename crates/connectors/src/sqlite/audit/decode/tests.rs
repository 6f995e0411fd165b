//! What is read as which kind, and what comes as it is.

use super::read;
use model::{Array, Decimal, Dimension, Interval, Kind, Moment, Value};
use rusqlite::types::ValueRef::{self, Blob, Integer, Null, Real};

const DAY: i64 = 86_400_000_000;

fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

#[test]
fn a_number_is_read_however_it_is_stored() {
    for (kind, raw, value) in [
        (Kind::Int, Integer(i64::MIN), Value::Int(i64::MIN)),
        (Kind::Int, Real(7.0), Value::Int(7)),
        (Kind::Int, text("9223372036854775807"), Value::Int(i64::MAX)),
        (Kind::Float, Integer(-3), Value::from(-3.0)),
        (Kind::Float, text("2.5e3"), Value::from(2500.0)),
        (Kind::Float, text("-Infinity"), Value::from(f64::NEG_INFINITY)),
        (Kind::Float, text("NaN"), Value::from(f64::NAN)),
        (Kind::Decimal, Integer(3), decimal("3")),
        (Kind::Decimal, Real(0.1), decimal("0.1")),
        (Kind::Decimal, text("1.00"), decimal("1.00")),
        (Kind::Decimal, Real(f64::INFINITY), decimal("Infinity")),
        (Kind::Bool, Integer(1), Value::Bool(true)),
        (Kind::Bool, Real(0.0), Value::Bool(false)),
        (Kind::Bool, text("True"), Value::Bool(true)),
        (Kind::Bool, text("f"), Value::Bool(false)),
        (Kind::Json, Integer(5), Value::Json("5".into())),
        (Kind::Json, Real(1.5), Value::Json("1.5".into())),
    ] {
        assert_eq!(read(kind, raw), value, "{kind:?} {raw:?}");
    }
}

#[test]
fn a_uuid_is_read_in_every_common_form() {
    let uuid = Value::Uuid([
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
        0xef,
    ]);
    for form in [
        "01234567-89ab-cdef-0123-456789abcdef",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
        "0123456789abcdef0123456789ABCDEF",
    ] {
        assert_eq!(read(Kind::Uuid, text(form)), uuid, "{form}");
    }
    let Value::Uuid(bytes) = &uuid else { unreachable!() };
    assert_eq!(read(Kind::Uuid, Blob(bytes)), uuid);
}

#[test]
fn a_time_is_read_in_every_common_form() {
    let at = 20_413 * DAY + DAY - 500_000;
    for form in [
        "2025-11-21 23:59:59.5",
        "2025-11-21T23:59:59.500000",
        "2025-11-21T23:59:59.5Z",
        "2025-11-21 23:59:59.500000000+00:00",
    ] {
        let read = |kind| read(kind, text(form));
        assert_eq!(read(Kind::Timestamp), Value::Timestamp(Moment::At(at)), "{form}");
        assert_eq!(read(Kind::TimestampTz), Value::TimestampTz(Moment::At(at)), "{form}");
    }
    for form in
        ["2025-11-22 01:29:59.5+01:30", "2025-11-21T18:59:59.5-0500", "2025-11-22 01:59:59.5 +02"]
    {
        let read = |kind| read(kind, text(form));
        assert_eq!(read(Kind::TimestampTz), Value::TimestampTz(Moment::At(at)), "{form}");
        assert_eq!(
            read(Kind::Timestamp),
            Value::from(form),
            "a clock of another zone is none of ours"
        );
    }
    for (kind, form, value) in [
        (Kind::Date, "2024-02-29", Value::Date(Moment::At(19_782))),
        (Kind::Date, "0000-03-01", Value::Date(Moment::At(-719_468))),
        (Kind::Date, "-infinity", Value::Date(Moment::BeforeAll)),
        (Kind::Time, "24:00:00", Value::Time(DAY)),
        (Kind::Time, "9:05", Value::Time(32_700_000_000)),
        (Kind::TimeTz, "01:00:00-05:30", Value::TimeTz(3_600_000_000, -19_800)),
        (
            Kind::Interval,
            "P1Y2M-3DT4H5M-6.5S",
            Value::Interval(Interval { months: 14, days: -3, micros: 14_693_500_000 }),
        ),
    ] {
        assert_eq!(read(kind, text(form)), value, "{form}");
    }
}

#[test]
fn an_array_is_read_as_anybodys_json() {
    let list = |elements: Vec<Value>| {
        let length = u32::try_from(elements.len()).unwrap();
        Value::Array(Box::new(Array { shape: vec![Dimension { length, lower: 1 }], elements }))
    };
    let written = " [1, null , true,\"a\\n\\u00e4\\ud83d\\ude00\\/\"] ";
    let read_as = list(vec![Value::Int(1), Value::Null, Value::Bool(true), "a\nä😀/".into()]);
    assert_eq!(read(Kind::Array, text(written)), read_as);
    let dates = list(vec![Value::Date(Moment::At(0))]);
    assert_eq!(read(Kind::Array, text("[{\"date\" : \"1970-01-01\"}]")), dates);
    let deep = "[".repeat(100_000);
    for other in ["[1.5]", "[1,]", "[1", "{}", "[\"\\ud800\"]", "[1] 2", "5", &deep] {
        assert_eq!(read(Kind::Array, text(other)), Value::from(other), "{other:.20}");
    }
}

#[test]
fn what_is_none_of_its_kind_comes_as_it_is() {
    for (kind, raw, value) in [
        (Kind::Bool, Integer(2), Value::Int(2)),
        (Kind::Bool, text("yes"), "yes".into()),
        (Kind::Int, Real(0.5), Value::from(0.5)),
        (Kind::Int, Real(9_223_372_036_854_775_808.0), Value::from(9_223_372_036_854_775_808.0)),
        (Kind::Int, text("9223372036854775808"), "9223372036854775808".into()),
        (Kind::Int, text(""), "".into()),
        (Kind::Float, Integer(9_007_199_254_740_993), Value::Int(9_007_199_254_740_993)),
        (Kind::Float, text("1e999"), "1e999".into()),
        (Kind::Text, Integer(5), Value::Int(5)),
        (Kind::Bytes, text("a"), "a".into()),
        (Kind::Uuid, text("01234567-89ab-cdef-0123-456789abcde"), {
            "01234567-89ab-cdef-0123-456789abcde".into()
        }),
        (Kind::Uuid, Blob(&[1]), Value::Bytes([1].into())),
        (Kind::Date, text("2023-02-29"), "2023-02-29".into()),
        (Kind::Date, text("2023-2-9"), "2023-2-9".into()),
        (Kind::Timestamp, Integer(1_700_000_000), Value::Int(1_700_000_000)),
        (
            Kind::Timestamp,
            text("2025-11-21 23:59:59.1234567"),
            "2025-11-21 23:59:59.1234567".into(),
        ),
        (Kind::Timestamp, text("2025-11-21 24:00:00"), "2025-11-21 24:00:00".into()),
        (Kind::Timestamp, text("2025-11-21 23:59:60"), "2025-11-21 23:59:60".into()),
        (Kind::Interval, text("P"), "P".into()),
        (Kind::Interval, text("P1S"), "P1S".into()),
        (Kind::Json, Null, Value::Null),
        (Kind::Any, text("1"), "1".into()),
        (Kind::Decimal, ValueRef::Text(b"\xff"), Value::text(b"\xff")),
    ] {
        assert_eq!(read(kind, raw), value, "{kind:?} {raw:?}");
    }
}
