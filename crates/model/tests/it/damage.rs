//! Damaged bytes: none of them is read as something else without notice, none does harm.

use crate::arbitrary::{Known, known};
use instep_model::Table;
use instep_model::codec::{Dictionary, Record, VERSION, decode, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;

proptest! {
    #[test]
    fn a_record_that_ends_early_or_late_is_refused(known in known(), extra in any::<u8>()) {
        let tables = known.dictionary();
        let mut bytes = encoded(&known.record, &tables);
        for end in 0..bytes.len() {
            prop_assert!(decode(&bytes[..end], &tables).is_err(), "cut at {}", end);
        }
        bytes.push(extra);
        prop_assert!(decode(&bytes, &tables).is_err());
    }

    #[test]
    fn random_bytes_do_no_harm(known in known(), bytes in vec(any::<u8>(), 0..200)) {
        check(&known, &bytes)?;
        check(&known, &[&[VERSION][..], &bytes].concat())?;
    }

    #[test]
    fn flipped_bits_do_no_harm(known in known(), flips in vec((any::<Index>(), 0..8), 1..4)) {
        let mut bytes = encoded(&known.record, &known.dictionary());
        for (index, bit) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
        }
        check(&known, &bytes)?;
    }

    #[test]
    fn huge_lengths_are_not_believed(known in known(), at in any::<Index>(), shift in 20..64_u32) {
        let mut bytes = encoded(&known.record, &known.dictionary());
        let at = at.index(bytes.len());
        bytes.splice(at..=at, varint(u64::MAX >> (63 - shift)));
        check(&known, &bytes)?;
    }
}

#[test]
fn no_claim_of_an_empty_record_allocates_what_is_not_there() {
    // A transaction of 2^40 changes, a row of as many cells, a text of as many bytes: if any were
    // believed, the allocation would fail or the machine would.
    let huge = varint(1 << 40);
    let heads: [&[u8]; 6] = [
        &[VERSION, 5, 1, 1],
        &[VERSION, 5, 1, 1, 1, 0, 0],
        &[VERSION, 5, 1, 1, 1, 2, 0],
        &[VERSION, 5, 1, 1, 1, 0, 0, 1, 0x0a],
        &[VERSION, 5, 1, 1, 1, 0, 0, 1, 0x11],
        &[VERSION, 5, 1, 1, 1, 0, 0, 1, 0x11, 0],
    ];
    let tables = one_table();
    for head in heads {
        let malformed = decode(&[head, &huge[..]].concat(), &tables).unwrap_err();
        assert_eq!(malformed.what, "a count is larger than the bytes that are left", "{head:?}");
    }
}

#[test]
fn digits_have_one_form() {
    let tables = one_table();
    let long = |digits: &str| {
        let length = u8::try_from(digits.len()).unwrap();
        let head = [VERSION, 5, 1, 1, 1, 0, 0, 1, 0x06, 0, length];
        decode(&[&head, digits.as_bytes()].concat(), &tables)
    };
    assert!(long("18446744073709551616").is_ok());
    for digits in ["18446744073709551615", "018446744073709551616", "1844674407370955161x", "1", ""]
    {
        let malformed = long(digits).unwrap_err();
        assert_eq!(malformed.what, "a decimal is not well formed", "{digits}");
    }
}

#[test]
fn a_stretch_begins_with_known_flags_and_one_that_says_it_is_there() {
    let placed = |stretch: &[u8]| {
        let head = [VERSION, 4, 1, 0, 0, 0, 0, 0];
        decode(&[&head, stretch, &[0]].concat(), &Dictionary::new())
    };
    assert!(placed(&[0]).is_ok());
    assert!(placed(&[8, 0, 1, 0, 0, 0]).is_ok());
    for flags in [1, 2, 4, 7, 16, 24, 0x88, 0xff] {
        let malformed = placed(&[flags, 0, 1, 0, 0, 0]).unwrap_err();
        assert_eq!(malformed.what, "no stretch begins so", "{flags}");
    }
}

#[test]
fn a_number_has_one_form() {
    let progress = |number: &[u8]| {
        decode(&[&[VERSION, 3, 1, 0, 0, 0][..], number].concat(), &Dictionary::new())
    };
    assert!(progress(&[0x00]).is_ok());
    assert_eq!(progress(&[0x80, 0x00]).unwrap_err().what, "a number is longer than it has to be");
    assert!(progress(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).is_ok());
    for last in [0x02, 0x7f, 0x81, 0xff] {
        let beyond = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, last];
        assert_eq!(progress(&beyond).unwrap_err().what, "a number is beyond 64 bits");
    }
}

fn one_table() -> Dictionary {
    let mut tables = Dictionary::new();
    tables.introduce(&Arc::new(Table {
        name: "a".into(),
        version: 1,
        columns: Vec::new(),
        key: Vec::new(),
    }));
    tables
}

/// Whatever the bytes are read as, it is a record that can be kept: its own bytes give it back.
fn check(known: &Known, bytes: &[u8]) -> Result<(), TestCaseError> {
    let tables = known.dictionary();
    if let Ok(record) = decode(bytes, &tables) {
        prop_assert_eq!(decode(&encoded(&record, &tables), &tables), Ok(record));
    }
    Ok(())
}

fn encoded(record: &Record, tables: &Dictionary) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, tables, &mut bytes);
    bytes
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}
