//! PURE: a table as the stream describes it, and rows of it to changes.

use super::outbox::Kinds;
use super::sight::Sight;
use super::unready::{Gap, Stopped};
use crate::postgres::outbox::Outbox;
use crate::postgres::pgoutput::{Before, Datum, Relation, Tuple};
use crate::postgres::schema::{self, Described};
use crate::postgres::trouble::Trouble;
use crate::postgres::types::{self, Form, Types};
use model::{Cell, Change, Column, Compares, Key, Op, Row, Table, TableName, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A table that is followed, as its rows are written from some place on.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    table: Arc<Table>,
    forms: Vec<Form>,
    /// What its rows are changes of, if it is an outbox.
    kinds: Option<Kinds>,
}

/// What a table is that the stream describes.
pub(super) enum Told {
    /// This; nothing if it is not followed.
    Is(Option<Followed>),
    /// The catalog may know more by now.
    Unknown,
}

/// What this table is, as far as the catalog was seen; `looked` says that it was seen just now.
pub(super) fn told(relation: &Relation<'_>, sight: &Sight, looked: bool) -> Result<Told, Stopped> {
    let Some(described) = sight.table(relation) else { return Ok(Told::Is(None)) };
    let outbox = sight.outbox_at(described);
    let whole = |followed: Followed| match outbox {
        Some(outbox) => followed.with_kinds_of(outbox),
        None => Some(followed),
    };
    if let Some(followed) = Followed::standing(relation, described).and_then(whole) {
        return Ok(Told::Is(Some(followed)));
    }
    if !looked {
        return Ok(Told::Unknown);
    }
    let earlier = Followed::earlier(relation, described, &sight.types).and_then(whole);
    earlier.map(|earlier| Told::Is(Some(earlier))).ok_or_else(|| {
        let name = &described.table.name;
        let why = format!("{name}: it had another key, or the columns of its key other names");
        Stopped::Lost(Gap::missed(why))
    })
}

impl Followed {
    /// The table as the catalog has it, if the stream describes the same.
    fn standing(relation: &Relation<'_>, described: &Described) -> Option<Self> {
        let is_same = relation.columns.len() == described.columns.len()
            && relation.columns.iter().zip(&described.columns).zip(&described.table.columns).all(
                |((theirs, ours), column)| {
                    *column.name == *theirs.name
                        && (ours.kind, ours.modifier) == (theirs.kind, theirs.modifier)
                },
            );
        // What is said of rows as they were has to hold the key.
        let has_key = described
            .table
            .key
            .iter()
            .all(|&column| relation.columns.get(column).is_some_and(|it| it.in_key));
        let forms = described.columns.iter().map(|column| column.form.clone());
        let table = || Arc::clone(&described.table);
        (is_same && has_key && described.oid == relation.oid).then(|| Self {
            table: table(),
            forms: forms.collect(),
            kinds: None,
        })
    }

    /// The table as the stream describes it, where the catalog has gone on since; what the stream does
    /// not say is taken from there. None if the columns that are the key now were not there then.
    fn earlier(relation: &Relation<'_>, described: &Described, types: &Types) -> Option<Self> {
        let now = |name: &str| described.table.columns.iter().position(|it| &*it.name == name);
        let mut columns = Vec::with_capacity(relation.columns.len());
        let mut forms = Vec::with_capacity(relation.columns.len());
        for column in &relation.columns {
            let known = types.get(column.kind);
            let form = known.map_or(Form::Text, |known| known.form.clone());
            let same = now(column.name).filter(|&at| described.columns[at].kind == column.kind);
            columns.push(match same {
                Some(at) => described.table.columns[at].clone(),
                None => Column {
                    name: column.name.into(),
                    kind: form.kind(),
                    declared: known.map_or("unknown", |known| &known.name).into(),
                    nullable: true,
                    compares: Compares::default(),
                },
            });
            forms.push(form);
        }
        let place = |name: &str| columns.iter().position(|it: &Column| &*it.name == name);
        let key: Option<Vec<_>> = described.table.key_names().map(place).collect();
        let in_key: BTreeSet<_> =
            (0..columns.len()).filter(|&it| relation.columns[it].in_key).collect();
        // What is said of rows as they were has to hold the key.
        let key = key.filter(|key| key.iter().all(|column| in_key.contains(column)))?;
        let table = Table {
            name: described.table.name.clone(),
            version: schema::version(0, &columns, &key),
            columns,
            key,
        };
        Some(Self { table: Arc::new(table), forms, kinds: None })
    }

