//! What is asked for, as SQL.
//!
//! Rows are sorted as SQLite sorts the columns of the key, and byte by byte where that leaves rows
//! equal, so that each row has one place. A row with NULL in its key has none: it is in no stretch, and
//! only a flaw tells of it.

use super::decode;
use super::spell::{self, Raw};
use crate::pieces::{joined, list};
use crate::sqlite::quote;
use crate::sqlite::trouble::Trouble;
use model::{Ask, Cell, Code, Fault, Key, Kind, Row, Selection, Value, Wanted};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, OptionalExtension};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What is asked for, of a snapshot.
pub(super) struct Asked<'a> {
    pub(super) snapshot: &'a Connection,
    pub(super) ask: &'a Ask,
    /// The table, as SQL.
    pub(super) table: String,
    key: Vec<Sorted>,
    from: Option<(String, Raw)>,
}

/// The value from which on rows are asked for, as it stands in the file. It may have to be looked for
/// in all of a table, so that is done once.
#[derive(Debug, Default)]
pub(super) struct Beginning(Mutex<Option<(Wanted, Value, Raw)>>);

impl Beginning {
    fn get_or(
        &self,
        wanted: &Wanted,
        value: &Value,
        find: impl FnOnce() -> Result<Raw, Trouble>,
    ) -> Result<Raw, Trouble> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, raw)) = known.as_ref().filter(|it| it.0 == *wanted && it.1 == *value) {
            return Ok(raw.clone());
        }
        let raw = find()?;
        *known = Some((wanted.clone(), value.clone(), raw.clone()));
        Ok(raw)
    }
}

/// A column of the key, as SQL.
struct Sorted {
    name: String,
    /// What it is sorted by; the first finds rows by an index.
    terms: Vec<String>,
}

/// Conditions that all have to hold, with their parameters.
#[derive(Clone, Default)]
pub(super) struct Where {
    parts: Vec<String>,
    pub(super) bound: Vec<Raw>,
}

/// Some of the selected rows.
pub(super) struct Part {
    pub(super) within: Where,
    /// Of the rows that are found only those with this key.
    pub(super) only: Option<Key>,
}

impl Where {
    /// Adds a condition.
    pub(super) fn add(&mut self, part: String, bound: impl IntoIterator<Item = Raw>) {
        self.parts.push(part);
        self.bound.extend(bound);
    }

    /// The same, and this.
    pub(super) fn and(mut self, part: String) -> Self {
        self.parts.push(part);
        self
    }

    /// The conditions as one.
    pub(super) fn sql(&self) -> String {
        if self.parts.is_empty() { "1".to_owned() } else { joined(&self.parts, " and ") }
    }
}

impl<'a> Asked<'a> {
    /// What is asked for; a fault says that SQLite does not take the condition.
    pub(super) fn new(
        snapshot: &'a Connection,
        ask: &'a Ask,
        beginning: &Beginning,
    ) -> Result<Self, Trouble> {
        // A name that is none would be taken for a text.
        snapshot.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        let table = format!("main.{}", quote::name(ask.table.as_str()));
        let key = ask.key.iter().map(|it| sorted(snapshot, ask, &it.name)).collect();
        let mut asked = Self { snapshot, ask, table, key, from: None };
        if let Some(condition) = &ask.condition {
            asked.is_sound(condition)?;
        }
        if let Some((wanted, value)) = &ask.from {
            let raw = beginning.get_or(wanted, value, || asked.beginning(wanted, value))?;
            asked.from = Some((quote::name(&wanted.name), raw));
        }
        Ok(asked)
    }

    /// Whether the condition is one, with nothing before or behind it: it must hold its own ground
    /// without brackets, and within them, and must take none of our parameters.
    fn is_sound(&self, condition: &str) -> Result<(), Trouble> {
        for condition in [format!("{condition}\n"), bracketed(condition)] {
            let sql = format!("select 1 from {} where {condition}", self.table);
            let statement = self.snapshot.prepare(&sql)?;
            if statement.parameter_count() > 0 || !statement.readonly() {
                let what = "the condition has parameters, or more in it than a condition";
                return Err(Fault::stop(Code::SqliteRefused, what).into());
            }
        }
        Ok(())
    }

    /// The rows that are asked for, those without a key among them.
    pub(super) fn all(&self) -> Where {
        let mut all = Where::default();
        if let Some(condition) = &self.ask.condition {
            all.add(bracketed(condition), []);
        }
        if let Some((name, raw)) = &self.from {
            all.add(format!("{name} >= ?"), [raw.clone()]);
        }
        all
    }

