//! Digests are equal for rows that mean the same, and for no others that anyone will ever meet.

use crate::arbitrary::{finite, key, value};
use instep_model::{
    Array, Cell, Column, Decimal, Digest, Dimension, Float, Key, Kind, Row, Seed, Table, Value,
};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_other_cell_makes_another_digest(
        key in key(),
        cells in vec(known_cell(), COLUMNS),
        at in 0..COLUMNS,
        other in known_cell(),
    ) {
        let same = same(&cells[at], &other);
        let before = digest(&key, &cells);
        let mut cells = cells;
        cells[at] = other;
        prop_assert_eq!(digest(&key, &cells) == before, same);
    }

    #[test]
    fn values_that_swap_their_columns_make_another_digest(
        key in key(),
        cells in vec(known_cell(), COLUMNS),
        (left, right) in (0..COLUMNS, 0..COLUMNS),
    ) {
        let same = same(&cells[left], &cells[right]);
        let before = digest(&key, &cells);
        let mut cells = cells;
        cells.swap(left, right);
        prop_assert_eq!(digest(&key, &cells) == before, same);
    }

    #[test]
    fn another_key_makes_another_digest(
        (left, right) in (known_key(), known_key()),
        cells in vec(known_cell(), COLUMNS),
    ) {
        prop_assert_eq!(digest(&left, &cells) == digest(&right, &cells), left == right);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        rows in vec((key(), vec(known_cell(), COLUMNS)), 0..8)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let sum = |rows: &[(Key, Vec<Cell>)]| -> Digest {
            rows.iter().map(|(key, cells)| digest(key, cells)).sum()
        };
        prop_assert_eq!(sum(&rows.0), sum(&rows.1));
        let mut left = sum(&rows.0);
        prop_assert_eq!(left.rows, rows.0.len() as u64);
        for (key, cells) in &rows.1 {
            left -= digest(key, cells);
        }
        prop_assert_eq!(left, Digest::default());
    }

    #[test]
    fn equal_numbers_have_equal_digests_however_many_zeros_they_show(
        decimal in finite(),
        zeros in 0..20_i32,
    ) {
        let Decimal::Finite(number) = &decimal else { panic!("it is finite") };
        let digits = format!("{}{}", number.digits(), "0".repeat(usize::try_from(zeros).unwrap()));
        let scale = number.scale() + zeros;
        let longer = Decimal::finite(number.is_negative(), digits.as_bytes(), scale).unwrap();
        let json = |decimal: &Decimal| Value::Json(decimal.to_string().into());
        prop_assert_eq!(of_value(json(&longer)), of_value(json(&decimal)));
        let [longer, decimal] = [longer, decimal].map(Value::Decimal);
        let of_key = |value: &Value| digest(&Key::new([value.clone()]), &nulls());
        prop_assert_eq!(of_key(&longer), of_key(&decimal));
        prop_assert_eq!(of_value(longer), of_value(decimal));
    }

    #[test]
    fn a_value_and_its_canonical_form_have_one_digest(value in value()) {
        prop_assert_eq!(of_value(value.clone()), of_value(value.into_canonical()));
    }
}

