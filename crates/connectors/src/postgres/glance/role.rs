//! What the role that we are may do, with tables and with a publication. PURE but for its words.

use super::cells::{flag, number, text};
use crate::postgres::quote;
use crate::postgres::session::Cells;
use model::TableName;
use std::collections::BTreeSet;

/// What a role may do in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Its name.
    pub role: String,
    /// The database.
    pub database: String,
    /// The number of the database.
    pub database_oid: u32,
    /// Whether it may do everything.
    pub is_superuser: bool,
    /// Whether it may have the stream of changes.
    pub replicates: bool,
    /// Whether it may make something new in the database, such as a publication.
    pub creates: bool,
    /// The role of a managed service that stands for the right to replicate, where there is one.
    pub managed_by: Option<String>,
}

/// What it may do with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRights {
    /// The table.
    pub table: TableName,
    /// Whose it is.
    pub owner: String,
    /// Whether its owner may do everything, so that nobody should be given his place.
    pub is_superusers: bool,
    /// Whether it may do what the owner may.
    pub owns: bool,
    /// Whether it may use what is in the schema.
    pub uses_schema: bool,
    /// Whether it may read every column.
    pub selects: bool,
    /// Whether it may have something done when the table is written.
    pub triggers: bool,
    /// Whether policies decide which rows it sees.
    pub sees_some_rows: bool,
}

/// A publication that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Whose it is.
    pub owner: String,
    /// Whether the role that we are may change it.
    pub owns: bool,
    /// Whether it publishes every kind of change.
    pub is_whole: bool,
    /// Whether rows of a partition come as those of the table that it is a part of.
    pub is_via_root: bool,
    /// The tables whose rows it publishes.
    pub tables: BTreeSet<TableName>,
    /// Those of which it leaves out rows or columns.
    pub cut: BTreeSet<TableName>,
}

/// What a role is asked by. The names are those of services that give no role the attribute itself.
pub(super) const ASK: &str = "select rolname, current_database(),
    (select oid from pg_database where datname = current_database()), rolsuper,
    rolreplication or rolsuper or exists (select 1 from pg_roles m
        where m.rolname = 'rds_replication' and pg_has_role(m.oid, 'usage')),
    has_database_privilege(current_database(), 'create'),
    (select m.rolname from pg_roles m where m.rolname = 'rds_replication')
    from pg_roles where rolname = current_user";

/// What is asked about tables.
pub(super) fn ask_tables(names: &[TableName]) -> String {
    let split = |name: &TableName| {
        let (schema, table) = name.as_str().split_once('.').unwrap_or(("", name.as_str()));
        format!("({}, {})", quote::text(schema), quote::text(table))
    };
    // A list of values is never empty.
    let names: Vec<_> = names.iter().map(split).chain(["('', '')".to_owned()]).collect();
    format!(
        "select n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner),
            coalesce((select rolsuper from pg_roles r where r.oid = c.relowner), false),
            pg_has_role(c.relowner, 'usage'), has_schema_privilege(n.oid, 'usage'),
            has_table_privilege(c.oid, 'select'), has_table_privilege(c.oid, 'trigger'),
            row_security_active(c.oid)
         from (values {}) asked (schema, name)
         join pg_namespace n on n.nspname = asked.schema
         join pg_class c on c.relnamespace = n.oid and c.relname = asked.name",
        names.join(", ")
    )
}

/// What is asked about a publication.
pub(super) const ASK_PUBLICATION: &str = "select pg_get_userbyid(pubowner),
    pg_has_role(pubowner, 'usage')::text, (pubinsert and pubupdate and pubdelete and pubtruncate)::text,
    pubviaroot::text
    from pg_publication where pubname = $1";

/// The tables of a publication, and whether it leaves out something of each: columns that are
/// generated are no loss, since the stream has none of them.
pub(super) const ASK_PUBLISHED: &str = "select t.schemaname || '.' || t.tablename,
    (t.rowfilter is not null or cardinality(t.attnames) < (select count(*) from pg_attribute a
        where a.attrelid = format('%I.%I', t.schemaname, t.tablename)::regclass
            and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''))::text
    from pg_publication_tables t where t.pubname = $1";

impl Rights {
    /// From the answer to [`ASK`].
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [role, database, oid, superuser, replicates, creates, managed] = cells.as_slice()
        else {
            return None;
        };
        Some(Self {
            role: text(role)?,
            database: text(database)?,
            database_oid: number(oid)?,
            is_superuser: flag(superuser)?,
            replicates: flag(replicates)?,
            creates: flag(creates)?,
            managed_by: text(managed),
        })
    }
}

impl TableRights {
    /// From a row of the answer to [`ask_tables`].
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [table, owner, superusers, owns, schema, selects, triggers, policies] =
            cells.as_slice()
        else {
            return None;
        };
        Some(Self {
            table: table.as_deref()?.into(),
            owner: text(owner)?,
            is_superusers: flag(superusers)?,
            owns: flag(owns)?,
            uses_schema: flag(schema)?,
            selects: flag(selects)?,
            triggers: flag(triggers)?,
            sees_some_rows: flag(policies)?,
        })
    }
}

impl Publication {
    /// From the answer to [`ASK_PUBLICATION`], still without tables.
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [owner, owns, whole, via_root] = cells.as_slice() else { return None };
        Some(Self {
            owner: text(owner)?,
            owns: flag(owns)?,
            is_whole: flag(whole)?,
            is_via_root: flag(via_root)?,
            tables: BTreeSet::new(),
            cut: BTreeSet::new(),
        })
    }

    /// Adds the tables of the answer to [`ASK_PUBLISHED`].
    pub(super) fn add(&mut self, rows: &[Cells]) -> Option<()> {
        for row in rows {
            let [table, is_cut] = row.as_slice() else { return None };
            let table = TableName::from(table.as_deref()?);
            if flag(is_cut)? {
                self.cut.insert(table.clone());
            }
            self.tables.insert(table);
        }
        Some(())
    }
}
