//! What a server says about itself: who it is, how far it is, and whether it can be followed.

use super::names;
use super::slot;
use super::unready::Unready;
use crate::postgres::access::Access;
use crate::postgres::lsn::Lsn;
use crate::postgres::replication::Replication;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Code, Fault, Identity};

/// A server that can be followed.
#[derive(Clone, Debug)]
pub(super) struct Server {
    system: u64,
    pub(super) database_oid: u32,
    pub(super) timeline: u32,
    /// How far its log is written.
    pub(super) written: Lsn,
    /// The number that the next transaction gets.
    pub(super) next_transaction: u64,
}

impl Server {
    /// Asks a server; refused is one that cannot be followed.
    pub(super) async fn ask(
        session: &Session,
        replication: &mut Replication,
    ) -> Result<Self, Unready> {
        let ask = "select pg_is_in_recovery(), current_setting('wal_level')";
        let row = session.query(ask).await?.pop().unwrap_or_default();
        let cell = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        if cell(0) == "t" {
            let what = "the server that answers is a standby";
            return Err(Fault::retry(Code::PostgresStandby, what).into());
        }
        if cell(1) != "logical" {
            let what = format!("wal_level is `{}`, and has to be `logical`", cell(1));
            return Err(Fault::retry(Code::PostgresWalLevel, what).into());
        }
        let identified = replication.identify().await?;
        Ok(Self {
            system: identified.system,
            database_oid: slot::database_oid(session).await?,
            timeline: identified.timeline,
            written: written(session).await?,
            next_transaction: next_transaction(session).await?,
        })
    }

    /// Asks a server that need not replicate.
    pub(super) async fn of(session: &Session) -> Result<Self, Unready> {
        let row = session.query("select pg_is_in_recovery()").await?.pop().unwrap_or_default();
        if row.first().and_then(Option::as_deref) == Some("t") {
            let what = "the server that answers is a standby";
            return Err(Fault::retry(Code::PostgresStandby, what).into());
        }
        let ask = "select system_identifier, (select timeline_id from pg_control_checkpoint()), \
                   pg_snapshot_xmax(pg_current_snapshot()) from pg_control_system()";
        let row = session.query(ask).await?.pop().unwrap_or_default();
        let cell = |at: usize| row.get(at).and_then(Option::as_deref);
        let read =
            || Some((cell(0)?.parse().ok()?, cell(1)?.parse().ok()?, cell(2)?.parse().ok()?));
        let odd = || Trouble::malformed("the server cannot say who it is");
        let (system, timeline, next_transaction) = read().ok_or_else(odd)?;
        let database_oid = slot::database_oid(session).await?;
        let written = written(session).await?;
        Ok(Self { system, database_oid, timeline, written, next_transaction })
    }

    /// How it is told apart from every other.
    pub(super) fn identity(&self) -> Identity {
        names::identity(self.system, self.database_oid)
    }
}

/// A connection for replication, to a primary if nothing else was asked for.
pub(super) async fn connect(access: &Access) -> Result<Replication, Unready> {
    Replication::connect(access).await.map_err(|trouble| match &trouble {
        Trouble::Refused(it) if it.sqlstate == "08P01" => {
            let what = format!("what answers can not replicate: {trouble}");
            Fault::retry(Code::PostgresPooler, what).into()
        }
        Trouble::Refused(it) if it.sqlstate == "53300" && it.message.contains("wal_sender") => {
            Fault::retry(Code::PostgresSlot, trouble.to_string()).into()
        }
        _ => Unready::Trouble(trouble),
    })
}

/// The number that the next transaction gets: whoever has this one or a later one has not begun yet.
pub(super) async fn next_transaction(session: &Session) -> Result<u64, Trouble> {
    let ask = "select pg_snapshot_xmax(pg_current_snapshot())";
    let next = session.query(ask).await?.pop().and_then(|row| row.into_iter().next()?);
    let next = next.and_then(|next| next.parse().ok());
    next.ok_or_else(|| Trouble::malformed("there is no next number"))
}

/// How far the log is written.
pub(super) async fn written(session: &Session) -> Result<Lsn, Trouble> {
    let row = session.query("select pg_current_wal_insert_lsn()").await?.pop();
    let at = row.and_then(|row| row.into_iter().next()?).and_then(|it| it.parse().ok());
    at.ok_or_else(|| Trouble::malformed("the server cannot say how far it is"))
}

/// Writes a message into the log, in a transaction of its own: behind it lies everything that was
/// committed before, also by those who did not wait for the disk. A standby is not waited for.
pub(super) async fn mark(session: &Session) -> Result<(), Trouble> {
    let mark = "set synchronous_commit = local; select pg_logical_emit_message(true, 'instep', '')";
    session.query(mark).await.map(drop)
}

/// Moves the end of the log by some bytes, without a transaction and without waiting for a disk.
pub(super) async fn nudge(session: &Session) -> Result<(), Trouble> {
    let nudge = "select pg_logical_emit_message(false, 'instep', '')";
    session.query(nudge).await.map(drop)
}

/// Where the server's timeline branched off from an earlier one, if it did.
pub(super) async fn branched(
    replication: &mut Replication,
    timeline: u32,
    earlier: u32,
) -> Result<Option<Lsn>, Trouble> {
    let rows = replication.query(&format!("TIMELINE_HISTORY {timeline}")).await?;
    let history = rows.into_iter().next().and_then(|row| row.into_iter().nth(1)?);
    Ok(branch(&history.unwrap_or_default(), earlier))
}

/// PURE: where a timeline was left, from the history of a later one: a line for each that says its
/// number and its end.
fn branch(history: &str, earlier: u32) -> Option<Lsn> {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let number: u32 = words.next()?.parse().ok()?;
        Some((number, words.next()?.parse().ok()?))
    };
    history.lines().filter_map(line).find(|(number, _)| *number == earlier).map(|(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::{Lsn, branch};

    #[test]
    fn the_place_where_a_timeline_was_left_is_found_in_the_history() {
        let history = "1\t0/3000110\tno recovery target specified\n\n2\t0/5000000\tbefore x\n";
        assert_eq!(branch(history, 1), Some(Lsn(0x300_0110)));
        assert_eq!(branch(history, 2), Some(Lsn(0x500_0000)));
        assert_eq!(branch(history, 3), None);
        assert_eq!(branch("1\\tx", 1), None);
    }
}
