//! PURE: the table of what each type becomes, for the reference.

use super::form::{FAMILIES, TEXTS, TYPED};

const HEAD: &str = "# PostgreSQL's types

What each type of PostgreSQL 15 becomes in Instep. The kinds are those that a copy's target and the
`where` of a count see. Text is what the server writes, under ISO dates, UTC and shortest floats. What
comes from a column and is written into one of the same type is the same value there.

This page is made from the code: `UPDATE=1 cargo test -p instep-connectors --test it postgres::types`.

| type | becomes | to know |
|---|---|---|
";

const TAIL: &str = "
What a value of ours cannot hold stays the text that the server writes, so that nothing is bent: a
timestamp after the year 294246 is one. An infinite interval (from version 17 on) is the largest, or the
smallest, of months, days and microseconds, as the server itself keeps it.
";

/// The page.
pub fn page() -> String {
    let mut rows: Vec<(String, String, &str)> = TYPED
        .iter()
        .map(|(name, form, note)| {
            let kind = format!("{:?}", form.kind()).to_lowercase();
            (format!("`{name}`"), kind, *note)
        })
        .collect();
    rows.extend(TEXTS.iter().map(|(name, note)| (format!("`{name}`"), "text".into(), *note)));
    rows.extend(FAMILIES.iter().map(|(name, to, note)| ((*name).into(), (*to).into(), *note)));
    let rows = rows.iter().map(|(name, to, note)| format!("| {name} | {to} | {note} |\n"));
    HEAD.to_owned() + &rows.collect::<String>() + TAIL
}
