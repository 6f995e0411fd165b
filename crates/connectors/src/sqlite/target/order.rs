//! PURE: whether SQLite sorts the keys of a table as they are sorted everywhere else.
//!
//! Keys sort by kind first, then by value (`model::Key`); SQLite sorts whole numbers and others
//! together, and what is text here by its text. Where the two could differ, nothing is sorted by
//! SQLite.

use super::affinity::Affinity;
use super::layout::{Held, Layout};
use super::shape::Shape;
use crate::pieces::joined;
use model::{Key, Kind, Selection, Value};

/// The condition of a row, if there were one, by which SQLite's order would be another; nothing if
/// it is another anyway. Without a condition no row can be like that.
pub(super) fn spoiled_by(layout: &Layout, shape: &Shape) -> Option<Option<String>> {
    if layout.key_may_be_null {
        return None;
    }
    let mut conditions = Vec::new();
    for &at in &layout.key {
        let held = &layout.columns[at];
        conditions.extend(spoiled_at(held, shape)?);
    }
    Some((!conditions.is_empty()).then(|| joined(conditions, " or ")))
}

/// Whether the ends of a range mean the same to SQLite as they do everywhere else.
pub(super) fn is_clear(layout: &Layout, shape: &Shape, selection: &Selection) -> bool {
    let Selection::Range { after, upto } = selection else { return true };
    let is_clear = |key: &Key| {
        let columns = layout.key.iter().map(|&at| &layout.columns[at]);
        key.values().len() == layout.key.len()
            && columns.zip(key.values()).all(|(held, value)| is_clear_at(held, shape, value))
    };
    after.iter().chain(upto).all(is_clear)
}

fn is_clear_at(held: &Held, shape: &Shape, value: &Value) -> bool {
    let Some(affinity) = affinity(held, shape) else { return false };
    match value {
        Value::Int(_) => matches!(affinity, Affinity::Integer | Affinity::Numeric | Affinity::Blob),
        Value::Text(_) | Value::RawText(_) => matches!(affinity, Affinity::Text | Affinity::Blob),
        Value::Uuid(_) => held.kind == Kind::Uuid,
        Value::Bytes(_) => true,
        _ => false,
    }
}

fn spoiled_at(held: &Held, shape: &Shape) -> Option<Option<String>> {
    use Affinity::{Blob, Integer, Numeric, Text};
    let is_row_number = shape.row_number.as_ref() == Some(&held.bare);
    let name = &held.name;
    let of_type = |condition: &str| Some(Some(format!("typeof({name}) {condition}")));
    match (held.kind, affinity(held, shape)?) {
        (Kind::Int | Kind::Any, _) if is_row_number => Some(None),
        (Kind::Int, Integer | Numeric | Blob) => of_type("<> 'integer'"),
        (Kind::Any | Kind::Text, Text) => Some(None),
        (Kind::Any | Kind::Text, Integer | Numeric | Blob) => of_type("= 'real'"),
        (Kind::Bytes, _) => of_type("<> 'blob'"),
        (Kind::Uuid, Text | Blob) => {
            Some(Some(format!("typeof({name}) <> 'text' or length({name}) <> 36")))
        }
        _ => None,
    }
}

fn affinity(held: &Held, shape: &Shape) -> Option<Affinity> {
    shape.column(&held.bare).map(|column| column.affinity)
}
