//! What Instep notes in the file of a target, beside the rows and in the same transactions.
//!
//! `instep_watermarks`, `instep_leases`, `instep_holds`, `instep_passes` and `instep_columns`, one row
//! a lane and, for the last three, a copy; offsets and keys as the codec writes them, with words beside them for people
//! who open the file. The tables are of the plainest make, because whoever else uses the file may
//! have an older SQLite, which could not open a file with a table that it does not understand. To
//! remove Instep from the file, drop the tables whose names begin with `instep_`.

use super::trouble;
use crate::noted::{self, key_bytes, offset_bytes, purpose_name};
use model::codec::Malformed;
use model::codec::memo::{read_key, read_offset};
use model::{Batch, CopyName, Fault, Hold, Key, Lane, Offset, Pass, Standing, Watermark};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use std::collections::BTreeMap;
use std::path::Path;

/// The format of the tables; a change of them takes the next number.
const FORMAT: i64 = 1;

const TABLES: &str = "
    create table instep_target (format integer not null);
    create table instep_watermarks (
        lane text not null primary key,
        watermark blob not null,
        position text not null,
        batches integer not null
    ) without rowid;
    create table instep_leases (
        lane text not null primary key,
        instance text not null,
        run integer not null,
        connection integer not null,
        epoch integer not null,
        until integer not null
    ) without rowid;
    create table instep_holds (
        lane text not null,
        copy text not null,
        key blob not null,
        change blob not null,
        reason text not null,
        since integer not null,
        shown_key text not null,
        shown_change text not null,
        primary key (lane, copy, key)
    ) without rowid;
    create table instep_passes (
        lane text not null,
        copy text not null,
        purpose text,
        began blob,
        upto blob,
        deleted integer not null,
        shown text not null,
        primary key (lane, copy)
    ) without rowid;
";

/// A table that files of before lack.
const COLUMNS: &str = "
    create table if not exists instep_columns (
        lane text not null,
        copy text not null,
        name text not null,
        primary key (lane, copy, name)
    ) without rowid;
";

/// The file's clock in microseconds since 1970.
pub(super) const CLOCK: &str = "cast(round(unixepoch('subsec') * 1000) as integer) * 1000";

/// Makes the tables if they are not there, and refuses those of a format that is not known.
pub(super) fn open(connection: &mut Connection, path: &Path) -> std::result::Result<(), Fault> {
    let judge = |error| trouble::of_file(path, error);
    if !has(connection, "instep_columns").map_err(judge)? {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
        let transaction = transaction.map_err(judge)?;
        if !are_there(&transaction).map_err(judge)? {
            transaction.execute_batch(TABLES).map_err(judge)?;
            let note = "insert into instep_target (format) values (?1)";
            transaction.execute(note, [FORMAT]).map_err(judge)?;
        }
        transaction.execute_batch(COLUMNS).map_err(judge)?;
        transaction.commit().map_err(judge)?;
    }
    let ask = "select format from instep_target";
    match connection.query_row(ask, [], |row| row.get::<_, i64>(0)).map_err(judge)? {
        FORMAT => Ok(()),
        other => {
            let what = format!("its instep_ tables have format {other}, known is {FORMAT}");
            Err(trouble::damaged(path, &what))
        }
    }
}

/// Whether Instep has ever written to the file.
pub(super) fn are_there(connection: &Connection) -> Result<bool> {
    has(connection, "instep_target")
}

fn has(connection: &Connection, table: &str) -> Result<bool> {
    let ask = "select exists (select 1 from sqlite_schema where name = ?1)";
    connection.query_row(ask, [table], |row| row.get(0))
}

/// Whether the tables are of the format that is known.
pub(super) fn is_known(connection: &Connection) -> Result<bool> {
    let ask = "select format = ?1 from instep_target";
    let is_known: Option<bool> =
        connection.query_row(ask, [FORMAT], |row| row.get(0)).optional()?;
    Ok(is_known == Some(true))
}

/// Where a lane stands, in one snapshot.
pub(super) fn standing(
    connection: &Connection,
    path: &Path,
    lane: &Lane,
) -> std::result::Result<Standing, Fault> {
    let read = || -> Result<Standing> {
        let snapshot = connection.unchecked_transaction()?;
        Ok(Standing {
            watermark: watermark(&snapshot, lane)?,
            holds: holds(&snapshot, lane)?,
            passes: passes(&snapshot, lane)?,
            ..Standing::default()
        })
    };
    read().map_err(|error| judge_note(path, error))
}

/// The watermark of every lane.
pub(super) fn watermarks(connection: &Connection) -> Result<BTreeMap<Lane, Watermark>> {
    let mut statement =
        connection.prepare_cached("select lane, watermark from instep_watermarks")?;
    let row = |row: &Row<'_>| Ok((text(row, 0)?.into(), offset(row, 1)?));
    statement.query_map([], row)?.collect()
}

/// Judges an error about what Instep itself has noted.
pub(super) fn judge_note(path: &Path, error: rusqlite::Error) -> Fault {
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, QueryReturnedNoRows};
    match error {
        FromSqlConversionFailure(..) | InvalidColumnType(..) | QueryReturnedNoRows => {
            trouble::damaged(path, "a note of Instep's is not what it wrote").because(error)
        }
        error => trouble::of_file(path, error),
    }
}

