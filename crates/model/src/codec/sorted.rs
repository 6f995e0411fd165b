//! Values as the keys of a store have them: whole numbers sort there as they do by themselves.
//!
//! Rows with numbers that were given out one after the other then stand beside each other, so that
//! what is new is looked for and written in one place and not in all of them.
//!
//! Must not know: what the values are the key of.

use super::malformed::Malformed;
use super::value::{INT, put_value, value};
use super::wire::{Reader, put_count};
use crate::value::Value;

/// The tag of zero. Each byte that a number takes is one more, below zero one less.
const ZERO: u8 = 0x48;
const BYTES_MAX: u8 = 8;
const FIRST: u8 = ZERO - 1 - BYTES_MAX;
const LAST: u8 = ZERO + BYTES_MAX;

pub(super) fn put_sorted(values: &[Value], out: &mut Vec<u8>) {
    put_count(values.len(), out);
    for value in values {
        match value {
            Value::Int(int) => put_int(*int, out),
            other => put_value(other, 0, out),
        }
    }
}

pub(super) fn sorted(reader: &mut Reader<'_>) -> Result<Vec<Value>, Malformed> {
    let count = reader.count()?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(match reader.byte()? {
            tag @ FIRST..=LAST => Value::Int(int(tag, reader)?),
            INT => return Err(reader.malformed("a whole number of a key does not sort")),
            tag => value(tag, 0, reader)?,
        });
    }
    Ok(values)
}

/// As few bytes as it takes, the highest first.
fn put_int(int: i64, out: &mut Vec<u8>) {
    let (taken, length) = taken(int);
    out.push(if int < 0 { ZERO - 1 - length } else { ZERO + length });
    out.extend_from_slice(&int.to_be_bytes()[8 - taken..]);
}

fn int(tag: u8, reader: &mut Reader<'_>) -> Result<i64, Malformed> {
    let (fill, length) = if tag < ZERO { (0xff, ZERO - 1 - tag) } else { (0, tag - ZERO) };
    let mut bytes = [fill; 8];
    for byte in &mut bytes[8 - usize::from(length)..] {
        *byte = reader.byte()?;
    }
    let int = i64::from_be_bytes(bytes);
    let is_right = (int < 0) == (fill == 0xff) && taken(int).1 == length;
    if is_right {
        Ok(int)
    } else {
        Err(reader.malformed("a whole number takes more bytes than it needs"))
    }
}

/// How many bytes differ from the sign.
fn taken(int: i64) -> (usize, u8) {
    let magnitude = if int < 0 { !int } else { int };
    let taken = 8 - magnitude.leading_zeros() / 8;
    (taken as usize, u8::try_from(taken).expect("BUG: a number has eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::super::wire::Reader;
    use super::{put_sorted, sorted};
    use crate::value::Value;

    #[test]
    fn whole_numbers_sort_by_their_bytes_and_come_back() {
        let edges = (0..63).flat_map(|bit| {
            let power = 1_i64 << bit;
            [power - 1, power, power + 1]
        });
        let mut ints: Vec<i64> = edges.flat_map(|int| [int, -int, !int]).collect();
        ints.extend([i64::MIN, i64::MAX]);
        ints.sort_unstable();
        ints.dedup();
        let bytes = |int: i64| {
            let mut out = Vec::new();
            put_sorted(&[Value::Int(int)], &mut out);
            out
        };
        for pair in ints.windows(2) {
            assert!(bytes(pair[0]) < bytes(pair[1]), "{pair:?}");
        }
        for int in ints {
            assert_eq!(sorted(&mut Reader::new(&bytes(int))), Ok(vec![Value::Int(int)]));
        }
    }

    #[test]
    fn a_number_has_one_form() {
        for bytes in [
            &[1, 0x03, 0x0e][..],
            &[1, 0x49, 0],
            &[1, 0x46, 0xff],
            &[1, 0x50, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(sorted(&mut Reader::new(bytes)).is_err(), "{bytes:02x?}");
        }
    }
}
