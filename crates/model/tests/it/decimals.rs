//! Decimals show what they were read from, and sort by value in front of everything else.

use crate::arbitrary::{decimal, finite};
use instep_model::decimal::{DIGITS_MAX, DecimalError, SCALE_MAX, WHOLE_DIGITS_MAX};
use instep_model::{Cell, Decimal, Value};
use proptest::prelude::*;
use std::cmp::Ordering;

proptest! {
    #[test]
    fn a_decimal_is_read_from_what_it_shows(decimal in decimal()) {
        prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
    }

    #[test]
    fn plain_numbers_show_exactly_what_they_were_read_from(
        text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?",
    ) {
        prop_assert_eq!(parse(&text).to_string(), text);
    }

    #[test]
    fn decimals_sort_by_value_then_by_scale(left in decimal(), right in decimal()) {
        let (a, b) = (reference(&left), reference(&right));
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        prop_assert_eq!(left == right, left.cmp(&right) == Ordering::Equal);
        prop_assert_eq!(left.cmp_value(&right), (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    }

    #[test]
    fn zeros_behind_a_number_change_how_it_shows_and_not_its_value(
        decimal in finite(),
        zeros in 1..30_i32,
    ) {
        let longer = padded(&decimal, zeros);
        prop_assert_ne!(&longer, &decimal);
        prop_assert_eq!(longer.cmp_value(&decimal), Ordering::Equal);
        prop_assert!(longer > decimal, "the longer comes after the shorter");
        prop_assert_eq!(longer.into_canonical(), decimal.into_canonical());
    }

    #[test]
    fn the_canonical_form_stands_for_the_value(left in decimal(), right in decimal()) {
        let (a, b) = (left.clone().into_canonical(), right.clone().into_canonical());
        prop_assert_eq!(a.cmp_value(&left), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), left.cmp_value(&right));
        prop_assert_eq!(&a.clone().into_canonical(), &a);
        let text = a.to_string();
        prop_assert!(!text.contains('.') || !text.ends_with('0'), "{}", text);
    }

    #[test]
    fn whole_numbers_are_what_their_text_says(int in any::<i64>()) {
        prop_assert_eq!(Decimal::from(int), parse(&int.to_string()));
    }

    #[test]
    fn no_text_does_harm(text in any::<String>(), close in "[-+]?[0-9.]{0,9}[eE]?[-+]?[0-9]{0,30}") {
        for text in [text, close] {
            if let Ok(decimal) = text.parse::<Decimal>() {
                prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
            }
        }
    }
}

#[test]
fn a_zero_with_a_sign_comes_right_before_the_zero_without() {
    let sorted = ["-0.01", "-0", "0", "-0.0", "0.0", "0.01"].map(parse);
    assert!(sorted.is_sorted_by(|left, right| left < right));
    assert_eq!(sorted[1].cmp_value(&sorted[4]), Ordering::Equal);
}

#[test]
fn texts_are_shown_in_one_notation() {
    for (text, shown) in [
        ("1.00", "1.00"),
        ("-0.00", "-0.00"),
        ("+007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1e3"),
        ("1.5E+3", "15e2"),
        ("1.50e1", "15.0"),
        ("12e-5", "0.00012"),
        ("-0e7", "-0e7"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709551616"),
        ("nan", "NaN"),
        ("inf", "Infinity"),
        ("-INFINITY", "-Infinity"),
    ] {
        assert_eq!(parse(text).to_string(), shown, "{text}");
    }
}

#[test]
fn what_is_no_decimal_is_refused_where_it_stops_being_one() {
    for (text, at) in [
        ("", 0),
        ("-", 1),
        (".", 1),
        ("1.2.3", 3),
        ("1e", 2),
        ("1e+", 3),
        ("--1", 1),
        (" 1", 0),
        ("1 ", 1),
        ("-nan", 1),
        ("0x10", 1),
        ("1_000", 1),
        ("٣", 0),
    ] {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Syntax { at }), "{text}");
    }
    assert_eq!("1,5".parse::<Decimal>().unwrap_err().to_string(), "no decimal from byte 1 on");
}

