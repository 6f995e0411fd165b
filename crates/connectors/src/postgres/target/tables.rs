//! The tables of the copies in their database: looked at once, and again when they have changed.

use super::columns::{self, Lack};
use super::create;
use super::layout::Layout;
use super::shape::{self, Shape};
use super::trouble::Failure;
use super::trouble::{of_rows, of_server, place};
use crate::copy::{CopyTo, Fit};
use crate::postgres::access::Access;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Types;
use model::{Batch, Code, CopyName, Fault, Lane, Table, TableName, Write};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How old what is known of the tables may be. Whoever adds a column is noticed then; what was
/// written without it meanwhile is compared with its source again.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// What is known of the tables.
#[derive(Debug)]
pub(super) struct Tables {
    access: Arc<Access>,
    copies: BTreeMap<CopyName, CopyTo>,
    types: Types,
    known: BTreeMap<CopyName, Known>,
    looked_at: Option<Instant>,
    /// Those of which it is noted that the rows of a lane are written with them.
    noted: BTreeSet<(Lane, CopyName)>,
    /// Copies whose rows were written to another table, or without some columns.
    lacking: BTreeSet<CopyName>,
    /// Whether a table was made, or something noted.
    touched: bool,
}

#[derive(Debug)]
struct Known {
    stamp: Option<String>,
    layout: Arc<Layout>,
}

