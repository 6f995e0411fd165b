//! PURE: which rows are meant, as SQL.
//!
//! Ends of stretches are compared in the server's own order of the key, so that its index serves. An
//! end that a column cannot hold lies above everything that the column holds: whoever goes from end
//! to end comes by every row, and by none twice. Operators are those of the column's type, which the
//! server would not find where they are an extension's.

use super::literal::place;
use super::question::{Question, literals};
use super::relation::{Asked, Held};
use model::{Key, Value};

/// Keys that are asked for in one statement.
pub(super) const KEYS_MAX: usize = 500;

/// The rows of a question above the one key and up to the other.
pub(super) fn range(question: &Question<'_>, after: Option<&Key>, upto: Option<&Key>) -> String {
    let after = after.map(|key| beside(&question.key, key, ">"));
    let upto = upto.map(|key| beside(&question.key, key, "<="));
    filtered(meant(question).into_iter().chain(after).chain(upto))
}

/// The rows of a question that have one of these keys by the server's word; none if there can be no
/// such row.
pub(super) fn keys(question: &Question<'_>, keys: &[Key]) -> Option<String> {
    let keys: Vec<_> = keys.iter().collect();
    let having = having(&question.key, &keys)?;
    Some(filtered(meant(question).into_iter().chain([having])))
}

/// What these conditions let through.
pub(super) fn filtered(conditions: impl IntoIterator<Item = String>) -> String {
    let all = conditions.into_iter().collect::<Vec<_>>().join(" and ");
    if all.is_empty() { all } else { format!(" where {all}") }
}

/// What makes a row one of those that are asked for. A condition ends its last line, which may be a
/// comment.
pub(super) fn meant(question: &Question<'_>) -> Vec<String> {
    let condition = question.condition.map(|condition| format!("({condition}\n)"));
    let from = question.from.as_ref().map(|(asked, value)| from(asked.held, value));
    condition.into_iter().chain(from).collect()
}

/// The rows that have one of these keys by the server's word; none if there can be no such row. NULL
/// is in the rows that have NULL.
pub(super) fn having(columns: &[Asked<'_>], keys: &[&Key]) -> Option<String> {
    let each = keys.iter().filter_map(|key| literals(columns, key));
    if let [Asked { held, .. }] = columns
        && held.base.operators.is_none()
        && !keys.iter().any(|key| key.values().contains(&Value::Null))
    {
        let literals: Vec<_> = each.flatten().filter_map(|(_, literal)| literal).collect();
        let list = literals.join(", ");
        return (!literals.is_empty()).then(|| format!("{} in ({list})", held.sql));
    }
    let each: Vec<_> = each.map(|each| equal(&each)).collect();
    (!each.is_empty()).then(|| format!("({})", each.join(" or ")))
}

/// The rows in the server's own order of the key.
pub(super) fn order(question: &Question<'_>) -> String {
    let key = cells(&question.key);
    if key.is_empty() { key } else { format!(" order by {key}") }
}

/// The columns of a key and others, as they are read.
pub(super) fn cells<'a>(columns: impl IntoIterator<Item = &'a Asked<'a>>) -> String {
    list(columns.into_iter().map(|it| it.held.sql.clone()))
}

/// Parts with commas between them.
pub(super) fn list(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

fn from(held: &Held, value: &Value) -> String {
    match place(held, value) {
        Some(literal) => format!("{} {} {literal}", held.sql, held.operator(">=")),
        None => "false".to_owned(),
    }
}

fn equal(each: &[(&Held, Option<String>)]) -> String {
    let each = each.iter().map(|(held, literal)| match literal {
        Some(literal) => format!("{} {} {literal}", held.sql, held.operator("=")),
        None => format!("{} is null", held.sql),
    });
    let each = each.collect::<Vec<_>>().join(" and ");
    format!("({})", if each.is_empty() { "true" } else { &each })
}

/// What lies above a key, or not above it.
fn beside(columns: &[Asked<'_>], key: &Key, comparison: &str) -> String {
    let ends = columns.iter().zip(key.values()).map(|(it, value)| (it.held, place(it.held, value)));
    // Behind what lies above everything nothing counts.
    let ends = ends.map_while(|(held, place)| Some((held, place?)));
    let ends: Vec<(&Held, String)> = ends.collect();
    if ends.is_empty() {
        return (comparison == "<=").to_string();
    }
    let is_own = ends.iter().all(|(held, _)| held.base.operators.is_none());
    if is_own || ends.len() == 1 {
        let operator = ends[0].0.operator(comparison);
        let columns = list(ends.iter().map(|(held, _)| held.sql.clone()));
        let places = list(ends.into_iter().map(|(_, place)| place));
        return format!("({columns}) {operator} ({places})");
    }
    one_by_one(&ends, comparison)
}

/// The same, column by column, each by its own operators: the index of the first serves.
fn one_by_one(ends: &[(&Held, String)], comparison: &str) -> String {
    let strict = comparison.trim_end_matches('=');
    let last = ends.len() - 1;
    let mut all = String::new();
    for (at, (held, place)) in ends.iter().enumerate().rev() {
        let is = |operator: &str| format!("{} {} {place}", held.sql, held.operator(operator));
        all = match at {
            _ if at == last => is(comparison),
            _ => format!("({} or {} and {all})", is(strict), is("=")),
        };
    }
    let (first, place) = &ends[0];
    let bound = first.operator(&format!("{strict}="));
    format!("({} {bound} {place} and {all})", first.sql)
}
