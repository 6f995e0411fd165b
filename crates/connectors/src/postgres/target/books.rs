//! What Instep notes in the database of a target, beside the rows and in the same transactions.
//!
//! The schema `instep` has `watermarks`, `flushes`, `leases`, `holds`, `passes` and `columns`, one row
//! a lane and, for the last three, a copy; offsets and keys as the codec writes them, with words beside them
//! for people who look. To remove Instep from a database: `drop schema instep cascade`.

use super::trouble::{damaged, of_server};
use crate::noted::{self, key_bytes, offset_bytes, purpose_name};
use crate::pieces::list;
use crate::postgres::access::Access;
use crate::postgres::quote;
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use model::codec::Malformed;
use model::codec::memo::{read_key, read_offset};
use model::{Batch, Code, CopyName, Fault, Hold, Key, Lane, Offset, Pass, Standing, Watermark};
use std::collections::BTreeMap;

/// The format of the tables; a change of them takes the next number.
const FORMAT: &str = "1";

/// The lock under which the tables are made, whoever comes first.
const MAKING: i64 = 0x696e_7374_6570_0001;

/// A schema that is there is used by whoever may write in it, and made by whoever may make one.
const TABLES: &str = "
    do $$ begin if to_regnamespace('instep') is null then create schema instep; end if; end $$;
    create table if not exists instep.format (format int not null);
    create table if not exists instep.watermarks (
        lane text primary key,
        watermark bytea not null,
        position text not null,
        epoch bigint not null,
        moved timestamptz not null
    );
    create table if not exists instep.flushes (
        lane text primary key,
        position text not null,
        moved timestamptz not null
    );
    create table if not exists instep.leases (
        lane text primary key,
        instance text not null,
        run bigint not null,
        connection bigint not null,
        epoch bigint not null,
        until timestamptz not null
    );
    create table if not exists instep.holds (
        lane text not null,
        copy text not null,
        key bytea not null,
        change bytea not null,
        reason text not null,
        since timestamptz not null,
        shown_key text not null,
        shown_change text not null,
        primary key (lane, copy, key)
    );
    create table if not exists instep.passes (
        lane text not null,
        copy text not null,
        purpose text,
        began bytea,
        upto bytea,
        deleted bigint not null,
        shown text not null,
        primary key (lane, copy)
    );
    create table if not exists instep.columns (
        lane text not null,
        copy text not null,
        name text not null,
        relation oid not null,
        primary key (lane, copy, name)
    );";

/// Makes the tables if they are not there, and refuses those of a format that is not known.
pub(super) async fn open(session: &Session, access: &Access) -> Result<(), Fault> {
    let judge = |trouble| of_server(access, trouble);
    if !are_there(session).await.map_err(judge)? {
        let make = format!(
            "begin; select pg_advisory_xact_lock({MAKING}); {TABLES}
             insert into instep.format select {FORMAT} where not exists (select from instep.format);
             commit"
        );
        let made = session.query(&make).await;
        made.map_err(|trouble| unmade(access, trouble))?;
    }
    let rows = session.query("select format::text from instep.format").await.map_err(judge)?;
    match rows.first().and_then(|row| row.first()?.as_deref()) {
        Some(FORMAT) => Ok(()),
        other => {
            let other = other.unwrap_or("none");
            let what = format!("its schema instep has format {other}, known is {FORMAT}");
            Err(damaged(access, &what))
        }
    }
}

/// Why the tables can not be made.
fn unmade(access: &Access, trouble: Trouble) -> Fault {
    let state = trouble.refused().map(|refused| refused.sqlstate.as_str());
    if state != Some("42501") {
        return of_server(access, trouble);
    }
    let role = quote::name(&access.user);
    let what = format!(
        "{}: the role may not make the schema instep, which keeps the watermarks: `grant create on \
         database {} to {role}`, or `create schema instep authorization {role}` ({trouble})",
        super::trouble::place(access),
        quote::name(&access.database)
    );
    Fault::retry(Code::PostgresPrivilege, what).because(trouble)
}

/// Whether Instep has ever written to the database.
pub(super) async fn are_there(session: &Session) -> Result<bool, Trouble> {
    let ask = "select to_regclass('instep.format') is not null
        and to_regclass('instep.columns') is not null";
    let rows = session.query(ask).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_deref()) == Some("t"))
}

