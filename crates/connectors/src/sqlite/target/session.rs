//! A connection to the file of a target, with the target transaction that may be open on it.
//!
//! Lives on a thread of its own. A fault, a refusal or the end of the connection takes the open
//! transaction back; only the last batch of it commits.

use super::books;
use super::careful::{self, Care, Each};
use super::columns;
use super::handle::Handle;
use super::lease;
use super::open::Opened;
use super::tables::Tables;
use super::trouble::{Refused, Trouble, of_file};
use super::write::Writing;
use crate::copy::CopyTo;
use crate::parked::Parked;
use model::{
    Batch, Code, CopyName, Fault, Lane, Leadership, Mode, Outcome, Refusal, Standing, Tenure,
    Watermark,
};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A connection, and what is open on it.
#[derive(Debug)]
pub(super) struct Session {
    handle: Handle,
    tables: Tables,
    open: Option<Open>,
    /// A later connection has ended the transaction that was open on this one.
    is_over: bool,
}

/// The target transaction that goes on with the next batch.
#[derive(Debug)]
struct Open {
    lane: Lane,
    /// The highest epoch ever given out for the lane.
    epoch: u64,
    has_holds: bool,
    parked: Parked,
    /// Leases that were taken meanwhile, which stand even if the transaction does not.
    leases: Vec<(Lane, Tenure)>,
}

impl Session {
    /// A session over an opened file, for these copies.
    pub(super) fn new(opened: Opened, path: PathBuf, copies: Vec<CopyTo>) -> Self {
        let (handle, tables) = (Handle::new(opened, path), Tables::new(copies));
        Self { handle, tables, open: None, is_over: false }
    }

    /// Checks that every table is there which is not to be made.
    pub(super) fn check_tables(&self) -> Result<(), Fault> {
        self.tables.check(&self.handle.connection, &self.handle.path)
    }

    /// Makes the table of a copy, if it is not there.
    pub(super) fn make_table(
        &mut self,
        copy: &CopyName,
        table: &std::sync::Arc<model::Table>,
    ) -> Result<(), Fault> {
        self.handle.begin(true)?;
        let made =
            self.tables.layout(&self.handle.connection, &self.handle.path, copy, table).map(drop);
        self.handle.end(made)
    }

    /// Looks whether a lease may be taken; a transaction that another connection left open does not
    /// hinder it.
    pub(super) fn look(&self, lane: &Lane, tenure: &Tenure) -> Result<lease::Asked, Fault> {
        self.handle.check()?;
        lease::look(&self.handle.connection, lane, tenure)
            .map_err(|error| books::judge_note(&self.handle.path, error))
    }

    /// Takes or renews a lease. With a transaction open it is part of it, since the file has one
    /// writer; whoever would lead instead has to wait as well. Taken back, it is taken again.
    pub(super) fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault> {
        if let Some(open) = &mut self.open {
            let led = lease::take(&self.handle.connection, lane, tenure)
                .map_err(|error| books::judge_note(&self.handle.path, error))?;
            if let Leadership::Held(epoch) = led {
                open.leases.retain(|(of, _)| of != lane);
                open.leases.push((lane.clone(), tenure.clone()));
                if open.lane == *lane {
                    open.epoch = epoch.0;
                }
            }
            return Ok(led);
        }
        // An epoch that was given out must not be forgotten; the rest of a lease may be.
        let is_new = matches!(self.look(lane, tenure)?, lease::Asked::Free { is_new: true, .. });
        self.handle.begin(is_new)?;
        let led = lease::take(&self.handle.connection, lane, tenure);
        let led = led.map_err(|error| books::judge_note(&self.handle.path, error));
        self.handle.end(led)
    }

