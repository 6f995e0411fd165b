//! Rows of a copy in the order of their keys.
//!
//! The key of a range is a literal of its column, so that the index serves. An end that the column
//! cannot hold, since the source knows kinds that the copy does not, is looked for here.

use super::cells::{put_value, row};
use super::layout::{Held, Layout};
use crate::pieces::{joined, list};
use crate::postgres::quote;
use crate::postgres::schema::Order;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Key, Lane, Row, Selection, Value};
use std::collections::BTreeSet;

/// A table of a copy as it is read.
pub(super) struct Reading {
    pub(super) layout: Layout,
    /// The lane whose rows are read, if not all are.
    pub(super) lane: Option<Lane>,
}

/// Keys that are asked for in one statement.
const KEYS_MAX: usize = 500;

/// The server counts rows in 64 bits with a sign.
const LIMIT_MAX: usize = usize::MAX >> 1;

impl Reading {
    /// Gives the selected rows in key order, at most so many, as long as they are wanted.
    pub(super) async fn read(
        &self,
        session: &mut Session,
        selection: &Selection,
        rows_max: usize,
        take: &mut (dyn FnMut(Key, Row) -> bool + Send),
    ) -> Result<(), Trouble> {
        match selection {
            Selection::Nothing => Ok(()),
            Selection::Range { after, upto } => {
                let query = self.range(after.as_ref(), upto.as_ref(), rows_max);
                self.copy(session, &query, selection, take).await.map(drop)
            }
            Selection::Keys(keys) => {
                let keys: BTreeSet<&Key> = keys.iter().collect();
                let keys: Vec<&Key> = keys.into_iter().collect();
                for some in keys.chunks(KEYS_MAX) {
                    let Some(query) = self.keys(some) else { continue };
                    let asked = Selection::Keys(some.iter().copied().cloned().collect());
                    if !self.copy(session, &query, &asked, take).await? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether more rows were wanted.
    async fn copy(
        &self,
        session: &mut Session,
        query: &str,
        selection: &Selection,
        take: &mut (dyn FnMut(Key, Row) -> bool + Send),
    ) -> Result<bool, Trouble> {
        let mut rows = session.copy_out(query).await?;
        let mut last: Option<Key> = None;
        while let Some(cells) = rows.next().await? {
            let (key, row) = row(&self.layout, &cells)?;
            if !selection.contains(&key) {
                continue;
            }
            if last.as_ref().is_some_and(|last| *last >= key) {
                let shown = &self.layout.shown;
                let what = format!("the server sorts the keys of {shown} in another way");
                return Err(Trouble::malformed(what));
            }
            last = Some(key.clone());
            if !take(key, row) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn range(&self, after: Option<&Key>, upto: Option<&Key>, rows_max: usize) -> String {
        let mut within: Vec<String> = self.ours().into_iter().collect();
        let mut is_exact = true;
        for (end, is_upto) in [(after, false), (upto, true)] {
            let Some(key) = end else { continue };
            match self.end(key, is_upto) {
                Some(end) => within.push(end),
                None => is_exact = false,
            }
        }
        let limit =
            if is_exact { format!(" limit {}", rows_max.min(LIMIT_MAX)) } else { String::new() };
        format!("{}{} order by {}{limit}", self.select(), conditions(&within), self.order())
    }

    fn keys(&self, keys: &[&Key]) -> Option<String> {
        let found = keys.iter().filter_map(|key| self.literals(key));
        let found: Vec<String> = found.map(|literals| format!("({literals})")).collect();
        // What has a NULL is equal to nothing, and is looked for by itself.
        let with_null = keys.iter().filter(|key| key.values().contains(&Value::Null));
        let with_null = with_null.filter_map(|key| self.with_nulls(key));
        let equal = list(self.layout.key_columns().map(equal));
        let mut any: Vec<String> = with_null.collect();
        if !found.is_empty() {
            any.push(format!("({equal}) in ({})", list(found)));
        }
        if any.is_empty() {
            return None;
        }
        let any = format!("({})", joined(any, " or "));
        let within: Vec<String> = self.ours().into_iter().chain([any]).collect();
        Some(format!("{}{} order by {}", self.select(), conditions(&within), self.order()))
    }

    /// The order of keys, in which a NULL comes before all else.
    fn order(&self) -> String {
        let nulls = |held: &Held| if held.not_null { "" } else { " nulls first" };
        list(self.layout.key_columns().map(|held| format!("{}{}", sorted(held), nulls(held))))
    }

    /// The condition of an end of a range; none where a column cannot hold a value of the key.
    fn end(&self, key: &Key, is_upto: bool) -> Option<String> {
        if self.layout.key_columns().all(|held| held.not_null) {
            let sorted = list(self.layout.key_columns().map(sorted));
            let comparison = if is_upto { "<=" } else { ">" };
            return Some(format!("({sorted}) {comparison} ({})", self.literals(key)?));
        }
        // The server compares no NULL with anything, so it is told column by column.
        let (mut before, mut any) = (String::new(), Vec::new());
        for (held, value) in self.layout.key_columns().zip(key.values()) {
            let sorted = sorted(held);
            let (equal, beyond) = match (value, is_upto) {
                (Value::Null, true) => (format!("{sorted} is null"), "false".to_owned()),
                (Value::Null, false) => {
                    (format!("{sorted} is null"), format!("{sorted} is not null"))
                }
                (value, _) => {
                    let literal = literal(held, value)?;
                    let beyond = match is_upto {
                        true => format!("({sorted} < {literal} or {sorted} is null)"),
                        false => format!("{sorted} > {literal}"),
                    };
                    (format!("{sorted} = {literal}"), beyond)
                }
            };
            any.push(format!("{before}{beyond}"));
            before.push_str(&format!("{equal} and "));
        }
        if is_upto {
            any.push(format!("{before}true"));
        }
        Some(format!("({})", joined(any, " or ")))
    }

    fn select(&self) -> String {
        let columns = list(self.layout.columns.iter().map(|held| held.name.as_str()));
        format!("select {columns} from {}", self.layout.only)
    }

    fn ours(&self) -> Option<String> {
        let (lane, shard) = (self.lane.as_ref()?, self.layout.shard.as_ref()?);
        Some(format!("{shard} = {}", quote::text(lane.as_str())))
    }

    /// The values of a key as literals; none where a column cannot hold one.
    fn literals(&self, key: &Key) -> Option<String> {
        let columns = self.layout.key_columns();
        let literals = columns.zip(key.values()).map(|(held, value)| literal(held, value));
        let literals = literals.collect::<Option<Vec<_>>>()?;
        (literals.len() == self.layout.key.len()).then(|| list(literals))
    }

    fn with_nulls(&self, key: &Key) -> Option<String> {
        let equal = |(held, value): (&Held, &Value)| match value {
            Value::Null => Some(format!("{} is null", held.name)),
            value => Some(format!("{} = {}", equal(held), literal(held, value)?)),
        };
        let columns = self.layout.key_columns();
        let columns = columns.zip(key.values()).map(equal).collect::<Option<Vec<_>>>()?;
        (columns.len() == self.layout.key.len()).then(|| format!("({})", joined(columns, " and ")))
    }
}

fn conditions(within: &[String]) -> String {
    match within.is_empty() {
        true => String::new(),
        false => format!(" where {}", joined(within, " and ")),
    }
}

/// A literal has no type of its own: the server reads it as one of the column that it is compared
/// with. None for what the column cannot hold, which the server would refuse to read.
fn literal(held: &Held, value: &Value) -> Option<String> {
    let mut text = String::new();
    let is_there = put_value(held, value, &mut text).ok()?;
    let is_like_it = matches!(held.kind, model::Kind::Any) || is_of_kind(held, value);
    (is_there && is_like_it).then(|| quote::text(&text))
}

fn is_of_kind(held: &Held, value: &Value) -> bool {
    use model::Kind;
    matches!(
        (held.kind, value),
        (Kind::Bool, Value::Bool(_))
            | (Kind::Int, Value::Int(_))
            | (Kind::Float, Value::Float(_))
            | (Kind::Decimal, Value::Decimal(_))
            | (Kind::Text, Value::Text(_))
            | (Kind::Bytes, Value::Bytes(_))
            | (Kind::Date, Value::Date(_))
            | (Kind::Time, Value::Time(_))
            | (Kind::Timestamp, Value::Timestamp(_))
            | (Kind::TimestampTz, Value::TimestampTz(_))
            | (Kind::Uuid, Value::Uuid(_))
    )
}

/// What our order of a column is to the server; NULL where it is.
fn sorted(held: &Held) -> String {
    match held.order {
        Order::Own | Order::Unlike(_) => held.name.clone(),
        Order::Bytes => format!("{} collate \"C\"", held.name),
        Order::Written | Order::WrittenOnly if held.not_null => {
            format!("concat({}) collate \"C\"", held.name)
        }
        Order::Written | Order::WrittenOnly => {
            format!("(case when {0} is not null then concat({0}) end) collate \"C\"", held.name)
        }
    }
}

/// What is equal to the literal of a key, perhaps among more.
fn equal(held: &Held) -> String {
    match held.order {
        Order::WrittenOnly => sorted(held),
        _ => held.name.clone(),
    }
}
