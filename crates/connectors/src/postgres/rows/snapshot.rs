//! One transaction that reads, and where it stands.
//!
//! The lock comes before the snapshot: what rewrites a table leaves it empty for a snapshot that is
//! older, and no change in the stream tells of it. It is the weakest there is, and held only while the
//! rows come. The log's end is asked for after the snapshot was taken, so that every commit that the
//! snapshot sees stands before it.

use super::failure::Failure;
use super::open::Open;
use super::reading::Reading;
use super::{select, stamp};
use crate::postgres::lsn::Lsn;
use crate::postgres::quote;
use crate::postgres::session::Cells;
use crate::postgres::trouble::Trouble;
use model::{Code, Fault, Key, Placement, Position, Row, Sees, Selection, Table, TableName};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One transaction that reads a table.
pub(super) struct Snapshot {
    open: Open,
    reading: Reading,
    placement: Placement,
}

/// How much of a selection was read.
#[derive(Debug)]
pub(super) enum Part {
    /// All up to this key, or simply all.
    Read(Option<Key>),
    /// All up to this key, where the reader wanted no more. Rows are still on their way, so that the
    /// connection cannot be used again.
    Cut(Key),
}

/// What the server may take for one statement, for a lock, and wait for us in between: seconds.
const SETTINGS: &str = "set local statement_timeout = '30s'; set local lock_timeout = '5s';
    set local idle_in_transaction_session_timeout = '30s'; set local row_security = off;";

/// Keys that are asked for in one statement.
const KEYS_MAX: usize = 500;

impl Snapshot {
    /// Begins, if the table still is what it was when it was described. Where its changes are recorded
    /// in a schema, the answer stands behind the newest reading of these that is noted.
    pub(super) async fn begin(
        mut open: Open,
        table: &Arc<Table>,
        recorded_in: Option<&str>,
    ) -> Result<Self, Failure> {
        let place = open.place_of(&table.name);
        let (schema, name) = place.as_str().split_once('.').unwrap_or_default();
        let statements = format!(
            "begin transaction isolation level repeatable read, read only; {SETTINGS}
             lock table {}.{} in access share mode;
             select pg_current_snapshot(), case when pg_is_in_recovery() then null
                 else pg_current_wal_insert_lsn() end, ({})",
            quote::name(schema),
            quote::name(name),
            stamp::query(&place)
        );
        let begun = open.session.query(&statements).await;
        let rows = begun.map_err(|trouble| missing(&place, trouble))?;
        let (mut placement, stamp) = placed(&rows)?;
        if let Some(schema) = recorded_in {
            placement = recorded(&open, schema, placement).await?;
        }
        let described = open.describe_by(&place, stamp).await?.map_err(Fault::from)?;
        let is_kind = open.is_kind(&table.name);
        let reading = Reading::new(Arc::clone(table), described, is_kind)?;
        Ok(Self { open, reading, placement })
    }

    /// Which transactions the answer contains.
    pub(super) fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Gives so many of the selected rows in key order, as long as they are wanted.
    pub(super) async fn read(
        &mut self,
        selection: &Selection,
        rows_max: usize,
        each: &mut (dyn FnMut(Key, Row) -> bool + Send),
    ) -> Result<Part, Failure> {
        match selection {
            Selection::Nothing => Ok(Part::Read(None)),
            Selection::Range { after, upto } => {
                let ends = (after.as_ref(), upto.as_ref());
                let query = select::range(&self.reading, ends, rows_max).ok_or_else(foreign)?;
                let (mut count, mut last) = (0, None);
                let mut take = |key: Key, row| {
                    (count, last) = (count + 1, Some(key.clone()));
                    each(key, row)
                };
                let is_cut = self.copy(&query, &mut take).await?;
                Ok(match last {
                    Some(last) if is_cut => Part::Cut(last),
                    last => Part::Read(last.filter(|_| count == rows_max)),
                })
            }
            Selection::Keys(keys) => {
                let all: BTreeSet<&Key> = keys.iter().collect();
                let asked: Vec<&Key> = all.iter().copied().take(rows_max).collect();
                for some in asked.chunks(KEYS_MAX) {
                    if let Some(last) = self.read_keys(some, each).await? {
                        return Ok(Part::Cut(last));
                    }
                }
                let upto = asked.last().filter(|_| asked.len() < all.len());
                Ok(Part::Read(upto.map(|&key| key.clone())))
            }
        }
    }

    /// Reads rows by their keys; the last of them if no more are wanted.
    async fn read_keys(
        &mut self,
        keys: &[&Key],
        each: &mut (dyn FnMut(Key, Row) -> bool + Send),
    ) -> Result<Option<Key>, Failure> {
        let Some(query) = select::keys(&self.reading, keys) else { return Ok(None) };
        let mut last = None;
        let mut take = |key: Key, row| {
            // What is equal to the server need not be one key.
            if keys.binary_search(&&key).is_err() {
                return true;
            }
            last = Some(key.clone());
            each(key, row)
        };
        let is_cut = self.copy(&query, &mut take).await?;
        Ok(if is_cut { last } else { None })
    }

