//! Brings a file into the state in which its changes are recorded: our tables, and the triggers that
//! its tables need as they look now.
//!
//! A table that was followed before and whose triggers are not all there, letter by letter, may have
//! changed unseen; that is noted in the file itself, in the transaction that puts them back, so that
//! no start ever passes over it. Triggers that are no longer needed did no harm.

use super::books::{self, Books, Noted};
use super::history;
use super::installed::Installed;
use super::shape::Shape;
use super::trigger::{self, Trigger};
use crate::sqlite::trouble::Trouble;
use model::{Code, Fault, Table, TableName};
use rusqlite::{Connection, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Brings the file into that state, and writes only if it is not in it.
pub(super) fn install(
    connection: &mut Connection,
    names: &[TableName],
) -> Result<Installed, Trouble> {
    let snapshot = connection.transaction()?;
    if let Some(installed) = standing(&snapshot, names)? {
        return Ok(installed);
    }
    drop(snapshot);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let look = Look::take(&transaction, names)?;
    look.plan().carry_out(&transaction, &look)?;
    let installed = standing(&transaction, names)?;
    transaction.commit()?;
    installed.ok_or_else(|| {
        let what = "triggers that were just made are not there";
        Fault::stop(Code::Broken, what).into()
    })
}

/// The file as it stands in the caller's transaction, if all that these tables need is there.
pub(super) fn standing(
    connection: &Connection,
    names: &[TableName],
) -> Result<Option<Installed>, Trouble> {
    let look = Look::take(connection, names)?;
    let plan = look.plan();
    let Some(books) = look.books.clone().filter(|_| plan.is_empty()) else { return Ok(None) };
    let tables = look.shapes.values().map(|shape| look.table(shape)).collect();
    Ok(Some(Installed { books, tables, schema: look.schema }))
}

/// A table as it is followed: in the version that it has, or will have once that is noted.
pub(super) fn table(connection: &Connection, name: &TableName) -> Result<Arc<Table>, Trouble> {
    let look = Look::take(connection, std::slice::from_ref(name))?;
    Ok(look.table(&look.shapes[name]))
}

/// A table as it is followed, if every change of it is recorded.
pub(super) fn recorded(
    connection: &Connection,
    name: &TableName,
) -> Result<Option<Arc<Table>>, Trouble> {
    let look = Look::take(connection, std::slice::from_ref(name))?;
    Ok(look.plan().lacks_nothing().then(|| look.table(&look.shapes[name])))
}

/// SQLite's number of the schema; it changes with the schema.
pub(super) fn schema_number(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("pragma main.schema_version")?.query_row([], |row| row.get(0))
}

/// What there is in the file.
struct Look {
    schema: i64,
    books: Option<Books>,
    shapes: BTreeMap<TableName, Shape>,
    triggers: BTreeSet<Trigger>,
    /// Triggers that stand where they may not run, by name.
    outrun: Vec<String>,
    /// Whether the last change stands in its table, so that the history has an end to go on from.
    has_end: bool,
    /// Whether somebody made the changes count anew, so that they are below those that are noted as
    /// complete.
    counts_anew: bool,
}

impl Look {
    fn take(connection: &Connection, names: &[TableName]) -> Result<Self, Trouble> {
        let schema = schema_number(connection)?;
        let books = books::read(connection)?;
        if let Some(Books { version, .. }) = &books
            && *version != books::VERSION
        {
            let what = "the triggers in the file were made by a newer Instep: run that one, or \
                        detach the source with it";
            return Err(Fault::stop(Code::SourceUnavailable, what).into());
        }
        let shape = |name: &TableName| Ok((name.clone(), Shape::read(connection, name)?));
        let shapes = names.iter().map(shape).collect::<Result<_, Trouble>>()?;
        let mut triggers = books::triggers(connection)?;
        let mut outrun = Vec::new();
        for table in names {
            if books::is_outrun(connection, table)? {
                let name = trigger::insert_name(table);
                outrun.extend(triggers.extract_if(.., |it| it.name == name).map(|it| it.name));
            }
        }
        let (has_end, counts_anew) = match &books {
            Some(books) => {
                let counts_anew = history::last(connection)? < books.complete_from;
                (history::end(connection)?.is_some(), counts_anew)
            }
            None => (false, false),
        };
        Ok(Self { schema, books, shapes, triggers, outrun, has_end, counts_anew })
    }

    fn noted(&self, name: &TableName) -> Option<&Noted> {
        self.books.as_ref()?.tables.get(name)
    }

    /// The table in its version.
    fn table(&self, shape: &Shape) -> Arc<Table> {
        let version = self.new_note(shape).map(|noted| noted.version);
        let version = version.or_else(|| self.noted(&shape.table.name).map(|it| it.version));
        Arc::new(Table { version: version.unwrap_or(1), ..Table::clone(&shape.table) })
    }

    /// What is to be noted of a table, if it looks otherwise than noted.
    fn new_note(&self, shape: &Shape) -> Option<Noted> {
        let words = shape.words();
        match self.noted(&shape.table.name) {
            Some(noted) if noted.words == words => None,
            Some(noted) => Some(Noted { version: noted.version + 1, words }),
            None => Some(Noted { version: 1, words }),
        }
    }

    /// What is to be done.
    fn plan(&self) -> Plan {
        let mut plan = Plan { creates: self.books.is_none(), ..Plan::default() };
        let mut needed = BTreeSet::new();
        for shape in self.shapes.values() {
            let triggers = trigger::triggers(shape);
            let missing = triggers.iter().filter(|trigger| !self.triggers.contains(trigger));
            let missing: Vec<_> = missing.cloned().collect();
            // A table that was never followed has missed nothing that anybody waits for.
            plan.is_gap |= !missing.is_empty() && self.noted(&shape.table.name).is_some();
            plan.make.extend(missing);
            needed.extend(triggers);
            let new_note = self.new_note(shape).map(|noted| (shape.table.name.clone(), noted));
            plan.note.extend(new_note);
        }
        let superfluous = self.triggers.difference(&needed).map(|it| &it.name);
        plan.drop = superfluous.chain(&self.outrun).cloned().collect();
        plan.is_gap |= plan.creates || self.counts_anew;
        plan.marks = plan.is_gap || !self.has_end;
        plan
    }
}

/// What is to be done so that every change is recorded.
#[derive(Debug, Default)]
struct Plan {
    creates: bool,
    drop: Vec<String>,
    make: Vec<Trigger>,
    note: Vec<(TableName, Noted)>,
    marks: bool,
    /// Whether changes may have gone unrecorded before.
    is_gap: bool,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.lacks_nothing() && self.drop.is_empty()
    }

    fn lacks_nothing(&self) -> bool {
        !self.creates && !self.marks && self.note.is_empty() && self.make.is_empty()
    }

    fn carry_out(&self, connection: &Connection, look: &Look) -> rusqlite::Result<()> {
        if self.creates {
            books::create(connection)?;
        }
        let key_columns = look.shapes.values().map(|shape| shape.table.key.len()).max();
        books::widen(connection, key_columns.unwrap_or(1))?;
        for name in &self.drop {
            connection.execute_batch(&books::drop_trigger(name))?;
        }
        for Trigger { sql, .. } in &self.make {
            connection.execute_batch(sql)?;
        }
        for (table, noted) in &self.note {
            books::note(connection, table, noted)?;
        }
        if self.marks {
            books::mark(connection)?;
        }
        if self.is_gap {
            books::complete_from_now(connection)?;
        }
        Ok(())
    }
}