/// Where a lane stands, in one snapshot.
pub(super) async fn standing(
    session: &Session,
    access: &Access,
    lane: &Lane,
) -> Result<Standing, Fault> {
    const ASK: &str = "
        select 'watermark', watermark::text, null, null, null, null from instep.watermarks
            where lane = $1
        union all
        select 'hold', copy, key::text, change::text, reason,
            (extract(epoch from since) * 1000000)::int8::text from instep.holds where lane = $1
        union all
        select 'pass', copy, purpose, began::text, upto::text, deleted::text from instep.passes
            where lane = $1";
    let rows = session.ask(ASK, &[Some(lane.as_str())]).await;
    let rows = rows.map_err(|trouble| of_server(access, trouble))?;
    let mut standing = Standing::default();
    let mut read = || -> Option<()> {
        for row in &rows {
            let [kind, cells @ ..] = &row[..] else { return None };
            match kind.as_deref()? {
                "watermark" => standing.watermark = Some(offset(cells, 0)?),
                "hold" => standing.holds.push(hold(cells)?),
                _ => {
                    standing.passes.insert(text(cells, 0)?.into(), pass(cells)?);
                }
            }
        }
        Some(())
    };
    read().ok_or_else(|| damaged(access, "a note of Instep's is not what it wrote"))?;
    Ok(standing)
}

/// The watermark of every lane, from the rows of [`WATERMARKS`].
pub(super) fn watermarks(rows: &[Cells]) -> Option<BTreeMap<Lane, Watermark>> {
    rows.iter().map(|row| Some((text(row, 0)?.into(), offset(row, 1)?))).collect()
}

/// Asks for the watermark of every lane.
pub(super) const WATERMARKS: &str = "select lane, watermark::text from instep.watermarks";

/// Moves the watermark to where a batch ends.
pub(super) fn advance(batch: &Batch) -> String {
    let [lane, watermark, position, epoch] = advance_texts(batch).map(|text| quote::text(&text));
    moving(&lane, &watermark, &position, &epoch)
}

/// The same as a statement whose parameters are [`advance_texts`].
pub(super) fn advance_by_name() -> String {
    moving("$1", "$2", "$3", "$4")
}

/// What is written for a batch.
pub(super) fn advance_texts(batch: &Batch) -> [String; 4] {
    let watermark = digits(&offset_bytes(&batch.watermark));
    let (position, epoch) = (batch.watermark.to_string(), batch.epoch.0.to_string());
    [batch.lane.as_str().to_owned(), watermark, position, epoch]
}

/// Whoever has led since has a higher epoch, and there is nothing to write for a lower one; that
/// nobody leads anew before the transaction is over is what the lock is for.
fn moving(lane: &str, watermark: &str, position: &str, epoch: &str) -> String {
    format!(
        "insert into instep.watermarks (lane, watermark, position, epoch, moved)
         values ({lane}, decode({watermark}, 'hex'), {position}, (select epoch from instep.leases
            where lane = {lane} and epoch <= {epoch}::text::int8 for share), clock_timestamp())
         on conflict (lane) do update set watermark = excluded.watermark,
            position = excluded.position, epoch = excluded.epoch, moved = excluded.moved"
    )
}

/// Waits until everything is on the disk that was committed before: a commit that waits for its own
/// record has waited for all that stand before it.
pub(super) fn flush(lane: &Lane, watermark: &Watermark) -> String {
    format!(
        "begin isolation level read committed, read write;
         select set_config('synchronous_commit', case current_setting('synchronous_commit')
            when 'off' then 'on' else current_setting('synchronous_commit') end, true);
         insert into instep.flushes (lane, position, moved) values ({}, {}, clock_timestamp())
         on conflict (lane) do update set position = excluded.position, moved = excluded.moved;
         commit",
        quote::text(lane.as_str()),
        quote::text(&watermark.to_string())
    )
}

/// Whether a refusal says that somebody else leads, as [`advance`] has it.
pub(super) fn is_superseded(trouble: &Trouble) -> bool {
    trouble.refused().is_some_and(|refused| {
        refused.sqlstate == "23502"
            && refused.schema.as_deref() == Some("instep")
            && refused.table.as_deref() == Some("watermarks")
            && refused.column.as_deref() == Some("epoch")
    })
}

/// Notes how far passes have come; empty where there is nothing to note.
pub(super) fn note_passes(batch: &Batch) -> String {
    let note = |(copy, pass): &(CopyName, Pass)| note_pass(&batch.lane, copy, pass);
    batch.passes.iter().map(note).collect()
}

