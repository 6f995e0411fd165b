//! What the table of a copy looks like, and what else happens when it is written.

use crate::postgres::quote;
use crate::postgres::schema::{ColumnFacts, Facts, facts};
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use model::TableName;
use std::collections::BTreeMap;

/// A table of the database.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) facts: Facts,
    pub(super) traits: Traits,
    /// By their places among the columns.
    pub(super) columns: BTreeMap<i16, ColumnTraits>,
    /// By their names.
    pub(super) unique: BTreeMap<String, UniqueIndex>,
    /// The tables that its rows refer to.
    pub(super) refers: Vec<String>,
}

/// What happens when its rows are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    /// Whether triggers of the user run.
    pub(super) has_triggers: bool,
    /// Whether rules rewrite what is asked.
    pub(super) has_rules: bool,
    /// Whether policies say which rows we see and write.
    pub(super) has_policies: bool,
    /// Whether rows of others refer to its own.
    pub(super) is_referred_to: bool,
    /// Whether it may be emptied as a whole.
    pub(super) may_truncate: bool,
    /// Whether constraints of its own, or on its rows, can wait for the end of a transaction.
    pub(super) has_deferrable: bool,
}

/// What a column is beside its type.
#[derive(Clone, Debug)]
pub(super) struct ColumnTraits {
    /// Its type by the name in the catalog, with its schema and without what stands in brackets.
    pub(super) cast: String,
    /// What its type stands on in the end, where that is a domain: declared as.
    pub(super) base: String,
    /// What stands in its brackets, as a number of the server's; less than zero where nothing does.
    pub(super) modifier: i32,
    /// Whether the table has a value for it where none is given.
    pub(super) fills_itself: bool,
    /// Whether the table always gives it a number of its own.
    pub(super) is_always_numbered: bool,
}

/// An index that lets no two rows be equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UniqueIndex {
    /// Whether NULLs are equal to it.
    pub(super) nulls_are_equal: bool,
    /// What it compares, each as SQL over the columns of the table.
    pub(super) compared: Vec<String>,
    /// Which rows it is over, as SQL; none for all.
    pub(super) condition: Option<String>,
    /// Every column that it depends on, those first that may be NULL.
    pub(super) columns: Vec<String>,
    /// The columns that make it, if they do it alone, over every row and at once.
    pub(super) is_key_of: Option<Vec<String>>,
}

impl Shape {
    /// The table of this name; none if there is no such table.
    pub(super) async fn read(session: &Session, name: &TableName) -> Result<Option<Self>, Trouble> {
        let found = facts(session, std::slice::from_ref(name)).await?;
        let Some(facts) = found.into_iter().next().flatten() else { return Ok(None) };
        let rows = session.query(&query(facts.oid)).await?;
        let odd = || Trouble::malformed("the server describes a table in a way that is not known");
        Self::of(facts, &rows).map(Some).ok_or_else(odd)
    }

    fn of(facts: Facts, rows: &[Cells]) -> Option<Self> {
        let mut shape = Self {
            facts,
            traits: Traits::default(),
            columns: BTreeMap::new(),
            unique: BTreeMap::new(),
            refers: Vec::new(),
        };
        for row in rows {
            let (kind, cells) = row.split_first()?;
            match kind.as_deref()? {
                "table" => shape.traits = traits(cells)?,
                "column" => {
                    let number = text(cells, 0)?.parse().ok()?;
                    shape.columns.insert(number, column(cells)?);
                }
                "index" => {
                    let index = shape.index(cells)?;
                    shape.unique.insert(text(cells, 1)?.to_owned(), index);
                }
                "refers" => shape.refers.push(text(cells, 0)?.to_owned()),
                _ => return None,
            }
        }
        Some(shape)
    }

    fn index(&self, cells: &[Option<String>]) -> Option<UniqueIndex> {
        let number = text(cells, 0)?.parse().ok()?;
        let known = self.facts.indexes.get(&(self.facts.oid, number))?;
        let columns = known.columns.values().map(|it| it.as_ref().map(|(name, _)| name.clone()));
        let is_key = known.is_usable && known.is_immediate;
        let list = |place: usize| Some(text(cells, place)?.split('\u{1f}').map(str::to_owned));
        Some(UniqueIndex {
            nulls_are_equal: is(cells, 2)?,
            compared: list(3)?.collect(),
            condition: text(cells, 4).map(str::to_owned),
            columns: list(5).map(Iterator::collect).unwrap_or_default(),
            is_key_of: columns.collect::<Option<Vec<_>>>().filter(|_| is_key),
        })
    }

    /// Its columns in their order, with what is known of each.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&ColumnFacts, &ColumnTraits)> {
        let traits = |number: &i16| self.columns.get(number);
        self.facts.columns.iter().filter_map(move |(number, it)| Some((it, traits(number)?)))
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Option<(&ColumnFacts, &ColumnTraits)> {
        self.columns().find(|(column, _)| column.name == name)
    }

    /// The index that makes just these columns a key, at once and over every row.
    pub(super) fn key_over(&self, names: &[&str]) -> Option<(&String, &UniqueIndex)> {
        let is_same = |set: &Vec<String>| {
            set.len() == names.len() && set.iter().all(|it| names.contains(&it.as_str()))
        };
        self.unique.iter().find(|(_, index)| index.is_key_of.as_ref().is_some_and(is_same))
    }
}