/// Moves the watermark and the passes to where a batch ends.
pub(super) fn advance(connection: &Connection, batch: &Batch) -> Result<()> {
    // That batches are numbered makes each of them a write, also one that moves nothing: SQLite
    // leaves out what would change nothing, and with it the sync that was asked for.
    const MOVE: &str = "
        insert into instep_watermarks (lane, watermark, position, batches) values (?1, ?2, ?3, 1)
        on conflict (lane) do update set watermark = excluded.watermark,
            position = excluded.position, batches = batches + 1";
    let mut statement = connection.prepare_cached(MOVE)?;
    let (watermark, position) = (offset_bytes(&batch.watermark), batch.watermark.to_string());
    statement.execute(params![batch.lane.as_str(), watermark, position])?;
    Ok(())
}

/// Notes how far passes have come.
pub(super) fn pass(connection: &Connection, batch: &Batch) -> Result<()> {
    const PASS: &str = "
        insert or replace into instep_passes (lane, copy, purpose, began, upto, deleted, shown)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for (copy, pass) in &batch.passes {
        let mut statement = connection.prepare_cached(PASS)?;
        let (lane, copy) = (batch.lane.as_str(), copy.as_str());
        match pass {
            Pass::Done => {
                let none = Option::<&str>::None;
                statement.execute(params![lane, copy, none, none, none, 0, "done"])?;
            }
            Pass::Under { purpose, began, upto, deleted } => {
                let (began, deleted) = (offset_bytes(began), deleted.cast_signed());
                let upto_shown = upto.as_ref().map(|upto| format!(", up to {:?}", upto.values()));
                let shown = format!("under way{}", upto_shown.unwrap_or_default());
                let (purpose, upto) = (purpose_name(*purpose), upto.as_ref().map(key_bytes));
                statement.execute(params![lane, copy, purpose, began, upto, deleted, shown])?;
            }
        }
    }
    Ok(())
}

/// Holds a key. One that is held already keeps the time since when it is.
pub(super) fn hold(connection: &Connection, lane: &Lane, hold: &Hold) -> Result<()> {
    let sql = format!(
        "insert into instep_holds
            (lane, copy, key, change, reason, since, shown_key, shown_change)
         values (?1, ?2, ?3, ?4, ?5, {CLOCK}, ?6, ?7)
         on conflict (lane, copy, key) do update set change = excluded.change,
            reason = excluded.reason, shown_change = excluded.shown_change"
    );
    let shown_key = format!("{:?}", hold.key.values());
    connection.prepare_cached(&sql)?.execute(params![
        lane.as_str(),
        hold.copy.as_str(),
        key_bytes(&hold.key),
        offset_bytes(&hold.offset),
        hold.reason,
        shown_key,
        hold.offset.to_string(),
    ])?;
    Ok(())
}

/// A key is held no longer.
pub(super) fn end_hold(
    connection: &Connection,
    lane: &Lane,
    copy: &CopyName,
    key: &Key,
) -> Result<()> {
    let end = "delete from instep_holds where lane = ?1 and copy = ?2 and key = ?3";
    let key = key_bytes(key);
    connection.prepare_cached(end)?.execute(params![lane.as_str(), copy.as_str(), key])?;
    Ok(())
}

/// No key of a copy is held any longer.
pub(super) fn end_holds(connection: &Connection, lane: &Lane, copy: &CopyName) -> Result<()> {
    let end = "delete from instep_holds where lane = ?1 and copy = ?2";
    connection.prepare_cached(end)?.execute([lane.as_str(), copy.as_str()])?;
    Ok(())
}

fn watermark(connection: &Connection, lane: &Lane) -> Result<Option<Watermark>> {
    let ask = "select watermark from instep_watermarks where lane = ?1";
    connection.query_row(ask, [lane.as_str()], |row| offset(row, 0)).optional()
}

fn holds(connection: &Connection, lane: &Lane) -> Result<Vec<Hold>> {
    let ask = "select copy, key, change, reason, since from instep_holds where lane = ?1";
    let mut statement = connection.prepare_cached(ask)?;
    let hold = |row: &Row<'_>| {
        Ok(Hold {
            copy: text(row, 0)?.into(),
            key: read(row, 1, read_key)?,
            offset: offset(row, 2)?,
            reason: row.get(3)?,
            since: row.get(4)?,
        })
    };
    statement.query_map([lane.as_str()], hold)?.collect()
}

fn passes(connection: &Connection, lane: &Lane) -> Result<BTreeMap<CopyName, Pass>> {
    let ask = "select copy, purpose, began, upto, deleted from instep_passes where lane = ?1";
    let mut statement = connection.prepare_cached(ask)?;
    let pass = |row: &Row<'_>| {
        let copy: CopyName = text(row, 0)?.into();
        let Some(purpose) = row.get::<_, Option<String>>(1)? else { return Ok((copy, Pass::Done)) };
        let has_upto = row.get_ref(3)? != rusqlite::types::ValueRef::Null;
        let upto = if has_upto { Some(read(row, 3, read_key)?) } else { None };
        let (began, deleted) = (offset(row, 2)?, row.get::<_, i64>(4)?.cast_unsigned());
        let purpose = noted::purpose(&purpose).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok((copy, Pass::Under { purpose, began, upto, deleted }))
    };
    statement.query_map([lane.as_str()], pass)?.collect()
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn offset(row: &Row<'_>, column: usize) -> Result<Offset> {
    read(row, column, read_offset)
}

fn read<T>(
    row: &Row<'_>,
    column: usize,
    read: impl Fn(&[u8]) -> std::result::Result<T, Malformed>,
) -> Result<T> {
    let bytes = row.get_ref(column)?.as_blob()?;
    let wrong = |error| {
        let kind = rusqlite::types::Type::Blob;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    };
    read(bytes).map_err(wrong)
}
