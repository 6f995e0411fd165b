//! PURE: the rows of a table, as SQL.
//!
//! A literal has no type of its own: the server reads it as one of the column that it is compared
//! with, so that its index serves. Keys that the column cannot hold are in no row.

use super::reading::Reading;
use crate::postgres::quote;
use crate::postgres::schema::{DescribedColumn, Order};
use crate::postgres::types::{Form, write};
use model::{Key, TableName, Value};

/// So many rows above the one key, and up to the other, in key order. None if there can be no such
/// key.
pub(super) fn range(
    reading: &Reading,
    (after, upto): (Option<&Key>, Option<&Key>),
    rows_max: usize,
) -> Option<String> {
    let sorted = list(reading.key().map(sorted));
    let mut within: Vec<String> = of_kind(reading).into_iter().collect();
    for (end, comparison) in [(after, ">"), (upto, "<=")] {
        if let Some(key) = end {
            within.push(format!("({sorted}) {comparison} ({})", literals(reading, key)?));
        }
    }
    let within =
        if within.is_empty() { String::new() } else { format!(" where {}", within.join(" and ")) };
    Some(format!("{}{within} order by {sorted} limit {rows_max}", select(reading)))
}

/// The rows that have one of these keys, in key order, perhaps among others. None if there can be
/// no row of these keys.
pub(super) fn keys(reading: &Reading, keys: &[&Key]) -> Option<String> {
    let found = keys.iter().filter_map(|key| literals(reading, key));
    let found: Vec<String> = found.map(|literals| format!("({literals})")).collect();
    if found.is_empty() {
        return None;
    }
    let equal = list(reading.key().map(equal));
    let sorted = list(reading.key().map(sorted));
    let found = format!("({equal}) in ({})", found.join(", "));
    let within: Vec<String> = of_kind(reading).into_iter().chain([found]).collect();
    Some(format!("{} where {} order by {sorted}", select(reading), within.join(" and ")))
}

/// What tells the rows of a kind from others of their table; nothing if there are none.
fn of_kind(reading: &Reading) -> Option<String> {
    let kind = reading.kind()?;
    Some(format!("kind collate \"C\" = {}", quote::text(kind)))
}

/// About how many rows the server thinks that a table has: going by what it found when it last looked
/// through it, and how large it has become since. Nothing if it never looked.
pub(in crate::postgres) fn estimate(name: &TableName) -> String {
    let (schema, name) = name.as_str().split_once('.').unwrap_or_default();
    format!(
        "with recursive tree(oid) as (
            select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = {} and c.relname = {}
            union all
            select i.inhrelid from tree t join pg_class c on c.oid = t.oid and c.relkind = 'p'
                join pg_inherits i on i.inhparent = t.oid),
        size as (select c.reltuples::float8 as rows, c.relpages as pages,
                pg_relation_size(c.oid) / current_setting('block_size')::int8 as now
            from tree t join pg_class c on c.oid = t.oid where c.relkind = 'r')
        select case when count(*) > 0 and not bool_or(rows < 0 and now > 0)
            then sum(case when pages > 0 then rows * now / pages else greatest(rows, 0) end)::int8
            end from size",
        quote::text(schema),
        quote::text(name)
    )
}

fn select(reading: &Reading) -> String {
    format!("select {} from {}", list(reading.columns().map(quote::name)), reading.only())
}

/// What our order of a column is to the server.
fn sorted((name, column): (&str, &DescribedColumn)) -> String {
    let name = quote::name(name);
    match column.order {
        Order::Own | Order::Unlike(_) => name,
        Order::Bytes => format!("{name} collate \"C\""),
        Order::Written | Order::WrittenOnly => written(&name),
    }
}

/// What is equal to the literal of a key, perhaps among more.
fn equal((name, column): (&str, &DescribedColumn)) -> String {
    let name = quote::name(name);
    match column.order {
        Order::Own | Order::Bytes | Order::Written | Order::Unlike(_) => name,
        Order::WrittenOnly => written(&name),
    }
}

/// A cast would take the blanks from the end of some texts, and show some values in another way.
fn written(name: &str) -> String {
    format!("concat({name}) collate \"C\"")
}

fn literals(reading: &Reading, key: &Key) -> Option<String> {
    let values = key.values();
    if values.len() != reading.key().count() {
        return None;
    }
    let literal = |((_, column), value): ((_, &DescribedColumn), _)| literal(&column.form, value);
    let literals = reading.key().zip(values).map(literal).collect::<Option<Vec<_>>>()?;
    Some(list(literals))
}

/// None for what a column of this form cannot hold.
fn literal(form: &Form, value: &Value) -> Option<String> {
    let fits = matches!(
        (form, value),
        (Form::Bool, Value::Bool(_))
            | (Form::Int, Value::Int(_))
            | (Form::Float4 | Form::Float8, Value::Float(_))
            | (Form::Decimal, Value::Decimal(_))
            | (Form::Text, Value::Text(_))
            | (Form::Bytes, Value::Bytes(_))
            | (Form::Date, Value::Date(_))
            | (Form::Time, Value::Time(_))
            | (Form::Timestamp, Value::Timestamp(_))
            | (Form::TimestampTz, Value::TimestampTz(_))
            | (Form::Uuid, Value::Uuid(_))
    );
    let text = write(form, value).ok()?.filter(|_| fits)?;
    (!text.contains('\0')).then(|| quote::text(&text))
}

fn list(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Form, literal};
    use model::Value;

    #[test]
    fn a_literal_ends_nowhere_early_and_is_of_its_columns_kind() {
        let text = |text: &str| literal(&Form::Text, &Value::from(text));
        assert_eq!(text("it's"), Some("'it''s'".to_owned()));
        assert_eq!(text("\\'"), Some(" E'\\\\'''".to_owned()));
        assert_eq!(text("a\0b"), None);
        assert_eq!(literal(&Form::Int, &Value::Int(-7)), Some("'-7'".to_owned()));
        assert_eq!(literal(&Form::Int, &Value::from("7")), None);
        assert_eq!(literal(&Form::Text, &Value::Null), None);
        assert_eq!(literal(&Form::Text, &Value::text(b"\xff")), None);
    }
}
