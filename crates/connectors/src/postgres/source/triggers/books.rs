//! Which reading saw what: a note for each reading that found something, as long as it may be asked
//! for, and the recorded changes themselves, as long as no reading of them is confirmed.

use crate::postgres::lsn::Lsn;
use crate::postgres::quote;
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;

/// A reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) place: Lsn,
    /// What it saw, as the server writes it.
    pub(super) snapshot: String,
    /// The first number of a transaction that it could not see.
    pub(super) number: u64,
    /// When, in microseconds since 1970 by the server's clock.
    pub(super) read_at: i64,
}

impl Noted {
    /// What a snapshot sees and when it was taken, as three columns.
    pub(super) const SEES: &str = "pg_current_snapshot(), pg_snapshot_xmax(pg_current_snapshot()), \
        (extract(epoch from clock_timestamp()) * 1000000)::int8";

    /// A reading at this place, from a row that begins with [`Self::SEES`].
    pub(super) fn read(place: Lsn, row: &Cells) -> Result<Self, Trouble> {
        let cell = |at: usize| row.get(at)?.as_deref();
        let read = || {
            let (number, read_at) = (cell(1)?.parse().ok()?, cell(2)?.parse().ok()?);
            Some(Self { place, snapshot: cell(0)?.to_owned(), number, read_at })
        };
        read().ok_or_else(|| Trouble::malformed("the server cannot say what it sees"))
    }
}

/// The newest reading up to here.
pub(super) async fn newest(
    session: &Session,
    schema: &str,
    upto: Lsn,
) -> Result<Option<Noted>, Trouble> {
    let ask = format!(
        "select place, snapshot, number, read_at from {}.readings where place <= '{upto}' \
         order by place desc limit 1",
        quote::name(schema)
    );
    let Some(row) = session.query(&ask).await?.pop() else { return Ok(None) };
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let mut cell = || cells.next().unwrap_or_default();
    let (place, snapshot, number, read_at) = (cell(), cell(), cell(), cell());
    let noted = || {
        let (place, number) = (place.parse().ok()?, number.parse().ok()?);
        Some(Noted { place, snapshot, number, read_at: read_at.parse().ok()? })
    };
    noted().map(Some).ok_or_else(|| Trouble::malformed("a note of a reading cannot be read"))
}

/// Notes a reading.
pub(super) async fn note(session: &Session, schema: &str, noted: &Noted) -> Result<(), Trouble> {
    let Noted { place, snapshot, number, read_at } = noted;
    let note = format!(
        "insert into {}.readings values ('{place}', {}, '{number}', {read_at}) \
         on conflict (place) do update set (snapshot, number, read_at) \
         = (excluded.snapshot, excluded.number, excluded.read_at)",
        quote::name(schema),
        quote::text(snapshot)
    );
    session.query(&note).await.map(drop)
}

/// Forgets readings behind a place: nobody has them.
pub(super) async fn forget_after(
    session: &Session,
    schema: &str,
    place: Lsn,
) -> Result<(), Trouble> {
    let forget = format!("delete from {}.readings where place > '{place}'", quote::name(schema));
    session.query(&forget).await.map(drop)
}

/// Recorded changes that are deleted in one transaction.
const TRIM_MAX: usize = 5_000;

/// Forgets what is confirmed up to here, but for the newest reading of it. Whether there is more.
pub(super) async fn trim(session: &Session, schema: &str, upto: Lsn) -> Result<bool, Trouble> {
    let name = quote::name(schema);
    let Some(newest) = newest(session, schema, upto).await? else { return Ok(false) };
    let snapshot = quote::text(&newest.snapshot);
    let trim = format!(
        "delete from {name}.readings where place < '{}';
         with gone as (delete from {name}.changes where seq in (
             select seq from {name}.changes
             where pg_visible_in_snapshot(xid, {snapshot}::pg_snapshot) order by seq limit {TRIM_MAX})
             returning 1)
         select count(*) from gone",
        newest.place
    );
    let gone = session.query(&trim).await?.pop().and_then(|row| row.into_iter().next()?);
    Ok(gone.and_then(|gone| gone.parse().ok()) == Some(TRIM_MAX))
}
