//! What is hashed of a row stays what it is, because digests are kept for years.
//!
//! The file was not made by the code that it tests; its remarks say what each byte is.

use crate::hex::blocks;
use instep_model::{
    Array, Cell, Column, Digest, Dimension, Float, Interval, Key, Kind, Moment, Row, Seed, Table,
    Value,
};
use xxhash_rust::xxh3::xxh3_128_with_seed;

#[test]
fn a_digest_is_the_sum_over_the_documented_bytes() {
    let blocks = blocks(include_str!("../../../../docs/formats/digest/row.hex"));
    let [shared, ends @ ..] = blocks.as_slice() else { panic!("the file has blocks") };
    let hash =
        |end: &Vec<u8>| xxh3_128_with_seed(&[&shared[..], end].concat(), 0x1716_1514_1312_1110);
    let sum = ends.iter().map(hash).fold(0, u128::wrapping_add);
    assert_eq!(ends.len(), 1 + COLUMNS - 1, "the row, and each column but the NULL");
    assert_eq!(digest(), Digest { rows: 1, sum });
}

#[test]
fn a_digest_is_the_same_for_ever() {
    assert_eq!(digest().sum, 0x55aea479_b709543f_260d63d6_4ce28fc0);
}

const COLUMNS: usize = 27;

fn digest() -> Digest {
    let seed: [u8; 16] = std::array::from_fn(|index| 0x10 + u8::try_from(index).unwrap());
    let key = Key::new([Value::Int(300), Value::from("k")]);
    Digest::of(Seed::from_bytes(seed), &table(), &key, &row())
}

fn table() -> Table {
    let column = |index: usize| Column {
        name: format!("c{index:02}").into(),
        kind: Kind::Any,
        declared: "".into(),
        nullable: true,
        compares: instep_model::Compares::default(),
    };
    Table {
        name: "public.everything".into(),
        version: 3,
        columns: (0..COLUMNS).map(column).collect(),
        key: vec![1, 12],
    }
}

fn row() -> Row {
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let json = |text: &str| Value::Json(text.into());
    let shape = vec![Dimension { length: 2, lower: 1 }];
    let elements = vec![Value::Int(1), Value::Null];
    let mut row = Row::new([
        Value::Bool(true),
        Value::Int(-1),
        Value::from(1.5),
        Value::from(-0.0),
        Value::Float(Float(f64::from_bits(0xfff8_0000_0000_0001))),
        decimal("-12.50"),
        decimal("0.007"),
        decimal("-0.00"),
        decimal("-Infinity"),
        decimal("Infinity"),
        decimal("NaN"),
        Value::from("héllo"),
        Value::Bytes([0x00, 0xff].into()),
        Value::Date(Moment::At(19675)),
        Value::Date(Moment::BeforeAll),
        Value::Time(86_400_000_000),
        Value::TimeTz(3_600_000_000, 7200),
        Value::Timestamp(Moment::AfterAll),
        Value::TimestampTz(Moment::At(1_700_000_000_000_000)),
        Value::Interval(Interval { months: 1, days: -2, micros: 3_000_000 }),
        Value::Uuid(std::array::from_fn(|index| u8::try_from(index).unwrap())),
        json(r#"{"b": [true, false, null, "x"], "a": 1.0}"#),
        json("1e999999999"),
        json("{"),
        Value::Array(Box::new(Array { shape, elements })),
        Value::Null,
        Value::Null,
    ]);
    row.0[26] = Cell::Missing;
    row
}
