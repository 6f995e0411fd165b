//! What row memory keeps comes back as it was, and damaged bytes are never taken for something else.

use crate::arbitrary::{key, offset, value};
use instep_model::codec::Malformed;
use instep_model::codec::memo::{
    VERSION, put_group, put_key, put_memo, put_offset, read_group, read_key, read_memo, read_offset,
};
use instep_model::{Cell, Decimal, Epoch, Float, Incarnation, Key, Offset, Position, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

proptest! {
    #[test]
    fn a_key_comes_back_as_it_was(key in key()) {
        let bytes = key_bytes(&key);
        prop_assert_eq!(read_key(&bytes), Ok(key));
    }

    #[test]
    fn equal_keys_have_equal_bytes_and_others_have_others(one in key(), other in key()) {
        prop_assert_eq!(one == other, key_bytes(&one) == key_bytes(&other));
    }

    #[test]
    fn a_group_comes_back_as_it_was(group in vec(value(), 0..4)) {
        let group: Vec<_> = group.into_iter().map(Value::into_canonical).collect();
        prop_assert_eq!(read_group(&written(|out| put_group(&group, out))), Ok(group));
    }

    #[test]
    fn a_memo_comes_back_as_it_was(offset in offset(), cells in cells()) {
        let bytes = written(|out| put_memo(&offset, &cells, out));
        prop_assert_eq!(read_memo(&bytes), Ok((offset, cells)));
    }

    #[test]
    fn an_offset_comes_back_as_it_was(offset in offset()) {
        prop_assert_eq!(read_offset(&written(|out| put_offset(&offset, out))), Ok(offset));
    }

    #[test]
    fn what_ends_early_or_late_is_refused(
        key in key(), offset in offset(), cells in cells(), extra in any::<u8>(),
    ) {
        for (mut bytes, read) in every_piece(&key, &offset, &cells) {
            for end in 0..bytes.len() {
                prop_assert!(read(&bytes[..end]).is_err(), "cut at {}", end);
            }
            bytes.push(extra);
            prop_assert!(read(&bytes).is_err());
        }
    }

    #[test]
    fn flipped_bits_do_no_harm(
        key in key(), offset in offset(), cells in cells(),
        flips in vec((any::<Index>(), 0..8), 1..4),
    ) {
        for (mut bytes, _) in every_piece(&key, &offset, &cells) {
            for (index, bit) in &flips {
                let at = index.index(bytes.len());
                bytes[at] ^= 1_u8 << bit;
            }
            check(&bytes)?;
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
        check(&[&[VERSION][..], &bytes].concat())?;
    }
}

#[test]
fn a_piece_of_a_newer_version_says_so() {
    let newer = |read: Result<(), Malformed>| read.unwrap_err().is_newer();
    for (mut bytes, read) in every_piece(&Key::new([1_i64]), &somewhere(), &[]) {
        assert_eq!(bytes[0], VERSION);
        bytes[0] = VERSION + 1;
        assert!(newer(read(&bytes)));
        bytes[0] = 0;
        assert!(!newer(read(&bytes)));
    }
}

#[test]
fn no_claim_of_a_short_piece_allocates_what_is_not_there() {
    // Two to the power of forty values.
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    let malformed = read_key(&[&[VERSION][..], &huge].concat()).unwrap_err();
    assert_eq!(malformed.what, "a count is larger than the bytes that are left");
    let mut bytes = written(|out| put_offset(&somewhere(), out));
    bytes.extend(huge);
    assert_eq!(read_memo(&bytes).unwrap_err().what, malformed.what);
}

#[test]
fn a_key_that_is_not_canonical_is_refused() {
    for value in [
        Value::Decimal("1.0".parse::<Decimal>().unwrap()),
        Value::Float(Float(-0.0)),
        Value::Float(Float(-f64::NAN)),
    ] {
        let bytes = written(|out| put_group(&[value], out));
        assert_eq!(read_key(&bytes).unwrap_err().what, "a value is not canonical");
    }
}

#[test]
fn a_memo_with_an_unknown_cell_is_refused() {
    let bytes = written(|out| put_memo(&somewhere(), &[Cell::Unchanged], out));
    assert_eq!(read_memo(&bytes).unwrap_err().what, "a remembered cell is not known");
}

#[test]
fn the_bytes_are_those_that_the_format_page_shows() {
    let key = Key::new([Value::Int(7), Value::from("a")]);
    assert_eq!(key_bytes(&key), [0x01, 0x02, 0x49, 0x07, 0x0a, 0x01, b'a']);
    let cells = [Cell::from(7_i64), Cell::Value(Value::Null), Cell::Missing];
    assert_eq!(
        written(|out| put_memo(&somewhere(), &cells, out)),
        [0x01, 0x01, 0x01, 0x09, 0x00, 0x03, 0x03, 0x03, 0x0e, 0x00, 0x30]
    );
    assert_eq!(written(|out| put_offset(&somewhere(), out)), [0x01, 0x01, 0x01, 0x09, 0x00, 0x03]);
}

/// The third change of the transaction at position 9, in the first incarnation.
fn somewhere() -> Offset {
    let position = Position::new(vec![9]);
    Offset { incarnation: Incarnation(1), position, epoch: Epoch::LIVE, ordinal: 2 }
}

fn cells() -> impl Strategy<Value = Vec<Cell>> {
    vec(prop_oneof![8 => value().prop_map(Cell::Value), 1 => Just(Cell::Missing)], 0..6)
}

type Read = fn(&[u8]) -> Result<(), Malformed>;

fn every_piece(key: &Key, offset: &Offset, cells: &[Cell]) -> [(Vec<u8>, Read); 4] {
    [
        (key_bytes(key), |bytes| read_key(bytes).map(drop)),
        (written(|out| put_group(key.values(), out)), |bytes| read_group(bytes).map(drop)),
        (written(|out| put_memo(offset, cells, out)), |bytes| read_memo(bytes).map(drop)),
        (written(|out| put_offset(offset, out)), |bytes| read_offset(bytes).map(drop)),
    ]
}

/// Whatever the bytes are read as, it has these bytes and no others.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(key) = read_key(bytes) {
        prop_assert_eq!(key_bytes(&key), bytes);
    }
    if let Ok(group) = read_group(bytes) {
        prop_assert_eq!(written(|out| put_group(&group, out)), bytes);
    }
    if let Ok((offset, cells)) = read_memo(bytes) {
        prop_assert_eq!(written(|out| put_memo(&offset, &cells, out)), bytes);
    }
    if let Ok(offset) = read_offset(bytes) {
        prop_assert_eq!(written(|out| put_offset(&offset, out)), bytes);
    }
    Ok(())
}

fn key_bytes(key: &Key) -> Vec<u8> {
    written(|out| put_key(key, out))
}

fn written(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes);
    bytes
}