    /// Gives the rows of a query, which come in key order, as long as they are wanted. Whether they
    /// were not.
    async fn copy(
        &mut self,
        query: &str,
        each: &mut (dyn FnMut(Key, Row) -> bool + Send),
    ) -> Result<bool, Failure> {
        let mut rows = self.open.session.copy_out(query).await?;
        let mut last: Option<Key> = None;
        while let Some(cells) = rows.next().await? {
            let (key, row) = self.reading.row(&cells)?;
            if last.as_ref().is_some_and(|last| *last >= key) {
                let what =
                    format!("the server sorts the keys of {} in another way", self.reading.name());
                return Err(Fault::stop(Code::Broken, what).into());
            }
            last = Some(key.clone());
            if !each(key, row) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends, and gives the connection back.
    pub(super) async fn end(self) -> Result<Open, Failure> {
        self.open.session.query("commit").await?;
        Ok(self.open)
    }
}

impl Part {
    /// What is left to read of this selection; nothing if all of it was read.
    pub(super) fn rest_of(self, selection: Selection) -> Option<Selection> {
        let (Part::Read(Some(read)) | Part::Cut(read)) = self else { return None };
        match selection {
            Selection::Range { upto, .. } => Some(Selection::Range { after: Some(read), upto }),
            Selection::Keys(mut keys) => {
                keys.retain(|key| *key > read);
                Some(Selection::Keys(keys))
            }
            Selection::Nothing => None,
        }
    }
}

fn missing(table: &TableName, trouble: Trouble) -> Failure {
    let state = trouble.refused().map(|refused| refused.sqlstate.as_str());
    match state {
        // The table, or its schema.
        Some("42P01" | "3F000") => {
            Fault::retry(Code::TableMissing, format!("there is no table {table}")).into()
        }
        _ => trouble.into(),
    }
}

/// Where an answer stands among the readings of recorded changes. A reading stands at a place that
/// was there before its snapshot was taken, so only one behind the log's end has all that was seen.
async fn recorded(open: &Open, schema: &str, placed: Placement) -> Result<Placement, Failure> {
    let ask = format!("select max(place) from {}.readings", quote::name(schema));
    let asked = open.session.query(&ask).await;
    let is_missing = |it: &Trouble| it.refused().is_some_and(|it| it.sqlstate == "42P01");
    let unrecorded = || {
        let what = "the changes of the tables are not recorded yet, or not any more";
        Failure::from(Fault::retry(Code::SourceUnavailable, what))
    };
    let rows = match asked {
        Err(trouble) if is_missing(&trouble) => return Err(unrecorded()),
        asked => asked?,
    };
    let newest = rows.into_iter().next().and_then(|row| row.into_iter().next()?);
    let Lsn(newest) = newest.and_then(|it| it.parse().ok()).ok_or_else(unrecorded)?;
    let end = placed.reached.to_number().unwrap_or(u64::MAX);
    let reached = Position::from_number(end.saturating_add(1));
    Ok(Placement { reached, sees: Sees::Upto(Position::from_number(newest)) })
}

fn foreign() -> Failure {
    let what = "rows are asked for between keys that the table cannot have any more";
    Fault::retry(Code::SourceUnavailable, what).into()
}

/// Where a snapshot stands, and the table's stamp in it, from what the server says.
fn placed(rows: &[Cells]) -> Result<(Placement, Option<String>), Failure> {
    let odd = || Trouble::malformed("the server describes a snapshot in a way that is not known");
    let [row] = rows else { return Err(odd().into()) };
    let [Some(snapshot), end, stamp] = &row[..] else { return Err(odd().into()) };
    let Some(end) = end else {
        let what = "the server is a standby, and what it shows can not be placed exactly";
        return Err(Fault::retry(Code::PostgresStandby, what).into());
    };
    let Lsn(end) = end.parse().map_err(|_| odd())?;
    let sees = sees(snapshot).ok_or_else(odd)?;
    Ok((Placement { reached: Position::from_number(end), sees }, stamp.clone()))
}

/// `10:20:10,14,15`: which transactions a snapshot sees, of the numbers that have 64 bits.
fn sees(text: &str) -> Option<Sees> {
    let mut parts = text.split(':');
    let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let running = parts.next()?.split(',').filter(|number| !number.is_empty());
    let mut running = running.map(|it| it.parse().ok()).collect::<Option<Vec<u64>>>()?;
    running.sort_unstable();
    parts.next().is_none().then_some(Sees::Snapshot { xmin, xmax, running })
}

#[cfg(test)]
mod tests {
    use super::{Sees, placed, sees};
    use model::Position;

    #[test]
    fn a_snapshot_is_read_as_the_server_writes_it() {
        let of = |xmin, xmax, running: &[u64]| {
            Some(Sees::Snapshot { xmin, xmax, running: running.to_vec() })
        };
        assert_eq!(sees("10:20:10,14,15"), of(10, 20, &[10, 14, 15]));
        assert_eq!(sees("4294967299:4294967299:"), of(4_294_967_299, 4_294_967_299, &[]));
        for wrong in ["", "1", "1:2", "1:2:x", "1:2:3:4", "-1:2:"] {
            assert_eq!(sees(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_standby_gives_no_place() {
        let cells = |end: Option<&str>| vec![Some("1:1:".to_owned()), end.map(str::to_owned), None];
        let (placement, _) = placed(&[cells(Some("1/0"))]).unwrap();
        assert_eq!(placement.reached, Position::from_number(1 << 32));
        for wrong in [vec![cells(None)], vec![cells(Some("x"))], vec![]] {
            assert!(placed(&wrong).is_err());
        }
    }
}