impl Tables {
    /// The tables of these copies.
    pub(super) async fn open(
        session: &Session,
        access: &Arc<Access>,
        copies: &[CopyTo],
    ) -> Result<Self, Fault> {
        let copies = copies.iter().map(|copy| (copy.name.clone(), copy.clone())).collect();
        let types = types(session).await.map_err(|trouble| of_server(access, trouble))?;
        let access = Arc::clone(access);
        let (known, noted) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self {
            access,
            copies,
            types,
            known,
            looked_at: None,
            noted,
            lacking: BTreeSet::new(),
            touched: false,
        })
    }

    /// The copies that have to be compared with their source before more is written to them.
    pub(super) fn take_lacking(&mut self) -> BTreeSet<CopyName> {
        std::mem::take(&mut self.lacking)
    }

    /// Whether a table was made, or something noted, since this was asked.
    pub(super) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }

    /// Forgets what a transaction that is taken back may have made.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.noted.clear();
    }

    /// Checks that every table is there which is not to be made.
    pub(super) async fn check(&self, session: &Session) -> Result<(), Fault> {
        for copy in self.copies.values().filter(|copy| !copy.create) {
            if self.stamp(session, copy).await?.is_none() {
                return Err(missing(&self.access, copy));
            }
        }
        Ok(())
    }

    /// The copies whose rows refer to those of others.
    pub(super) async fn refers(
        &self,
        session: &Session,
    ) -> Result<BTreeMap<CopyName, BTreeSet<CopyName>>, Fault> {
        let rows = session.query(shape::REFERS).await;
        let rows = rows.map_err(|trouble| of_server(&self.access, trouble))?;
        let is_of = |copy: &CopyTo, name: &Option<String>| name.as_deref() == Some(&*copy.table);
        let mut refers: BTreeMap<CopyName, BTreeSet<CopyName>> = BTreeMap::new();
        for row in &rows {
            let [from, to] = &row[..] else { continue };
            for copy in self.copies.values().filter(|copy| is_of(copy, from)) {
                let others = self.copies.values().filter(|other| is_of(other, to));
                let others = others.filter(|other| other.name != copy.name);
                let others = others.map(|other| other.name.clone());
                refers.entry(copy.name.clone()).or_default().extend(others);
            }
        }
        refers.retain(|_, others| !others.is_empty());
        Ok(refers)
    }

    /// Looks, now and then, whether the tables are still those that were seen; refuses to go on where
    /// there is another one of the same name.
    pub(super) async fn look_again(&mut self, session: &Session) -> Result<(), Fault> {
        let now = Instant::now();
        if self.looked_at.is_some_and(|at| now < at + LOOK_PAUSE) {
            return Ok(());
        }
        let mut others = Vec::new();
        for copy in self.known.keys().cloned().collect::<Vec<_>>() {
            let stamp = self.stamp(session, &self.copies[&copy]).await?;
            if self.known[&copy].stamp == stamp {
                continue;
            }
            let known = self.known.remove(&copy);
            self.noted.retain(|(_, noted)| *noted != copy);
            if let Some((known, stamp)) = known.zip(stamp)
                && shape::relation(&stamp) != Some(known.layout.relation)
            {
                others.push(self.another(&copy, &known.layout));
                self.lacking.insert(copy);
            }
        }
        self.looked_at = Some(now);
        others.into_iter().next().map_or(Ok(()), Err)
    }

    fn another(&self, copy: &CopyName, layout: &Layout) -> Fault {
        let (place, name) = (place(&self.access), &layout.shown);
        let what = format!("{place}: copy {copy} was written to another {name} than this one");
        Fault::retry(Code::CopyTableNew, what)
    }

    async fn stamp(&self, session: &Session, copy: &CopyTo) -> Result<Option<String>, Fault> {
        let rows = session.query(&shape::stamp(&name_of(copy))).await;
        let rows = rows.map_err(|trouble| of_server(&self.access, trouble))?;
        Ok(rows.into_iter().flatten().next().flatten())
    }

    /// The layout of each write of a batch, in their order, if nothing has to be asked or noted.
    pub(super) fn known(&self, batch: &Batch) -> Option<Vec<Arc<Layout>>> {
        let known = |write: &Write| {
            let is_noted =
                |(lane, copy): &(Lane, CopyName)| *lane == batch.lane && *copy == write.copy;
            let layout = &self.known.get(&write.copy)?.layout;
            let is_same = Arc::ptr_eq(&layout.table, &write.table) || layout.table == write.table;
            (is_same && self.noted.iter().any(is_noted)).then(|| Arc::clone(layout))
        };
        batch.writes.iter().map(known).collect()
    }

    /// The layout of each write of a batch, in their order. Tables that are to be made are made.
    pub(super) async fn layouts(
        &mut self,
        session: &Session,
        batch: &Batch,
    ) -> Result<Vec<Arc<Layout>>, Fault> {
        let mut layouts: Vec<Arc<Layout>> = Vec::with_capacity(batch.writes.len());
        let mut last: Option<&CopyName> = None;
        for write in batch.writes.iter() {
            let layout = match layouts.last() {
                Some(layout)
                    if last == Some(&write.copy) && Arc::ptr_eq(&layout.table, &write.table) =>
                {
                    Arc::clone(layout)
                }
                _ => {
                    let layout = self.layout(session, &write.copy, &write.table).await?;
                    self.note(session, (&batch.lane, &write.copy), &layout).await?;
                    layout
                }
            };
            last = Some(&write.copy);
            layouts.push(layout);
        }
        Ok(layouts)
    }

    /// Notes to which table the rows of a lane are written and with which columns, and refuses to go on
    /// if those from before were not.
    async fn note(
        &mut self,
        session: &Session,
        (lane, copy): (&Lane, &CopyName),
        layout: &Layout,
    ) -> Result<(), Fault> {
        if self.noted.contains(&(lane.clone(), copy.clone())) {
            return Ok(());
        }
        self.touched = true;
        let lack = columns::note(session, lane, copy, layout).await;
        let fault = match lack.map_err(|trouble| of_server(&self.access, trouble))? {
            Lack::Nothing => {
                self.noted.insert((lane.clone(), copy.clone()));
                return Ok(());
            }
            Lack::Columns(names) => {
                let (place, names) = (place(&self.access), names.join(", "));
                let what =
                    format!("{place}: copy {copy} has more columns of its source now: {names}");
                Fault::retry(Code::CopyColumnAdded, what)
            }
            Lack::Table => self.another(copy, layout),
        };
        self.lacking.insert(copy.clone());
        Err(fault)
    }

    /// How rows of a source table lie in a copy's; its table is made if it is to be.
    pub(super) async fn layout(
        &mut self,
        session: &Session,
        copy: &CopyName,
        table: &Arc<Table>,
    ) -> Result<Arc<Layout>, Fault> {
        if let Some(known) = self.known.get(copy)
            && (Arc::ptr_eq(&known.layout.table, table) || known.layout.table == *table)
        {
            return Ok(Arc::clone(&known.layout));
        }
        let asked = self.asked(copy)?;
        let mut stamp = self.stamp(session, &asked).await?;
        if stamp.is_none() && asked.create {
            self.touched = true;
            self.make(session, &asked, table).await?;
            stamp = self.stamp(session, &asked).await?;
        }
        let layout = self.look(session, &asked, table).await?;
        let layout = Arc::new(layout.ok_or_else(|| missing(&self.access, &asked))?);
        let known = Known { stamp, layout: Arc::clone(&layout) };
        self.known.insert(copy.clone(), known);
        self.noted.retain(|(_, noted)| noted != copy);
        Ok(layout)
    }

    async fn make(
        &self,
        session: &Session,
        copy: &CopyTo,
        table: &Arc<Table>,
    ) -> Result<(), Fault> {
        let sql = create::statement(copy, table).map_err(|why| misfit(&self.access, copy, &why))?;
        session.query(&sql).await.map(drop).map_err(|trouble| {
            match of_rows(&self.access, trouble) {
                Failure::Fault(fault) => fault,
                // Another instance has made it at the same moment.
                Failure::Refused(refusal) => {
                    let what = format!("{}: {}", place(&self.access), refusal.reason);
                    Fault::retry(Code::TargetUnavailable, what)
                }
            }
        })
    }

    /// How rows fit into the table of a copy, which is not made here.
    pub(super) async fn fit(
        &mut self,
        session: &Session,
        copy: &CopyName,
        table: &Arc<Table>,
    ) -> Result<Fit, Fault> {
        let asked = self.asked(copy)?;
        let Some(layout) = self.look(session, &asked, table).await? else {
            if !asked.create {
                return Err(missing(&self.access, &asked));
            }
            create::statement(&asked, table).map_err(|why| misfit(&self.access, &asked, &why))?;
            let columns = table.columns.len();
            return Ok(Fit { is_there: false, columns, left_out: Vec::new(), refers: Vec::new() });
        };
        let is_held = |place: usize| layout.columns.iter().any(|held| held.place == place);
        let left_out = table.columns.iter().enumerate().filter(|(place, _)| !is_held(*place));
        let left_out = left_out.map(|(_, column)| column.name.to_string()).collect();
        let refers = layout.refers.iter().filter(|name| **name != layout.shown).cloned().collect();
        Ok(Fit { is_there: true, columns: layout.columns.len(), left_out, refers })
    }

    /// How rows of a source table lie in a copy's; none if the copy has no table.
    pub(super) async fn look(
        &mut self,
        session: &Session,
        copy: &CopyTo,
        table: &Arc<Table>,
    ) -> Result<Option<Layout>, Fault> {
        let judge = |trouble| of_server(&self.access, trouble);
        let Some(shape) = Shape::read(session, &name_of(copy)).await.map_err(judge)? else {
            return Ok(None);
        };
        if shape.columns().any(|(column, _)| self.types.get(column.kind).is_none()) {
            self.types = types(session).await.map_err(judge)?;
        }
        let layout = Layout::new(copy, table, &shape, &self.types);
        layout.map(Some).map_err(|why| misfit(&self.access, copy, &why))
    }

    fn asked(&self, copy: &CopyName) -> Result<CopyTo, Fault> {
        let asked = self.copies.get(copy).cloned();
        asked.ok_or_else(|| {
            let what = format!("{}: no copy is named {copy}", place(&self.access));
            Fault::stop(Code::Broken, what)
        })
    }
}

/// The name of a copy's table.
pub(super) fn name_of(copy: &CopyTo) -> TableName {
    (&*copy.table).into()
}

/// The types of a database.
async fn types(session: &Session) -> Result<Types, Trouble> {
    let rows = session.query(Types::QUERY).await?;
    let odd = || Trouble::malformed("the server lists its types in a way that is not known");
    Types::read(&rows).ok_or_else(odd)
}

fn misfit(access: &Access, copy: &CopyTo, why: &str) -> Fault {
    let place = place(access);
    let what = format!("{place}: table {} for copy {}: {why}", copy.table, copy.name);
    Fault::stop(Code::CopyColumns, what)
}

/// The fault of a copy without a table.
pub(super) fn missing(access: &Access, copy: &CopyTo) -> Fault {
    let what = format!(
        "{}: there is no table {} for copy {}; make it, or set `create: true`",
        place(access),
        copy.table,
        copy.name
    );
    Fault::retry(Code::CopyTableMissing, what)
}
