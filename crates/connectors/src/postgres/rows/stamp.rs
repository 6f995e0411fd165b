//! PURE: a text that is another one whenever a table looks in another way, and is quickly asked for.
//!
//! To describe a table takes longer than to read many rows of it, so it is done again only then. A
//! row of the catalog that is written anew has the number of another transaction, or another place in
//! the same one. A partitioned table has no stamp: it is described by its partitions as well.

use crate::postgres::quote;
use model::TableName;

/// The query for it, one cell; no row, or a cell that is NULL, where there is none.
pub(super) fn query(name: &TableName) -> String {
    let (schema, name) = name.as_str().split_once('.').unwrap_or_default();
    format!(
        "select case when c.relkind = 'r' then concat_ws(' ', c.oid, c.xmin, c.cmin,
            (select string_agg(concat_ws(' ', a.attnum, a.xmin, a.cmin), ',' order by a.attnum)
                from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
            (select string_agg(concat_ws(' ', i.indexrelid, i.xmin, i.cmin), ','
                order by i.indexrelid) from pg_index i where i.indrelid = c.oid)) end
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = {} and c.relname = {}",
        quote::text(schema),
        quote::text(name)
    )
}
