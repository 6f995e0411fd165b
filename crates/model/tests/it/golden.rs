//! Golden bytes: what an earlier version wrote, and what every later one must still read.
//!
//! The files were not made by the encoder; their comments say what each byte is. A new version of
//! the format gets files of its own, and these stay.

use crate::hex::{blocks, shown};
use instep_model::codec::{Adopted, Dictionary, Record, decode, encode};
use instep_model::log::StagedPart;
use instep_model::{
    Affinity, Array, Cell, Change, Collation, Column, Commit, Compares, Decimal, Dimension, Epoch,
    Float, Incarnation, Interval, Key, Kind, Moment, Offset, Op, Placed, Position, Progress,
    Purpose, Row, Stretch, Table, TransactionId, Value,
};
use std::sync::Arc;

/// The bytes of a golden file, which is one block.
macro_rules! golden {
    ($name:literal) => {{
        let text = include_str!(concat!("../../../../docs/formats/codec/v1-", $name, ".hex"));
        blocks(text).concat()
    }};
}

#[test]
fn a_table_has_its_golden_bytes() {
    check(&Record::Table { number: 0, table: everything() }, &golden!("table"));
}

#[test]
fn a_transaction_with_every_kind_of_value_has_its_golden_bytes() {
    let ops = [
        Op::Insert(ordinary_row()),
        Op::Insert(edge_row()),
        Op::Update { before: key(300), row: sparse_row() },
        Op::Delete(key(301)),
        Op::Truncate,
    ];
    let changes = ops.into_iter().map(change).collect();
    check(&Record::Commit(commit(0, 0), changes), &golden!("commit"));
}

#[test]
fn an_adopted_transaction_has_its_golden_bytes() {
    let adopted = Adopted {
        file: 9,
        bytes: 1_048_576,
        changes: 5000,
        aborted: vec![TransactionId(748), TransactionId(u64::MAX)],
    };
    check(&Record::Adopt(commit(1, 1), adopted), &golden!("adopt"));
}

#[test]
fn progress_has_its_golden_bytes() {
    let progress = Progress { offset: offset(2), source_time: -1 };
    check(&Record::Progress(progress), &golden!("progress"));
}

#[test]
fn placed_rows_have_their_golden_bytes() {
    check(&Record::Placed(placed(Purpose::Fill)), &golden!("placed"));
}

#[test]
fn a_placed_stretch_has_its_golden_bytes() {
    let placed = Placed { stretch: Some(stretch()), ..placed(Purpose::Bridge) };
    check(&Record::Placed(placed), &golden!("placed-stretch"));
}

#[test]
fn each_part_of_a_stretch_has_its_flag() {
    let golden = golden!("placed-stretch");
    let name = golden.windows(6).position(|bytes| bytes == b"all_it").unwrap();
    let flags = name - 2;
    let (before, began) = (&golden[..flags], name + 6..name + 6 + 12);
    let key_bytes = &golden[began.end..began.end + 20];
    let rest = &golden[began.end + key_bytes.len()..];
    for (flag, after, upto, source_is_empty) in [
        (8, None, None, false),
        (9, Some(key(4)), None, false),
        (10, None, Some(key(4)), false),
        (12, None, None, true),
        (15, Some(key(4)), Some(key(4)), true),
    ] {
        let keys = key_bytes.repeat([&after, &upto].into_iter().flatten().count());
        let bytes = [before, &[flag], &golden[flags + 1..began.end], &keys, rest].concat();
        let stretch = Some(Stretch { after, upto, source_is_empty, ..stretch() });
        check(&Record::Placed(Placed { stretch, ..placed(Purpose::Bridge) }), &bytes);
    }
}

#[test]
fn purposes_keep_their_numbers() {
    let fill = golden!("placed");
    let purposes = [Purpose::Fill, Purpose::Reread, Purpose::Repair, Purpose::Bridge];
    for (number, purpose) in (0..).zip(purposes) {
        let mut bytes = fill.clone();
        let at = bytes.windows(9).rposition(|bytes| bytes == b"questions").unwrap() + 9;
        bytes[at] = number;
        check(&Record::Placed(placed(purpose)), &bytes);
    }
}

#[test]
fn a_staged_part_has_its_golden_bytes() {
    let part = StagedPart {
        transaction: TransactionId(1 << 32),
        sub: TransactionId((1 << 32) + 1),
        changes: vec![change(Op::Truncate)],
    };
    check(&Record::Part(part), &golden!("part"));
}

fn check(record: &Record, golden: &[u8]) {
    let mut tables = Dictionary::new();
    tables.introduce(&everything());
    let mut bytes = Vec::new();
    encode(record, &tables, &mut bytes);
    assert_eq!(shown(&bytes), shown(golden));
    assert_eq!(decode(golden, &tables).as_ref(), Ok(record));
}

