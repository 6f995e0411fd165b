//! Sight: what the catalog shows of the followed tables, asked at the start and every few seconds.

use super::unready::Unready;
use super::witness::{Leaf, Seen};
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

    /// The followed table of this name.
    pub(super) fn table(&self, schema: &str, name: &str) -> Option<&Described> {
        let is_it =
            |it: &&Described| it.table.name.as_str().split_once('.') == Some((schema, name));
        self.tables.iter().find(is_it)
    }

    /// What is to be noted of the tables, each with the number of what tells of its changes.
    pub(super) fn seen(
        &self,
        place_of: impl Fn(&Described) -> Option<u32>,
    ) -> BTreeMap<String, Seen> {
        let leaf = |leaf: &schema::Leaf| (leaf.oid, Leaf { file: leaf.file, born: leaf.is_born });
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
