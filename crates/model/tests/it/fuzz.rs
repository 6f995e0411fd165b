//! Damaged bytes, many of them: whatever is read from them says the same when written again.

use crate::arbitrary::known;
use instep_model::codec::memo::{
    put_group, put_memo, put_offset, read_group, read_key, read_memo, read_offset,
};
use instep_model::codec::{decode, encode};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use testkit::fuzz::fuzz;

/// The first byte says which tables a record is read with.
#[test]
fn records_of_the_log() {
    let mut runner = TestRunner::deterministic();
    let mut known = || known().new_tree(&mut runner).expect("a value").current();
    let known: Vec<_> = (0..8).map(|_| known()).collect();
    let tables: Vec<_> = known.iter().map(|known| known.dictionary()).collect();
    let good = (0_u8..).zip(&known).zip(&tables).map(|((index, known), tables)| {
        let mut good = vec![index];
        encode(&known.record, tables, &mut good);
        good
    });
    fuzz("records", &good.collect::<Vec<_>>(), &[], |input| {
        let Some((index, input)) = input.split_first() else { return 0 };
        let tables = &tables[usize::from(*index) % tables.len()];
        match decode(input, tables) {
            Ok(record) => {
                let mut again = Vec::new();
                encode(&record, tables, &mut again);
                assert_eq!(decode(&again, tables), Ok(record));
                u64::try_from(again.len()).expect("small")
            }
            Err(malformed) => 1_000_000 + malformed.to_string().len() as u64,
        }
    });
}

#[test]
fn pieces_of_row_memory() {
    let mut runner = TestRunner::deterministic();
    let mut good = Vec::new();
    for _ in 0..20 {
        let known = known().new_tree(&mut runner).expect("a value").current();
        let mut bytes = Vec::new();
        encode(&known.record, &known.dictionary(), &mut bytes);
        good.push(bytes);
    }
    good.extend([vec![1, 0], vec![1, 1, 1, 1, 0, 0]]);
    fuzz("row memory", &good, &[], |input| {
        let mut outcome = 0;
        if let Ok(values) = read_group(input) {
            let mut again = Vec::new();
            put_group(&values, &mut again);
            assert_eq!(again, input);
            outcome += 1 + values.len() as u64;
        }
        if let Ok(offset) = read_offset(input) {
            let mut again = Vec::new();
            put_offset(&offset, &mut again);
            assert_eq!(read_offset(&again), Ok(offset));
            outcome += 1_000;
        }
        if let Ok((offset, cells)) = read_memo(input) {
            let mut again = Vec::new();
            put_memo(&offset, &cells, &mut again);
            assert_eq!(read_memo(&again), Ok((offset, cells)));
            outcome += 10_000;
        }
        outcome + u64::from(read_key(input).is_ok())
    });
}
