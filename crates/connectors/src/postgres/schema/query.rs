//! PURE: everything about some tables, asked in one statement, so that no change of a table comes
//! in between.

use crate::postgres::quote;
use model::TableName;

/// How many cells each row of the answer has.
pub(super) const WIDTH: usize = 13;

/// The rows of this are read by `facts.rs`: the first cell says of what each is, the second for
/// which of the names.
pub(super) fn of(names: &[TableName]) -> String {
    let asked = names.iter().enumerate().map(|(number, name)| {
        let (schema, name) = name.as_str().split_once('.').unwrap_or(("", name.as_str()));
        format!("({number}, {}, {})", quote::text(schema), quote::text(name))
    });
    let asked = asked.collect::<Vec<_>>().join(", ");
    let arms = [(TABLES, 8), (COLUMNS, 11), (LEAVES, 9), (KEYS, 9)];
    let arms = arms.map(|(arm, cells)| {
        let rest = ", null".repeat(WIDTH - 2 - cells);
        arm.replace(" REST", &rest)
    });
    format!("with recursive asked(number, schema, name) as (values {asked}), {FOUND} {}", {
        arms.join(" union all ")
    })
}

/// The tables, and all that is below each which is partitioned. A type's row is as old as its table,
/// and a row of pg_inherits as old as the attachment, which it numbers. Both can be of one transaction which filled the
/// table in between, but an attachment writes the row of each column anew.
const FOUND: &str = "
    local as (select datlocprovider = 'b' or datlocprovider = 'c' and datcollate in ('C', 'POSIX')
            as by_bytes, case datlocprovider when 'c' then datcollate else 'default' end as name,
            pg_encoding_to_char(encoding) as encoding
        from pg_database where datname = current_database()),
    found as (select a.number, c.* from asked a
        join pg_namespace n on n.nspname = a.schema
        join pg_class c on c.relnamespace = n.oid and c.relname = a.name),
    tree(number, relation, attached, is_born) as (
        select f.number, f.oid, 0::int8, true from (select number, oid, relkind from found) f
            where f.relkind = 'p'
        union all
        select t.number, i.inhrelid, (t.attached * 31 + i.xmin::text::int8) % 4294967296,
            t.is_born and i.xmin = y.xmin and exists (
                select from pg_attribute a where a.attrelid = i.inhrelid and a.attnum > 0
                and not a.attisdropped and a.xmin = y.xmin and a.cmin = y.cmin)
            from tree t
            join pg_inherits i on i.inhparent = t.relation and not i.inhdetachpending
            join pg_type y on y.typrelid = i.inhrelid),
    leaf as (select t.number, t.attached, t.is_born, n.nspname, c.oid, c.relname, c.relfilenode, c.relkind,
            c.relpersistence, c.relreplident, c.xmin
        from tree t join pg_class c on c.oid = t.relation
        join pg_namespace n on n.oid = c.relnamespace where c.relkind <> 'p')";

/// What the server's own tables have below this is not theirs.
const TABLES: &str = "
    select 'table', f.number::text, f.oid::text, f.relkind::text, f.relpersistence::text,
        f.relreplident::text, (f.oid < 16384)::text,
        (select i.inhparent::regclass::text from pg_inherits i
            where i.inhrelid = f.oid and f.relispartition),
        (select encoding::text from local),
        (select max(a.attnum) + count(*) filter (where a.attisdropped) from pg_attribute a
            where a.attrelid = f.oid and a.attnum > 0)::text REST
    from found f";

/// A domain writes its values as its base type does, so what writes them tells the types apart.
const COLUMNS: &str = "
    select 'column', f.number::text, a.attnum::text, a.attname::text, a.atttypid::text,
        a.atttypmod::text, a.attnotnull::text, (a.attgenerated <> '')::text,
        format_type(a.atttypid, a.atttypmod), y.typoutput::regproc::text,
        case o.collprovider when 'd' then local.name else o.collname::text end,
        o.collisdeterministic::text,
        case o.collprovider when 'd' then local.by_bytes when 'b' then true
            when 'c' then o.collcollate in ('C', 'POSIX') else false end::text REST
    from local, found f join pg_attribute a on a.attrelid = f.oid
    join pg_type y on y.oid = a.atttypid left join pg_collation o on o.oid = a.attcollation
    where a.attnum > 0 and not a.attisdropped";

const LEAVES: &str = "
    select 'leaf', l.number::text, l.oid::text, l.nspname || '.' || l.relname,
        l.relfilenode::text, l.relkind::text, l.relpersistence::text, l.relreplident::text,
        l.is_born::text, l.attached::text, l.xmin::text REST
    from leaf l";

/// One row for each column of each unique index; an expression has no column.
const KEYS: &str = "
    select 'key', r.number::text, r.oid::text, i.indexrelid::text, i.indisprimary::text,
        i.indisreplident::text, i.indimmediate::text,
        (i.indisvalid and i.indisready and i.indislive and i.indpred is null)::text,
        k.place::text, a.attname::text, a.attnotnull::text REST
    from (select number, oid from found union all select number, oid from leaf) r
    join pg_index i on i.indrelid = r.oid and i.indisunique
    cross join generate_series(1, i.indnkeyatts) k(place)
    left join pg_attribute a on a.attrelid = r.oid and a.attnum = i.indkey[k.place - 1]
        and a.attnum > 0";

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_name_is_split_at_its_first_dot_and_ends_no_quotation() {
        let query = of(&["a.b.c".into(), "it's".into()]);
        assert!(query.contains("(values (0, 'a', 'b.c'), (1, '', 'it''s'))"), "{query}");
        assert!(!query.contains(" REST"));
    }
}
