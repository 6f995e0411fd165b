//! PURE: how the rows of a source table lie in the table of a copy, and the statements that follow.
//!
//! A source column that the table lacks is left out until somebody adds it there; one that the
//! configuration names, or that belongs to the key, has to be there. Parameters of a statement are
//! the columns in the order of [`Layout::columns`], then the lane where rows have one; where a row
//! is looked for, the values of its key come first.

use super::shape::{Shape, ShapeColumn};
use super::sql::quoted;
use crate::copy::CopyTo;
use crate::pieces::{joined, list};
use model::{Kind, Table};
use std::sync::Arc;

/// How the rows of a table lie in a copy's.
#[derive(Debug)]
pub(super) struct Layout {
    /// The source's table.
    pub(super) table: Arc<Table>,
    /// The copy's table, as it is.
    pub(super) bare: String,
    /// The same, quoted.
    pub(super) name: String,
    /// The source columns that it has, in their order.
    pub(super) columns: Vec<Held>,
    /// Which of them make the key, in key order.
    pub(super) key: Vec<usize>,
    /// The column of the row's lane, quoted, where it has one.
    pub(super) shard: Option<String>,
    /// Whether that lane is part of the key.
    pub(super) shard_in_key: bool,
    /// Whether a part of the key may be NULL, which no index of SQLite calls equal.
    pub(super) key_may_be_null: bool,
    /// Whether a row is looked for before it is put: where SQLite may not see that it is there, and
    /// where triggers run, whose own OR clauses an upsert would take from them.
    pub(super) looks_first: bool,
    /// The clause that keeps a constraint of the table from settling a conflict by itself, which
    /// could delete another row. Triggers keep their own clauses only without it.
    pub(super) or_abort: &'static str,
    /// Writes a row, whatever was there.
    pub(super) put: String,
    /// Writes a row that is not there.
    pub(super) insert: String,
    /// Deletes a row.
    pub(super) delete: String,
    /// Deletes every row.
    pub(super) truncate: String,
    /// Whether there is such a row, and whether it is the lane's.
    pub(super) look: String,
}

/// A source column that the copy has.
#[derive(Debug)]
pub(super) struct Held {
    /// Its place in the source's rows.
    pub(super) place: usize,
    /// Its name here, as it is.
    pub(super) bare: String,
    /// Its name here, quoted.
    pub(super) name: String,
    /// What the source keeps in it.
    pub(super) kind: Kind,
    /// Whether it is part of the key.
    pub(super) is_key: bool,
    /// Whether it may not be NULL here.
    pub(super) not_null: bool,
    /// Whether it is made by the table itself, so that it is read and never written.
    pub(super) is_generated: bool,
}

impl Layout {
    /// The layout, or why there is none.
    pub(super) fn new(copy: &CopyTo, table: &Arc<Table>, shape: &Shape) -> Result<Self, String> {
        let columns = held(copy, table, shape)?;
        let key = key(copy, table, shape, &columns)?;
        check_others(copy, shape, &columns)?;
        let shard = match &copy.shard_column {
            None => None,
            Some(shard) if shape.column(shard).is_some() => Some(quoted(shard)),
            Some(shard) => return Err(format!("it has no column {shard}, its shard_column")),
        };
        let never_null = |column: &ShapeColumn| {
            column.not_null || shape.row_number.as_ref() == Some(&column.name)
        };
        let may_be_null = |&at: &usize| {
            let held: &Held = &columns[at];
            table.columns[held.place].nullable && !shape.column(&held.bare).is_some_and(never_null)
        };
        let key_may_be_null = key.iter().any(may_be_null);
        let empty = String::new;
        let mut layout = Self {
            table: Arc::clone(table),
            bare: copy.table.to_string(),
            name: quoted(&copy.table),
            columns,
            key,
            shard_in_key: copy.shard_in_key && shard.is_some(),
            shard,
            key_may_be_null,
            looks_first: key_may_be_null || shape.has_triggers,
            or_abort: if shape.has_triggers && !shape.settles_conflicts { "" } else { " or abort" },
            put: empty(),
            insert: empty(),
            delete: empty(),
            truncate: empty(),
            look: empty(),
        };
        layout.write_statements();
        Ok(layout)
    }

    /// The columns that are written, with their places among the columns.
    pub(super) fn written(&self) -> impl Iterator<Item = (usize, &Held)> {
        self.columns.iter().enumerate().filter(|(_, held)| !held.is_generated)
    }

    /// How many values make the key.
    pub(super) fn key_len(&self) -> usize {
        self.key.len()
    }