    /// Where the lane stands. Whoever asks goes on from there, so what is open is taken back.
    pub(super) fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        self.take_back()?;
        self.handle.check()?;
        let mut standing = books::standing(&self.handle.connection, &self.handle.path, lane)?;
        let refers = self.tables.refers(&self.handle.connection);
        standing.refers = refers.map_err(|error| of_file(&self.handle.path, error))?;
        Ok(standing)
    }

    /// Another connection leads the lane from now on: what is open is taken back, and nothing more
    /// comes of it.
    pub(super) fn give_way(&mut self, lane: &Lane) -> Result<(), Fault> {
        if self.open.as_ref().is_some_and(|open| open.lane == *lane) {
            self.is_over = true;
            self.take_back()?;
        }
        Ok(())
    }

    /// Writes a batch.
    pub(super) fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let outcome = match mode {
            Mode::Together => self.together(batch),
            Mode::RowByRow => self.row_by_row(batch),
        };
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(trouble) => {
                let taken_back = self.take_back();
                if let Some(copy) = self.tables.take_gained() {
                    self.compare_again(batch, &copy)?;
                }
                match trouble {
                    Trouble::Fault(fault) => Err(fault),
                    Trouble::Refused(Refused { reason, .. }) => {
                        taken_back.map(|()| Outcome::Refused(reason))
                    }
                }
            }
        }
    }

    /// Notes that a copy is to be compared with its source before more is written to it.
    fn compare_again(&mut self, batch: &Batch, copy: &CopyName) -> Result<(), Fault> {
        self.begin(batch)?;
        let noted = columns::compare_again(&self.handle.connection, &batch.lane, copy);
        noted.map_err(|error| of_file(&self.handle.path, error))?;
        self.commit()?.map(drop).map_err(|refused| {
            Fault::stop(Code::Broken, format!("a note was refused: {}", refused.reason))
        })
    }

    fn together(&mut self, batch: &Batch) -> Result<Outcome, Trouble> {
        self.begin(batch)?;
        let layouts = self.tables.layouts(&self.handle.connection, &self.handle.path, batch)?;
        let open = self.open.as_mut().expect("BUG: it was begun");
        let (parked, has_holds) = (std::mem::take(&mut open.parked), open.has_holds);
        let Handle { connection, path, .. } = &self.handle;
        let mut writing = Writing::new(connection, path, &batch.lane, has_holds, parked);
        end_discarded(connection, batch).map_err(|error| of_file(path, error))?;
        for (number, (write, layout)) in batch.writes.iter().zip(&layouts).enumerate() {
            writing.write(layout, write, number)?;
        }
        let (parked, has_holds) = writing.finish();
        if batch.last
            && let Some(row) = parked.rows().next()
        {
            return Err(Trouble::refused(&row.reason));
        }
        self.note(batch, parked, has_holds)?;
        let durable = batch.last && self.commit()?.map_err(Trouble::Refused)?;
        Ok(Outcome::Written { flushed: flushed(batch, durable), refused: Vec::new() })
    }

    /// Row by row, as often as it takes until the rows that spoil the transaction are known.
    fn row_by_row(&mut self, batch: &Batch) -> Result<Outcome, Trouble> {
        let is_first = self.open.is_none();
        let mut spoiling = BTreeMap::new();
        loop {
            self.begin(batch)?;
            let discarded = end_discarded(&self.handle.connection, batch);
            discarded.map_err(|error| of_file(&self.handle.path, error))?;
            match self.each(batch, &spoiling, false)? {
                Each::Gone(number, reason) if is_first && !spoiling.contains_key(&number) => {
                    self.take_back()?;
                    spoiling.insert(number, reason);
                }
                Each::Gone(_, reason) => return Err(Trouble::refused(&reason)),
                Each::Written(refused) => return self.end_each(batch, refused, &spoiling),
            }
        }
    }

    /// Commits what was written row by row. If rows refer to others that are not there, the batch is
    /// written again with each row checked by itself.
    fn end_each(
        &mut self,
        batch: &Batch,
        mut refused: BTreeMap<usize, String>,
        spoiling: &BTreeMap<usize, String>,
    ) -> Result<Outcome, Trouble> {
        let mut durable = false;
        let left = self.open.as_ref().and_then(|open| open.parked.rows().next());
        if let Some(row) = left.filter(|_| batch.last) {
            return Err(Trouble::refused(&row.reason));
        }
        if batch.last {
            durable = match self.commit()? {
                Ok(durable) => durable,
                Err(_) => {
                    self.handle.run(careful::TAKE_BACK)?;
                    refused = match self.each(batch, spoiling, true)? {
                        Each::Written(refused) => refused,
                        Each::Gone(_, reason) => return Err(Trouble::refused(&reason)),
                    };
                    self.commit()?.map_err(Trouble::Refused)?
                }
            };
        } else {
            self.handle.run("release instep_batch")?;
        }
        let refused = refused.into_iter().map(|(write, reason)| Refusal { write, reason });
        Ok(Outcome::Written { flushed: flushed(batch, durable), refused: refused.collect() })
    }

    /// The rows of a batch one by one, and the notes that belong to them.
    fn each(
        &mut self,
        batch: &Batch,
        spoiling: &BTreeMap<usize, String>,
        checks_each: bool,
    ) -> Result<Each, Trouble> {
        let layouts = self.tables.layouts(&self.handle.connection, &self.handle.path, batch)?;
        if checks_each {
            self.handle.run("pragma defer_foreign_keys = off")?;
        } else {
            self.handle.run(careful::BEGIN)?;
        }
        let open = self.open.as_mut().expect("BUG: it was begun");
        let (parked, has_holds) = (std::mem::take(&mut open.parked), open.has_holds);
        let Handle { connection, path, .. } = &self.handle;
        let mut writing = Writing::new(connection, path, &batch.lane, has_holds, parked);
        let care = Care { refused: spoiling.clone(), checks_each };
        let each = careful::write(&mut writing, batch, &layouts, care)?;
        let (parked, has_holds) = writing.finish();
        if let Each::Written(refused) = &each {
            check_held(batch, refused)?;
            self.note(batch, parked, has_holds)?;
        }
        Ok(each)
    }

    /// Notes what belongs to the rows of a batch: holds, passes and the watermark.
    fn note(&mut self, batch: &Batch, parked: Parked, has_holds: bool) -> Result<(), Fault> {
        let connection = &self.handle.connection;
        let note = || -> rusqlite::Result<()> {
            batch.holds.iter().try_for_each(|hold| books::hold(connection, &batch.lane, hold))?;
            books::pass(connection, batch)?;
            if batch.last { books::advance(connection, batch) } else { Ok(()) }
        };
        note().map_err(|error| of_file(&self.handle.path, error))?;
        let open = self.open.as_mut().expect("BUG: it was begun");
        open.has_holds = has_holds || !batch.holds.is_empty();
        open.parked = parked;
        Ok(())
    }

    /// Begins the target transaction of a batch, unless it is open.
    fn begin(&mut self, batch: &Batch) -> Result<(), Fault> {
        if self.is_over {
            let what = "another connection has taken the lane over";
            return Err(Fault::retry(Code::Superseded, what));
        }
        if let Some(open) = &self.open {
            return check_goes_on(open, batch);
        }
        self.handle.check()?;
        // A batch without rows asks for durability; without a log every commit has it.
        self.handle.begin(batch.writes.is_empty() || !self.handle.has_log)?;
        const ASK: &str = "
            select (select schema_version from pragma_schema_version),
                coalesce((select epoch from instep_leases where lane = ?1), 0),
                exists (select 1 from instep_holds where lane = ?1)";
        let asked = self.handle.connection.prepare_cached(ASK).and_then(|mut statement| {
            statement.query_row([batch.lane.as_str()], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?))
            })
        });
        let (schema, epoch, has_holds) =
            asked.map_err(|error| books::judge_note(&self.handle.path, error))?;
        let lane = batch.lane.clone();
        let (parked, leases) = (Parked::default(), Vec::new());
        self.open = Some(Open { lane, epoch, has_holds, parked, leases });
        check_epoch(epoch, batch)?;
        self.tables
            .look_again(&self.handle.connection, schema)
            .map_err(|e| of_file(&self.handle.path, e))?;
        if self.tables.have_foreign_keys() {
            // The source's transaction is whole only at its end. This ends with the transaction.
            self.handle.run("pragma defer_foreign_keys = on")?;
        }
        Ok(())
    }

    /// Commits; whether it is on the disk, or why it can not be.
    fn commit(&mut self) -> Result<Result<bool, Refused>, Fault> {
        let committed = self.handle.commit()?;
        if committed.is_ok() {
            self.open = None;
        }
        Ok(committed)
    }

    /// Takes back what is open; leases that were taken in it are taken again.
    fn take_back(&mut self) -> Result<(), Fault> {
        self.handle.take_back()?;
        self.tables.forget();
        let leases = self.open.take().map(|open| open.leases).unwrap_or_default();
        leases.iter().try_for_each(|(lane, tenure)| self.lead(lane, tenure).map(drop))
    }
}