    /// The same without those that have no key. No index is to be looked into for that, since it may
    /// have a collation that only another program has.
    pub(super) fn keyed(&self) -> Where {
        self.key.iter().fold(self.all(), |all, it| all.and(format!("+{} is not null", it.name)))
    }

    /// The condition of a row without a key.
    pub(super) fn keyless(&self) -> String {
        let keyless = self.key.iter().map(|it| format!("{} is null", it.name));
        format!("({})", joined(keyless, " or "))
    }

    /// The selected rows: one part of them, or one for each key.
    pub(super) fn parts(&self, of: &Selection) -> Result<Vec<Part>, Trouble> {
        match of {
            Selection::Nothing => Ok(Vec::new()),
            Selection::Keys(keys) => {
                let keys: BTreeSet<_> = keys.iter().collect();
                let part = |key: &Key| {
                    let mut within = self.keyed();
                    self.add_key(&mut within, key)?;
                    Ok(Part { within, only: Some(key.clone()) })
                };
                keys.into_iter().map(part).collect()
            }
            Selection::Range { after, upto } => {
                let within = self.range(after.as_ref(), upto.as_ref())?;
                Ok(vec![Part { within, only: None }])
            }
        }
    }

    /// The rows of a stretch.
    pub(super) fn range(&self, after: Option<&Key>, upto: Option<&Key>) -> Result<Where, Trouble> {
        let mut within = self.keyed();
        for (end, compares) in [(after, ">"), (upto, "<=")] {
            if let Some(key) = end {
                self.add_end(&mut within, compares, key)?;
            }
        }
        Ok(within)
    }

    /// The rows that may have this key, asked for or not: more have to be looked at than there are.
    pub(super) fn found(&self, key: &Key) -> Result<Where, Trouble> {
        let mut within = Where::default();
        self.add_key(&mut within, key)?;
        Ok(within)
    }

    fn add_key(&self, within: &mut Where, key: &Key) -> Result<(), Trouble> {
        if key.values().len() != self.key.len() || self.key.is_empty() {
            return Err(broken("a key does not have as many values as there are columns"));
        }
        for (column, value) in self.key.iter().zip(key.values()) {
            let (sql, spellings) = among(&column.terms[0], value);
            within.add(sql, spellings);
        }
        Ok(())
    }

    fn add_end(&self, within: &mut Where, compares: &str, key: &Key) -> Result<(), Trouble> {
        let ends = self.end(key)?;
        let terms: Vec<_> = self.key.iter().flat_map(|it| &it.terms).collect();
        let marks = list(terms.iter().map(|_| "?"));
        let bound = self.key.iter().zip(ends);
        let bound = bound.flat_map(|(it, raw)| it.terms.iter().map(move |_| raw.clone()));
        // A list of one is no list to SQLite.
        let sql = match terms.as_slice() {
            [term] => format!("{term} {compares} ?"),
            _ => format!("({}) {compares} ({marks})", list(terms)),
        };
        within.add(sql, bound);
        Ok(())
    }

