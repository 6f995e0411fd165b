//! PURE: transactions that are open and have written something, in any database of the server.

use super::cells::{number, text};
use crate::postgres::session::Cells;

/// A transaction that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub number: u64,
    /// Whose it is, as far as we may know.
    pub whose: Whose,
    /// The role that began it.
    pub role: Option<String>,
    /// Since how many seconds it is open; none where we may not know.
    pub seconds: Option<u64>,
}

/// Whose a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A process of the server, for a client.
    Process(u32),
    /// Nobody's: it was prepared under this name, and waits for somebody to end it.
    Prepared(String),
}

/// Everybody may see the locks that transactions hold on themselves, but not since when.
pub(super) const ASK: &str = "select l.transactionid, l.pid, null, a.usename,
        extract(epoch from clock_timestamp() - a.xact_start)::int8
    from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted
        and l.pid <> pg_backend_pid()
    union all select transaction, null, gid, owner,
        extract(epoch from clock_timestamp() - prepared)::int8 from pg_prepared_xacts";

impl Open {
    /// From a row of the answer to [`ASK`].
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [transaction, process, prepared, role, seconds] = cells.as_slice() else { return None };
        let whose = match text(prepared) {
            Some(name) => Whose::Prepared(name),
            None => Whose::Process(number(process)?),
        };
        Some(Self {
            number: number(transaction)?,
            whose,
            role: text(role),
            seconds: number::<i64>(seconds).map(|it| u64::try_from(it).unwrap_or(0)),
        })
    }
}
