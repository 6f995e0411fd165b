//! Strategies: arbitrary values, tables, changes and records, far beyond what a source sends.

use instep_model::codec::{Adopted, Dictionary, Record};
use instep_model::log::StagedPart;
use instep_model::{
    Affinity, Array, Cell, Change, Collation, Column, Commit, Compares, Decimal, Dimension, Epoch,
    Float, Incarnation, Interval, Key, Kind, Moment, Offset, Op, Placed, Position, Progress,
    Purpose, Row, Stretch, Table, TransactionId, Value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;

/// A record, and the tables that it can name.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) record: Record,
}

impl Known {
    /// A dictionary in which the tables were introduced in order.
    pub(crate) fn dictionary(&self) -> Dictionary {
        let mut dictionary = Dictionary::new();
        for table in &self.tables {
            dictionary.introduce(table);
        }
        dictionary
    }
}

pub(crate) fn known() -> impl Strategy<Value = Known> {
    vec(table().prop_map(Arc::new), 1..4).prop_flat_map(|tables| {
        let changes = changes(tables.clone());
        record(changes.boxed()).prop_map(move |record| Known { tables: tables.clone(), record })
    })
}

fn record(changes: BoxedStrategy<Vec<Change>>) -> impl Strategy<Value = Record> {
    let stretch = option::of(stretch());
    let placed = (offset(), vec(name(), 0..3), purpose(), stretch, changes.clone()).prop_map(
        |(offset, targets, purpose, stretch, changes)| {
            let targets = targets.iter().map(|name| name.as_str().into()).collect();
            Record::Placed(Placed { offset, targets, purpose, stretch, changes })
        },
    );
    let part = (any::<u64>(), any::<u64>(), changes.clone()).prop_map(|(whole, sub, changes)| {
        let (transaction, sub) = (TransactionId(whole), TransactionId(sub));
        Record::Part(StagedPart { transaction, sub, changes })
    });
    prop_oneof![
        (any::<u32>(), table())
            .prop_map(|(number, table)| Record::Table { number, table: Arc::new(table) }),
        (commit(), changes).prop_map(|(commit, changes)| Record::Commit(commit, changes)),
        (commit(), adopted()).prop_map(|(commit, adopted)| Record::Adopt(commit, adopted)),
        (offset(), any::<i64>()).prop_map(|(offset, source_time)| {
            Record::Progress(Progress { offset, source_time })
        }),
        placed,
        part,
    ]
}

fn commit() -> impl Strategy<Value = Commit> {
    (offset(), any::<u64>(), any::<i64>()).prop_map(|(offset, transaction, committed_at)| Commit {
        offset,
        transaction: TransactionId(transaction),
        committed_at,
    })
}

fn adopted() -> impl Strategy<Value = Adopted> {
    let aborted = vec(any::<u64>().prop_map(TransactionId), 0..4);
    (any::<u64>(), any::<u64>(), any::<u64>(), aborted)
        .prop_map(|(file, bytes, changes, aborted)| Adopted { file, bytes, changes, aborted })
}

pub(crate) fn offset() -> impl Strategy<Value = Offset> {
    let ordinal = prop_oneof![Just(Offset::WHOLE), 0..3_u64, any::<u64>()];
    (any::<u32>(), vec(any::<u8>(), 0..20), any::<u64>(), ordinal).prop_map(
        |(incarnation, position, epoch, ordinal)| Offset {
            incarnation: Incarnation(incarnation),
            position: Position::new(position),
            epoch: Epoch(epoch),
            ordinal,
        },
    )
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![
        Just(Purpose::Fill),
        Just(Purpose::Reread),
        Just(Purpose::Repair),
        Just(Purpose::Bridge)
    ]
}

fn stretch() -> impl Strategy<Value = Stretch> {
    (name(), offset(), option::of(key()), option::of(key()), any::<bool>()).prop_map(
        |(copy, began, after, upto, source_is_empty)| {
            let copy = copy.as_str().into();
            Stretch { copy, began, after, upto, source_is_empty }
        },
    )
}

pub(crate) fn table() -> impl Strategy<Value = Table> {
    (name(), any::<u32>(), vec(column(), 1..9)).prop_flat_map(|(name, version, columns)| {
        vec(0..columns.len(), 1..4).prop_map(move |key| Table {
            name: name.as_str().into(),
            version,
            columns: columns.clone(),
            key,
        })
    })
}

fn column() -> impl Strategy<Value = Column> {
    (name(), kind(), name(), any::<bool>(), compares()).prop_map(
        |(name, kind, declared, nullable, compares)| Column {
            name: name.into(),
            kind,
            declared: declared.into(),
            nullable,
            compares,
        },
    )
}