fn traits(cells: &[Option<String>]) -> Option<Traits> {
    Some(Traits {
        has_triggers: is(cells, 0)?,
        has_rules: is(cells, 1)?,
        has_policies: is(cells, 2)?,
        is_referred_to: is(cells, 3)?,
        may_truncate: is(cells, 4)?,
        has_deferrable: is(cells, 5)?,
    })
}

fn column(cells: &[Option<String>]) -> Option<ColumnTraits> {
    let (modifier, base) = text(cells, 4)?.split_once(' ')?;
    Some(ColumnTraits {
        base: base.to_owned(),
        modifier: modifier.parse().ok()?,
        cast: text(cells, 1)?.to_owned(),
        fills_itself: is(cells, 2)?,
        is_always_numbered: is(cells, 3)?,
    })
}

fn text(cells: &[Option<String>], place: usize) -> Option<&str> {
    cells.get(place)?.as_deref()
}

fn is(cells: &[Option<String>], place: usize) -> Option<bool> {
    match text(cells, place)? {
        "t" => Some(true),
        "f" => Some(false),
        _ => None,
    }
}

/// What is asked of a table beside what everybody asks; the first cell of each row says of what it
/// is. Triggers of ours are none of the user's: foreign keys are checked by the server's own.
fn query(table: u32) -> String {
    format!(
        "select 'table',
            exists (select from pg_trigger where tgrelid = {table} and not tgisinternal
                and tgenabled in ('O', 'A')),
            exists (select from pg_rewrite where ev_class = {table}),
            row_security_active({table}::oid),
            exists (select from pg_constraint where confrelid = {table} and contype = 'f'),
            has_table_privilege({table}::oid, 'truncate'),
            exists (select from pg_constraint where {table} in (conrelid, confrelid)
                and condeferrable);
        select 'column', a.attnum, quote_ident(n.nspname) || '.' || quote_ident(t.typname),
            not a.attnotnull or a.atthasdef or a.attidentity <> '', a.attidentity = 'a',
            (with recursive b (type, modifier) as (select a.atttypid, a.atttypmod
                union all select d.typbasetype, greatest(b.modifier, d.typtypmod)
                from b join pg_type d on d.oid = b.type and d.typtype = 'd')
                select concat_ws(' ', modifier, format_type(type, modifier)) from b
                where type in (select oid from pg_type where typtype <> 'd'))
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            join pg_namespace n on n.oid = t.typnamespace
            where a.attrelid = {table} and a.attnum > 0 and not a.attisdropped;
        select 'index', i.indexrelid, c.relname,
            coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false),
            (select string_agg(pg_get_indexdef(i.indexrelid, k, true), e'\\x1f' order by k)
                from generate_series(1, i.indnkeyatts) k),
            pg_get_expr(i.indpred, i.indrelid, true),
            (select string_agg(a.attname, e'\\x1f' order by a.attnotnull, a.attnum) from pg_attribute a
                where a.attrelid = i.indrelid and a.attnum > 0
                and (a.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1]) or a.attnum in (
                    select d.refobjsubid from pg_depend d where d.classid = 'pg_class'::regclass
                    and d.objid = i.indexrelid and d.refobjid = i.indrelid)))
            from pg_index i join pg_class c on c.oid = i.indexrelid
            where i.indrelid = {table} and i.indisunique;
        select distinct 'refers', n.nspname || '.' || c.relname from pg_constraint r
            join pg_class c on c.oid = r.confrelid join pg_namespace n on n.oid = c.relnamespace
            where r.conrelid = {table} and r.contype = 'f'"
    )
}

/// Which tables refer to which others, by their names.
pub(super) const REFERS: &str = "
    select distinct n.nspname || '.' || c.relname, m.nspname || '.' || d.relname
    from pg_constraint r
    join pg_class c on c.oid = r.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class d on d.oid = r.confrelid join pg_namespace m on m.oid = d.relnamespace
    where r.contype = 'f' and r.conrelid <> r.confrelid";

/// The server's number of the table, which its stamp begins with.
pub(super) fn relation(stamp: &str) -> Option<u32> {
    stamp.split(' ').next()?.parse().ok()
}

/// A text that is another one whenever the table looks in another way; one cell, or no row.
pub(super) fn stamp(name: &TableName) -> String {
    let (schema, name) = name.as_str().split_once('.').unwrap_or_default();
    format!(
        "select concat_ws(' ', c.oid, c.xmin, c.cmin, c.relrowsecurity,
            (select string_agg(concat_ws(' ', a.attnum, a.xmin, a.cmin), ',' order by a.attnum)
                from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
            (select string_agg(concat_ws(' ', i.indexrelid, i.xmin, i.cmin), ','
                order by i.indexrelid) from pg_index i where i.indrelid = c.oid),
            (select string_agg(concat_ws(' ', g.oid, g.xmin, g.cmin), ',' order by g.oid)
                from pg_trigger g where g.tgrelid = c.oid))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = {} and c.relname = {}",
        quote::text(schema),
        quote::text(name)
    )
}
