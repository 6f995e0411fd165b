//! Values and their texts, without a server.

use super::{Form, NoText, read, write};
use model::{Array, Dimension, Interval, Moment, Value};
use proptest::prelude::*;

fn forms() -> Vec<Form> {
    let scalars = [
        Form::Bool,
        Form::Int,
        Form::Float4,
        Form::Float8,
        Form::Decimal,
        Form::Text,
        Form::Bytes,
        Form::Date,
        Form::Time,
        Form::TimeTz,
        Form::Timestamp,
        Form::TimestampTz,
        Form::Interval,
        Form::Uuid,
        Form::Json,
    ];
    let arrays = scalars.clone().map(|form| Form::Array(Box::new(form), ','));
    scalars.into_iter().chain(arrays).chain([Form::Array(Box::new(Form::Text), ';')]).collect()
}

fn value(form: &Form, text: &str) -> Value {
    read(form, text.as_bytes()).unwrap_or_else(|it| panic!("{text}: {it}"))
}

#[test]
fn dates_and_times_reach_from_one_end_to_the_other() {
    let date = |text| value(&Form::Date, text);
    assert_eq!(date("1970-01-01"), Value::Date(Moment::At(0)));
    assert_eq!(date("0001-01-01"), Value::Date(Moment::At(-719_162)));
    assert_eq!(date("0001-12-31 BC"), Value::Date(Moment::At(-719_163)));
    assert_eq!(date("4714-11-24 BC"), Value::Date(Moment::At(-2_440_588)));
    assert_eq!(date("5874897-12-31"), Value::Date(Moment::At(2_145_042_905)));
    assert_eq!(date("-infinity"), Value::Date(Moment::BeforeAll));
    let at = |text| value(&Form::TimestampTz, text);
    assert_eq!(at("1970-01-01 00:00:00+00"), Value::TimestampTz(Moment::At(0)));
    assert_eq!(at("1969-12-31 23:59:59.999999+00"), Value::TimestampTz(Moment::At(-1)));
    assert_eq!(at("1970-01-01 05:30:00+05:30"), Value::TimestampTz(Moment::At(0)));
    assert_eq!(at("infinity"), Value::TimestampTz(Moment::AfterAll));
    assert_eq!(
        at("0044-03-15 12:00:00+00 BC"),
        Value::TimestampTz(Moment::At(-63_517_780_800_000_000))
    );
    // The last that the server has is beyond what we can count.
    let last = "294276-12-31 23:59:59.999999+00";
    assert_eq!(at(last), Value::from(last));
    assert_eq!(value(&Form::Time, "24:00:00"), Value::Time(86_400_000_000));
    assert_eq!(value(&Form::TimeTz, "01:00:00-08:30:15"), Value::TimeTz(3_600_000_000, -30_615));
}