fn compares() -> impl Strategy<Value = Compares> {
    let affinities = vec![Affinity::Blob, Affinity::Text, Affinity::Numeric];
    let collation = (name(), any::<bool>()).prop_map(|(name, equal_by_bytes)| {
        let name = name.into();
        Collation { name, equal_by_bytes }
    });
    (option::of(collation), option::of(proptest::sample::select(affinities)))
        .prop_map(|(collation, affinity)| Compares { collation, affinity })
}

fn kind() -> impl Strategy<Value = Kind> {
    use Kind::{
        Any, Array, Bool, Bytes, Date, Decimal, Float, Int, Interval, Json, Text, Time, TimeTz,
        Timestamp, TimestampTz, Uuid,
    };
    proptest::sample::select(vec![
        Bool,
        Int,
        Float,
        Decimal,
        Text,
        Bytes,
        Date,
        Time,
        TimeTz,
        Timestamp,
        TimestampTz,
        Interval,
        Uuid,
        Json,
        Array,
        Any,
    ])
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_.]{0,12}", any::<String>()]
}

fn changes(tables: Vec<Arc<Table>>) -> impl Strategy<Value = Vec<Change>> {
    vec((proptest::sample::select(tables), op()).prop_map(|(table, op)| Change { table, op }), 0..6)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        row().prop_map(Op::Insert),
        (key(), row()).prop_map(|(before, row)| Op::Update { before, row }),
        key().prop_map(Op::Delete),
        Just(Op::Truncate),
    ]
}

pub(crate) fn key() -> impl Strategy<Value = Key> {
    vec(value(), 1..4).prop_map(Key::new)
}

fn row() -> impl Strategy<Value = Row> {
    let cell = prop_oneof![
        8 => value().prop_map(Cell::Value),
        1 => Just(Cell::Missing),
        1 => Just(Cell::Unchanged),
    ];
    vec(cell, 0..9).prop_map(Row)
}

/// Any value, with arrays in arrays.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let array = |element: BoxedStrategy<Value>| {
        let dimension =
            (any::<u32>(), any::<i32>()).prop_map(|(length, lower)| Dimension { length, lower });
        (vec(dimension, 0..3), vec(element, 0..5))
            .prop_map(|(shape, elements)| Value::Array(Box::new(Array { shape, elements })))
    };
    leaf().prop_recursive(3, 12, 4, move |element| array(element.boxed()))
}

fn leaf() -> impl Strategy<Value = Value> {
    let interval = (any::<i32>(), any::<i32>(), any::<i64>())
        .prop_map(|(months, days, micros)| Value::Interval(Interval { months, days, micros }));
    let json = prop_oneof![Just("{\"a\": [1.0, null]}".to_owned()), any::<String>()];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        int().prop_map(Value::Int),
        any::<u64>().prop_map(|bits| Value::Float(Float(f64::from_bits(bits)))),
        (-4..4_i32).prop_map(|float| Value::Float(Float(f64::from(float) / 2.0))),
        decimal().prop_map(Value::Decimal),
        any::<String>().prop_map(|text| Value::Text(text.into())),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Value::text(&bytes)),
        moment().prop_map(Value::Date),
        int().prop_map(Value::Time),
        (int(), any::<i32>()).prop_map(|(micros, east)| Value::TimeTz(micros, east)),
        moment().prop_map(Value::Timestamp),
        moment().prop_map(Value::TimestampTz),
        interval,
        any::<[u8; 16]>().prop_map(Value::Uuid),
        json.prop_map(|json| Value::Json(json.into())),
    ]
}

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![-200..200_i64, any::<i64>()]
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        1 => Just(Moment::BeforeAll),
        8 => int().prop_map(Moment::At),
        1 => Just(Moment::AfterAll),
    ]
}

/// Any decimal of up to sixty digits, often zero, short or with zeros at its ends.
pub(crate) fn decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        1 => Just(Decimal::NaN),
        1 => Just(Decimal::PositiveInfinity),
        1 => Just(Decimal::NegativeInfinity),
        12 => finite(),
    ]
}

/// A finite decimal as above.
pub(crate) fn finite() -> impl Strategy<Value = Decimal> {
    let digits = prop_oneof!["0{0,2}[0-9]{1,4}0{0,3}", "[0-9]{18,22}", "[0-9]{1,30}0{0,30}"];
    let scale = option::weighted(0.9, -30..60_i32).prop_map(Option::unwrap_or_default);
    (any::<bool>(), digits, scale).prop_map(|(negative, digits, scale)| {
        Decimal::finite(negative, digits.as_bytes(), scale).unwrap()
    })
}
