//! Sight: what the catalog shows of the followed tables, asked at the start and every few seconds.

use super::unready::Unready;
use super::witness::{Leaf, Seen};
use crate::postgres::access::Access;
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
    /// The followed tables.
    pub(super) tables: Arc<[Described]>,
}

impl Sight {
    /// Looks at these tables; refused is a table that cannot be followed.
    pub(super) async fn of(session: &Session, names: &[TableName]) -> Result<Self, Unready> {
        let rows = session.query(Types::QUERY).await?;
        let unread = || Trouble::malformed("the list of types cannot be read");
        let types = Types::read(&rows).ok_or_else(unread)?;
        let tables = schema::describe(session, &types, names).await?;
        let tables: Result<Vec<_>, _> = tables.into_iter().collect();
        let tables = tables.map_err(Fault::from)?;
        Ok(Self { types: Arc::new(types), tables: tables.into() })
    }

    /// The same, on a connection of its own.
    pub(super) async fn anew(access: Access, names: Vec<TableName>) -> Result<Self, Unready> {
        let session = Session::connect(&access).await?;
        Self::of(&session, &names).await
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

    /// What is to be noted of the tables, each with the number of what tells of its changes.
    pub(super) fn seen(
        &self,
        place_of: impl Fn(&Described) -> Option<u32>,
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
        };
        let named = |table: &Described| (table.table.name.as_str().to_owned(), seen(table));
        self.tables.iter().map(named).collect()
    }
}
