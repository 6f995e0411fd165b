//! PURE: slots that an Instep made, and what the server keeps back for them.

use super::cells::{number, text};
use crate::postgres::session::Cells;

/// A slot that an Instep made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub slot: String,
    /// The database that it is for.
    pub database: String,
    /// The process that reads it, if one does.
    pub reader: Option<u32>,
    /// How sure it is of what it keeps: reserved, extended, unreserved or lost.
    pub standing: String,
    /// What is kept back for it.
    pub bytes: u64,
}

/// A standby has no end of its own to count from.
pub(super) const ASK: &str = "select slot_name, database, active_pid, wal_status,
    greatest(coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn()
        else pg_current_wal_lsn() end, restart_lsn), 0), 0)::int8
    from pg_replication_slots where slot_type = 'logical' and starts_with(slot_name, 'instep_')
    order by slot_name";

impl Kept {
    /// From a row of the answer to [`ASK`].
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [slot, database, reader, standing, bytes] = cells.as_slice() else { return None };
        Some(Self {
            slot: text(slot)?,
            database: text(database)?,
            reader: number(reader),
            standing: text(standing).unwrap_or_default(),
            bytes: number(bytes)?,
        })
    }
}
