//! Where a file's history stands, and whether it is still the one that was followed.

use super::books::Books;
use super::installed::Installed;
use crate::sqlite::trouble::Trouble;
use bytes::Bytes;
use model::{Code, Fault, Place, Position, Resume, Started, Table};
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;

/// A change as a witness: restored files have another one in its place, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    /// Its number.
    pub(super) number: i64,
    /// When it was made; no two histories count the same change at the same time.
    pub(super) at: i64,
}

impl Witness {
    /// The change with this number, if it is still there.
    pub(super) fn at(connection: &Connection, number: i64) -> rusqlite::Result<Option<Self>> {
        let at = "select at from main.instep_changes where seq = ?1";
        let at = connection.prepare_cached(at)?.query_row([number], |row| row.get(0)).optional()?;
        Ok(at.map(|at| Self { number, at }))
    }

    fn to_bytes(self) -> Bytes {
        let bytes = [self.number.to_be_bytes(), self.at.to_be_bytes()].concat();
        bytes.into()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, at) = bytes.split_first_chunk()?;
        let (number, at) = (i64::from_be_bytes(*number), i64::from_be_bytes(at.try_into().ok()?));
        Some(Self { number, at })
    }
}

/// A change's number as a position.
pub(super) fn position(number: i64) -> Position {
    Position::from_number(number.unsigned_abs())
}

/// The change's number again; none if no change can have it.
pub(super) fn number(position: &Position) -> Option<i64> {
    i64::try_from(position.to_number()?).ok()
}

/// The number of the last change: a writer reads the same one from `sqlite_sequence`.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<i64> {
    let last = "select max(coalesce((select max(seq) from main.instep_changes), 0), coalesce(
                (select seq from main.sqlite_sequence where name = 'instep_changes'), 0))";
    connection.prepare_cached(last)?.query_row([], |row| row.get(0))
}

/// The last change, if it is still there.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<Option<Witness>> {
    Witness::at(connection, last(connection)?)
}

/// Whether each change after this one is there, up to the last.
pub(super) fn is_unbroken(
    connection: &Connection,
    after: i64,
    last: i64,
) -> rusqlite::Result<bool> {
    let count = "select count(*) from main.instep_changes where seq > ?1";
    let count: i64 = connection.prepare_cached(count)?.query_row([after], |row| row.get(0))?;
    Ok(last.checked_sub(after) == Some(count))
}

/// How following begins, and which change is to be kept so that the file is known again.
pub(super) fn begin(
    connection: &Connection,
    installed: &Installed,
    after: Option<&Resume>,
) -> Result<(Started, Witness), Trouble> {
    let Some(end) = end(connection)? else {
        let what = "changes were deleted just now; looking again";
        return Err(Fault::retry(Code::SourceUnavailable, what).into());
    };
    let now = Place {
        identity: installed.books.identity.clone(),
        position: position(end.number),
        witness: end.to_bytes(),
    };
    let Some(after) = after else { return Ok((Started::Fresh(now), end)) };
    if after.place.identity != now.identity {
        let what = format!("pinned to {}, but this is {}", after.place.identity, now.identity);
        return Err(Fault::lost(Code::SourceChanged, what).into());
    }
    let kept = kept(after);
    let lost = if let Some(why) = restored(connection, &installed.tables, after, kept, end)? {
        Some((why, false))
    } else {
        missed(connection, &installed.books, after, end)?.map(|why| (why, true))
    };
    Ok(match lost {
        Some((why, same_history)) => (Started::Lost { why, same_history, now }, end),
        None => (Started::Resumed, kept.unwrap_or(end)),
    })
}

/// The change by which the reader knows the file again: that of the last transaction that it has, or
/// the one at which its history began.
fn kept(after: &Resume) -> Option<Witness> {
    match &after.last {
        Some(last) => {
            let number = number(&last.offset.position)?;
            Some(Witness { number, at: last.committed_at })
        }
        None => Witness::from_bytes(&after.place.witness),
    }
}

/// Why the reader comes from another history than the file's, if it does.
fn restored(
    connection: &Connection,
    tables: &[Arc<Table>],
    after: &Resume,
    kept: Option<Witness>,
    end: Witness,
) -> rusqlite::Result<Option<String>> {
    let Some(place) = number(&after.place.position).filter(|place| *place <= end.number) else {
        let (place, end) = (&after.place.position, end.number);
        return Ok(Some(format!(
            "restored: asked for what comes after {place:?}, but {end} is last"
        )));
    };
    let Some(kept) = kept else { return Ok(None) };
    let is_named =
        after.last.as_ref().is_none_or(|last| last.transaction.0 == kept.number.unsigned_abs());
    if !is_named || Witness::at(connection, kept.number)? != Some(kept) {
        return Ok(Some(format!("restored: change {} is another one", kept.number)));
    }
    let between = "select distinct tbl from main.instep_changes where seq > ?1 and seq <= ?2 \
                   and tbl is not null";
    let mut between = connection.prepare_cached(between)?;
    let between = between.query_map([kept.number, place], |row| row.get::<_, String>(0))?;
    let between: Vec<_> = between.collect::<rusqlite::Result<_>>()?;
    let is_other = tables.iter().any(|table| between.iter().any(|it| *it == *table.name.as_str()));
    let number = kept.number;
    Ok(is_other.then(|| format!("restored: change {number} is not the last one up to {place}")))
}

/// Why some changes after the place are not there, if so.
fn missed(
    connection: &Connection,
    books: &Books,
    after: &Resume,
    end: Witness,
) -> rusqlite::Result<Option<String>> {
    let place = number(&after.place.position).unwrap_or(0);
    if place < books.complete_from {
        return Ok(Some(format!(
            "some changes before {} went unrecorded, because a table was made anew, or its triggers \
             or unique indexes were changed",
            books.complete_from
        )));
    }
    let is_there = Witness::at(connection, place)?.is_some();
    let is_whole = is_there && is_unbroken(connection, place, end.number)?;
    Ok((!is_whole).then(|| format!("some changes from {place} on were deleted")))
}
