//! What is shown is read back, whatever it is, and any text is read or left alone.

use super::*;
use model::Dimension;
use proptest::prelude::*;

#[test]
fn values_are_shown_as_the_interface_says() {
    let decimal = |text: &str| Value::Decimal(text.parse().expect("a decimal"));
    for (value, shown) in [
        (Value::Null, "null"),
        (Value::Int(i64::MIN), "-9223372036854775808"),
        (Value::Bool(true), "true"),
        (Value::from(1.5), "1.5"),
        (Value::from(f64::NAN), "\"NaN\""),
        (decimal("1.50"), "\"1.50\""),
        (Value::from("it's \"é\""), r#""it's \"é\"""#),
        (Value::Bytes(Box::new([0, 255])), "\"AP8=\""),
        (Value::text(&[0, 255]), "\"AP8=\""),
        (Value::Date(Moment::At(19_782)), "\"2024-02-29\""),
        (Value::Date(Moment::AfterAll), "\"infinity\""),
        (Value::Time(1_500_000), "\"00:00:01.5\""),
        (Value::TimeTz(0, -3_600), "\"00:00:00-01:00\""),
        (Value::Timestamp(Moment::At(0)), "\"1970-01-01T00:00:00\""),
        (Value::TimestampTz(Moment::At(0)), "\"1970-01-01T00:00:00Z\""),
        (Value::Interval(Interval { months: 14, days: -3, micros: -1 }), "\"P14M-3DT-0.000001S\""),
        (Value::Uuid([0xab; 16]), "\"abababab-abab-abab-abab-abababababab\""),
        (Value::Json("{ }".into()), "\"{ }\""),
    ] {
        assert_eq!(json(&value).to_string(), shown);
    }
}

#[test]
fn arrays_are_nested_by_their_dimensions() {
    let dimension = |length| Dimension { length, lower: 1 };
    let elements = (1..=6).map(Value::Int).collect();
    let array = Array { shape: vec![dimension(2), dimension(3)], elements };
    assert_eq!(json(&Value::Array(Box::new(array))).to_string(), "[[1,2,3],[4,5,6]]");
    assert_eq!(json(&Value::Array(Box::default())).to_string(), "[]");
    let short = Array { shape: vec![dimension(u32::MAX)], elements: vec![Value::Null] };
    assert_eq!(json(&Value::Array(Box::new(short))).to_string(), "[null]");
}

#[test]
fn a_number_may_stand_for_every_kind_of_number_and_for_text() {
    let seven = readings("7");
    assert_eq!(seven[..2], [Value::Int(7), Value::from("7")]);
    assert!(seven.contains(&Value::Decimal(7.into())) && seven.contains(&Value::from(7.0)));
    assert_eq!(readings("007")[0], Value::from("007"), "no whole number is written so");
    let word = readings("inf");
    assert!(!word.contains(&Value::from(f64::INFINITY)), "no float is written so");
}

proptest! {
    #[test]
    fn what_is_shown_may_be_asked_for(value in value()) {
        let shown = match json(&value) {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let canonical: Vec<_> =
            readings(&shown).into_iter().map(Value::into_canonical).collect();
        prop_assert!(canonical.contains(&value.into_canonical()), "{shown:?}");
    }

    #[test]
    fn any_text_stands_for_itself(text in ".{0,60}", near in "[-+0-9:.TZPMDSeE/= ]{0,40}") {
        for text in [text, near] {
            prop_assert!(readings(&text).contains(&Value::from(text.as_str())));
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let moment = prop_oneof![
        Just(Moment::BeforeAll),
        any::<i64>().prop_map(Moment::At),
        Just(Moment::AfterAll)
    ];
    let time = 0..=86_400_000_000_i64;
    let digits = prop::collection::vec(b'0'..=b'9', 1..30);
    let decimal = (any::<bool>(), digits, -20..20).prop_map(|(negative, digits, scale)| {
        Value::Decimal(Decimal::finite(negative, &digits, scale).expect("within its limits"))
    });
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::from),
        decimal,
        Just(Value::Decimal(Decimal::NaN)),
        Just(Value::Decimal(Decimal::NegativeInfinity)),
        ".{0,20}".prop_map(|text| Value::from(text.as_str())),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
        any::<Vec<u8>>().prop_map(|bytes| Value::text(&bytes)),
        moment.clone().prop_map(Value::Date),
        time.clone().prop_map(Value::Time),
        (time, -86_399..86_400).prop_map(|(time, east)| Value::TimeTz(time, east)),
        moment.clone().prop_map(Value::Timestamp),
        moment.prop_map(Value::TimestampTz),
        any::<(i32, i32, i64)>().prop_map(|(months, days, micros)| {
            Value::Interval(Interval { months, days, micros })
        }),
        any::<[u8; 16]>().prop_map(Value::Uuid),
        any::<Vec<Option<bool>>>()
            .prop_map(|any| { Value::Json(serde_json::to_string(&any).expect("JSON").into()) }),
    ]
}
