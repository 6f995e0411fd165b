//! The slot, in which the server keeps what we have not read yet: looked at, made and dropped.

use super::names::{self, slot_name};
use super::unready::Unready;
use crate::postgres::access::Access;
use crate::postgres::lsn::Lsn;
use crate::postgres::quote;
use crate::postgres::replication::Replication;
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use model::{Code, Fault};
use std::time::Duration;
use tokio::time::timeout;

/// A slot as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The server sends what is committed after this.
    pub(super) confirmed: Lsn,
    /// Bytes of the log that are kept because of it.
    pub(super) retained: u64,
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub(super) wal_status: String,
    /// How many bytes more may be written before the server lets go of it, where that is bounded.
    pub(super) safe: Option<i64>,
    /// Who reads it.
    pub(super) active: Option<i32>,
    /// Whether it is such a one as we make.
    pub(super) is_ours: bool,
}

impl Standing {
    /// Whether the server has let go of what it was to keep.
    pub(super) fn is_lost(&self) -> bool {
        self.wal_status == "lost" || !self.is_ours
    }
}

/// The slot as it stands, if there is one.
pub(super) async fn look(session: &Session, slot: &str) -> Result<Option<Standing>, Trouble> {
    let look = format!(
        "select confirmed_flush_lsn, \
         coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8, wal_status, \
         safe_wal_size, active_pid, \
         plugin = 'pgoutput' and database = current_database() and not temporary \
           and confirmed_flush_lsn is not null and restart_lsn is not null \
         from pg_replication_slots where slot_name = {}",
        quote::text(slot)
    );
    let Some(row) = session.query(&look).await?.pop() else { return Ok(None) };
    let cell = |at: usize| row.get(at).cloned().flatten();
    Ok(Some(Standing {
        confirmed: cell(0).and_then(|it| it.parse().ok()).unwrap_or_default(),
        retained: cell(1).and_then(|it| it.parse::<i64>().ok()).unwrap_or(0).unsigned_abs(),
        wal_status: cell(2).unwrap_or_default(),
        safe: cell(3).and_then(|it| it.parse().ok()),
        active: cell(4).and_then(|it| it.parse().ok()),
        is_ours: cell(5).as_deref() == Some("t"),
    }))
}

/// Makes a slot, and gives the place behind which everything comes. The server waits for the
/// transactions that run now, so it has patience for so long.
pub(super) async fn create(
    access: &Access,
    session: &Session,
    slot: &str,
    patience: Duration,
) -> Result<Lsn, Unready> {
    let mut replication = Replication::connect(access).await?;
    match timeout(patience, replication.create_slot(slot, false, false)).await {
        Ok(Ok(made)) => Ok(made.consistent),
        Ok(Err(trouble)) => Err(refused(trouble)),
        Err(_) => {
            let waits = waits_for(session).await?;
            // It would go on to wait although nobody listens any more.
            end_reader(session, slot).await?;
            let seconds = patience.as_secs();
            let what = format!(
                "the slot {slot} was not ready within {seconds} s, because it waits for \
                 transactions that were open before: {waits}"
            );
            Err(Unready::Fault(Fault::retry(Code::PostgresSlot, what)))
        }
    }
}

/// The slots of other Insteps for the database of this session that nobody reads, and for which more
/// than this is kept, with how much that is.
pub(super) async fn left(session: &Session, bound: u64) -> Result<Vec<(String, u64)>, Trouble> {
    let look = format!(
        "select slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 \
         from pg_replication_slots where plugin = 'pgoutput' and not active \
         and slot_name ~ format('^{}[0-9a-z]+_%s$', datoid) and database = current_database() \
         and pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > {bound}",
        names::SLOT_PREFIX
    );
    let rows = session.query(&look).await?.into_iter();
    let read = |row: Cells| Some((row.first()?.clone()?, row.get(1)?.as_deref()?.parse().ok()?));
    Ok(rows.filter_map(read).collect())
}

/// Drops a slot that nobody reads; whether it did.
pub(super) async fn drop_left(session: &Session, slot: &str) -> Result<bool, Trouble> {
    let drop = format!("select pg_drop_replication_slot({})", quote::text(slot));
    match session.query(&drop).await {
        Ok(_) => Ok(true),
        // Its reader is back, or somebody else was faster.
        Err(Trouble::Refused(it)) if matches!(&*it.sqlstate, "55006" | "42704") => Ok(false),
        Err(trouble) => Err(trouble),
    }
}

/// Drops a slot, whoever reads it; whether there was one.
pub(super) async fn drop_it(session: &Session, slot: &str) -> Result<bool, Trouble> {
    for _ in 0..DROPS_MAX {
        if look(session, slot).await?.is_none() {
            return Ok(false);
        }
        end_reader(session, slot).await?;
        match session
            .query(&format!("select pg_drop_replication_slot({})", quote::text(slot)))
            .await
        {
            Ok(_) => return Ok(true),
            // Its reader has not gone yet.
            Err(Trouble::Refused(it)) if it.sqlstate == "55006" => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(Trouble::Refused(it)) if it.sqlstate == "42704" => return Ok(false),
            Err(trouble) => return Err(trouble),
        }
    }
    Err(Trouble::Silent(format!("the reader of the slot {slot} does not go")))
}

const DROPS_MAX: usize = 50;

async fn end_reader(session: &Session, slot: &str) -> Result<(), Trouble> {
    let end = format!(
        "select pg_terminate_backend(active_pid) from pg_replication_slots \
         where slot_name = {} and active_pid is not null",
        quote::text(slot)
    );
    session.query(&end).await.map(drop)
}

/// The slot of a follower in the database of this session.
pub(super) async fn of(session: &Session, follower: &str) -> Result<String, Trouble> {
    Ok(slot_name(follower, database_oid(session).await?))
}

/// The number of the database of this session.
pub(super) async fn database_oid(session: &Session) -> Result<u32, Trouble> {
    let ask = "select oid from pg_database where datname = current_database()";
    let oid = session.query(ask).await?.pop().and_then(|row| row.into_iter().next().flatten());
    oid.and_then(|oid| oid.parse().ok())
        .ok_or_else(|| Trouble::malformed("the database has no number"))
}

/// The transactions that a new slot waits for, in words.
async fn waits_for(session: &Session) -> Result<String, Trouble> {
    let ask = "select format('process %s of %s since %s', pid, coalesce(usename, '?'), \
               date_trunc('second', xact_start)) from pg_stat_activity \
               where backend_xid is not null and pid <> pg_backend_pid() \
               union all select format('prepared transaction %L of %s since %s', gid, owner, \
               date_trunc('second', prepared)) from pg_prepared_xacts limit 5";
    let found = session.query(ask).await?.into_iter().filter_map(|row| row.into_iter().next()?);
    let found: Vec<_> = found.collect();
    Ok(if found.is_empty() { "none that can be seen now".to_owned() } else { found.join(", ") })
}

fn refused(trouble: Trouble) -> Unready {
    let said = trouble.refused().cloned().unwrap_or_default();
    match said.sqlstate.as_str() {
        // All slots are in use; or the server has none.
        _ if said.message.contains("max_replication_slots") => {
            Unready::Fault(Fault::retry(Code::PostgresSlot, trouble.to_string()))
        }
        "53400" => Unready::Fault(Fault::retry(Code::PostgresSlot, trouble.to_string())),
        "55000" => Unready::Fault(Fault::retry(Code::PostgresWalLevel, trouble.to_string())),
        _ => Unready::Trouble(trouble),
    }
}
