//! Folds: every count over one table, resolved against one version of it.
//!
//! Invariant: the columns and their order depend on the counts alone, never on the table version,
//! so that remembered cells keep their meaning when the table changes.
//!
//! Must not know: row memory, offsets, numbers.

use super::condition::{Check, Misfit, holds_texts};
use super::definition::Count;
use super::group::{Group, grouped};
use model::{Cell, Column, CountName, Kind, Row, Table, TableName};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Every count over one table, ready to decide which group a row is in.
#[derive(Clone, Debug)]
pub struct Folds {
    table: TableName,
    version: u32,
    /// How many cells a row of this version has.
    width: usize,
    columns: Vec<Arc<str>>,
    /// Where each of the columns stands in a row; nowhere if only faulty counts read it.
    places: Vec<Option<usize>>,
    folds: Vec<Fold>,
}

/// One count, over the cells of the columns.
#[derive(Clone, Debug)]
struct Fold {
    count: CountName,
    /// The cells to group by, and whether their columns are of any kind.
    by: Vec<(usize, bool)>,
    check: Option<Check>,
}

impl Folds {
    /// Resolves the counts over this table; those over other tables are left out.
    pub fn new(counts: &[Count], table: &Table) -> Result<Self, Vec<CountFault>> {
        match Self::of_sound(counts, table) {
            (folds, faults) if faults.is_empty() => Ok(folds),
            (_, faults) => Err(faults),
        }
    }

    /// The same, but counts that do not fit the table are left out and answered beside: only these
    /// have to stop. The columns stay those of all counts.
    pub fn of_sound(counts: &[Count], table: &Table) -> (Self, Vec<CountFault>) {
        let counts = || counts.iter().filter(|count| count.of == table.name);
        let mut columns = BTreeSet::new();
        for count in counts() {
            columns.extend(&count.by);
            columns.extend(count.condition.iter().flat_map(|condition| condition.columns()));
        }
        let columns: Vec<_> = columns.into_iter().cloned().collect();
        let (mut folds, mut faults) = (Vec::new(), Vec::new());
        for count in counts() {
            match fold(count, &columns, table) {
                Ok(fold) => folds.push(fold),
                Err(misfit) => faults.push(CountFault::new(count, misfit)),
            }
        }
        let place =
            |column: &Arc<str>| table.columns.iter().position(|other| other.name == *column);
        let folds = Self {
            table: table.name.clone(),
            version: table.version,
            width: table.columns.len(),
            places: columns.iter().map(place).collect(),
            columns,
            folds,
        };
        (folds, faults)
    }

    /// Whether these are for this version of this table.
    pub fn are_for(&self, table: &Table) -> bool {
        self.version == table.version && self.table == table.name
    }

    /// The counts.
    pub fn counts(&self) -> impl Iterator<Item = &CountName> {
        self.folds.iter().map(|fold| &fold.count)
    }

    /// The columns that the counts read: those of every count over the table, sorted by name.
    pub fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// How many cells a row of this table version has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The row's cells of [`Folds::columns`], in that order; some may be unchanged.
    pub fn project(&self, row: &Row) -> Vec<Cell> {
        let cell = |place: &Option<usize>| {
            place.and_then(|place| row.0.get(place)).cloned().unwrap_or(Cell::Missing)
        };
        self.places.iter().map(cell).collect()
    }

    /// For each count the group of a row with these cells, which must all be known; none where the
    /// row does not count.
    pub fn groups<'a>(
        &'a self,
        cells: &'a [Cell],
    ) -> impl Iterator<Item = (&'a CountName, Option<Group>)> {
        self.folds.iter().map(|fold| (&fold.count, fold.group(cells)))
    }
}

impl Fold {
    fn group(&self, cells: &[Cell]) -> Option<Group> {
        let counts = self.check.as_ref().is_none_or(|check| check.is_true(cells));
        let values = self.by.iter().map(|&(place, any_kind)| grouped(&cells[place], any_kind));
        counts.then(|| Group::new(values))
    }
}

fn fold(count: &Count, columns: &[Arc<str>], table: &Table) -> Result<Fold, Misfit> {
    let slot = |name: &Arc<str>| {
        let column = table.columns.iter().find(|column| column.name == *name);
        let column = column.ok_or_else(|| unknown(name, table))?;
        let place =
            columns.binary_search(name).expect("BUG: a count's column is not among its own");
        Ok((place, column))
    };
    let mut by = Vec::with_capacity(count.by.len());
    for name in &count.by {
        let (place, column) = slot(name)?;
        if by.iter().any(|&(other, _)| other == place) {
            return Err(Misfit {
                column: Some(Arc::clone(name)),
                what: "it is named twice in `by`".to_owned(),
                fix: "name it once".to_owned(),
            });
        }
        check_groups_by(column)?;
        by.push((place, column.kind == Kind::Any));
    }
    let condition = count.condition.as_ref();
    let check = condition.map(|condition| condition.resolve(&slot)).transpose()?;
    Ok(Fold { count: count.name.clone(), by, check })
}

fn unknown(name: &Arc<str>, table: &Table) -> Misfit {
    let alike = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    Misfit {
        column: Some(Arc::clone(name)),
        what: format!("{} has no such column", table.name),
        fix: match alike {
            Some(column) => format!("write \"{}\" as the table does", column.name),
            None => {
                let names: Vec<_> = table.columns.iter().map(|column| &*column.name).collect();
                format!("name one of: {}", names.join(", "))
            }
        },
    }
}

/// Refuses kinds in which values that a source calls equal differ, or the other way round.
fn check_groups_by(column: &Column) -> Result<(), Misfit> {
    let misfit = |what: String, fix: &str| Misfit {
        column: Some(Arc::clone(&column.name)),
        what: format!("it cannot be grouped by: {what}"),
        fix: fix.to_owned(),
    };
    let collation = column.compares.collation.as_ref();
    if let Some(collation) = collation.filter(|it| holds_texts(column) && !it.equal_by_bytes) {
        let what = format!("its texts compare as {} does, not byte by byte", collation.name);
        return Err(misfit(what, "group by a column that is declared without it"));
    }
    let what = match column.kind {
        Kind::Float => "floats that look equal may differ, so each would be a group of its own",
        Kind::Interval => "intervals that are equal can be written in many ways",
        Kind::Json => "JSON that is equal can be written in many ways",
        Kind::Array => "an array is no single value to ask for",
        _ => return Ok(()),
    };
    Err(misfit(what.to_owned(), "group by an integer, a decimal, a text or a time"))
}

/// Why a count does not fit its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountFault {
    /// The count.
    pub count: CountName,
    /// The column that it is about, where it is about one.
    pub column: Option<Arc<str>>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

impl CountFault {
    fn new(count: &Count, misfit: Misfit) -> Self {
        let Misfit { column, what, fix } = misfit;
        Self { count: count.name.clone(), column, what, fix }
    }
}

impl fmt::Display for CountFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count {}", self.count)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}; {}", self.what, self.fix)
    }
}

impl Error for CountFault {}
