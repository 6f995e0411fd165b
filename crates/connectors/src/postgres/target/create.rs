//! PURE: the table of a copy with `create: true`, made from the source's.
//!
//! Columns with their types, NOT NULL, and the key. Checks, collations, defaults and other indexes of
//! the source are not repeated: the source keeps its rules, the copy its rows.

use super::elements::is_plain_array;
use crate::copy::CopyTo;
use crate::pieces::list;
use crate::postgres::quote;
use crate::postgres::types::is_plain_text;
use model::{Affinity, Column, Kind, Table};

/// The statement that makes the table, or why it can not be made.
pub(super) fn statement(copy: &CopyTo, table: &Table) -> Result<String, String> {
    let mut columns = Vec::new();
    for column in &table.columns {
        let declared = declared(column).ok_or_else(|| {
            format!(
                "its source declares no type for {}, so it can not be made: make it yourself, with \
                 the type that suits",
                column.name
            )
        })?;
        let name = quote::name(copy.renamed(&column.name));
        let not_null = if column.nullable { "" } else { " not null" };
        columns.push(format!("{name} {declared}{not_null}"));
    }
    if let Some(shard) = &copy.shard_column {
        columns.push(format!("{} text not null", quote::name(shard)));
    }
    let of_key = || table.key.iter().map(|&place| &table.columns[place]);
    let shard = copy.shard_column.as_deref().filter(|_| copy.shard_in_key);
    let key = of_key().map(|column| copy.renamed(&column.name)).chain(shard).map(quote::name);
    let key = list(key);
    // No primary key has a NULL, and no other key of ours takes two of them for different.
    columns.push(match of_key().any(|column| column.nullable) {
        true => format!("unique nulls not distinct ({key})"),
        false => format!("primary key ({key})"),
    });
    let (schema, name) = copy.table.split_once('.').unwrap_or_default();
    let name = format!("{}.{}", quote::name(schema), quote::name(name));
    Ok(format!("create table if not exists {name} ({})", list(columns)))
}

/// The type with which a column is made: that of the source where every PostgreSQL has it, else one
/// that keeps the same values.
fn declared(column: &Column) -> Option<&str> {
    let declared = &*column.declared;
    let word = declared.split('(').next().unwrap_or_default().trim();
    let is_time = |name: &str| word == name || word == format!("{name} without time zone").as_str();
    Some(match column.kind {
        Kind::Any => return of_any(column),
        Kind::Bool => "boolean",
        Kind::Int if matches!(word, "smallint" | "integer" | "oid") => declared,
        Kind::Int => "bigint",
        Kind::Float if word == "real" => declared,
        Kind::Float => "double precision",
        Kind::Decimal if word == "numeric" => declared,
        Kind::Decimal => "numeric",
        Kind::Text if is_plain_text(word) => declared,
        Kind::Text => "text",
        Kind::Bytes => "bytea",
        Kind::Date => "date",
        Kind::Time if is_time("time") => declared,
        Kind::Time => "time",
        Kind::TimeTz if word == "time" => declared,
        Kind::TimeTz => "timetz",
        Kind::Timestamp if is_time("timestamp") => declared,
        Kind::Timestamp => "timestamp",
        Kind::TimestampTz if word == "timestamp" => declared,
        Kind::TimestampTz => "timestamptz",
        Kind::Interval if word == "interval" => declared,
        Kind::Interval => "interval",
        Kind::Uuid => "uuid",
        Kind::Json if matches!(word, "json" | "jsonb") => declared,
        Kind::Json => "json",
        Kind::Array if is_plain_array(declared) => declared,
        Kind::Array => "text[]",
    })
}

/// A column of any kind comes from a store that decides by value, as SQLite does, and says in one
/// word what is mostly in it.
fn of_any(column: &Column) -> Option<&'static str> {
    let declared = column.declared.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    match column.compares.affinity {
        _ if has(&["blob"]) => Some("bytea"),
        _ if declared.is_empty() || declared == "any" => None,
        _ if has(&["bool"]) => Some("boolean"),
        _ if has(&["int"]) => Some("bigint"),
        Some(Affinity::Text) => Some("text"),
        _ if has(&["real", "floa", "doub"]) => Some("double precision"),
        _ if has(&["num", "dec"]) => Some("numeric"),
        _ => Some("text"),
    }
}
