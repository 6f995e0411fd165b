//! Task: reads from the source what others want placed in the lane, one errand after the other.
//!
//! Each reading is one short statement and one snapshot. A ticket is drawn before the source is
//! asked, so that capture knows what the snapshot may have missed. Must not know: when an answer
//! may be placed.

use crate::ask::{Answer, Ask, Errand, PassWish, Reading, SentBack, Wanted};
use crate::board::{Phase, Reporter};
use crate::desk::Desk;
use crate::limits::Limits;
use crate::task::{Stop, Task, answer};
use async_trait::async_trait;
use model::{
    At, Code, CopyName, Fault, Inspect, Key, Lane, Offset, Purpose, Row, Rows, Selection, Service,
    Stretch, Table, TableName, TargetName,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Reads one source shard.
pub(crate) struct Survey {
    pub(crate) lane: Lane,
    pub(crate) source: Arc<dyn Service<dyn Inspect>>,
    pub(crate) desk: Desk,
    pub(crate) limits: Limits,
    pub(crate) reporter: Reporter,
    /// The tables that anybody may want.
    pub(crate) tables: BTreeSet<TableName>,
}

#[async_trait]
impl Task for Survey {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let connect = answer(self.limits.answer, Code::SourceUnavailable, self.source.connect());
        let Some(source) = stop.or(connect).await.transpose()? else { return Ok(()) };
        let mut source =
            Connection { source, limits: self.limits.clone(), desk: self.desk.clone() };
        self.reporter.phase(Phase::Following);
        while let Some(errand) = stop.or(self.desk.errand(&self.limits)).await {
            let Some(done) = stop.or(self.run_errand(&mut source, &errand)).await else { break };
            match done {
                Ok(()) => self.reporter.step(),
                // P9: one copy that can not be read, or has no table, holds up no other.
                Err(fault)
                    if matches!(fault.code, Code::TableMissing | Code::TargetUnavailable) =>
                {
                    self.desk.failed(errand, self.limits.retry_pause_max);
                    self.reporter.retrying(&fault);
                }
                Err(fault) => {
                    self.desk.failed(errand, Duration::ZERO);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }
}

impl Survey {
    async fn run_errand(&self, source: &mut Connection, errand: &Errand) -> Result<(), Fault> {
        let answer = match errand {
            Errand::Look => match source.any_table(&self.tables).await? {
                Some(table) => Answer::Look(source.read(&table, &Selection::Nothing, 0).await?.0),
                None => return Ok(()),
            },
            Errand::SentBack(SentBack { number, table, keys }) => {
                let selection = Selection::Keys(keys.iter().cloned().collect());
                let (reading, upto) = source.read(table, &selection, keys.len()).await?;
                // What an answer does not speak for is found missing again, and sent back again.
                let keys = keys.iter().filter(|key| is_within(key, upto.as_ref())).cloned();
                Answer::Again(*number, keys.collect(), reading)
            }
            Errand::Keys { target, table, keys, behind } => {
                let table = source.table(table).await?;
                let selection = Selection::Keys(keys.iter().cloned().collect());
                let (reading, upto) = source.read(&table, &selection, keys.len()).await?;
                let (keys, left): (BTreeSet<_>, BTreeSet<_>) =
                    keys.iter().cloned().partition(|key| is_within(key, upto.as_ref()));
                self.desk.ask_again(target, &table.name, &left);
                let (target, wanted) = (target.clone(), Wanted::Keys(keys));
                let (purpose, behind) = (Purpose::Reread, behind.clone());
                Answer::First(Box::new(Ask { target, purpose, table, wanted, behind }), reading)
            }
            Errand::Stretch { target, copy, wish, behind } => {
                return self.read_stretch(source, (target, copy), wish, behind.clone()).await;
            }
        };
        self.desk.answer(answer);
        Ok(())
    }

    /// Reads the next stretch of a pass: the source's rows, and what the copy has there now.
    async fn read_stretch(
        &self,
        source: &mut Connection,
        (target, copy): (&TargetName, &CopyName),
        wish: &PassWish,
        behind: Option<Offset>,
    ) -> Result<(), Fault> {
        let table = source.table(&wish.table).await?;
        self.desk.saw(&table);
        let after = wish.upto.clone();
        if !self.reporter.counts_rows((target, copy), &wish.began) {
            let estimated = source.estimate(&table).await;
            self.reporter.count_rows((target, copy), &wish.began, after.as_ref(), estimated);
        }
        let selection = Selection::Range { after: after.clone(), upto: None };
        let (mut reading, mut upto) =
            source.read(&table, &selection, self.limits.ask_rows_max).await?;
        let source_is_empty = after.is_none() && upto.is_none() && reading.rows.is_empty();
        let mut there = BTreeMap::new();
        if let Some(inspect) = &wish.inspect {
            let selection = Selection::Range { after: after.clone(), upto: upto.clone() };
            match self.rows_there(inspect.as_ref(), &table, &selection, wish).await {
                Ok((rows, their_upto)) => {
                    there = rows;
                    upto = their_upto.or(upto);
                }
                Err(fault) => {
                    self.desk.void(reading.ticket);
                    let what = format!("{target}, {copy}: {}", fault.what);
                    return Err(Fault::retry(Code::TargetUnavailable, what));
                }
            }
        }
        // The stretch ends where the first of them ends: source, copy, or memory.
        let cut = cut(&reading.rows, self.limits.ask_bytes_max);
        upto = cut.into_iter().chain(upto).min();
        if let Some(upto) = &upto {
            reading.rows.retain(|key, _| key <= upto);
            there.retain(|key, _| key <= upto);
        }
        let rows = reading.rows.len() as u64;
        self.reporter.read_rows((target, copy), after.as_ref(), upto.clone(), rows);
        let (copy, began) = (copy.clone(), wish.began.clone());
        let stretch = Stretch { copy, began, after, upto, source_is_empty };
        let wanted = Wanted::Stretch(stretch, there);
        let (target, purpose) = (target.clone(), wish.purpose);
        self.desk.answer(Answer::First(
            Box::new(Ask { target, purpose, table, wanted, behind }),
            reading,
        ));
        Ok(())
    }

    /// What the copy has in the stretch, and up to where if not all of it was read. While a pass is
    /// under way nobody writes there but the pass itself.
    async fn rows_there(
        &self,
        inspect: &dyn Service<dyn Inspect>,
        table: &Arc<Table>,
        selection: &Selection,
        wish: &PassWish,
    ) -> Result<(BTreeMap<Key, Row>, Option<Key>), Fault> {
        let (within, code) = (self.limits.answer, Code::TargetUnavailable);
        let mut target = answer(within, code, inspect.connect()).await?;
        let rows = target.rows(table, selection, self.limits.ask_rows_max);
        let found = answer(within, code, rows).await?;
        let At::Target(watermarks) = &found.at else {
            return Err(Fault::stop(Code::Broken, "a target answered as a source does"));
        };
        if watermarks.get(&self.lane) < Some(&wish.began) {
            return Err(Fault::retry(code, "the copy stands before the beginning of its pass"));
        }
        let Rows { rows, upto } = found.found;
        Ok((rows.into_iter().map(|(key, row, _)| (key, row)).collect(), upto))
    }
}

/// Whether an answer that reaches up to this key speaks for another.
fn is_within(key: &Key, upto: Option<&Key>) -> bool {
    upto.is_none_or(|upto| key <= upto)
}

/// The key behind which rows take more memory than one reading may; nothing if all of them fit. The
/// first row always fits.
fn cut(rows: &BTreeMap<Key, Row>, bytes_max: usize) -> Option<Key> {
    let mut bytes = 0;
    let mut last: Option<&Key> = None;
    for (key, row) in rows {
        bytes += key.bytes() + row.bytes();
        if bytes > bytes_max && last.is_some() {
            return last.cloned();
        }
        last = Some(key);
    }
    None
}

/// A connection to the source that draws tickets.
struct Connection {
    source: Box<dyn Inspect>,
    limits: Limits,
    desk: Desk,
}

impl Connection {
    async fn table(&mut self, name: &TableName) -> Result<Arc<Table>, Fault> {
        let table = self.source.table(name);
        let table = answer(self.limits.answer, Code::SourceUnavailable, table).await?;
        table.ok_or_else(|| Fault::retry(Code::TableMissing, format!("there is no table {name}")))
    }

    /// About how many rows the table has. Whoever cannot say it fails at what comes next, or need
    /// not say it.
    async fn estimate(&mut self, table: &Arc<Table>) -> Option<u64> {
        let estimate = self.source.estimate(table);
        answer(self.limits.answer, Code::SourceUnavailable, estimate).await.ok().flatten()
    }

    async fn any_table(
        &mut self,
        names: &BTreeSet<TableName>,
    ) -> Result<Option<Arc<Table>>, Fault> {
        for name in names {
            let table = self.source.table(name);
            let table = answer(self.limits.answer, Code::SourceUnavailable, table).await?;
            if table.is_some() {
                return Ok(table);
            }
        }
        Ok(None)
    }

    /// Reads rows, and says up to which key if those were not all.
    async fn read(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<(Reading, Option<Key>), Fault> {
        let ticket = self.desk.ticket();
        let rows = self.source.rows(table, selection, rows_max);
        let found = match answer(self.limits.answer, Code::SourceUnavailable, rows).await {
            Ok(found) => found,
            Err(fault) => {
                self.desk.void(ticket);
                return Err(fault);
            }
        };
        let At::Source(placement) = found.at else {
            self.desk.void(ticket);
            return Err(Fault::stop(Code::Broken, "a source answered as a target does"));
        };
        let Rows { rows, upto } = found.found;
        let rows = rows.into_iter().map(|(key, row, _)| (key, row)).collect();
        Ok((Reading { ticket, placement, rows }, upto))
    }
}
