//! PURE: a set as SQL, with its rows as parameters.
//!
//! Rows come as one array for each column, written as text: `$1::pg_catalog.int8[]`. The server looks
//! each of them up by its key; that a join by other means is not wanted is set for the transaction.

use super::cells::{Untakable, put_cell, put_value};
use super::layout::{Held, Layout};
use super::sets::{Does, Set};
use crate::postgres::quote;
use crate::postgres::types::Form;
use model::{Cell, Effect, Key, Row, Write};

/// A statement, and what goes with it.
#[derive(Debug)]
pub(super) enum Statement {
    /// A COPY of these lines.
    Bulk { sql: String, lines: String },
    /// A statement with these parameters.
    Plain { sql: String, parameters: Vec<String> },
}

/// The statement of a set, which writes for this lane.
pub(super) fn statement(set: &Set, writes: &[Write], lane: &str) -> Result<Statement, Untakable> {
    let sql = Sql { layout: &set.layout, lane: quote::text(lane) };
    if set.does == Does::Insert {
        let lines = lines(set, writes, lane)?;
        return Ok(Statement::Bulk { sql: sql.bulk(set), lines });
    }
    let parameters = parameters(set, writes)?;
    let sql = match set.does {
        Does::Empty => sql.empty(),
        Does::Put => sql.put(set),
        Does::Delete => sql.delete(set),
        Does::Update | Does::Patch => sql.update(set),
        Does::Move | Does::Insert => sql.shift(set),
    };
    Ok(Statement::Plain { sql, parameters })
}

/// Whether there is a row with a key, and whether it is the lane's; the values of the key are
/// parameters.
pub(super) fn look(layout: &Layout, nulls: &[bool], lane: &str) -> String {
    let sql = Sql { layout, lane: quote::text(lane) };
    let (ours, only, found) = (sql.is_ours(), &layout.only, found_by_parameters(layout, nulls));
    let shard = if layout.shard_in_key { format!(" and {ours}") } else { String::new() };
    format!("select ({ours})::text from {only} as t where {found}{shard}")
}

/// The condition that finds a row by its key, whose values are the first parameters.
pub(super) fn found_by_parameters(layout: &Layout, nulls: &[bool]) -> String {
    let condition = |(at, (held, is_null)): (usize, (&Held, &bool))| match is_null {
        // The parameter stands where its type is asked for.
        true => format!("(t.{} is null and ${}::text is null)", held.name, at + 1),
        false => format!("t.{} = ${}::{}", held.name, at + 1, held.cast),
    };
    joined(layout.key_columns().zip(nulls).enumerate().map(condition), " and ")
}

struct Sql<'a> {
    layout: &'a Layout,
    lane: String,
}

