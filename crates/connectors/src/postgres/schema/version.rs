//! PURE: the number of a table as it looks now.
//!
//! The server counts the columns that a table ever had and those that it has lost, which rises with
//! each of both; whether a column was renamed or has another type it does not count. So the number
//! ends in what the table looks like.

use model::Column;

/// How much of a number says what a table looks like.
const LOOKS_BITS: u32 = 20;

/// The number of a table with these columns and this key. `columns_ever` counts those that it had, and
/// those that it lost once more.
pub(crate) fn of(columns_ever: u32, columns: &[Column], key: &[usize]) -> u32 {
    let looks = format!("{columns:?} {key:?}");
    let mixed = looks
        .bytes()
        .fold(FNV_START, |mixed, byte| (mixed ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    let looks = u32::try_from(mixed >> (u64::BITS - LOOKS_BITS)).unwrap_or(0);
    columns_ever << LOOKS_BITS | looks
}

/// The numbers of a well-known way (FNV-1a) to mix bytes.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::of;
    use model::{Column, Compares, Kind};

    fn column(name: &str, declared: &str) -> Column {
        let compares = Compares::default();
        Column {
            name: name.into(),
            kind: Kind::Int,
            declared: declared.into(),
            nullable: true,
            compares,
        }
    }

    #[test]
    fn a_table_that_looks_otherwise_has_another_number() {
        let (a, b) = (column("a", "integer"), column("b", "integer"));
        let first = of(2, &[a.clone(), b.clone()], &[0]);
        assert_eq!(first, of(2, &[a.clone(), b.clone()], &[0]));
        let others = [
            of(2, &[b.clone(), a.clone()], &[0]),
            of(2, &[a.clone(), b.clone()], &[1]),
            of(2, &[a.clone(), column("c", "integer")], &[0]),
            of(2, &[a.clone(), column("b", "bigint")], &[0]),
        ];
        assert!(!others.contains(&first));
        assert!(first < of(3, &[a], &[0]), "it rises with each column");
    }
}
