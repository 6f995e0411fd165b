//! Capture without a slot: triggers record which rows were touched, in the writer's own transaction.
//!
//! ```text
//!   begin     where following begins, and whether it can go on where it was
//!   install   what stands in the database for it
//!   books     which reading saw what
//!   reading   what became visible since the last one, as one transaction
//!   session   a connection that follows
//! ```
//!
//! For servers that give no right to replicate, or are reached only by a pooler that keeps sessions.
//! What became visible between two snapshots is one transaction, and the rows are read as they are in
//! the later one. Numbers that rise, or clocks, would miss whoever commits late.
//!
//! A position is a place in the log at which the reading's snapshot had not yet been taken. So whoever
//! waits for a position that he read behind his own commit waits for a snapshot that has it; and a
//! reading is noted in a transaction of its own behind its snapshot, so that whoever sees the note
//! sees all that the reading saw.

mod begin;
mod books;
mod install;
mod reading;
mod session;

use super::begin::Wanted;
use super::limits::SourceLimits;
use super::names::publication_name;
use crate::postgres::access::Access;
use crate::postgres::fault::{Side, judge};
use crate::postgres::session::Session;
use async_trait::async_trait;
use model::{Fault, Service, Source, TableName};
use session::Recorded;

/// Tables of a PostgreSQL database to follow by triggers.
#[derive(Clone, Debug)]
pub struct PostgresTriggers {
    wanted: Wanted,
}

impl PostgresTriggers {
    /// Follows these tables, named with their schema, for this follower: the schema with what is
    /// recorded bears his name.
    pub fn new(
        access: Access,
        tables: Vec<TableName>,
        follower: &str,
        limits: SourceLimits,
    ) -> Self {
        let access = access.to_primary();
        let follower = follower.to_owned();
        Self { wanted: Wanted { access, tables, outbox: None, follower, limits } }
    }
}

#[async_trait]
impl Service<dyn Source> for PostgresTriggers {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        Ok(Box::new(Recorded::new(self.wanted.clone())))
    }
}

/// Drops the triggers of a follower and what they recorded; whether there was any.
pub async fn detach_triggers(access: &Access, follower: &str) -> Result<bool, Fault> {
    let judged = |trouble| judge(Side::Source, &access.to_string(), trouble);
    let session = Session::connect(access).await.map_err(judged)?;
    install::remove(&session, &publication_name(follower)).await.map_err(judged)
}
