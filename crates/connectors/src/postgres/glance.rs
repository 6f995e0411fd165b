//! Glance: looks at a server and one of its databases without changing anything there.
//!
//! ```text
//!   stream              whether the server lets us follow it, and who it says it is
//!   server              its version, settings and clock
//!   role                what the role that we are may do, and the publication that is there
//!   kept                slots, and the write-ahead log that they keep back
//!   open                transactions that are open, which the making of a slot waits for
//!   written             what it takes to write to tables, and to keep books
//!   sketch              the tables, with what a person would count and copy
//! ```
//!
//! A look begins with the stream: a pooler refuses that, and is then asked nothing else, since what a
//! session sets would stay behind in a connection that others share.

mod cells;
mod kept;
mod open;
mod role;
mod server;
mod sketch;
mod stream;
mod written;

pub use kept::Kept;
pub use open::{Open, Whose};
pub use role::{Publication, Rights, TableRights};
pub use server::ServerFacts;
pub use stream::{Streaming, identity, judge_stream, recorded_identity, stream};
pub use written::WrittenTable;

use super::access::Access;
use super::schema::{Described, Unfit, describe};
use super::session::{Cells, Session};
use super::trouble::Trouble;
use super::types::Types;
use crate::sketch::{Sketch, SketchBounds};
use model::{Identity, TableName};
use std::time::Duration;
use tokio::time::Instant;

/// A database that is looked at and never written.
#[derive(Debug)]
pub struct Glance {
    session: Session,
}

impl Glance {
    /// Connects to the first server that will do. What is asked there takes no longer than this.
    pub async fn connect(access: &Access, answer: Duration) -> Result<Self, Trouble> {
        let session = Session::connect(access).await?;
        let millis = answer.as_millis();
        let bounds = format!(
            "set default_transaction_read_only = on; set statement_timeout = {millis};
             set lock_timeout = {millis}"
        );
        session.query(&bounds).await?;
        Ok(Self { session })
    }

    /// What the server says about itself.
    pub async fn server(&self) -> Result<ServerFacts, Trouble> {
        ServerFacts::read(&self.one(server::ASK).await?).ok_or_else(odd)
    }

    /// Who it is, where it lets us ask without following it.
    pub async fn identity(&self) -> Result<Identity, Trouble> {
        stream::answered(&self.session).await
    }

    /// The tables as they can be followed, or why each can not.
    pub async fn tables(
        &self,
        names: &[TableName],
    ) -> Result<Vec<Result<Described, Unfit>>, Trouble> {
        let types = Types::read(&self.session.query(Types::QUERY).await?).ok_or_else(odd)?;
        describe(&self.session, &types, names).await
    }

    /// What the role that we are may do in this database.
    pub async fn rights(&self) -> Result<Rights, Trouble> {
        Rights::read(&self.one(role::ASK).await?).ok_or_else(odd)
    }

    /// What it may do with these tables; those that are not there are left out.
    pub async fn table_rights(&self, names: &[TableName]) -> Result<Vec<TableRights>, Trouble> {
        let rows = self.session.query(&role::ask_tables(names)).await?;
        rows.iter().map(|row| TableRights::read(row).ok_or_else(odd)).collect()
    }

    /// What it may do with tables that are written to, be they there or not.
    pub async fn written(&self, names: &[TableName]) -> Result<Vec<WrittenTable>, Trouble> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.session.query(&written::ask(names)).await?;
        rows.iter().map(|row| WrittenTable::read(row).ok_or_else(odd)).collect()
    }

    /// The same of the tables in which Instep keeps its books as a target.
    pub async fn books(&self) -> Result<Vec<WrittenTable>, Trouble> {
        self.written(&written::books()).await
    }

    /// A publication with its tables, if there is one of this name.
    pub async fn publication(&self, name: &str) -> Result<Option<Publication>, Trouble> {
        let rows = self.session.ask(role::ASK_PUBLICATION, &[Some(name)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut publication = Publication::read(row).ok_or_else(odd)?;
        let tables = self.session.ask(role::ASK_PUBLISHED, &[Some(name)]).await?;
        publication.add(&tables).ok_or_else(odd)?;
        Ok(Some(publication))
    }

    /// Whether there is a schema of this name.
    pub async fn has_schema(&self, schema: &str) -> Result<bool, Trouble> {
        let ask = "select 1::text from pg_namespace where nspname = $1";
        Ok(!self.session.ask(ask, &[Some(schema)]).await?.is_empty())
    }

    /// The slots that an Instep made, in every database of the server.
    pub async fn kept(&self) -> Result<Vec<Kept>, Trouble> {
        let rows = self.session.query(kept::ASK).await?;
        rows.iter().map(|row| Kept::read(row).ok_or_else(odd)).collect()
    }

    /// The transactions that are open and have written something.
    pub async fn open(&self) -> Result<Vec<Open>, Trouble> {
        let rows = self.session.query(open::ASK).await?;
        rows.iter().map(|row| Open::read(row).ok_or_else(odd)).collect()
    }

    /// How long the smallest question takes.
    pub async fn latency(&self) -> Result<Duration, Trouble> {
        let began = Instant::now();
        self.session.query("select 1").await?;
        Ok(began.elapsed())
    }

    /// The tables as a person would describe them, within bounds.
    pub async fn sketch(&self, bounds: &SketchBounds) -> Result<Sketch, Trouble> {
        sketch::sketch(&self.session, bounds).await
    }

    async fn one(&self, query: &str) -> Result<Cells, Trouble> {
        self.session.query(query).await?.into_iter().next().ok_or_else(odd)
    }
}

fn odd() -> Trouble {
    Trouble::malformed("the server answers in a way that is not known")
}
