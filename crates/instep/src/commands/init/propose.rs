//! PURE: what of a database is worth copying and counting.

use super::named::{Names, plain};
use crate::config::{ServiceKind, group_misfit, table_misfit};
use connectors::sketch::{Sketch, SketchedColumn, SketchedTable};
use engine::count::{Condition, Count, Folds};
use model::{Code, Table};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is proposed.
#[derive(Debug)]
pub(super) struct Proposal {
    /// The name of the service and of the source.
    pub(super) source: String,
    /// The name of the service with the copies.
    pub(super) copy: String,
    pub(super) tables: Vec<Proposed>,
    pub(super) left: Vec<Left>,
    /// How many tables were not looked at.
    pub(super) more: u64,
}

/// A table to copy.
#[derive(Debug)]
pub(super) struct Proposed {
    pub(super) name: String,
    /// Its name in the configuration.
    pub(super) slug: String,
    /// Its name in the file for the copies.
    pub(super) to: String,
    pub(super) key: Vec<String>,
    pub(super) rows: u32,
    pub(super) has_more_rows: bool,
    pub(super) counts: Vec<ProposedCount>,
}

/// A count of its rows.
#[derive(Debug)]
pub(super) struct ProposedCount {
    pub(super) name: String,
    pub(super) by: Option<String>,
    pub(super) condition: Option<String>,
    /// Why it is proposed.
    pub(super) why: String,
}

/// A table that can not be followed.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) name: String,
    pub(super) code: Code,
    pub(super) why: String,
}

/// As many columns of a table are proposed to count by.
const BY_MAX: usize = 3;

/// What of a database with this name is worth copying and counting.
pub(super) fn propose(kind: ServiceKind, sketch: &Sketch, source: String) -> Proposal {
    let copy = if source == "copy" { "copies" } else { "copy" }.to_owned();
    let (mut tables, mut left) = (Vec::new(), Vec::new());
    let (mut slugs, mut names) = (Names::default(), Names::default());
    let mut targets = BTreeSet::new();
    for table in &sketch.tables {
        let to = target(kind, &table.name);
        let misfit = || table_misfit(kind, &table.name).or(table_misfit(ServiceKind::Sqlite, &to));
        match (&table.followed, misfit()) {
            (Err(fault), _) => {
                let (name, why) = (table.name.clone(), fault.what.clone());
                left.push(Left { name, code: fault.code, why });
            }
            (Ok(_), Some(why)) => {
                let why = format!("the configuration can not name it: it {why}");
                left.push(Left { name: table.name.clone(), code: Code::ConfigName, why });
            }
            (Ok(followed), None) => {
                let (slug, to) = (slugs.take(&plain(&to, "table")), one(&mut targets, to));
                tables.push(proposed(table, followed, (slug, to), &mut names));
            }
        }
    }
    Proposal { source, copy, tables, left, more: sketch.more }
}

/// What a table is called in a file: its schema stands before it unless that is the usual one.
fn target(kind: ServiceKind, table: &str) -> String {
    match (kind, table.split_once('.')) {
        (ServiceKind::Postgres, Some(("public", name))) => name.to_owned(),
        (ServiceKind::Postgres, Some((schema, name))) => format!("{schema}_{name}"),
        _ => table.to_owned(),
    }
}

/// The name, or the first one with lines behind it that no other table has. A file does not tell
/// capitals from small letters.
fn one(taken: &mut BTreeSet<String>, mut name: String) -> String {
    while !taken.insert(name.to_lowercase()) {
        name.push('_');
    }
    name
}

fn proposed(
    table: &SketchedTable,
    followed: &Arc<Table>,
    (slug, to): (String, String),
    names: &mut Names,
) -> Proposed {
    let live = table.columns.iter().find(|column| is_deletion(&column.name));
    let live = live.map(|column| format!("\"{}\" is null", column.name.replace('"', "\"\"")));
    // As it is printed it is quoted no more than it has to be.
    let condition = live.and_then(|it| Condition::parse(&it).ok()).map(|it| it.to_string());
    let mut wanted: Vec<_> = table.columns.iter().filter_map(worth).collect();
    wanted.sort_by_key(|(rank, ..)| *rank);
    let mut counts = Vec::new();
    let all = if condition.is_some() { "all that are not deleted" } else { "all of them" };
    let total = (None, all.to_owned());
    let by = wanted.into_iter().map(|(_, name, why)| (Some(name), why));
    for (by, why) in std::iter::once(total).chain(by) {
        if counts.len() > BY_MAX {
            break;
        }
        // A condition that does not fit is left out rather than the count.
        let conditions = [condition.clone(), None];
        let fitting =
            conditions.into_iter().find(|it| fits(followed, by.as_deref(), it.as_deref()));
        let Some(condition) = fitting else { continue };
        let name = match &by {
            None => slug.clone(),
            Some(by) => format!("{slug}-by-{}", short(&plain(by, "column"))),
        };
        counts.push(ProposedCount { name: names.take(&name), by, condition, why });
    }
    Proposed {
        name: table.name.clone(),
        slug,
        to,
        key: followed.key_names().map(str::to_owned).collect(),
        rows: table.rows,
        has_more_rows: table.has_more_rows,
        counts,
    }
}

