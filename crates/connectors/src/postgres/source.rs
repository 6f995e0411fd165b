//! The source: follows tables of a database by its write-ahead log, with no trigger and no pause.
//!
//! ```text
//!   begin           where following begins, and whether it can go on where it was
//!     server        who a server is, and how far
//!     sight         what its catalog shows of the tables
//!     publication   what it tells us, and  slot  what it keeps for us
//!     witness       PURE: whether anything happened that the stream says nothing of
//!   assembly        PURE: messages to steps
//!     followed      PURE: rows to changes        numbers   PURE: numbers of transactions
//!     part          PURE: changes that are handed over together
//!     outbox        PURE: rows of an outbox to changes of the kinds that they name
//!     known_history PURE: whether what comes again is what we have
//!   confirming      PURE: what the server may forget
//!   triggers        the same without the log: triggers record what was touched
//!   aide            markers, and looks beside the stream;  alarm  PURE: what to say about the slot
//!     trim          takes rows out of an outbox that are durable elsewhere
//! ```
//!
//! The place of a transaction is the end of its commit in the log. What the server is told to forget
//! ends where the last commit *begins*: so that one comes again, and shows the history to be ours.

mod aide;
mod alarm;
mod assembly;
mod begin;
mod confirming;
mod followed;
mod known_history;
mod limits;
mod names;
mod numbers;
mod outbox;
mod part;
mod publication;
mod server;
mod session;
mod sight;
mod slot;
mod triggers;
mod trim;
mod unready;
mod witness;

use super::access::Access;
use super::fault::{Side, judge};
use super::outbox::Outbox;
use super::session::Session;
use async_trait::async_trait;
use begin::Wanted;
pub use limits::SourceLimits;
use model::{Code, Fault, Service, Source, TableName};
pub use names::{identity, publication_name, slot_name};
use session::Following;
use std::sync::Arc;
pub use triggers::{PostgresTriggers, detach_triggers};

/// Tables of a PostgreSQL database to follow.
#[derive(Clone, Debug)]
pub struct PostgresSource {
    wanted: Wanted,
    at: Arc<str>,
    lost: session::Lost,
}

impl PostgresSource {
    /// Follows these tables, named with their schema, for this follower: slot and publication bear
    /// his name.
    pub fn new(
        access: Access,
        tables: Vec<TableName>,
        follower: &str,
        limits: SourceLimits,
    ) -> Self {
        let at = access.to_string().into();
        let access = access.to_primary();
        let follower = follower.to_owned();
        let wanted = Wanted { access, tables, outbox: None, follower, limits };
        Self { wanted, at, lost: session::Lost::default() }
    }

    /// The same, with the kinds of an outbox, which is kept small.
    #[must_use]
    pub fn with_outbox(mut self, outbox: Outbox) -> Self {
        self.wanted.outbox = Some(outbox);
        self
    }
}

#[async_trait]
impl Service<dyn Source> for PostgresSource {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        let Self { wanted, at, lost } = self.clone();
        Ok(Box::new(Following::new(wanted, at, lost)))
    }
}

/// Drops the slot and the publication of a follower; whether there was any. Refused while the slot is
/// read.
pub async fn detach(access: &Access, follower: &str) -> Result<bool, Fault> {
    let judged = |trouble| judge(Side::Source, &access.to_string(), trouble);
    let session = Session::connect(access).await.map_err(judged)?;
    let slot = slot::of(&session, follower).await.map_err(judged)?;
    let standing = slot::look(&session, &slot).await.map_err(judged)?;
    if let Some(pid) = standing.and_then(|standing| standing.active) {
        let what =
            format!("the slot {slot} is read by process {pid} of the server; stop Instep first");
        return Err(Fault::stop(Code::PostgresSlot, what));
    }
    let had_slot = slot::drop_it(&session, &slot).await.map_err(judged)?;
    let had_publication = publication::drop_it(&session, follower).await.map_err(judged)?;
    Ok(had_slot || had_publication)
}