fn check_goes_on(open: &Open, batch: &Batch) -> Result<(), Fault> {
    if open.lane != batch.lane {
        let what = format!("a transaction of {} is open, not of {}", open.lane, batch.lane);
        return Err(Fault::stop(Code::Broken, what));
    }
    check_epoch(open.epoch, batch)
}

fn flushed(batch: &Batch, durable: bool) -> Option<Watermark> {
    durable.then(|| batch.watermark.clone())
}

fn check_epoch(highest: u64, batch: &Batch) -> Result<(), Fault> {
    if batch.epoch.0 >= highest {
        return Ok(());
    }
    let what = format!("epoch {} is over, {highest} leads", batch.epoch.0);
    Err(Fault::retry(Code::Superseded, what))
}

/// A truncate names no key that could be held, so one that is refused refuses everything.
fn check_held(batch: &Batch, refused: &BTreeMap<usize, String>) -> Result<(), Trouble> {
    let without_key =
        |(number, _): &(&usize, &String)| batch.writes[**number].effect.keys().next().is_none();
    match refused.iter().find(without_key) {
        Some((_, reason)) => Err(Trouble::refused(reason)),
        None => Ok(()),
    }
}

fn end_discarded(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    let mut discards = batch.discards.iter();
    discards.try_for_each(|(copy, key)| books::end_hold(connection, &batch.lane, copy, key))
}
