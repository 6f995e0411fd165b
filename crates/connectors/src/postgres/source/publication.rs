//! The publication, which says what the server tells us: made, kept fitting, and looked at.

use super::names::publication_name;
use super::unready::Unready;
use crate::postgres::quote;
use crate::postgres::schema::Described;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Code, Fault};
use std::collections::BTreeMap;

/// A publication as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) oid: u32,
    /// The transaction that changed it last.
    pub(super) changed: u32,
    /// Whether it publishes every kind of change, partitions as their root.
    is_whole: bool,
    /// Whether it holds every table there is.
    has_all: bool,
    /// The tables that it names: the number of the place of each, and whether it is published whole.
    tables: BTreeMap<u32, (u32, bool)>,
    /// Named tables that are none of those asked about.
    others: Vec<String>,
}

impl Standing {
    /// The number of a table's place in it, if all of the table is published.
    pub(super) fn place_of(&self, table: &Described) -> Option<u32> {
        match self.tables.get(&table.oid) {
            Some((place, true)) => Some(*place),
            Some((_, false)) => None,
            None if self.has_all => Some(0),
            None => None,
        }
    }
}

/// The publication as it stands, if there is one.
pub(super) async fn look(
    session: &Session,
    follower: &str,
    tables: &[Described],
) -> Result<Option<Standing>, Trouble> {
    let name = publication_name(follower);
    let of = quote::text(&name);
    let look = format!(
        "select oid, xmin, pubinsert and pubupdate and pubdelete and pubtruncate, pubviaroot, \
         puballtables from pg_publication where pubname = {of}"
    );
    let Some(row) = session.query(&look).await?.pop() else { return Ok(None) };
    let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let has_root = tables.iter().any(|table| table.is_partitioned);
    let mut standing = Standing {
        oid: number(&cell(0))?,
        changed: number(&cell(1))?,
        is_whole: cell(2) == "t" && (cell(3) == "t" || !has_root),
        has_all: cell(4) == "t",
        ..Standing::default()
    };
    // Of versions before 15 there are neither filters nor lists of columns.
    let rows = format!(
        "select r.oid, r.prrelid, \
         (to_jsonb(r) ->> 'prqual') is null and (to_jsonb(r) ->> 'prattrs') is null, \
         r.prrelid::regclass from pg_publication_rel r where r.prpubid = {}",
        standing.oid
    );
    for row in session.query(&rows).await? {
        let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let oid = number(&cell(1))?;
        standing.tables.insert(oid, (number(&cell(0))?, cell(2) == "t"));
        if !tables.iter().any(|table| table.oid == oid) {
            standing.others.push(cell(3));
        }
    }
    Ok(Some(standing))
}

/// Makes the publication, or makes it fit, and gives it as it stands then. Each table is named in it,
/// so that it shows if it is taken out, unless it holds every table there is.
pub(super) async fn ensure(
    session: &Session,
    follower: &str,
    tables: &[Described],
) -> Result<Standing, Unready> {
    let Some(mut standing) = look(session, follower, tables).await? else {
        let create = create(follower, tables);
        session.query(&create).await.map_err(|trouble| refused(trouble, &create))?;
        return look(session, follower, tables).await?.ok_or_else(|| missing(follower));
    };
    let name = quote::name(&publication_name(follower));
    if !standing.is_whole {
        let whole = format!("alter publication {name} set ({OPTIONS})");
        session.query(&whole).await.map_err(|trouble| refused(trouble, &whole))?;
    }
    for table in tables {
        let only = table.only();
        match standing.tables.get(&table.oid) {
            Some((_, true)) => continue,
            None if standing.has_all => continue,
            // Added anew without its filter or its list of columns.
            Some((_, false)) => {
                let drop = format!("alter publication {name} drop table {only}");
                session.query(&drop).await.map_err(|trouble| refused(trouble, &drop))?;
            }
            None => {}
        }
        add(session, &name, &only).await?;
    }
    for other in std::mem::take(&mut standing.others) {
        // Only less to read; where that is not ours to do, more comes and is passed over.
        drop(session.query(&format!("alter publication {name} drop table only {other}")).await);
    }
    let standing = look(session, follower, tables).await?;
    let has_all =
        |it: &Standing| it.is_whole && tables.iter().all(|table| it.place_of(table).is_some());
    standing.filter(has_all).ok_or_else(|| missing(follower))
}

/// Drops the publication; whether there was one.
pub(super) async fn drop_it(session: &Session, follower: &str) -> Result<bool, Trouble> {
    let name = publication_name(follower);
    let of = quote::text(&name);
    let there =
        session.query(&format!("select 1 from pg_publication where pubname = {of}")).await?;
    session.query(&format!("drop publication if exists {}", quote::name(&name))).await?;
    Ok(!there.is_empty())
}

/// Adds a table while nobody is writing to it: whoever had written before would not be told of in
/// every version, and what he wrote lie before the place from which the table is read.
async fn add(session: &Session, publication: &str, table: &str) -> Result<(), Unready> {
    let add = format!("alter publication {publication} add table {table}");
    let all = format!(
        "begin; set local lock_timeout = '3s'; lock table {table} in share row exclusive mode; \
         {add}; commit"
    );
    let added = session.query(&all).await;
    if added.is_err() {
        drop(session.query("rollback").await);
    }
    added.map(drop).map_err(|trouble| refused(trouble, &add))
}

/// What is told: every kind of change, and of partitions as of the table that they are parts of.
const OPTIONS: &str =
    "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

/// The statement that makes a publication of these tables.
fn create(follower: &str, tables: &[Described]) -> String {
    let name = quote::name(&publication_name(follower));
    let tables: Vec<_> = tables.iter().map(Described::only).collect();
    format!("create publication {name} for table {} with ({OPTIONS})", tables.join(", "))
}

/// What is to be told where a statement of ours was refused.
fn refused(trouble: Trouble, statement: &str) -> Unready {
    let state = trouble.refused().map(|refused| refused.sqlstate.clone()).unwrap_or_default();
    match state.as_str() {
        "42501" => {
            let what = format!(
                "{trouble}; as a superuser or as the owner of the tables and with CREATE on the \
                 database, run: {statement}"
            );
            Unready::Fault(Fault::retry(Code::PostgresPublication, what))
        }
        "55P03" => {
            let what =
                format!("somebody is writing to the table all the while: {statement}: {trouble}");
            Unready::Fault(Fault::retry(Code::PostgresPublication, what))
        }
        _ => Unready::Trouble(trouble),
    }
}

fn missing(follower: &str) -> Unready {
    let what =
        format!("the publication {} was dropped or changed just now", publication_name(follower));
    Unready::Fault(Fault::retry(Code::PostgresPublication, what))
}

fn number(text: &str) -> Result<u32, Trouble> {
    text.parse().map_err(|_| Trouble::malformed("the catalog shows a number that is none"))
}