impl Sql<'_> {
    fn is_ours(&self) -> String {
        match &self.layout.shard {
            Some(shard) => format!("t.{shard} is not distinct from {}", self.lane),
            None => "true".to_owned(),
        }
    }

    fn and_ours(&self) -> String {
        self.layout.shard.as_ref().map_or(String::new(), |_| format!(" and {}", self.is_ours()))
    }

    fn bulk(&self, set: &Set) -> String {
        let names = set.columns.iter().map(|&at| self.layout.columns[at].name.as_str());
        let names = list(names.chain(self.layout.shard.as_deref()));
        format!("copy {} ({names}) from stdin", self.layout.name)
    }

    fn empty(&self) -> String {
        match (&self.layout.shard, self.layout.may_truncate) {
            (None, true) => format!("truncate {}", self.layout.only),
            _ => format!("delete from {} as t where {}", self.layout.only, self.is_ours()),
        }
    }

    fn put(&self, set: &Set) -> String {
        let layout = self.layout;
        let held = || set.columns.iter().map(|&at| &layout.columns[at]);
        let shard = layout.shard.as_deref();
        let names = list(held().map(|held| held.name.as_str()).chain(shard));
        let values = held().enumerate().map(|(at, held)| value(at, held));
        let values = list(values.chain(shard.map(|_| self.lane.clone())));
        let overriding = if layout.overrides { " overriding system value" } else { "" };
        // A row that is all key is written over itself, so that it counts as written.
        let is_all_key = held().all(|held| held.is_key);
        let set_to = held().filter(|held| is_all_key || is_given(held));
        let set_to = list(set_to.map(|held| format!("{0} = excluded.{0}", held.name)));
        let key = layout.key_columns().map(|held| held.name.as_str());
        let key = list(key.chain(shard.filter(|_| layout.shard_in_key)));
        let owned = match shard {
            Some(_) => format!(" where {}", self.is_ours()),
            None => String::new(),
        };
        format!(
            "insert into {} as t ({names}){overriding} select {values} from {} \
             on conflict ({key}) do update set {set_to}{owned}",
            layout.name,
            rows(held(), 0)
        )
    }

    fn update(&self, set: &Set) -> String {
        let layout = self.layout;
        let key_len = layout.key.len();
        let columns = set.columns.iter().enumerate().map(|(at, &of)| (at, &layout.columns[of]));
        let values = columns.filter(|(_, held)| is_given(held));
        let mut set_to: Vec<_> = values
            .map(|(at, held)| format!("{} = {}", held.name, value(key_len + at, held)))
            .collect();
        if set_to.is_empty() {
            let name = &layout.columns[layout.key[0]].name;
            set_to.push(format!("{name} = t.{name}"));
        }
        self.write_found(set, &set_to)
    }

    /// Gives rows another key; the columns of the key are among those that are written.
    fn shift(&self, set: &Set) -> String {
        let key_len = self.layout.key.len();
        let columns = set.columns.iter().enumerate();
        let set_to = columns.map(|(at, &of)| {
            let held = &self.layout.columns[of];
            format!("{} = {}", held.name, value(key_len + at, held))
        });
        self.write_found(set, &set_to.collect::<Vec<_>>())
    }

    fn write_found(&self, set: &Set, set_to: &[String]) -> String {
        let layout = self.layout;
        let held = set.columns.iter().map(|&at| &layout.columns[at]);
        format!(
            "update {} as t set {} from {} where {}{}",
            layout.only,
            list(set_to),
            rows(layout.key_columns().chain(held), 0),
            self.found(&set.nulls),
            self.and_ours()
        )
    }

    fn delete(&self, set: &Set) -> String {
        format!(
            "delete from {} as t using {} where {}{}",
            self.layout.only,
            rows(self.layout.key_columns(), 0),
            self.found(&set.nulls),
            self.and_ours()
        )
    }

    /// The condition that joins rows to those of the table, by their key.
    fn found(&self, nulls: &[bool]) -> String {
        let condition = |(at, (held, is_null)): (usize, (&Held, &bool))| match is_null {
            true => format!("t.{} is null", held.name),
            false => format!("t.{} = {}", held.name, value(at, held)),
        };
        joined(self.layout.key_columns().zip(nulls).enumerate().map(condition), " and ")
    }
}

/// Whether a row that has its key already is given the column as well: what is equal in a key may be
/// written in more than one way.
fn is_given(held: &Held) -> bool {
    !held.is_key || matches!(held.form, Form::Decimal | Form::Float4 | Form::Float8)
}

/// Rows from arrays, a parameter for each column.
fn rows<'a>(columns: impl Iterator<Item = &'a Held>, first: usize) -> String {
    let (mut arrays, mut names) = (Vec::new(), Vec::new());
    for (at, held) in columns.enumerate() {
        let of = if is_nested(held) { "pg_catalog.text" } else { &held.cast };
        arrays.push(format!("${}::{of}[]", first + at + 1));
        names.push(format!("c{at}"));
    }
    format!("unnest({}) as d({})", list(arrays), list(names))
}

/// The value of a column of `rows`.
fn value(at: usize, held: &Held) -> String {
    match is_nested(held) {
        true => format!("d.c{at}::{}", held.cast),
        false => format!("d.c{at}"),
    }
}

