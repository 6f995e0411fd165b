//! PURE: what SQLite makes of a declared type.

/// What a column does to the values that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// The affinity of a column that is declared so, by SQLite's rules.
pub(super) fn of(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match () {
        () if says(&["INT"]) => Affinity::Integer,
        () if says(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
        () if says(&["BLOB"]) || declared.trim().is_empty() => Affinity::Blob,
        () if says(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
        () => Affinity::Numeric,
    }
}

#[cfg(test)]
mod tests {
    use super::{Affinity, of};

    #[test]
    fn affinities_are_sqlites_own() {
        for (declared, affinity) in [
            ("BIGINT", Affinity::Integer),
            ("charint", Affinity::Integer),
            ("varchar(20)", Affinity::Text),
            ("", Affinity::Blob),
            ("double precision", Affinity::Real),
            ("decimal(10,2)", Affinity::Numeric),
        ] {
            assert_eq!(of(declared), affinity, "{declared}");
        }
    }
}
