//! PURE: the page of it for the reference.

use super::how::Matrix;
use super::stores::Table;
use super::traps::{Found, TRAPS, Trap};
use super::types::TYPES;
use std::collections::BTreeMap;

/// The page.
pub(super) fn page(matrix: &Matrix, refusal: &str) -> String {
    let postgres: Vec<usize> = of(|table| table == Table::Postgres);
    let sqlite: Vec<usize> = of(|table| table != Table::Postgres);
    let mut page = HEAD.replace("REFUSAL", refusal);
    page += "\n## Two PostgreSQL\n\n";
    page += "Types in **bold** are compared by sums that both servers make, as long as every column of the\n";
    page += "table is; all others by reading the rows.\n\n";
    page += &table(matrix, &postgres, &postgres);
    page += "\n## PostgreSQL and SQLite\n\nWhichever is the source. SQLite makes no sums.\n\n";
    page += &table(matrix, &postgres, &sqlite);
    page += "\n## Two SQLite\n\n";
    page += &table(matrix, &sqlite, &sqlite);
    page += TRAPS_HEAD;
    page += &TRAPS.iter().map(line).collect::<String>();
    page
}

fn of(is: impl Fn(Table) -> bool) -> Vec<usize> {
    (0..TYPES.len()).filter(|&place| is(TYPES[place].table)).collect()
}

/// A line for each way in which a type is compared with others.
fn table(matrix: &Matrix, sources: &[usize], copies: &[usize]) -> String {
    let mut table = "| type | how | with |\n|---|---|---|\n".to_owned();
    for &source in sources {
        let mut ways: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for &copy in copies {
            if let Some(how) = matrix.get(&[source, copy]) {
                // What is the same anyway comes first.
                let way = (how.told != "the same value", &*how.told);
                ways.entry(way).or_default().push(copy);
            }
        }
        let mut shown = named(source);
        for ((_, told), copies) in ways {
            table += &format!("| {shown} | {told} | {} |\n", names(matrix, source, &copies));
            shown.clear();
        }
    }
    table
}

/// Types of which one is compared in one way.
fn names(matrix: &Matrix, source: usize, copies: &[usize]) -> String {
    let plain = of(|table| table == Table::Plain);
    let is_any = plain.iter().all(|place| copies.contains(place));
    let any = is_any.then(|| "any column that is not STRICT".to_owned());
    let others = copies.iter().filter(|place| !(is_any && plain.contains(place)));
    let others = others.map(|&copy| match matrix[&[source, copy]].has_sums {
        true => format!("**{}**", named(copy)),
        false => named(copy),
    });
    any.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

fn named(place: usize) -> String {
    let it = &TYPES[place];
    match (it.table, it.shown) {
        (Table::Plain, "") => "no type".to_owned(),
        (Table::Strict, shown) => format!("`{shown}` STRICT"),
        (_, shown) if shown.starts_with("an ") => shown.to_owned(),
        (_, shown) => format!("`{shown}`"),
    }
}

fn line(trap: &Trap) -> String {
    let [source, copy] = trap.sides.map(|(table, declared, value)| match (value, table) {
        ("", _) => "no row".to_owned(),
        (value, Table::Postgres) => format!("`{value}` in `{declared}`"),
        (value, _) => format!("`{value}` in SQLite's `{declared}`"),
    });
    let found = match trap.found {
        Found::Same => "the same",
        Found::Different => "**different**",
        Found::Missing => "**missing**",
    };
    let found = match trap.rule {
        "" => found.to_owned(),
        rule => format!("{found}, with `--treat v={rule}`"),
    };
    format!("| {} | {source} | {copy} | {found} |\n", trap.about)
}

const HEAD: &str = "# What is compared with what

How `instep verify` compares a column of the source with one of the copy. What follows from the columns loses
nothing: that a copy holds less than its source is never taken for granted, and is said with `--treat`
([verify a copy](../how-to/verify.md)). Each line holds in both directions, and `--output json` names it for each
column.

This page is made from the code, and a real PostgreSQL and SQLite:
`UPDATE=1 cargo test -p instep --test it verify_types`. For each pair of types that is named here the test puts the
same value on both sides, and beside it one that is as little different as can be; the first has to be equal and
the second different.

- *the same value*: values of one kind, however they are written.
- *compared by what they are worth*: as exact decimals, so that a number too large for one side is different.
- *read as*: what says exactly one value of that kind is this value; what says none stays what it is, and is
  different.
- *left out*: the blanks at the end of both.

What is not named can not be compared. Such a column makes the verdict *unverified*, unless it is left out:

> REFUSAL

An enumeration, an `inet` and all other types that [become texts](postgres-types.md) are compared as texts. So an
`inet` may be compared with a number; it is only never one.
";

const TRAPS_HEAD: &str = "
## Values that are easily mistaken

No collation and no locale decides what is equal: texts are, byte by byte.

| about | source | copy | they are |
|---|---|---|---|
";