    /// Where a stretch ends: at the row with this key as it stands there, or, if there is none, where
    /// it would stand if it were written as others are.
    fn end(&self, key: &Key) -> Result<Vec<Raw>, Trouble> {
        let found = self.found(key)?;
        let names = list(self.key.iter().map(|it| &it.name));
        let sql = format!("select {names} from {} where {}", self.table, found.sql());
        let mut statement = self.snapshot.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(&found.bound))?;
        while let Some(row) = rows.next()? {
            if self.key_of(row)? == *key {
                let raws = (0..self.key.len()).map(|at| Ok(Raw::of(row.get_ref(at)?)));
                let raws = raws.collect::<rusqlite::Result<Option<Vec<_>>>>()?;
                return raws.ok_or_else(|| broken("a key that was found is NULL"));
            }
        }
        let end = |(column, value): (&Sorted, &Value)| {
            let raw = spell::alike(spell::spellings(value), self.sample(&column.name)?.as_ref());
            raw.ok_or_else(|| broken("a stretch ends at NULL"))
        };
        self.key.iter().zip(key.values()).map(end).collect()
    }

    /// The value from which on rows are asked for, as a row has it, or as it would be written.
    fn beginning(&self, wanted: &Wanted, value: &Value) -> Result<Raw, Trouble> {
        let name = quote::name(&wanted.name);
        let (may_be, bound) = among(&name, value);
        let sql = format!("select {name} from {} where {may_be}", self.table);
        let mut statement = self.snapshot.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(&bound))?;
        while let Some(row) = rows.next()? {
            let raw = row.get_ref(0)?;
            if decode::read(wanted.kind, raw).into_canonical() == value.clone().into_canonical()
                && let Some(raw) = Raw::of(raw)
            {
                return Ok(raw);
            }
        }
        let raw = spell::alike(spell::spellings(value), self.sample(&name)?.as_ref());
        raw.ok_or_else(|| broken("rows were asked for from NULL on"))
    }

    /// What some row has in this column.
    fn sample(&self, name: &str) -> Result<Option<Raw>, Trouble> {
        let sql = format!("select {name} from {} where {name} is not null limit 1", self.table);
        let mut sample = self.snapshot.prepare_cached(&sql)?;
        let sample = sample.query_row([], |row| Ok(Raw::of(row.get_ref(0)?)));
        Ok(sample.optional()?.flatten())
    }

    /// What has to be the case for a row to be among those that are asked for.
    pub(super) fn is_within(&self) -> (String, Vec<Raw>) {
        let all = self.all();
        (format!("case when {} then 1 else 0 end", all.sql()), all.bound)
    }

    /// What rows are sorted by.
    pub(super) fn order(&self) -> Result<String, Trouble> {
        if self.key.is_empty() {
            return Err(broken("rows were asked for by a key of no columns"));
        }
        Ok(list(self.key.iter().flat_map(|it| &it.terms)))
    }

    /// The columns of the key.
    pub(super) fn key_names(&self) -> impl Iterator<Item = String> {
        self.key.iter().map(|it| it.name.clone())
    }

    /// The columns of the key, and behind them those that are asked for.
    pub(super) fn names(&self) -> String {
        let columns = self.ask.columns.iter().map(|it| quote::name(&it.name));
        list(self.key_names().chain(columns))
    }

    /// The key of a row of a statement that asks for it first.
    pub(super) fn key_of(&self, row: &rusqlite::Row<'_>) -> Result<Key, Error> {
        key_of(&self.ask.key, row)
    }

    /// The cells of a row of a statement that asks for [`Asked::names`].
    pub(super) fn row_of(&self, row: &rusqlite::Row<'_>) -> Result<Row, Error> {
        let columns = (self.key.len()..).zip(&self.ask.columns);
        let cell = |(at, wanted): (usize, &Wanted)| {
            Ok(Cell::Value(decode::read(wanted.kind, row.get_ref(at)?)))
        };
        columns.map(cell).collect::<Result<_, Error>>().map(Row)
    }
}

/// The values of these columns, which a statement asks for first. In a column of any kind whole
/// numbers are one however they are stored.
pub(super) fn key_of(columns: &[Wanted], row: &rusqlite::Row<'_>) -> Result<Key, Error> {
    let value = |(at, wanted): (usize, &Wanted)| {
        let value = decode::read(wanted.kind, row.get_ref(at)?);
        let whole = if wanted.kind == Kind::Any { value.whole() } else { None };
        Ok(whole.map_or(value, Value::Int))
    };
    let values = columns.iter().enumerate().map(value);
    values.collect::<Result<Vec<_>, Error>>().map(Key::new)
}

/// Whether something may be this value, under each of its spellings.
pub(super) fn among(term: &str, value: &Value) -> (String, Vec<Raw>) {
    let spellings = spell::spellings(value);
    let marks = list(spellings.iter().map(|_| "?"));
    (format!("{term} in ({marks})"), spellings)
}

fn sorted(snapshot: &Connection, ask: &Ask, column: &str) -> Sorted {
    let name = quote::name(column);
    let by_bytes = format!("{name} collate binary");
    let found = snapshot.column_metadata(Some("main"), ask.table.as_str(), column);
    let collation = found.ok().and_then(|(_, collation, ..)| collation);
    let is = |known: &[u8]| collation.is_some_and(|it| it.to_bytes().eq_ignore_ascii_case(known));
    let terms = match () {
        () if is(b"BINARY") => vec![name.clone()],
        // A column of a view is sorted as the one that it comes from, which is not told.
        () if is(b"NOCASE") || is(b"RTRIM") || collation.is_none() => vec![name.clone(), by_bytes],
        // Only the program that made the collation has it.
        () => vec![by_bytes],
    };
    Sorted { name, terms }
}

/// A condition among others. It may end with a comment.
fn bracketed(condition: &str) -> String {
    format!("({condition}\n)")
}

/// A promise that whoever asks has not kept.
fn broken(what: &str) -> Trouble {
    Fault::stop(Code::Broken, what).into()
}
