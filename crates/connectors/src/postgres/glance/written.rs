//! What it takes to write to tables. PURE but for its words.

use super::cells::{flag, text};
use crate::postgres::quote;
use crate::postgres::session::Cells;
use model::TableName;

/// What the role that we are may do with a table that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTable {
    /// The table.
    pub table: TableName,
    /// Whether its schema is there.
    pub has_schema: bool,
    /// Whether the role may use what is in the schema.
    pub uses_schema: bool,
    /// Whether it may make something there.
    pub creates: bool,
    /// Whose the table is; nobody's if it is not there.
    pub owner: Option<String>,
    /// What of reading, inserting, updating, deleting and truncating it may not do there.
    pub lacks: Vec<String>,
    /// Whether policies decide which rows it sees and writes.
    pub sees_some_rows: bool,
}

/// The tables in which Instep keeps its books as a target.
const BOOKS: [&str; 6] = [
    "instep.format",
    "instep.watermarks",
    "instep.leases",
    "instep.holds",
    "instep.passes",
    "instep.columns",
];

/// The books.
pub(super) fn books() -> Vec<TableName> {
    BOOKS.map(TableName::from).into()
}

/// What is asked about tables, those that are not there among them.
pub(super) fn ask(names: &[TableName]) -> String {
    let split = |name: &TableName| {
        let (schema, table) = name.as_str().split_once('.').unwrap_or(("", name.as_str()));
        format!("({}, {})", quote::text(schema), quote::text(table))
    };
    let names: Vec<_> = names.iter().map(split).collect();
    format!(
        "select asked.schema || '.' || asked.name, n.oid is not null,
            coalesce(has_schema_privilege(n.oid, 'usage'), false),
            coalesce(has_schema_privilege(n.oid, 'create'), false),
            pg_get_userbyid(c.relowner),
            case when c.oid is null then '' else (select string_agg(it, ',' order by place)
                from unnest(array['select', 'insert', 'update', 'delete', 'truncate'])
                    with ordinality wanted (it, place)
                where not has_table_privilege(c.oid, it)) end,
            coalesce(row_security_active(c.oid), false)
         from (values {}) asked (schema, name)
         left join pg_namespace n on n.nspname = asked.schema
         left join pg_class c on c.relnamespace = n.oid and c.relname = asked.name
         order by 1",
        names.join(", ")
    )
}

impl WrittenTable {
    /// From a row of the answer to [`ask`].
    pub(super) fn read(cells: &Cells) -> Option<Self> {
        let [table, has_schema, uses_schema, creates, owner, lacks, policies] = cells.as_slice()
        else {
            return None;
        };
        let lacks = lacks.iter().flat_map(|it| it.split(',')).filter(|it| !it.is_empty());
        Some(Self {
            table: table.as_deref()?.into(),
            has_schema: flag(has_schema)?,
            uses_schema: flag(uses_schema)?,
            creates: flag(creates)?,
            owner: text(owner),
            lacks: lacks.map(str::to_owned).collect(),
            sees_some_rows: flag(policies)?,
        })
    }
}
