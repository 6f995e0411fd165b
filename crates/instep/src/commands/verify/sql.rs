//! PURE: statements that would mend a copy, for a person to read; nothing here runs them.
//!
//! Each difference is one statement: deletes first, so that nothing is in the way of what comes, then
//! updates of the columns that differ, then inserts. Columns that were not compared are not named.

use super::document::key;
use super::human::thousands;
use super::whole::{Compared, Sums, Whole};
use crate::config::ServiceKind;
use compare::{Difference, Kind};
use connectors::{postgres, sqlite};
use model::Value;
use std::fmt::Write as _;

/// How a store is spoken to.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    name: &'static str,
    table: fn(&str) -> String,
    column: fn(&str) -> String,
    /// None for a value that the store does not take.
    literal: fn(&Value) -> Option<String>,
}

impl Dialect {
    /// That of a kind of service.
    pub(super) fn of(kind: ServiceKind) -> Self {
        match kind {
            ServiceKind::Sqlite => Self {
                name: "SQLite",
                table: sqlite::literal::table,
                column: sqlite::literal::column,
                literal: |value| Some(sqlite::literal::literal(value)),
            },
            ServiceKind::Postgres => Self {
                name: "PostgreSQL",
                table: postgres::literal::table,
                column: postgres::literal::column,
                literal: postgres::literal::literal,
            },
        }
    }
}

/// The statements, under a comment that says what they are.
pub(super) fn sql(whole: &Whole, dialect: Dialect) -> String {
    let [source, copy] = &whole.first().sides;
    let Sums { missing, extra, different, more, .. } = whole.sums();
    let mut text = String::new();
    let mut comment = |line: String| {
        let _ = writeln!(text, "-- {}", line.replace(char::is_control, " "));
    };
    let (to, at) = (&copy.table, &copy.at);
    comment(format!("Statements that would make {to} in {at} ({}) like", copy.store));
    comment(format!("{} in {} ({}).", source.table, source.at, source.store));
    comment("For review. Nothing has run them. Rows change while you read: compare again before and after.".into());
    comment(
        "Columns that were not compared are left as they are; new rows get their defaults.".into(),
    );
    let [missing, extra, different] = [missing, extra, different].map(thousands);
    comment(format!("{missing} missing, {extra} extra, {different} different."));
    if more > 0 {
        comment(format!("{} more are not listed here; see --limit-differences.", thousands(more)));
    }
    let all = || {
        whole
            .parts
            .iter()
            .flat_map(|part| part.verdict.differences.iter().map(move |it| (part, it)))
    };
    if all().any(|(_, it)| is_mended(it.kind)) {
        text.push_str("begin;\n");
        for kind in [Kind::Extra, Kind::Different, Kind::Missing] {
            for (part, difference) in all().filter(|(_, it)| it.kind == kind) {
                text.push_str(&statement(part, difference, dialect));
            }
        }
        text.push_str("commit;\n");
    }
    for (_, difference) in all().filter(|(_, it)| !is_mended(it.kind)) {
        let columns: Vec<_> = difference.columns.iter().map(|it| &*it.name).collect();
        let line = format!(
            "The row {} refers by {} to one that is not there.",
            key(difference),
            columns.join(", ")
        );
        let _ = writeln!(text, "-- {}", line.replace(char::is_control, " "));
    }
    text
}

fn is_mended(kind: Kind) -> bool {
    matches!(kind, Kind::Missing | Kind::Extra | Kind::Different)
}

fn statement(part: &Compared, difference: &Difference, dialect: Dialect) -> String {
    written(&part.sides[1].table, difference, dialect).unwrap_or_else(|| {
        // What can not be read as SQL stays a comment, whatever is in it.
        let line = format!(
            "No {} takes the values of the row {}; it stays {}.",
            dialect.name,
            key(difference),
            difference.kind.word()
        );
        format!("-- {}\n", line.replace(char::is_control, " "))
    })
}

/// The statement; none if the store does not take a value in it.
fn written(table: &str, difference: &Difference, dialect: Dialect) -> Option<String> {
    let (table, key) = ((dialect.table)(table), &difference.key);
    let found = || {
        let equal = key.iter().map(|(name, value)| {
            let column = (dialect.column)(name);
            Some(match value {
                Value::Null => format!("{column} is null"),
                value => format!("{column} = {}", (dialect.literal)(value)?),
            })
        });
        Some(equal.collect::<Option<Vec<_>>>()?.join(" and "))
    };
    Some(match difference.kind {
        Kind::Extra => format!("delete from {table} where {};\n", found()?),
        Kind::Different => {
            let set = difference.columns.iter().map(|it| {
                let value = it.source.as_ref().unwrap_or(&Value::Null);
                Some(format!("{} = {}", (dialect.column)(&it.name), (dialect.literal)(value)?))
            });
            let set = set.collect::<Option<Vec<_>>>()?.join(", ");
            format!("update {table} set {set} where {};\n", found()?)
        }
        _ => {
            let others =
                difference.columns.iter().filter(|it| key.iter().all(|(name, _)| *name != it.name));
            let others = others.filter_map(|it| Some((&it.name, it.source.as_ref()?)));
            let cells: Vec<_> =
                key.iter().map(|(name, value)| (name, value)).chain(others).collect();
            let names: Vec<_> = cells.iter().map(|(name, _)| (dialect.column)(name)).collect();
            let values = cells.iter().map(|(_, value)| (dialect.literal)(value));
            let values = values.collect::<Option<Vec<_>>>()?;
            format!("insert into {table} ({}) values ({});\n", names.join(", "), values.join(", "))
        }
    })
}

#[cfg(test)]
mod tests;
