//! The codec keeps what it is given, and numbers tables as readers expect.

use crate::arbitrary::{known, table};
use instep_model::codec::{
    ARRAY_DEPTH_MAX, Dictionary, Malformed, Record, VERSION, decode, encode,
};
use instep_model::log::StagedPart;
use instep_model::{Array, Change, Op, Row, Table, TransactionId, Value};
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #[test]
    fn every_record_comes_back_as_it_was(known in known()) {
        let tables = known.dictionary();
        let mut bytes = vec![0xaa];
        encode(&known.record, &tables, &mut bytes);
        prop_assert_eq!(bytes[0], 0xaa, "encoding appends");
        prop_assert_eq!(bytes[1], VERSION);
        prop_assert_eq!(decode(&bytes[1..], &tables), Ok(known.record));
    }

    #[test]
    fn a_record_needs_nothing_but_its_dictionary(known in known()) {
        let mut tables = Dictionary::new();
        let new: Vec<_> = known.record.new_tables(&tables).cloned().collect();
        let mut read = Dictionary::new();
        for table in &new {
            let number = tables.introduce(table);
            let mut bytes = Vec::new();
            encode(&Record::Table { number, table: Arc::clone(table) }, &tables, &mut bytes);
            let Ok(Record::Table { number, table }) = decode(&bytes, &read) else {
                return Err(TestCaseError::fail("a table is read without knowing any"));
            };
            prop_assert_eq!(read.insert(number, table), Ok(()));
        }
        prop_assert_eq!(known.record.new_tables(&tables).count(), 0);
        let mut bytes = Vec::new();
        encode(&known.record, &tables, &mut bytes);
        prop_assert_eq!(decode(&bytes, &read), Ok(known.record));
    }

    #[test]
    fn an_equal_table_has_the_same_number_wherever_it_stands_in_memory(table in table()) {
        let mut tables = Dictionary::new();
        let number = tables.introduce(&Arc::new(table.clone()));
        prop_assert_eq!(tables.number_of(&Arc::new(table.clone())), Some(number));
        prop_assert_eq!(tables.introduce(&Arc::new(table.clone())), number);
        let newer = Arc::new(Table { version: table.version.wrapping_add(1), ..table });
        prop_assert_eq!(tables.number_of(&newer), None);
    }
}

#[test]
fn new_tables_come_once_each_in_the_order_of_the_changes() {
    let [a, b, c] = ["a", "b", "c"].map(named);
    let mut known = Dictionary::new();
    known.introduce(&b);
    let again = Arc::new(Table::clone(&a));
    let record = part(
        [&c, &a, &b, &again, &c, &a]
            .map(|table| Change { table: Arc::clone(table), op: Op::Truncate }),
    );
    let new: Vec<_> = record.new_tables(&known).collect();
    assert_eq!(new, [&c, &a]);
}

#[test]
fn tables_are_numbered_from_zero_without_a_gap() {
    let [a, b] = ["a", "b"].map(named);
    let mut tables = Dictionary::new();
    assert!(tables.insert(1, Arc::clone(&a)).is_err());
    assert_eq!(tables.insert(0, Arc::clone(&a)), Ok(()));
    assert!(tables.insert(0, Arc::clone(&b)).is_err());
    assert!(tables.insert(1, Arc::clone(&a)).is_err(), "no table has two numbers");
    assert_eq!(tables.introduce(&b), 1);
    assert_eq!((tables.get(0), tables.get(1), tables.get(2)), (Some(&a), Some(&b), None));
}

#[test]
fn a_change_of_an_unknown_table_is_refused() {
    let record = part([Change { table: named("a"), op: Op::Truncate }]);
    let mut tables = Dictionary::new();
    tables.introduce(&named("a"));
    let mut bytes = Vec::new();
    encode(&record, &tables, &mut bytes);
    let malformed = decode(&bytes, &Dictionary::new()).unwrap_err();
    assert_eq!(
        malformed.to_string(),
        "a change names a table that was not introduced, found at byte 7"
    );
}

#[test]
#[should_panic(expected = "BUG: a table was not introduced")]
fn encoding_a_change_before_its_table_is_a_bug() {
    let record = part([Change { table: named("a"), op: Op::Truncate }]);
    encode(&record, &Dictionary::new(), &mut Vec::new());
}

#[test]
fn a_record_of_a_newer_version_says_so() {
    let newer = decode(&[VERSION + 1, 0], &Dictionary::new()).unwrap_err();
    assert!(newer.is_newer());
    let wrong = |bytes: &[u8]| decode(bytes, &Dictionary::new()).unwrap_err();
    assert!(![wrong(&[0, 0]), wrong(&[]), wrong(&[VERSION])].iter().any(Malformed::is_newer));
}

#[test]
fn arrays_stand_in_arrays_up_to_the_limit() {
    let (record, tables) = nested(ARRAY_DEPTH_MAX);
    let mut bytes = Vec::new();
    encode(&record, &tables, &mut bytes);
    assert_eq!(decode(&bytes, &tables), Ok(record));

    let deepest = bytes.len() - 2;
    bytes.splice(deepest..deepest, [0x11, 0x00, 0x01]);
    let malformed = decode(&bytes, &tables).unwrap_err();
    assert_eq!(malformed.what, "arrays stand too deep in arrays");
}

#[test]
#[should_panic(expected = "BUG: a source handed over arrays in arrays beyond the limit")]
fn encoding_arrays_beyond_the_limit_is_a_bug() {
    let (record, tables) = nested(ARRAY_DEPTH_MAX + 1);
    encode(&record, &tables, &mut Vec::new());
}

/// A record with a seven within that many arrays.
fn nested(depth: usize) -> (Record, Dictionary) {
    let array = |value| Value::Array(Box::new(Array { shape: Vec::new(), elements: vec![value] }));
    let value = (0..depth).fold(Value::Int(7), |value, _| array(value));
    let table = named("a");
    let mut tables = Dictionary::new();
    tables.introduce(&table);
    (part([Change { table, op: Op::Insert(Row::new([value])) }]), tables)
}

fn named(name: &str) -> Arc<Table> {
    Arc::new(Table { name: name.into(), version: 1, columns: Vec::new(), key: Vec::new() })
}

fn part<const N: usize>(changes: [Change; N]) -> Record {
    let transaction = TransactionId(1);
    Record::Part(StagedPart { transaction, sub: transaction, changes: changes.into() })
}