    /// The columns of the key, quoted.
    pub(super) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|&at| self.columns[at].name.as_str())
    }

    /// The condition that finds a row by the values of its key, of which `first` is the first.
    pub(super) fn found_by(&self, first: usize) -> String {
        let equal = if self.key_may_be_null { "is" } else { "=" };
        let names = self.key_names().zip(first..);
        joined(names.map(|(name, at)| format!("{name} {equal} ?{at}")), " and ")
    }

    /// The condition that finds a row by its key, and by its lane behind it where that is part of
    /// the key.
    pub(super) fn finds(&self) -> String {
        let found = self.found_by(1);
        match self.shard_in_key {
            true => format!("{found} and {}", self.is_ours(self.key_len() + 1)),
            false => found,
        }
    }

    /// The condition that a row is the lane's, which is this parameter; true where rows have none.
    pub(super) fn is_ours(&self, lane: usize) -> String {
        self.shard.as_ref().map_or("true".to_owned(), |shard| format!("{shard} is ?{lane}"))
    }

    /// The statement that gives these columns new values in the row with a key. Parameters: the
    /// key, then a value for each column, then the lane.
    pub(super) fn update(&self, columns: &[usize]) -> String {
        let first = self.key_len() + 1;
        let set = columns.iter().zip(first..);
        let set = list(set.map(|(&at, to)| format!("{} = ?{to}", self.columns[at].name)));
        let (name, found, or_abort) = (&self.name, self.found_by(1), self.or_abort);
        let ours = self.is_ours(first + columns.len());
        format!("update{or_abort} {name} set {set} where {found} and {ours}")
    }

    fn write_statements(&mut self) {
        let name = &self.name;
        let names: Vec<_> = self.written().map(|(_, held)| held.name.as_str()).collect();
        let all = list(names.iter().copied().chain(self.shard.as_deref()));
        let lane = names.len() + 1;
        let count = names.len() + usize::from(self.shard.is_some());
        let values = list((1..=count).map(|at| format!("?{at}")));
        let insert = format!("insert{} into {name} ({all}) values ({values})", self.or_abort);
        let is_all_key = self.written().all(|(_, held)| held.is_key);
        // A row that is all key is written over itself, so that it counts as written.
        let set = self.written().filter(|(_, held)| is_all_key || !held.is_key);
        let set = list(set.map(|(_, held)| format!("{0} = excluded.{0}", held.name)));
        let owned = self
            .shard
            .as_ref()
            .map_or(String::new(), |shard| format!(" where {name}.{shard} is ?{lane}"));
        let key = list(self.key_names().chain(self.shard.as_deref().filter(|_| self.shard_in_key)));
        let behind = self.key_len() + 1;
        let (found, ours) = (self.found_by(1), self.is_ours(behind));
        let put = format!("{insert} on conflict ({key}) do update set {set}{owned}");
        let delete = format!("delete from {name} where {found} and {ours}");
        let truncate = format!("delete from {name} where {}", self.is_ours(1));
        let look = format!("select {ours} from {name} where {}", self.finds());
        let truncate = match self.shard {
            Some(_) => truncate,
            None => format!("delete from {name}"),
        };
        (self.put, self.insert, self.delete) = (put, insert, delete);
        (self.truncate, self.look) = (truncate, look);
    }
}

/// The source columns that the table has. A name that the configuration gives to one source column
/// is not another's own.
fn held(copy: &CopyTo, table: &Table, shape: &Shape) -> Result<Vec<Held>, String> {
    for (to, from) in &copy.fields {
        if shape.column(to).is_none() {
            return Err(format!("it has no column {to}, which fields name"));
        }
        if !table.columns.iter().any(|column| column.name == *from) {
            return Err(format!("{} has no column {from}, which fields name", table.name));
        }
    }
    let mut columns: Vec<Held> = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        let name = copy.renamed(&column.name);
        let is_given = |to: &Arc<str>| to.eq_ignore_ascii_case(name);
        let is_anothers = *name == *column.name
            && copy.fields.iter().any(|(to, from)| is_given(to) && *from != column.name);
        let Some(found) = shape.column(name).filter(|_| !is_anothers) else { continue };
        if copy.shard_column.as_ref().is_some_and(|shard| shard.eq_ignore_ascii_case(name)) {
            return Err(format!("its shard_column {name} is a column of {} as well", table.name));
        }
        if columns.iter().any(|held| held.bare == found.name) {
            return Err(format!("two columns of {} would be its column {name}", table.name));
        }
        columns.push(Held {
            place,
            bare: found.name.clone(),
            name: quoted(&found.name),
            kind: column.kind,
            is_key: table.key.contains(&place),
            not_null: found.not_null,
            is_generated: found.is_generated,
        });
    }
    Ok(columns)
}

/// Which columns make the key; SQLite has to keep it unique, byte for byte.
fn key(
    copy: &CopyTo,
    table: &Table,
    shape: &Shape,
    columns: &[Held],
) -> Result<Vec<usize>, String> {
    let mut key = Vec::new();
    for &place in &table.key {
        let name = copy.renamed(&table.columns[place].name);
        let at = columns.iter().position(|held| held.place == place && !held.is_generated);
        key.push(at.ok_or_else(|| format!("it has no column {name}, which is part of the key"))?);
    }
    let names = key.iter().map(|&at| columns[at].bare.as_str());
    let names: Vec<_> =
        names.chain(copy.shard_column.as_deref().filter(|_| copy.shard_in_key)).collect();
    if !shape.is_key(&names) {
        let names = list(&names);
        return Err(format!(
            "it has no primary key and no unique index over exactly ({names}), compared byte for byte"
        ));
    }
    Ok(key)
}

/// Columns that nobody writes have to fill themselves.
fn check_others(copy: &CopyTo, shape: &Shape, columns: &[Held]) -> Result<(), String> {
    let is_written = |column: &ShapeColumn| {
        columns.iter().any(|held| held.bare == column.name)
            || copy.shard_column.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&column.name))
    };
    let needs = shape.columns.iter().filter(|column| {
        let fills_itself = !column.not_null || column.has_default || column.is_generated;
        !fills_itself && shape.row_number.as_ref() != Some(&column.name) && !is_written(column)
    });
    let needs = list(needs.map(|column| &column.name));
    match needs.as_str() {
        "" => Ok(()),
        names => Err(format!("the source has nothing for {names}, which may not be NULL")),
    }
}
