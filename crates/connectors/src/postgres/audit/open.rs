//! A connection that only reads, and what is known of its database.

use super::catalog::{self, Known, Read};
use super::mark;
use super::question::odd;
use super::relation::Relation;
use crate::postgres::access::Access;
use crate::postgres::rows::{Failure, estimate};
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Types;
use model::{Ask, Code, Fault, TableName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A connection that only reads.
pub(super) struct Open {
    pub(super) session: Session,
    types: Types,
    store: Store,
    /// Tables as they were found.
    known: BTreeMap<TableName, Arc<Relation>>,
    /// Conditions that were found to be one each.
    admitted: BTreeSet<Arc<str>>,
    /// As many rows as fit into an answer, going by the last ones.
    pub(super) fitting: usize,
    /// Whether rows that nobody wants are still on their way.
    pub(super) is_spent: bool,
}

/// What is known of the server.
struct Store {
    name: String,
    sums: Option<&'static str>,
}

/// No answer changes anything, takes longer, or waits longer for a lock; and a policy that would hide
/// rows is an error, since they would look as if they were gone.
const SETTINGS: &str = "set default_transaction_read_only = on; set statement_timeout = '30s';
    set lock_timeout = '5s'; set row_security = off";

impl Open {
    /// Connects.
    pub(super) async fn connect(access: &Access, fitting: usize) -> Result<Self, Failure> {
        let session = Session::connect(access).await?;
        session.query(SETTINGS).await?;
        let (types, store) = (types(&session).await?, store(&session).await?);
        let (known, admitted) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { session, types, store, known, admitted, fitting, is_spent: false })
    }

    /// The table as it looks now.
    pub(super) async fn look(&mut self, name: &TableName) -> Result<Option<Relation>, Failure> {
        let Some(mut relation) = self.read(name).await? else {
            self.known.remove(name);
            return Ok(None);
        };
        let rows = self.session.query(&estimate(name)).await?;
        let rows = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
        self.known.insert(name.clone(), Arc::new(relation.clone()));
        relation.looked.rows = rows;
        Ok(Some(relation))
    }

    /// The table as it was found when it was first needed.
    pub(super) async fn relation(&mut self, name: &TableName) -> Result<Arc<Relation>, Failure> {
        if let Some(known) = self.known.get(name) {
            return Ok(Arc::clone(known));
        }
        let missing = || {
            Fault::retry(Code::TableMissing, format!("there is no table {name} that can be read"))
        };
        let relation = Arc::new(self.read(name).await?.ok_or_else(missing)?);
        self.known.insert(name.clone(), Arc::clone(&relation));
        Ok(relation)
    }

    /// The table that rows are asked of, once it is known that its condition is one.
    pub(super) async fn asked(&mut self, ask: &Ask) -> Result<Arc<Relation>, Failure> {
        let relation = self.relation(&ask.table).await?;
        if let Some(condition) = &ask.condition
            && !self.admitted.contains(condition)
        {
            self.check(&relation, condition).await?;
            self.admitted.insert(Arc::clone(condition));
        }
        Ok(relation)
    }

    /// A condition that closes a bracket is none within brackets of the other kind. The server takes
    /// one statement here, and reads no rows.
    async fn check(&self, relation: &Relation, condition: &str) -> Result<(), Failure> {
        if condition.contains('\0') {
            let what = "the condition has a character of the number zero";
            return Err(Fault::stop(Code::PostgresRefused, what).into());
        }
        let only = &relation.only;
        for within in [format!("({condition}\n)"), format!("(array[{condition}\n])[1]")] {
            let statement = format!("select '' from {only} where {within} limit 0");
            self.session.ask(&statement, &[]).await?;
        }
        Ok(())
    }

    async fn read(&mut self, name: &TableName) -> Result<Option<Relation>, Failure> {
        for _ in 0..2 {
            let rows = self.session.query(&catalog::query(name)).await?;
            let Store { name: store, sums } = &self.store;
            let known = Known { name, types: &self.types, store, sums: *sums };
            match catalog::read(&known, &rows).ok_or_else(odd)? {
                Read::Missing => return Ok(None),
                Read::Relation(relation) => return Ok(Some(*relation)),
                Read::NewType => self.types = types(&self.session).await?,
            }
        }
        let what = format!("the table {name} has a column of a type made just now");
        Err(Fault::retry(Code::SourceUnavailable, what).into())
    }
}

async fn types(session: &Session) -> Result<Types, Failure> {
    let rows = session.query(Types::QUERY).await?;
    Ok(Types::read(&rows).ok_or_else(odd)?)
}

/// From this version on the server has all that a mark is made of.
const MARKS_FROM: u32 = 130_000;

/// Servers of other makers, and those on machines of another kind, may count in another way.
const PROBE: (&str, &str) = ("hashtextextended('Instep' collate \"C\", 7)", "2595723945195391780");

async fn store(session: &Session) -> Result<Store, Failure> {
    let rows = session
        .query(
            "select current_setting('server_version_num'), current_setting('server_version'),
                current_setting('server_encoding')",
        )
        .await?;
    let [number, version, encoding] = one(rows)?;
    let number: u32 = number.parse().map_err(|_| odd())?;
    let mut sums = None;
    if number >= MARKS_FROM && encoding == "UTF8" {
        let rows = session.query(&format!("select {}", PROBE.0)).await?;
        let [probed] = one(rows)?;
        sums = (probed == PROBE.1).then_some(mark::NAME);
    }
    let version = version.split(' ').next().unwrap_or_default();
    Ok(Store { name: format!("PostgreSQL {version}"), sums })
}

/// The cells of an answer of one row.
pub(super) fn one<const N: usize>(rows: Vec<Cells>) -> Result<[String; N], Trouble> {
    let row = rows.into_iter().next().ok_or_else(odd)?;
    let cells = row.into_iter().collect::<Option<Vec<_>>>().ok_or_else(odd)?;
    cells.try_into().map_err(|_| odd())
}
