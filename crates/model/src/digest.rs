//! Digest: what proves that two sets of rows are equal without comparing them.
//!
//! A row's digest is the sum of one hash for each column that has a value, and one for the row
//! itself; the digest of a set is the sum over its rows. So it does not matter in which order rows
//! are added, and a changed row is one subtraction and one addition. It is a sum and never an
//! exclusive or, under which a row that came twice would vanish.
//! Invariant: rows that mean the same have the same digest in every version of Instep, since
//! digests are kept on disk. `docs/formats/digest.md` draws what is hashed.
//!
//! Must not know: which columns a copy maps, buckets, how stores are read.

mod canonical;
mod json;

use crate::codec::{put_bytes, put_count};
use crate::row::{Cell, Key, Row};
use crate::table::Table;
use crate::value::Value;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

/// What a hash speaks of: the row itself, a column's value, or a field that the row lacks.
const PRESENT: u8 = 0;
const COLUMN: u8 = 1;
const MISSING: u8 = 2;

/// The secret of an installation. XXH3 is no cryptographic hash; the secret keeps anyone from
/// preparing rows whose digests are equal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    hash: u64,
    prefix: [u8; 8],
}

impl Seed {
    /// The seed of these random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, prefix @ ..] = bytes;
        Self { hash: u64::from_le_bytes([a, b, c, d, e, f, g, h]), prefix }
    }
}

/// Says nothing, so that no log or message ever shows the secret.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// Whether two values mean the same, which is what equal digests say of them.
pub fn same(one: &Value, other: &Value) -> bool {
    let canonical = |value| {
        let mut bytes = Vec::new();
        canonical::put_value(value, &mut bytes);
        bytes
    };
    one == other || canonical(one) == canonical(other)
}

/// A number that is the same for keys that are the same.
pub fn key_hash(key: &Key) -> u64 {
    let mut bytes = Vec::with_capacity(32);
    key.values().iter().for_each(|value| canonical::put_value(value, &mut bytes));
    xxh3_64(&bytes)
}

/// The digest of a set of rows; by default, of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many rows.
    pub rows: u64,
    /// The sum of their hashes; it wraps around.
    pub sum: u128,
}

impl Digest {
    /// The digest of one row. NULL adds nothing, so an added column that is NULL everywhere
    /// changes no digest; a missing field is not NULL and adds a hash of its own.
    ///
    /// # Panics
    ///
    /// If a cell is unchanged or the row does not fit the table: such a row is not known, and
    /// nothing may be proven by it. The caller fills or reads it first.
    pub fn of(seed: Seed, table: &Table, key: &Key, row: &Row) -> Self {
        assert_eq!(
            table.columns.len(),
            row.0.len(),
            "BUG: a digest of a row that does not fit its table"
        );
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&seed.prefix);
        put_bytes(table.name.as_str().as_bytes(), &mut bytes);
        put_count(key.values().len(), &mut bytes);
        for value in key.values() {
            canonical::put_value(value, &mut bytes);
        }
        let shared = bytes.len();
        bytes.push(PRESENT);
        let mut sum = xxh3_128_with_seed(&bytes, seed.hash);
        for (column, cell) in table.columns.iter().zip(&row.0) {
            let value = match cell {
                Cell::Value(Value::Null) => continue,
                Cell::Value(value) => Some(value),
                Cell::Missing => None,
                Cell::Unchanged => panic!("BUG: a digest of a row with an unchanged cell"),
            };
            bytes.truncate(shared);
            bytes.push(if value.is_some() { COLUMN } else { MISSING });
            put_bytes(column.name.as_bytes(), &mut bytes);
            if let Some(value) = value {
                canonical::put_value(value, &mut bytes);
            }
            sum = sum.wrapping_add(xxh3_128_with_seed(&bytes, seed.hash));
        }
        Self { rows: 1, sum }
    }
}

impl Add for Digest {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rows: self.rows.wrapping_add(other.rows), sum: self.sum.wrapping_add(other.sum) }
    }
}

impl Sub for Digest {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { rows: self.rows.wrapping_sub(other.rows), sum: self.sum.wrapping_sub(other.sum) }
    }
}

impl AddAssign for Digest {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Digest {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Digest {
    fn sum<I: Iterator<Item = Self>>(digests: I) -> Self {
        digests.fold(Self::default(), Add::add)
    }
}