#[test]
fn null_missing_and_empty_are_three_different_things() {
    let of = |cell: Cell| {
        let mut cells = nulls();
        cells[0] = cell;
        digest(&Key::new([1]), &cells)
    };
    let all = [
        of(Cell::Value(Value::Null)),
        of(Cell::Missing),
        of(Cell::from("")),
        of(Cell::Value(Value::Bytes([].into()))),
        of(Cell::Value(Value::Array(Box::default()))),
        of(Cell::Value(Value::Json("null".into()))),
        of(Cell::Value(Value::Json(r#""""#.into()))),
        of(Cell::from(false)),
        of(Cell::from(0)),
    ];
    for (index, digest) in all.iter().enumerate() {
        assert!(!all[..index].contains(digest), "{index}");
    }
}

#[test]
fn kinds_stay_apart_even_where_their_numbers_are_equal() {
    let one: Decimal = "1".parse().unwrap();
    assert_ne!(of_value(Value::Int(1)), of_value(Value::Decimal(one)));
    assert_ne!(of_value(Value::Int(1)), of_value(Value::from(1.0)));
    assert_ne!(of_value(Value::from("a")), of_value(Value::Bytes(b"a"[..].into())));
    assert_ne!(of_value(Value::from("1")), of_value(Value::Json("1".into())));
}

#[test]
fn floats_have_one_zero_and_one_nan() {
    assert_eq!(of_value(Value::from(0.0)), of_value(Value::from(-0.0)));
    let payload = f64::from_bits(0xfff8_0000_0000_0001);
    assert_eq!(of_value(Value::Float(Float(payload))), of_value(Value::from(f64::NAN)));
    assert_ne!(of_value(Value::from(0.0)), of_value(Value::from(f64::MIN_POSITIVE)));
}

#[test]
fn arrays_differ_by_shape_and_by_how_their_elements_are_cut() {
    let array = |lower, elements: &[&str]| {
        let length = u32::try_from(elements.len()).unwrap();
        let elements = elements.iter().map(|&element| element.into()).collect();
        Value::Array(Box::new(Array { shape: vec![Dimension { length, lower }], elements }))
    };
    let all = [
        array(1, &["a", "b"]),
        array(2, &["a", "b"]),
        array(1, &["b", "a"]),
        array(1, &["ab", ""]),
        array(1, &["ab"]),
    ];
    let all = all.map(of_value);
    for (index, digest) in all.iter().enumerate() {
        assert!(!all[..index].contains(digest), "{index}");
    }
}

#[test]
fn a_json_value_is_compared_by_what_it_means() {
    let json = |text: &str| of_value(Value::Json(text.into()));
    for (left, right) in [
        (r#"{"a":1,"b":[true,null]}"#, " { \"b\" : [ true ,\tnull ] ,\n \"a\" : 1 } "),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#""\u00e9\n\/\ud83d\ude00""#, "\"é\\u000A/😀\""),
        ("[1.0, 1e2, -0]", "[1, 100, 0]"),
        ("[12345678901234567890123.450]", "[12345678901234567890123.45]"),
    ] {
        assert_eq!(json(left), json(right), "{left} and {right}");
    }
    for (left, right) in [
        ("[1,2]", "[2,1]"),
        ("[1]", "1"),
        ("[[1],2]", "[[1,2]]"),
        ("{}", "[]"),
        (r#""1""#, "1"),
        (r#"{"a":null}"#, "{}"),
        ("9007199254740993", "9007199254740992"),
        ("\"é\"", "\"e\u{301}\""),
        ("1e999999999", "1e999999998"),
        ("{", "["),
    ] {
        assert_ne!(json(left), json(right), "{left} and {right}");
    }
}

#[test]
fn a_digest_depends_on_the_names_and_not_on_the_order_of_columns() {
    let (a, b) = (Cell::from(1), Cell::from("x"));
    let of = |names: &[&str], cells: [&Cell; 2]| {
        let row = Row(cells.map(Cell::clone).into());
        Digest::of(SEED, &table("t", names), &Key::new([1]), &row)
    };
    let digest = of(&["a", "b"], [&a, &b]);
    assert_eq!(digest, of(&["b", "a"], [&b, &a]));
    assert_ne!(digest, of(&["a", "c"], [&a, &b]));
    let row = Row(vec![a, b]);
    let elsewhere = Digest::of(SEED, &table("u", &["a", "b"]), &Key::new([1]), &row);
    assert_ne!(digest, elsewhere);
    let other = Seed::from_bytes([8; 16]);
    let elsewhere = Digest::of(other, &table("t", &["a", "b"]), &Key::new([1]), &row);
    assert_ne!(digest, elsewhere);
}

#[test]
fn both_halves_of_the_seed_count() {
    let of = |at: usize| {
        let mut bytes = [7; 16];
        bytes[at] ^= 1;
        Digest::of(Seed::from_bytes(bytes), &table("t", &[]), &Key::new([1]), &Row(Vec::new()))
    };
    assert_ne!(of(0), of(15));
}

#[test]
fn a_row_that_came_twice_does_not_vanish() {
    let once = of_value(Value::Int(1));
    assert_ne!(once + once, Digest::default());
    assert_eq!((once + once).rows, 2);
    assert_eq!(once + once - once, once);
}

#[test]
fn an_added_column_of_nulls_changes_no_digest() {
    let of = |names: &[&str], cells: &[Cell]| {
        Digest::of(SEED, &table("t", names), &Key::new([1]), &Row(cells.to_vec()))
    };
    let old = of(&["a"], &[Cell::from(1)]);
    assert_eq!(old, of(&["a", "b"], &[Cell::from(1), Cell::Value(Value::Null)]));
    assert_ne!(old, of(&["a", "b"], &[Cell::from(1), Cell::Missing]));
}

#[test]
#[should_panic(expected = "BUG: a digest of a row with an unchanged cell")]
fn an_unchanged_cell_has_no_digest() {
    let mut cells = nulls();
    cells[1] = Cell::Unchanged;
    digest(&Key::new([1]), &cells);
}

#[test]
#[should_panic(expected = "BUG: a digest of a row that does not fit its table")]
fn a_row_that_is_too_short_has_no_digest() {
    digest(&Key::new([1]), &nulls()[1..]);
}

#[test]
fn a_seed_is_never_printed() {
    assert_eq!(format!("{:?}", Seed::from_bytes([0x41; 16])), "Seed(..)");
}

const COLUMNS: usize = 4;
const SEED: Seed = Seed::from_bytes([7; 16]);

fn of_value(value: Value) -> Digest {
    let mut cells = nulls();
    cells[0] = Cell::Value(value);
    digest(&Key::new([1]), &cells)
}

fn digest(key: &Key, cells: &[Cell]) -> Digest {
    Digest::of(SEED, &table("t", &["a", "b", "c", "d"]), key, &Row(cells.to_vec()))
}

fn nulls() -> Vec<Cell> {
    vec![Cell::Value(Value::Null); COLUMNS]
}

fn table(name: &str, columns: &[&str]) -> Table {
    let column = |name: &&str| Column {
        name: (*name).into(),
        kind: Kind::Any,
        declared: "".into(),
        nullable: true,
        compares: instep_model::Compares::default(),
    };
    Table {
        name: name.into(),
        version: 1,
        columns: columns.iter().map(column).collect(),
        key: vec![0],
    }
}

/// A cell whose meaning shows in its canonical form; texts of JSON have their own tests.
fn known_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        9 => value().prop_map(without_json).prop_map(Cell::Value),
        1 => Just(Cell::Missing),
    ]
}

fn known_key() -> impl Strategy<Value = Key> {
    key().prop_map(|key| Key::new(key.values().iter().cloned().map(without_json)))
}

fn without_json(value: Value) -> Value {
    match value {
        Value::Json(text) => Value::Text(text),
        Value::Array(mut array) => {
            let elements = std::mem::take(&mut array.elements);
            array.elements = elements.into_iter().map(without_json).collect();
            Value::Array(array)
        }
        other => other,
    }
}

fn same(left: &Cell, right: &Cell) -> bool {
    let canonical = |cell: &Cell| match cell.clone() {
        Cell::Value(value) => Cell::Value(value.into_canonical()),
        other => other,
    };
    canonical(left) == canonical(right)
}