#[test]
fn sizes_end_where_postgresql_ends_them() {
    let whole = usize::try_from(WHOLE_DIGITS_MAX).unwrap();
    let most = format!("{}.{}", "9".repeat(whole), "9".repeat(16_383));
    assert_eq!(parse(&most).to_string(), most);
    assert_eq!(most.len(), usize::try_from(DIGITS_MAX).unwrap() + 1);
    assert_eq!(parse("1e131071").to_string(), "1e131071");
    assert_eq!(parse("1e-16383").to_string().len(), 2 + 16_383);
    assert_eq!(parse(&"0".repeat(whole + 1)), Decimal::from(0));
    assert_eq!(SCALE_MAX, 16_383);

    let before = DecimalError::TooManyBeforePoint;
    let after = DecimalError::TooManyAfterPoint;
    for (text, error) in [
        ("9".repeat(whole + 1), before),
        ("1e131072".into(), before),
        ("1e999999999".into(), before),
        (format!("1e{}", "9".repeat(40)), before),
        ("0e131072".into(), before),
        (format!("0.{}", "0".repeat(16_384)), after),
        ("1e-16384".into(), after),
        ("1e-999999999".into(), after),
        (format!("1e-{}", "9".repeat(40)), after),
    ] {
        assert_eq!(text.parse::<Decimal>(), Err(error));
    }
}

#[test]
fn canonical_decimals_are_plain_as_far_as_people_read_them() {
    let forty = format!("1{}", "0".repeat(39));
    for (text, canonical) in [
        ("-0.00", "0"),
        ("0e5", "0"),
        ("100", "100"),
        ("1e2", "100"),
        ("100.00", "100"),
        ("-1.50", "-1.5"),
        ("0.000", "0"),
        ("1e39", &forty),
        (&forty, &forty),
        ("1e40", "1e40"),
        (&format!("{forty}0.0"), "1e40"),
        ("123456789012345678901234567890.120", "123456789012345678901234567890.12"),
        ("NaN", "NaN"),
    ] {
        assert_eq!(parse(text).into_canonical().to_string(), canonical, "{text}");
    }
}

#[test]
fn decimals_from_digits_are_checked() {
    assert_eq!(Decimal::finite(true, b"0150", 2), Ok(parse("-1.50")));
    assert_eq!(Decimal::finite(false, b"15x", 0), Err(DecimalError::Syntax { at: 2 }));
    assert_eq!(Decimal::finite(false, b"", 0), Err(DecimalError::Syntax { at: 0 }));
    let far = Decimal::finite(false, b"1", i32::MIN);
    assert_eq!(far, Err(DecimalError::TooManyBeforePoint));
    let Decimal::Finite(finite) = parse("-12.50") else { panic!("it is finite") };
    assert_eq!((finite.is_negative(), &*finite.digits(), finite.scale()), (true, "1250", 2));
}

#[test]
fn a_width_applies_to_the_whole_number() {
    assert_eq!(
        format!("[{:8}] [{:<8}] [{:+}]", parse("-1.5"), parse("1.5"), parse("1")),
        "[    -1.5] [1.5     ] [+1]"
    );
}

#[test]
fn a_value_takes_at_most_32_bytes() {
    assert!(size_of::<Value>() <= 32 && size_of::<Cell>() <= 32);
}

/// The order spelled out: the class, the value as a number of one width, the scale, and the sign
/// that even a zero has.
type Reference = (u8, (bool, String), i32, bool);

/// Each digit of the value at its place among 60 after the point and 140 before it; below zero all
/// digits are turned round, so that texts sort as numbers do.
fn reference(decimal: &Decimal) -> Reference {
    let finite = match decimal {
        Decimal::NegativeInfinity => return (0, (true, String::new()), 0, true),
        Decimal::PositiveInfinity => return (2, (true, String::new()), 0, true),
        Decimal::NaN => return (3, (true, String::new()), 0, true),
        Decimal::Finite(finite) => finite,
    };
    let zeros = usize::try_from(60 - finite.scale()).unwrap();
    let digits = format!("{:0>200}", format!("{}{}", finite.digits(), "0".repeat(zeros)));
    let below = finite.is_negative() && digits.bytes().any(|digit| digit != b'0');
    let turned = digits.bytes().map(|digit| char::from(b'0' + b'9' - digit));
    let digits = if below { turned.collect() } else { digits };
    (1, (!below, digits), finite.scale(), !finite.is_negative())
}

fn padded(decimal: &Decimal, zeros: i32) -> Decimal {
    let Decimal::Finite(finite) = decimal else { panic!("only numbers have digits") };
    let digits = format!("{}{}", finite.digits(), "0".repeat(usize::try_from(zeros).unwrap()));
    Decimal::finite(finite.is_negative(), digits.as_bytes(), finite.scale() + zeros).unwrap()
}

fn parse(text: &str) -> Decimal {
    text.parse().unwrap()
}
