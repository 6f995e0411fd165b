//! PURE: what a server says about itself.

use super::cells::{flag, number, text};
use crate::postgres::session::Cells;

/// What a server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version as a number, such as 150020.
    pub version: u32,
    /// Its version as it writes it.
    pub version_text: String,
    /// How much it writes down.
    pub wal_level: String,
    /// Whether it repeats what another server does.
    pub is_standby: bool,
    /// Whether transactions only read there unless they ask for more.
    pub only_reads: bool,
    /// How many slots there may be, and are.
    pub slots: (u32, u32),
    /// How many connections there may be that stream, and are.
    pub senders: (u32, u32),
    /// The most that it keeps back for a slot, in MiB; none for no bound.
    pub kept_mib_max: Option<u64>,
    /// The version of TLS that we are connected with, if any.
    pub tls: Option<String>,
    /// Its own address, as it sees it; none over a socket.
    pub address: Option<String>,
    /// Its clock, in microseconds since 1970.
    pub clock_micros: i64,
}

/// A standby has no position of its own to speak of, so nothing here needs one.
pub(super) const ASK: &str = "select current_setting('server_version_num'),
    current_setting('server_version'), current_setting('wal_level'), pg_is_in_recovery(),
    (select reset_val = 'on' from pg_settings where name = 'default_transaction_read_only'),
    current_setting('max_replication_slots'), (select count(*) from pg_replication_slots),
    current_setting('max_wal_senders'), (select count(*) from pg_stat_replication),
    (select setting from pg_settings where name = 'max_slot_wal_keep_size'),
    (select version from pg_stat_ssl where pid = pg_backend_pid()),
    host(inet_server_addr()) || ':' || inet_server_port(),
    (extract(epoch from clock_timestamp()) * 1000000)::int8";

impl ServerFacts {
    /// From the answer to [`ASK`].
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [
            version,
            words,
            level,
            standby,
            reads,
            slots,
            used,
            senders,
            busy,
            kept,
            tls,
            address,
            clock,
        ] = cells.as_slice()
        else {
            return None;
        };
        Some(Self {
            version: number(version)?,
            version_text: text(words)?,
            wal_level: text(level)?,
            is_standby: flag(standby)?,
            only_reads: flag(reads)?,
            slots: (number(slots)?, number(used)?),
            senders: (number(senders)?, number(busy)?),
            kept_mib_max: number::<i64>(kept).and_then(|mib| u64::try_from(mib).ok()),
            tls: text(tls),
            address: text(address),
            clock_micros: number(clock)?,
        })
    }
}
