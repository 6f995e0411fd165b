//! Sight: what the catalog shows of the followed tables, asked at the start and every few seconds.

use super::outbox::Kinds;
use super::unready::Unready;
use super::witness::{Leaf, Seen};
use crate::postgres::access::Access;
use crate::postgres::outbox::Outbox;
use crate::postgres::pgoutput::Relation;
use crate::postgres::schema::{self, Described};
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Types;
use model::{Fault, TableName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the catalog shows.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// Every type of the database.
    pub(super) types: Arc<Types>,
    /// The followed tables, and the outbox.
    pub(super) tables: Arc<[Described]>,
    /// The kinds of the outbox, which is the last of the tables then.
    pub(super) outbox: Option<Outbox>,
}

impl Sight {
    /// Looks at these tables; refused is a table that cannot be followed.
    pub(super) async fn of(
        session: &Session,
        names: &[TableName],
        outbox: Option<&Outbox>,
    ) -> Result<Self, Unready> {
        let names: Vec<_> = names.iter().chain(outbox.map(|it| &it.table)).cloned().collect();
        if let (Some(outbox), Some((_, tables))) = (outbox, names.split_last()) {
            outbox.check(tables)?;
        }
        let rows = session.query(Types::QUERY).await?;
        let unread = || Trouble::malformed("the list of types cannot be read");
        let types = Types::read(&rows).ok_or_else(unread)?;
        let tables = schema::describe(session, &types, &names).await?;
        let tables: Result<Vec<_>, _> = tables.into_iter().collect();
        let tables = tables.map_err(Fault::from)?;
        if let (Some(outbox), Some(described)) = (outbox, tables.last()) {
            Kinds::new(outbox, &described.table)?;
        }
        Ok(Self { types: Arc::new(types), tables: tables.into(), outbox: outbox.cloned() })
    }

    /// The outbox, if this table is it.
    pub(super) fn outbox_at(&self, described: &Described) -> Option<&Outbox> {
        self.outbox.as_ref().filter(|outbox| outbox.table == described.table.name)
    }

    /// The same, on a connection of its own.
    pub(super) async fn anew(
        access: Access,
        names: Vec<TableName>,
        outbox: Option<Outbox>,
    ) -> Result<Self, Unready> {
        let session = Session::connect(&access).await?;
        Self::of(&session, &names, outbox.as_ref()).await
    }

    /// The followed table that is described: one keeps its number under every name; and another one
    /// may come under the name.
    pub(super) fn table(&self, relation: &Relation<'_>) -> Option<&Described> {
        let same = |it: &&Described| it.oid == relation.oid;
        let named = |it: &&Described| {
            it.table.name.as_str().split_once('.') == Some((relation.schema, relation.name))
        };
        self.tables.iter().find(same).or_else(|| self.tables.iter().find(named))
    }

    /// What is to be noted of the tables, each with the number of what tells of its changes; and of
    /// the kinds, each with that of the transaction since which they are told of.
    pub(super) fn seen(
        &self,
        place_of: impl Fn(&Described) -> Option<u32>,
        since: impl Fn(&str) -> u64,
    ) -> BTreeMap<String, Seen> {
        let leaf = |leaf: &schema::Leaf| {
            let schema::Leaf { oid, file, attached, changed_by, is_born, .. } = *leaf;
            (oid, Leaf { file, attached, changed_by, is_born })
        };
        let seen = |table: &Described| Seen {
            oid: table.oid,
            published: place_of(table).unwrap_or(0),
            followed: true,
            leaves: table.leaves.iter().map(leaf).collect(),
            since: None,
        };
        let named = |table: &Described| (table.table.name.as_str().to_owned(), seen(table));
        let mut all: BTreeMap<String, Seen> = self.tables.iter().map(named).collect();
        if let (Some(outbox), Some(table)) = (&self.outbox, self.tables.last()) {
            for kind in &outbox.kinds {
                let since = Some(since(kind.as_str()));
                let seen = Seen { leaves: BTreeMap::new(), since, ..seen(table) };
                all.insert(kind.as_str().to_owned(), seen);
            }
        }
        all
    }
}
