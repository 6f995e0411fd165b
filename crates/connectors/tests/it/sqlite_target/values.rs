//! Every kind of value on its way into a copy that was made for it, and back.

use super::rig::Rig;
use instep_connectors::CopyTo;
use model::{
    Array, Cell, Column, Decimal, Dimension, Effect, Float, Interval, Key, Kind, Moment, Row,
    Selection, Table, Value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use testkit::conformance::rows;

/// Each kind with a type as sources declare it.
pub(crate) const KINDS: [(Kind, &str); 15] = [
    (Kind::Bool, "boolean"),
    (Kind::Int, "int8"),
    (Kind::Float, "double precision"),
    (Kind::Decimal, "numeric(10,2)"),
    (Kind::Text, "character varying(20)"),
    (Kind::Bytes, "bytea"),
    (Kind::Date, "date"),
    (Kind::Time, "time"),
    (Kind::TimeTz, "timetz"),
    (Kind::Timestamp, "timestamp"),
    (Kind::TimestampTz, "timestamp with time zone"),
    (Kind::Interval, "interval"),
    (Kind::Uuid, "uuid"),
    (Kind::Json, "jsonb"),
    (Kind::Array, "integer[]"),
];

#[tokio::test]
async fn values_that_sqlite_lacks_are_text_that_people_and_its_functions_read() {
    let rig = rig();
    let decimal = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    let day = 86_400_000_000;
    let values = [
        Value::Bool(true),
        Value::Int(-7),
        Value::from(f64::NAN),
        decimal("12345678901234567890.50"),
        Value::from("7"),
        Value::Bytes([0, 255].into()),
        Value::Date(Moment::At(20_413)),
        Value::Time(day),
        Value::TimeTz(3_600_000_000, -19_800),
        Value::Timestamp(Moment::At(-1)),
        Value::TimestampTz(Moment::At(20_413 * day + 500_000)),
        Value::Interval(Interval { months: 14, days: -3, micros: -1_500_000 }),
        Value::Uuid([0xab; 16]),
        Value::Json("{\"a\":  1}".into()),
        Value::Array(Box::new(Array {
            shape: vec![Dimension { length: 2, lower: 1 }],
            elements: vec![Value::from("a\"b"), Value::Null],
        })),
    ];
    let row = Row::new([Value::Int(1)].into_iter().chain(values));
    assert_eq!(rig.lead().await.together(1, vec![rig.put(row)]).await, None);
    let names: Vec<_> = rig.table.columns[1..].iter().map(|column| &*column.name).collect();
    assert_eq!(
        rig.dump(&format!("select {} from made", names.join(", "))),
        "1|-7|NaN|12345678901234567890.50|7|[0, 255]|2025-11-21|24:00:00|01:00:00-05:30|\
         1969-12-31 23:59:59.999999|2025-11-21 00:00:00.5+00:00|P14M-3DT-1.5S|\
         abababab-abab-abab-abab-abababababab|{\"a\":  1}|[\"a\\\"b\",null]"
    );
    assert_eq!(rig.dump("select unixepoch(c10), julianday(c6) from made"), "1763683200|2461000.5");
    assert_eq!(rig.dump("select value from made, json_each(c14)"), "a\"b\n-");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_value_comes_back_as_it_was(table in vec(row(), 1..25)) {
        block_on(async {
            let rig = rig();
            let mut led = rig.lead().await;
            let rows: Vec<_> = (1..).zip(table).map(|(id, values): (i64, Vec<Value>)| {
                Row::new([Value::Int(id)].into_iter().chain(values))
            }).collect();
            let puts = rows.iter().map(|row| rig.put(row.clone())).collect();
            assert_eq!(led.together(1, puts).await, None);
            let found = rows::all(rig.inspect().as_ref(), &rig.table).await;
            assert_eq!(found.len(), rows.len());
            for (row, found) in rows.iter().zip(found.values()) {
                assert_eq!(same(row), same(found));
            }
        });
    }

    #[test]
    fn rows_are_found_by_keys_of_every_kind((at, keys) in keys(), more in any::<u64>()) {
        block_on(async {
            let rig = keyed(at);
            let mut led = rig.lead().await;
            let mut expected = std::collections::BTreeMap::new();
            let mut writes = Vec::new();
            for (number, key) in (0_i64..).zip(&keys) {
                let row = Row::new([key.clone(), Value::Int(number)]);
                expected.insert(Key::new([key.clone()]), row.clone());
                writes.push(rig.put(row));
            }
            assert_eq!(led.together(1, writes).await, None);
            let ends: Vec<_> = expected.keys().cloned().collect();
            let end = |shift: u32| {
                let place = usize::try_from(more >> shift).unwrap_or(0) % (ends.len() + 1);
                ends.get(place).cloned()
            };
            let range = Selection::Range { after: end(0), upto: end(8) };
            for selection in [Selection::ALL, range, Selection::Keys(ends.clone())] {
                let mut inspect = rig.inspect().connect().await.expect("a connection");
                let answer = inspect.rows(&rig.table, &selection, 1_000).await.expect("rows");
                let found: Vec<_> =
                    answer.found.rows.into_iter().map(|(key, row, _)| (key, row.0[1].clone())).collect();
                let of_range = expected.iter().filter(|(key, _)| selection.contains(key));
                let of_range: Vec<_> =
                    of_range.map(|(key, row)| (key.clone(), row.0[1].clone())).collect();
                assert_eq!(found, of_range, "{selection:?}");
            }
            let gone = ends.iter().map(|key| rig.write(Effect::Delete(key.clone()))).collect();
            assert_eq!(led.together(2, gone).await, None);
            assert_eq!(rig.dump("select count(*) from made"), "0");
        });
    }
}

pub(crate) fn block_on(future: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future);
}