/// Ends the holds that a person discards.
pub(super) fn discards(batch: &Batch) -> String {
    let keys = batch.discards.iter().map(|(copy, key)| (copy, key));
    end_holds(&batch.lane, keys)
}

/// Keys are held no longer; empty where there are none.
pub(super) fn end_holds<'a>(
    lane: &Lane,
    keys: impl Iterator<Item = (&'a CopyName, &'a Key)>,
) -> String {
    let pairs = keys
        .map(|(copy, key)| format!("({}, {})", quote::text(copy.as_str()), bytes(&key_bytes(key))));
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        return String::new();
    }
    let lane = quote::text(lane.as_str());
    format!("delete from instep.holds where lane = {lane} and (copy, key) in ({});", list(pairs))
}

/// Holds a key. One that is held already keeps the time since when it is.
pub(super) fn note_hold(lane: &Lane, hold: &Hold) -> String {
    format!(
        "insert into instep.holds
            (lane, copy, key, change, reason, since, shown_key, shown_change)
         values ({}, {}, {}, {}, {}, clock_timestamp(), {}, {})
         on conflict (lane, copy, key) do update set change = excluded.change,
            reason = excluded.reason, shown_change = excluded.shown_change;",
        quote::text(lane.as_str()),
        quote::text(hold.copy.as_str()),
        bytes(&key_bytes(&hold.key)),
        bytes(&offset_bytes(&hold.offset)),
        shown(&hold.reason),
        shown(&format!("{:?}", hold.key.values())),
        quote::text(&hold.offset.to_string())
    )
}

/// A text for people, without what no text of PostgreSQL has.
fn shown(text: &str) -> String {
    quote::text(&text.replace('\0', "\u{fffd}"))
}

fn note_pass(lane: &Lane, copy: &CopyName, pass: &Pass) -> String {
    let none = || "null".to_owned();
    let (purpose, began, upto, deleted, shown_pass) = match pass {
        Pass::Done => (none(), none(), none(), 0, "done".to_owned()),
        Pass::Under { purpose, began, upto, deleted } => {
            let upto_shown = upto.as_ref().map(|upto| format!(", up to {:?}", upto.values()));
            (
                quote::text(purpose_name(*purpose)),
                bytes(&offset_bytes(began)),
                upto.as_ref().map_or_else(none, |upto| bytes(&key_bytes(upto))),
                deleted.cast_signed(),
                format!("under way{}", upto_shown.unwrap_or_default()),
            )
        }
    };
    format!(
        "insert into instep.passes (lane, copy, purpose, began, upto, deleted, shown)
         values ({}, {}, {purpose}, {began}, {upto}, {deleted}, {})
         on conflict (lane, copy) do update set purpose = excluded.purpose,
            began = excluded.began, upto = excluded.upto, deleted = excluded.deleted,
            shown = excluded.shown;",
        quote::text(lane.as_str()),
        quote::text(copy.as_str()),
        shown(&shown_pass)
    )
}

fn hold(cells: &[Option<String>]) -> Option<Hold> {
    Some(Hold {
        copy: text(cells, 0)?.into(),
        key: read(text(cells, 1)?, read_key)?,
        offset: offset(cells, 2)?,
        reason: text(cells, 3)?.to_owned(),
        since: text(cells, 4)?.parse().ok()?,
    })
}

fn pass(cells: &[Option<String>]) -> Option<Pass> {
    let Some(purpose) = text(cells, 1) else { return Some(Pass::Done) };
    let purpose = noted::purpose(purpose)?;
    let upto = match text(cells, 3) {
        Some(upto) => Some(read(upto, read_key)?),
        None => None,
    };
    let deleted = text(cells, 4)?.parse::<i64>().ok()?.cast_unsigned();
    Some(Pass::Under { purpose, began: offset(cells, 2)?, upto, deleted })
}

fn text(cells: &[Option<String>], place: usize) -> Option<&str> {
    cells.get(place)?.as_deref()
}

fn offset(cells: &[Option<String>], place: usize) -> Option<Offset> {
    read(text(cells, place)?, read_offset)
}

/// What bytes say that come as the server writes them.
fn read<T>(text: &str, read: impl Fn(&[u8]) -> Result<T, Malformed>) -> Option<T> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<_>>>()?;
    read(&bytes).ok()
}

/// Bytes as SQL.
pub(super) fn bytes(bytes: &[u8]) -> String {
    format!("decode('{}', 'hex')", digits(bytes))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