    /// The same, as the outbox that it is. None if it was no outbox yet.
    pub(super) fn with_kinds_of(self, outbox: &Outbox) -> Option<Self> {
        let kinds = Some(Kinds::new(outbox, &self.table).ok()?);
        Some(Self { kinds, ..self })
    }

    /// The name of the table.
    pub(super) fn name(&self) -> &TableName {
        &self.table.name
    }

    /// Whether what a change is a change of is said by its row alone.
    pub(super) fn is_outbox(&self) -> bool {
        self.kinds.is_some()
    }

    /// What is told of a change: itself, or what it is a change of, if anything.
    pub(super) fn told(&self, change: Change) -> Option<Change> {
        match &self.kinds {
            Some(kinds) => kinds.told(change),
            None => Some(change),
        }
    }

    /// A row came.
    pub(super) fn insert(&self, new: &Tuple<'_>) -> Result<Change, Trouble> {
        let row = self.row(new, None)?;
        self.key_of(&row)?;
        Ok(self.change(Op::Insert(row)))
    }

    /// A row changed.
    pub(super) fn update(
        &self,
        before: Option<&Before<'_>>,
        new: &Tuple<'_>,
    ) -> Result<Change, Trouble> {
        let row = self.row(new, before)?;
        let before = match before {
            Some(before) => self.key_before(before)?,
            None => self.key_of(&row)?,
        };
        self.key_of(&row)?;
        Ok(self.change(Op::Update { before, row }))
    }

    /// A row went.
    pub(super) fn delete(&self, before: &Before<'_>) -> Result<Change, Trouble> {
        Ok(self.change(Op::Delete(self.key_before(before)?)))
    }

    /// Every row went.
    pub(super) fn truncate(&self) -> Change {
        self.change(Op::Truncate)
    }

    fn change(&self, op: Op) -> Change {
        Change { table: Arc::clone(&self.table), op }
    }

    /// The row as it is now. A large value that did not come is what it was: where the whole row as it
    /// was is said, it is there; in the key it always is.
    fn row(&self, new: &Tuple<'_>, before: Option<&Before<'_>>) -> Result<Row, Trouble> {
        self.fits(new)?;
        let cells = new.cells().zip(&self.forms).map(|(datum, form)| cell(datum, form));
        let mut cells = cells.collect::<Result<Vec<_>, Trouble>>()?;
        if cells.contains(&Cell::Unchanged)
            && let Some(before) = before
        {
            let (tuple, is_whole) = match before {
                Before::Row(tuple) => (tuple, true),
                Before::Key(tuple) => (tuple, false),
            };
            self.fits(tuple)?;
            for (at, (datum, form)) in tuple.cells().zip(&self.forms).enumerate() {
                if cells[at] == Cell::Unchanged && (is_whole || self.table.key.contains(&at)) {
                    cells[at] = cell(datum, form)?;
                }
            }
        }
        Ok(Row(cells))
    }

    fn key_of(&self, row: &Row) -> Result<Key, Trouble> {
        self.table.key_of(row).ok_or_else(|| self.malformed("a row came without its key"))
    }

    fn key_before(&self, before: &Before<'_>) -> Result<Key, Trouble> {
        let (Before::Key(tuple) | Before::Row(tuple)) = before;
        self.fits(tuple)?;
        let mut values = vec![Value::Null; self.table.key.len()];
        for (at, (datum, form)) in tuple.cells().zip(&self.forms).enumerate() {
            if let Some(place) = self.table.key.iter().position(|&column| column == at) {
                match cell(datum, form)? {
                    Cell::Value(value) if value != Value::Null => values[place] = value,
                    _ => return Err(self.malformed("the key that a row had did not come")),
                }
            }
        }
        Ok(self.table.key_from(values))
    }

    fn fits(&self, tuple: &Tuple<'_>) -> Result<(), Trouble> {
        if tuple.len() == self.forms.len() {
            return Ok(());
        }
        let (came, known) = (tuple.len(), self.forms.len());
        Err(self.malformed(&format!("a row of {came} columns came where {known} were described")))
    }

    fn malformed(&self, what: &str) -> Trouble {
        Trouble::malformed(format!("{}: {what}", self.table.name))
    }
}

fn cell(datum: Datum<'_>, form: &Form) -> Result<Cell, Trouble> {
    match datum {
        Datum::Null => Ok(Cell::Value(Value::Null)),
        Datum::Unchanged => Ok(Cell::Unchanged),
        Datum::Text(text) => {
            let value = types::read(form, text);
            value.map(Cell::Value).map_err(|it| Trouble::malformed(it.to_string()))
        }
        Datum::Binary(_) => {
            Err(Trouble::malformed("a value came in a form that was not asked for"))
        }
    }
}