fn everything() -> Arc<Table> {
    let columns = [
        ("bool", Kind::Bool, "boolean"),
        ("int", Kind::Int, "bigint"),
        ("float", Kind::Float, "double precision"),
        ("decimal", Kind::Decimal, "numeric(20,2)"),
        ("text", Kind::Text, "text"),
        ("bytes", Kind::Bytes, "bytea"),
        ("date", Kind::Date, "date"),
        ("time", Kind::Time, "time"),
        ("timetz", Kind::TimeTz, "timetz"),
        ("timestamp", Kind::Timestamp, "timestamp"),
        ("timestamptz", Kind::TimestampTz, "timestamptz"),
        ("interval", Kind::Interval, "interval"),
        ("uuid", Kind::Uuid, "uuid"),
        ("json", Kind::Json, "jsonb"),
        ("array", Kind::Array, "integer[]"),
        ("any", Kind::Any, ""),
    ];
    let column = |(name, kind, declared): (&str, Kind, &str)| Column {
        name: name.into(),
        kind,
        declared: declared.into(),
        nullable: !matches!(kind, Kind::Int | Kind::Uuid),
        compares: Compares {
            collation: match kind {
                Kind::Text => Some(Collation { name: "en_US".into(), equal_by_bytes: true }),
                Kind::Any => Some(Collation { name: "nocase".into(), equal_by_bytes: false }),
                _ => None,
            },
            affinity: (kind == Kind::Any).then_some(Affinity::Numeric),
        },
    };
    Arc::new(Table {
        name: "public.everything".into(),
        version: 3,
        columns: columns.into_iter().map(column).collect(),
        key: vec![1, 12],
    })
}

fn ordinary_row() -> Row {
    Row::new([
        Value::Bool(true),
        Value::Int(300),
        Value::Float(Float(1.5)),
        decimal("12.50"),
        Value::from("héllo"),
        Value::Bytes([0x00, 0xff].into()),
        Value::Date(Moment::At(19675)),
        Value::Time(86_400_000_000),
        Value::TimeTz(3_600_000_000, 7200),
        Value::Timestamp(Moment::At(-1)),
        Value::TimestampTz(Moment::At(1_700_000_000_000_000)),
        Value::Interval(Interval { months: 1, days: -2, micros: 3_000_000 }),
        Value::Uuid(UUID),
        Value::Json(r#"{"a": 1.0}"#.into()),
        array(1, [Value::Int(1), Value::Null]),
        Value::Int(-1),
    ])
}

fn edge_row() -> Row {
    Row::new([
        Value::Bool(false),
        Value::Int(i64::MIN),
        Value::Float(Float(-0.0)),
        decimal("-123456789012345678901234567890.00"),
        Value::from(""),
        Value::Bytes([].into()),
        Value::Date(Moment::BeforeAll),
        Value::Time(0),
        Value::TimeTz(0, -1),
        Value::Timestamp(Moment::BeforeAll),
        Value::TimestampTz(Moment::BeforeAll),
        Value::Interval(Interval { months: 0, days: 0, micros: 0 }),
        Value::Uuid([0xff; 16]),
        Value::Json("null".into()),
        Value::Array(Box::default()),
        decimal("-0"),
    ])
}

fn sparse_row() -> Row {
    let inner = array(1, [decimal("1e3"), decimal("-Infinity")]);
    let mut row = Row::new([
        Value::Null,
        Value::Int(301),
        Value::Float(Float(f64::from_bits(0x7ff8_0000_0000_0001))),
        decimal("NaN"),
        Value::Null,
        Value::Null,
        Value::Date(Moment::AfterAll),
        Value::Null,
        Value::Null,
        Value::Timestamp(Moment::AfterAll),
        Value::TimestampTz(Moment::AfterAll),
        Value::Null,
        Value::Uuid(UUID),
        Value::Null,
        array(0, [inner]),
        decimal("Infinity"),
    ]);
    row.0[4] = Cell::Unchanged;
    row.0[5] = Cell::Unchanged;
    row.0[13] = Cell::Missing;
    row
}

fn placed(purpose: Purpose) -> Placed {
    Placed {
        offset: Offset { epoch: Epoch(7), ordinal: 12, ..offset(2) },
        targets: vec!["responses".into(), "questions".into()],
        purpose,
        stretch: None,
        changes: vec![change(Op::Delete(key(5)))],
    }
}

fn stretch() -> Stretch {
    Stretch {
        copy: "all_it".into(),
        began: Offset { epoch: Epoch(7), ordinal: 3, ..offset(1) },
        after: Some(key(4)),
        upto: None,
        source_is_empty: true,
    }
}

fn change(op: Op) -> Change {
    Change { table: everything(), op }
}

fn commit(after: u64, micros: i64) -> Commit {
    Commit {
        offset: offset(after),
        transaction: TransactionId(745 + after),
        committed_at: 1_700_000_000_000_000 + micros,
    }
}

fn offset(after: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(23_803_720 + after))
}

const UUID: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn key(int: i64) -> Key {
    Key::new([Value::Int(int), Value::Uuid(UUID)])
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

fn array<const N: usize>(lower: i32, elements: [Value; N]) -> Value {
    let length = u32::try_from(N).unwrap();
    Value::Array(Box::new(Array {
        shape: vec![Dimension { length, lower }],
        elements: elements.into(),
    }))
}