#[test]
fn spans_keep_their_parts_apart() {
    let span = |text| match value(&Form::Interval, text) {
        Value::Interval(Interval { months, days, micros }) => (months, days, micros),
        other => panic!("{other:?}"),
    };
    assert_eq!(span("PT0S"), (0, 0, 0));
    assert_eq!(span("P1Y2M-3DT4H5M6.7S"), (14, -3, 14_706_700_000));
    assert_eq!(span("P-1Y-2M3DT-4H-5M-6S"), (-14, 3, -14_706_000_000));
    assert_eq!(span("PT-0.5S"), (0, 0, -500_000));
    assert_eq!(span("infinity"), (i32::MAX, i32::MAX, i64::MAX));
    for wrong in ["", "P1", "P1.5D", "PT1D", "P1H", "P9999999999999999999Y", "P300000000Y"] {
        assert!(read(&Form::Interval, wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn arrays_keep_their_shape() {
    let form = Form::Array(Box::new(Form::Int), ',');
    let array = |shape: &[(u32, i32)], elements: &[Option<i64>]| {
        let shape = shape.iter().map(|&(length, lower)| Dimension { length, lower }).collect();
        let element = |it: &Option<i64>| it.map_or(Value::Null, Value::Int);
        Value::Array(Box::new(Array { shape, elements: elements.iter().map(element).collect() }))
    };
    for (text, expected) in [
        ("{}", array(&[], &[])),
        ("{1,NULL}", array(&[(2, 1)], &[Some(1), None])),
        ("[0:1]={1,2}", array(&[(2, 0)], &[Some(1), Some(2)])),
        ("{{1,2,3},{4,5,6}}", array(&[(2, 1), (3, 1)], &[1, 2, 3, 4, 5, 6].map(Some))),
        ("[-1:0][2:2]={{1},{2}}", array(&[(2, -1), (1, 2)], &[Some(1), Some(2)])),
        ("{{{7}}}", array(&[(1, 1), (1, 1), (1, 1)], &[Some(7)])),
    ] {
        assert_eq!(value(&form, text), expected, "{text}");
        let again = write(&form, &expected).unwrap().unwrap();
        assert_eq!(value(&form, &again), expected, "{again}");
    }
    for wrong in [
        "",
        "{",
        "{1",
        "{1,}",
        "{,1}",
        "{1}}",
        "{{1},2}",
        "{1,{2}}",
        "{{1},{2,3}}",
        "{{}}",
        "{{1}{2}}",
        "[1:3]={1,2}",
        "[1:2][1:1]={1,2}",
        "{{{{{{{1}}}}}}}",
        "{a}",
        "{{1,2},{{3},{4}}}",
    ] {
        assert!(read(&form, wrong.as_bytes()).is_err(), "{wrong}");
    }
    let texts = Form::Array(Box::new(Form::Text), ',');
    let Value::Array(read) = value(&texts, r#"{a b,"NULL","x\"y\\z","",null,"{,}"}"#) else {
        panic!("an array")
    };
    let expected = ["a b", "NULL", "x\"y\\z", "", "null", "{,}"].map(Value::from);
    assert_eq!(read.elements, expected);
}

#[test]
fn a_narrow_float_is_the_number_that_it_was() {
    assert_eq!(value(&Form::Float4, "0.1"), Value::from(f64::from(0.1_f32)));
    assert_ne!(value(&Form::Float4, "0.1"), Value::from(0.1));
    let again = write(&Form::Float4, &value(&Form::Float4, "0.1")).unwrap().unwrap();
    assert_eq!(again.parse::<f32>(), Ok(0.1));
    for text in ["NaN", "Infinity", "-Infinity", "-0", "1e+300", "5e-324"] {
        let float = value(&Form::Float8, text);
        assert_eq!(value(&Form::Float8, &write(&Form::Float8, &float).unwrap().unwrap()), float);
    }
}

#[test]
fn what_is_no_value_is_refused_without_being_shown() {
    for (form, text) in [
        (Form::Bool, "true"),
        (Form::Int, "9223372036854775808"),
        (Form::Bytes, "00"),
        (Form::Bytes, "\\x0"),
        (Form::Date, "2026-02-29"),
        (Form::Date, "0000-01-01"),
        (Form::Date, "2026-13-01"),
        (Form::Time, "25:00:00"),
        (Form::TimeTz, "12:00:00"),
        (Form::Timestamp, "2026-11-21"),
        (Form::Uuid, "0123456789abcdef0123456789abcdef"),
        (Form::Decimal, "1,5"),
    ] {
        let wrong = read(&form, text.as_bytes()).unwrap_err();
        assert!(!wrong.to_string().contains(text), "{wrong}");
    }
    assert!(read(&Form::Json, &[0xff]).is_err());
}

#[test]
fn bytes_that_are_no_text_are_kept_but_never_written() {
    let raw = Value::RawText([b'a', 0xff].into());
    assert_eq!(read(&Form::Text, &[b'a', 0xff]), Ok(raw.clone()));
    assert_eq!(write(&Form::Text, &raw), Err(NoText));
    let shape = vec![Dimension { length: 1, lower: 1 }];
    let array = Value::Array(Box::new(Array { shape, elements: vec![raw] }));
    assert_eq!(write(&Form::Array(Box::new(Form::Text), ','), &array), Err(NoText));
}

proptest! {
    #[test]
    fn any_text_is_refused_or_read_and_written_as_the_same_value(
        text in prop_oneof![
            "[-+0-9:. PTMDYHSBC\\[\\]{},\"\\\\a-zNUL=]{0,40}",
            "[0-9]{1,9}-[0-9]{1,3}-[0-9]{1,3}( [0-9]{1,3}:[0-9]{1,3}:[0-9]{1,3}(.[0-9]{1,7})?([-+][0-9]{1,3})?)?( BC)?",
            "P(-?[0-9]{1,12}[YMD]){0,3}T(-?[0-9]{1,20}(.[0-9]{1,7})?[HMS]){0,3}",
            "(\\[-?[0-9]{1,3}:[0-9]{1,3}\\]){0,2}=?\\{{1,3}[0-9]{1,3}(,[0-9]{1,3}){0,3}\\}{1,3}",
            "(\\{){0,200}",
            "\\\\x[0-9a-f]{0,9}",
        ],
    ) {
        for form in forms() {
            let Ok(value) = read(&form, text.as_bytes()) else { continue };
            let again = write(&form, &value).expect("it is UTF-8").expect("it is not NULL");
            // A uuid is written without its hyphens, which the server does not miss.
            if form.kind() == model::Kind::Uuid { continue }
            prop_assert_eq!(read(&form, again.as_bytes()), Ok(value), "{:?}: {}", form, again);
        }
    }

    #[test]
    fn every_moment_is_read_back(days in any::<i32>(), micros in any::<i64>()) {
        for (form, value) in [
            (Form::Date, Value::Date(Moment::At(days.into()))),
            (Form::Timestamp, Value::Timestamp(Moment::At(micros))),
            (Form::TimestampTz, Value::TimestampTz(Moment::At(micros))),
            (Form::Interval, Value::Interval(Interval { months: days, days: -(days / 2), micros })),
        ] {
            let text = write(&form, &value).unwrap().unwrap();
            prop_assert_eq!(read(&form, text.as_bytes()), Ok(value), "{}", text);
        }
    }
}

mod fuzz {
    use super::{forms, read};
    use testkit::fuzz::fuzz;

    #[test]
    fn texts_of_values() {
        let good: [&[u8]; 6] = [
            b"{{1,NULL},{\"a\\\"b\",3}}",
            b"[2:3]={1,2}",
            b"P1Y2M-3DT4H5M6.7S",
            b"0044-03-15 12:00:00.5+05:30 BC",
            b"-1.50e3",
            b"01234567-89ab-cdef-0123-456789abcdef",
        ];
        let words: [&[u8]; 6] = [b"{", b"}", b"NULL", b"infinity", b" BC", b"\\x"];
        fuzz("texts of values", &good.map(<[u8]>::to_vec), &words, |bytes| {
            let read = |bits, form| bits << 1 | u64::from(read(&form, bytes).is_ok());
            forms().into_iter().fold(0, read)
        });
    }
}
