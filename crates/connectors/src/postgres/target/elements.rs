//! PURE: what arrays are of, by the names of their types.

use crate::postgres::types::is_plain_text;

/// Whether every PostgreSQL has the type of the elements.
pub(super) fn is_plain_array(declared: &str) -> bool {
    let element = declared.trim_end_matches("[]");
    let word = element.split('(').next().unwrap_or_default().trim();
    let others = [
        "smallint",
        "integer",
        "bigint",
        "boolean",
        "real",
        "double precision",
        "numeric",
        "uuid",
        "bytea",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
        "json",
        "jsonb",
    ];
    is_plain_text(word) || others.contains(&element) || others.contains(&word)
}

/// The type of an array's elements, without what stands in brackets.
pub(super) fn element(declared: &str) -> &str {
    declared.trim_end_matches("[]").split('(').next().unwrap_or_default().trim()
}