/// Arrays of arrays would be taken apart as a whole.
fn is_nested(held: &Held) -> bool {
    matches!(held.form, Form::Array(..))
}

/// The arrays of a set: first those of the key that finds a row, then those of the columns.
fn parameters(set: &Set, writes: &[Write]) -> Result<Vec<String>, Untakable> {
    let layout = &set.layout;
    let finds = !matches!(set.does, Does::Empty | Does::Put | Does::Insert);
    let key_len = if finds { layout.key.len() } else { 0 };
    let mut arrays = vec![Array::default(); key_len + set.columns.len()];
    for &number in &set.writes {
        let (key, row) = parts(&writes[number].effect);
        if let Some(key) = key.filter(|_| finds) {
            for ((held, value), array) in layout.key_columns().zip(key.values()).zip(&mut arrays) {
                array.add(|out| put_value(held, value, out))?;
            }
        }
        for (&at, array) in set.columns.iter().zip(&mut arrays[key_len..]) {
            let held = &layout.columns[at];
            let cell = row.and_then(|row| row.0.get(held.place)).unwrap_or(&Cell::Missing);
            array.add(|out| put_cell(held, cell, out))?;
        }
    }
    Ok(arrays.into_iter().map(Array::end).collect())
}

/// The key that finds a row, and what becomes of it.
fn parts(effect: &Effect) -> (Option<&Key>, Option<&Row>) {
    match effect {
        Effect::Put { key, row, .. } | Effect::Patch(key, row) => (Some(key), Some(row)),
        Effect::Move { before, row, .. } => (Some(before), Some(row)),
        Effect::Delete(key) => (Some(key), None),
        Effect::Truncate => (None, None),
    }
}

/// An array as text, an element at a time.
#[derive(Clone, Debug, Default)]
struct Array {
    text: String,
    element: String,
}

impl Array {
    fn add(
        &mut self,
        put: impl FnOnce(&mut String) -> Result<bool, Untakable>,
    ) -> Result<(), Untakable> {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.element.clear();
        if !put(&mut self.element)? {
            self.text.push_str("NULL");
            return Ok(());
        }
        self.text.push('"');
        if self.element.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
            for c in self.element.chars() {
                if matches!(c, '"' | '\\') {
                    self.text.push('\\');
                }
                self.text.push(c);
            }
        } else {
            self.text.push_str(&self.element);
        }
        self.text.push('"');
        Ok(())
    }

    fn end(mut self) -> String {
        self.text.push_str(if self.text.is_empty() { "{}" } else { "}" });
        self.text
    }
}

/// The lines of a COPY.
fn lines(set: &Set, writes: &[Write], lane: &str) -> Result<String, Untakable> {
    let layout = &set.layout;
    let (mut lines, mut cell_text) = (String::new(), String::new());
    for &number in &set.writes {
        let (_, row) = parts(&writes[number].effect);
        for (index, &at) in set.columns.iter().enumerate() {
            if index > 0 {
                lines.push('\t');
            }
            let held = &layout.columns[at];
            let cell = row.and_then(|row| row.0.get(held.place)).unwrap_or(&Cell::Missing);
            cell_text.clear();
            match put_cell(held, cell, &mut cell_text)? {
                true => escape(&cell_text, &mut lines),
                false => lines.push_str("\\N"),
            }
        }
        if layout.shard.is_some() {
            lines.push('\t');
            escape(lane, &mut lines);
        }
        lines.push('\n');
    }
    Ok(lines)
}

/// A text as COPY reads it.
fn escape(text: &str, out: &mut String) {
    if !text.bytes().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t')) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
}

/// Pieces with commas between them.
pub(super) fn list(pieces: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    joined(pieces, ", ")
}

/// Pieces with a word between them.
pub(super) fn joined(pieces: impl IntoIterator<Item = impl AsRef<str>>, between: &str) -> String {
    let mut sql = String::new();
    for piece in pieces {
        if !sql.is_empty() {
            sql.push_str(between);
        }
        sql.push_str(piece.as_ref());
    }
    sql
}
