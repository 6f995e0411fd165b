//! A connection that is in no transaction, and the types of its database.

use super::failure::Failure;
use super::stamp;
use crate::postgres::access::Access;
use crate::postgres::outbox::Outbox;
use crate::postgres::schema::{Described, Unfit, Why, describe};
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Types;
use model::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A connection, and the types of its database.
pub(super) struct Open {
    pub(super) session: Session,
    types: Types,
    outbox: Option<Arc<Outbox>>,
    /// Tables as they were described, with their stamps at that time.
    known: BTreeMap<TableName, (String, Described)>,
}

impl Open {
    /// Connects.
    pub(super) async fn connect(
        access: &Access,
        outbox: Option<Arc<Outbox>>,
    ) -> Result<Self, Failure> {
        let session = Session::connect(access).await?;
        let types = types(&session).await?;
        Ok(Self { session, types, outbox, known: BTreeMap::new() })
    }

    /// Whether this is a kind of the outbox.
    pub(super) fn is_kind(&self, name: &TableName) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.has(name))
    }

    /// The name of the table that holds the rows: of a kind, the outbox.
    pub(super) fn place_of(&self, name: &TableName) -> TableName {
        let outbox = self.outbox.as_ref().filter(|outbox| outbox.has(name));
        outbox.map_or(name, |outbox| &outbox.table).clone()
    }

    /// What the table that holds the rows looks like now.
    pub(super) async fn describe(
        &mut self,
        name: &TableName,
    ) -> Result<Result<Described, Unfit>, Failure> {
        let name = self.place_of(name);
        let rows = self.session.query(&stamp::query(&name)).await?;
        let stamp = rows.into_iter().flatten().next().flatten();
        self.describe_by(&name, stamp).await
    }

    /// What a table looks like, if this is its stamp now.
    pub(super) async fn describe_by(
        &mut self,
        name: &TableName,
        stamp: Option<String>,
    ) -> Result<Result<Described, Unfit>, Failure> {
        if let (Some(stamp), Some((known, described))) = (&stamp, self.known.get(name))
            && stamp == known
        {
            return Ok(Ok(described.clone()));
        }
        let mut described = self.try_describe(name).await?;
        if described.as_ref().is_err_and(|unfit| unfit.why == Why::NewType) {
            self.types = types(&self.session).await?;
            described = self.try_describe(name).await?;
        }
        match (&described, stamp) {
            (Ok(described), Some(stamp)) => {
                self.known.insert(name.clone(), (stamp, described.clone()));
            }
            _ => drop(self.known.remove(name)),
        }
        Ok(described)
    }

    async fn try_describe(&self, name: &TableName) -> Result<Result<Described, Unfit>, Failure> {
        let described = describe(&self.session, &self.types, std::slice::from_ref(name)).await?;
        let none = || Trouble::malformed("the server describes no table of one that was asked for");
        Ok(described.into_iter().next().ok_or_else(none)?)
    }

    /// Whether the connection is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }
}

async fn types(session: &Session) -> Result<Types, Failure> {
    let rows = session.query(Types::QUERY).await?;
    let odd = || Trouble::malformed("the server lists its types in a way that is not known");
    Ok(Types::read(&rows).ok_or_else(odd)?)
}