/// A copy with a column of each kind, that is yet to be made.
pub(crate) fn rig() -> Rig {
    let columns = KINDS.iter().enumerate();
    let columns = columns.map(|(at, (kind, declared))| column(&format!("c{at}"), *kind, declared));
    let columns = [column("id", Kind::Int, "bigint")].into_iter().chain(columns).collect();
    made(Table { name: "kinds".into(), version: 1, columns, key: vec![0] })
}

/// A copy whose key is of a kind.
pub(crate) fn keyed(at: usize) -> Rig {
    let (kind, declared) = KINDS[at];
    let columns = vec![column("id", kind, declared), column("number", Kind::Int, "bigint")];
    made(Table { name: "keyed".into(), version: 1, columns, key: vec![0] })
}

fn made(table: Table) -> Rig {
    let copy = CopyTo { create: true, ..CopyTo::new("copy", "made") };
    Rig::without_file(copy, Arc::new(table))
}

fn column(name: &str, kind: Kind, declared: &str) -> Column {
    let nullable = !matches!(name, "id");
    Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable,
        compares: Default::default(),
    }
}

/// A row with the signs of its zeros aside, which SQLite does not keep, and its NaNs as one.
pub(crate) fn same(row: &Row) -> Row {
    let same = |cell: &Cell| match cell {
        Cell::Value(Value::Float(float)) => Cell::Value(Value::Float(*float).into_canonical()),
        Cell::Value(Value::Array(array)) => {
            let mut array = array.clone();
            for element in &mut array.elements {
                if let Value::Float(Float(float)) = element
                    && float.is_nan()
                {
                    *float = f64::NAN;
                }
            }
            Cell::Value(Value::Array(array))
        }
        other => other.clone(),
    };
    Row(row.0.iter().map(same).collect())
}

/// Keys of one kind, and which it is.
pub(crate) fn keys() -> impl Strategy<Value = (usize, Vec<Value>)> {
    (0..KINDS.len()).prop_flat_map(|at| (Just(at), vec(value(KINDS[at].0), 1..12)))
}

pub(crate) fn row() -> impl Strategy<Value = Vec<Value>> {
    KINDS
        .iter()
        .map(|(kind, _)| prop_oneof![1 => Just(Value::Null), 6 => value(*kind)].boxed())
        .collect::<Vec<_>>()
}

/// Any value of a kind.
fn value(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Array => array(),
        kind => scalar(kind),
    }
}

fn scalar(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Int => int().prop_map(Value::Int).boxed(),
        Kind::Float => prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-4..4_i32).prop_map(|float| f64::from(float) / 2.0),
        ]
        .prop_map(|float| Value::Float(Float(float)))
        .boxed(),
        Kind::Decimal => decimal(),
        Kind::Text => text().prop_map(|text| Value::Text(text.into())).boxed(),
        Kind::Bytes => vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into())).boxed(),
        Kind::Date => moment().prop_map(Value::Date).boxed(),
        Kind::Time => int().prop_map(Value::Time).boxed(),
        Kind::TimeTz => {
            (int(), any::<i32>()).prop_map(|(at, east)| Value::TimeTz(at, east)).boxed()
        }
        Kind::Timestamp => moment().prop_map(Value::Timestamp).boxed(),
        Kind::TimestampTz => moment().prop_map(Value::TimestampTz).boxed(),
        Kind::Interval => (any::<i32>(), any::<i32>(), int())
            .prop_map(|(months, days, micros)| Value::Interval(Interval { months, days, micros }))
            .boxed(),
        Kind::Uuid => any::<[u8; 16]>().prop_map(Value::Uuid).boxed(),
        Kind::Json => text().prop_map(|text| Value::Json(text.into())).boxed(),
        Kind::Array | Kind::Any => Just(Value::Null).boxed(),
    }
}

fn array() -> BoxedStrategy<Value> {
    let element = (0..KINDS.len() - 1).prop_flat_map(|at| scalar(KINDS[at].0));
    let element = prop_oneof![1 => Just(Value::Null), 5 => element];
    let dimension = (0..4_u32, prop_oneof![Just(1), any::<i32>()])
        .prop_map(|(length, lower)| Dimension { length, lower });
    let array = |element: BoxedStrategy<Value>| {
        (vec(dimension.clone(), 0..3), vec(element, 0..4))
            .prop_map(|(shape, elements)| Value::Array(Box::new(Array { shape, elements })))
    };
    let nested = prop_oneof![4 => element.clone(), 1 => array(element.boxed())];
    array(nested.boxed()).boxed()
}

fn decimal() -> BoxedStrategy<Value> {
    let finite = (any::<bool>(), "0{0,2}[0-9]{1,30}0{0,9}", -30..60_i32);
    let finite = finite.prop_map(|(negative, digits, scale)| {
        Decimal::finite(negative, digits.as_bytes(), scale).expect("within the limits")
    });
    let odd = [Decimal::NaN, Decimal::PositiveInfinity, Decimal::NegativeInfinity];
    let odd = proptest::sample::select(odd.to_vec());
    prop_oneof![1 => odd, 9 => finite].prop_map(Value::Decimal).boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![any::<String>(), "[0-9.e-]{0,6}", Just("nul\0inside".to_owned())].boxed()
}

fn int() -> BoxedStrategy<i64> {
    prop_oneof![-200..200_i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)].boxed()
}

fn moment() -> BoxedStrategy<Moment> {
    prop_oneof![
        1 => Just(Moment::BeforeAll),
        8 => int().prop_map(Moment::At),
        1 => Just(Moment::AfterAll),
    ]
    .boxed()
}