/// Whether the engine can keep such a count.
fn fits(table: &Arc<Table>, by: Option<&str>, condition: Option<&str>) -> bool {
    let condition = match condition.map(Condition::parse).transpose() {
        Ok(condition) => condition,
        Err(_) => return false,
    };
    let by = by.map(Arc::from).into_iter().collect();
    let count = Count { name: "count".into(), of: table.name.clone(), by, condition };
    Folds::new(&[count], table).is_ok()
}

/// Whether a column says when a row was deleted without being gone.
fn is_deletion(column: &str) -> bool {
    ["deleted_at", "deletedat", "deleted_on", "archived_at"].contains(&&*column.to_lowercase())
}

/// Words that name a kind of row.
const KINDS: [&str; 10] = [
    "status", "state", "type", "kind", "category", "level", "role", "topic", "language", "country",
];

/// Whether a column is worth counting by: how much, its name and why.
fn worth(column: &SketchedColumn) -> Option<(u8, String, String)> {
    let SketchedColumn { name, refers, is_key, distinct, nulls, large, sampled } = column;
    if *is_key || *large > 0 || is_deletion(name) || group_misfit(name).is_some() {
        return None;
    }
    let lower = name.to_lowercase();
    let values = sampled - nulls;
    let is_enough = *sampled >= SAMPLE_ROWS_MIN;
    let is_nearly_unique = is_enough && u64::from(*distinct) * 10 > u64::from(values) * 9;
    if is_nearly_unique && !refers {
        return None;
    }
    let is_reference = lower.ends_with("_id") || name.ends_with("Id");
    let is_kind = KINDS.iter().any(|kind| lower == *kind || lower.ends_with(&format!("_{kind}")));
    let is_narrow = is_enough && (2..=DISTINCT_MAX).contains(distinct) && distinct * 4 <= values;
    let (rank, why) = match () {
        () if *refers => (0, "it refers to another table".to_owned()),
        () if is_reference => (1, "its name says that it refers to something".to_owned()),
        () if is_kind => (2, "its name says that it is a kind".to_owned()),
        () if is_narrow => (3, format!("it has {distinct} values in {sampled} rows")),
        () => return None,
    };
    Some((rank, name.clone(), why))
}

/// From so many rows on their values say something.
const SAMPLE_ROWS_MIN: u32 = 20;

/// A column with more values is none of few kinds.
const DISTINCT_MAX: u32 = 50;

/// So long that it fits behind the name of a table.
fn short(name: &str) -> String {
    let short: String = name.chars().take(SHORT_CHARS_MAX).collect();
    short.trim_end_matches(['-', '_']).to_owned()
}

const SHORT_CHARS_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, distinct: u32, sampled: u32) -> SketchedColumn {
        SketchedColumn {
            name: name.to_owned(),
            refers: false,
            is_key: false,
            distinct,
            nulls: 0,
            large: 0,
            sampled,
        }
    }

    #[test]
    fn columns_of_few_values_and_references_are_worth_counting_by() {
        let rank = |column: &SketchedColumn| worth(column).map(|(rank, ..)| rank);
        assert_eq!(rank(&SketchedColumn { refers: true, ..column("a", 100, 100) }), Some(0));
        assert_eq!(rank(&column("topic_id", 7, 100)), Some(1));
        assert_eq!(rank(&column("topicId", 0, 0)), Some(1));
        assert_eq!(rank(&column("order_status", 3, 5)), Some(2));
        assert_eq!(rank(&column("colour", 4, 100)), Some(3));
        for other in [
            column("external_id", 100, 100),
            column("title", 90, 100),
            column("colour", 1, 100),
            column("colour", 4, 10),
            column("deleted_at", 2, 100),
            column("limit", 2, 100),
            SketchedColumn { is_key: true, ..column("topic_id", 7, 100) },
            SketchedColumn { large: 1, ..column("type", 2, 100) },
        ] {
            assert_eq!(rank(&other), None, "{other:?}");
        }
    }
}
