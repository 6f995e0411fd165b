//! PURE: which type a copy's column is made with.

use model::{Column, Kind};

pub(super) use crate::sqlite::affinity::{Affinity, of};

/// What columns of each kind are made as, and the affinities that keep its values as they are. A
/// column whose declared type has one of these keeps its type, word for word; the values that
/// SQLite lacks are text (`text.rs`), which other affinities might take for numbers.
#[rustfmt::skip]
const TYPES: [(Kind, &str, &[Affinity]); 15] = [
    (Kind::Bool,        "boolean", &[Affinity::Integer, Affinity::Numeric]),
    (Kind::Int,         "integer", &[Affinity::Integer]),
    (Kind::Float,       "real",    &[Affinity::Real]),
    (Kind::Decimal,     "text",    &[Affinity::Text]),
    (Kind::Text,        "text",    &[Affinity::Text]),
    (Kind::Bytes,       "blob",    &[Affinity::Blob]),
    (Kind::Date,        "text",    &[Affinity::Text]),
    (Kind::Time,        "text",    &[Affinity::Text]),
    (Kind::TimeTz,      "text",    &[Affinity::Text]),
    (Kind::Timestamp,   "text",    &[Affinity::Text]),
    (Kind::TimestampTz, "text",    &[Affinity::Text]),
    (Kind::Interval,    "text",    &[Affinity::Text]),
    (Kind::Uuid,        "text",    &[Affinity::Text]),
    (Kind::Json,        "text",    &[Affinity::Text]),
    (Kind::Array,       "text",    &[Affinity::Text]),
];

/// The type with which a column is made. A column of any kind comes from a store that decides by
/// value, as SQLite does: it keeps the affinity that it has there.
pub(super) fn declared(column: &Column) -> &str {
    // `any` is no type of numbers in a STRICT table, but in every other.
    let of_source = match column.compares.affinity {
        Some(model::Affinity::Blob) => Affinity::Blob,
        _ => of(&column.declared),
    };
    let (made, kept) = match TYPES.iter().find(|(kind, ..)| *kind == column.kind) {
        Some((_, made, kept)) => (*made, kept.contains(&of_source)),
        None => (like(of_source), of(&column.declared) == of_source),
    };
    if kept && is_plain(&column.declared) { &column.declared } else { made }
}

fn like(affinity: Affinity) -> &'static str {
    match affinity {
        Affinity::Integer => "int",
        Affinity::Text => "text",
        Affinity::Blob => "",
        Affinity::Real => "real",
        Affinity::Numeric => "numeric",
    }
}

/// Whether a declared type is words with a size at most, and none that begins a constraint.
fn is_plain(declared: &str) -> bool {
    const CONSTRAINTS: [&str; 12] = [
        "constraint",
        "primary",
        "not",
        "null",
        "unique",
        "check",
        "default",
        "collate",
        "references",
        "generated",
        "as",
        "hidden",
    ];
    let (words, size) = match declared.split_once('(') {
        Some((words, size)) => (words, size.trim_end().strip_suffix(')')),
        None => (declared, Some("0")),
    };
    let is_word = |word: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        begins
            && word.chars().all(is_letter)
            && !CONSTRAINTS.contains(&word.to_ascii_lowercase().as_str())
    };
    let is_number =
        |part: &str| !part.trim().is_empty() && part.trim().chars().all(|c| c.is_ascii_digit());
    let mut words = words.split_ascii_whitespace();
    let has_size =
        size.is_some_and(|size| size.split(',').count() <= 2 && size.split(',').all(is_number));
    has_size && (declared.trim().is_empty() || words.all(is_word)) && !declared.starts_with('(')
}

#[cfg(test)]
mod tests {
    use super::declared;
    use model::{Column, Compares, Kind};

    #[test]
    fn a_column_keeps_its_type_where_that_keeps_its_values() {
        for (kind, at_source, here) in [
            (Kind::Any, "VARCHAR(20)", "VARCHAR(20)"),
            (Kind::Any, "decimal(10, 2)", "decimal(10, 2)"),
            (Kind::Any, "", ""),
            (Kind::Any, "text collate nocase", "text"),
            (Kind::Any, "int) ; drop table x; --", "int"),
            (Kind::Any, "odd \"name\"", "numeric"),
            (Kind::Int, "bigint", "bigint"),
            (Kind::Decimal, "numeric(10,2)", "text"),
            (Kind::Interval, "interval", "text"),
            (Kind::Float, "double precision", "double precision"),
            (Kind::Text, "mood", "text"),
            (Kind::Bytes, "bytea", "blob"),
        ] {
            let column = Column {
                name: "c".into(),
                kind,
                declared: at_source.into(),
                nullable: true,
                compares: Compares::default(),
            };
            assert_eq!(declared(&column), here, "{at_source}");
        }
    }

    #[test]
    fn a_column_of_any_kind_of_a_strict_table_leaves_texts_alone() {
        let compares = Compares { affinity: Some(model::Affinity::Blob), collation: None };
        let column = |declared: &str| Column {
            name: "c".into(),
            kind: Kind::Any,
            declared: declared.into(),
            nullable: true,
            compares: compares.clone(),
        };
        assert_eq!(declared(&column("ANY")), "");
        assert_eq!(declared(&column("blob")), "blob");
    }
}
