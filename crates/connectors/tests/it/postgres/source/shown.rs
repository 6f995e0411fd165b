//! Changes and rows, as a person would write them down.

use model::{Cell, Change, Key, Op, Row, Value};
use std::collections::BTreeMap;

/// A change, such as `+t 1,x`, `~t 1 > 2,-`, `-t 1` or `!t`; `-` is a value that stays.
pub(super) fn show(change: &Change) -> String {
    let name = change.table.name.as_str();
    let name = name.strip_prefix("public.").unwrap_or(name);
    match &change.op {
        Op::Insert(row) => format!("+{name} {}", cells(row)),
        Op::Update { before, row } => format!("~{name} {} > {}", key(before), cells(row)),
        Op::Delete(before) => format!("-{name} {}", key(before)),
        Op::Truncate => format!("!{name}"),
    }
}

/// Rows, one a line.
pub(super) fn show_rows(rows: &BTreeMap<Key, Row>) -> String {
    rows.iter().map(|(at, row)| format!("{}: {}\n", key(at), cells(row))).collect()
}

fn key(key: &Key) -> String {
    key.values().iter().map(value).collect::<Vec<_>>().join(",")
}

fn cells(row: &Row) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Value(it) => value(it),
        Cell::Unchanged => "-".to_owned(),
        other => format!("{other:?}"),
    };
    row.0.iter().map(cell).collect::<Vec<_>>().join(",")
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Text(text) if text.len() > 40 => format!("{}…{}", &text[..4], text.len()),
        Value::Text(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}
