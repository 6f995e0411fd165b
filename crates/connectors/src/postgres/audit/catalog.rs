//! PURE: what the server is asked about a table, and its answer, read.
//!
//! Unlike [`crate::postgres::schema`] it asks for whatever has rows, and nothing of what following
//! them would need; so it is understood by servers that are too old for that. What is not in the
//! catalog of each version is read by its name from a row as JSON.

use super::relation::{Base, Held, Relation};
use super::words;
use crate::postgres::quote;
use crate::postgres::schema::{self, CollationFacts, ColumnFacts};
use crate::postgres::session::Cells;
use crate::postgres::types::Types;
use model::{Code, Column, Looked, LookedColumn, Table, TableName};
use std::str::FromStr;
use std::sync::Arc;

/// The statements that ask, in one snapshot. The first cell of each row says of what it is.
pub(super) fn query(name: &TableName) -> String {
    let (schema, table) = name.as_str().split_once('.').unwrap_or(("", name.as_str()));
    let found = format!(
        "(select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = {} and c.relname = {} and c.relkind in ('r', 'p', 'v', 'm', 'f'))",
        quote::text(schema),
        quote::text(table)
    );
    let parts = [TABLE, COLUMNS, KEYS].map(|part| part.replace("FOUND", &found)).join("; ");
    format!("begin transaction isolation level repeatable read, read only; {parts}; commit")
}

/// Its rows tell their states apart where the server itself keeps them, in its usual way; and only
/// who may read all of a table may ask for that.
const TABLE: &str = "
    select 'table', f.relkind,
        (select coalesce(max(a.attnum) + count(*) filter (where a.attisdropped), 0)
            from pg_attribute a where a.attrelid = f.oid and a.attnum > 0),
        f.relkind in ('r', 'p', 'm') and has_table_privilege(f.oid, 'select') and not exists (
            select from pg_class l left join pg_am m on m.oid = l.relam
                where l.oid in (select f.oid union all select relid from pg_partition_tree(f.oid))
                and l.relkind <> 'p' and (l.relkind not in ('r', 'm') or m.amname <> 'heap'))
    from FOUND f";

/// Domains are taken off. A collation goes by the name that its provider has for it.
const COLUMNS: &str = "
    with recursive found as (select * from FOUND f),
    base(number, oid, modifier) as (
        select a.attnum, a.atttypid, a.atttypmod from pg_attribute a join found f
            on f.oid = a.attrelid where a.attnum > 0 and not a.attisdropped
        union all
        select b.number, y.typbasetype, case when b.modifier < 0 then y.typtypmod else b.modifier end
            from base b join pg_type y on y.oid = b.oid and y.typtype = 'd'),
    local as (select coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') as provider, d.datcollate as libc,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale,
            to_jsonb(d) ->> 'datcollversion' as version
        from pg_database d where d.datname = current_database()),
    named as (select o.oid, case o.collprovider when 'd' then
                case l.provider when 'c' then l.libc else 'default' end else o.collname end as name,
            case o.collprovider when 'd' then l.provider else o.collprovider::text end as provider,
            case when o.collprovider = 'd' then case l.provider when 'c' then l.libc else l.locale end
                else coalesce(to_jsonb(o) ->> 'colllocale', to_jsonb(o) ->> 'colliculocale',
                    o.collcollate) end as locale,
            case o.collprovider when 'd' then l.version else o.collversion end as version,
            coalesce((to_jsonb(o) ->> 'collisdeterministic')::bool, true) as is_deterministic
        from pg_collation o, local l)
    select 'column', a.attname, a.atttypid, a.attnotnull, format_type(a.atttypid, a.atttypmod),
        y.typoutput::regproc, b.modifier,
        case when y.typnamespace = 'pg_catalog'::regnamespace then y.typname end,
        format_type(y.oid, -1), y.typtype = 'e',
        case when y.typnamespace <> 'pg_catalog'::regnamespace then (
            select n.nspname from pg_opclass k join pg_am m on m.oid = k.opcmethod
                join pg_amop p on p.amopfamily = k.opcfamily and p.amopstrategy = 5
                    and p.amoplefttype = y.oid and p.amoprighttype = y.oid
                join pg_operator r on r.oid = p.amopopr join pg_namespace n on n.oid = r.oprnamespace
                where k.opcintype = y.oid and k.opcdefault and m.amname = 'btree'
                    and n.nspname <> 'pg_catalog') end,
        has_column_privilege(f.oid, a.attnum, 'select'),
        o.name, o.provider, o.locale, o.version, o.is_deterministic
    from found f join pg_attribute a on a.attrelid = f.oid
    join base b on b.number = a.attnum join pg_type y on y.oid = b.oid and y.typtype <> 'd'
    left join named o on o.oid = a.attcollation
    order by a.attnum";

/// Each unique index that is whole, and over all rows, column by column; no name for an expression,
/// and for what may be NULL. One that keeps spans of time apart is not unique by what is in it.
const KEYS: &str = "
    select 'key', i.indexrelid, i.indisprimary, a.attname
    from FOUND f join pg_index i on i.indrelid = f.oid and i.indisunique and not i.indisexclusion
        and i.indisvalid and i.indisready and i.indislive and i.indpred is null
    cross join generate_series(1, i.indnkeyatts) k(place)
    left join pg_attribute a on a.attrelid = f.oid and a.attnum = i.indkey[k.place - 1]
        and a.attnum > 0 and a.attnotnull
    order by not i.indisprimary, i.indexrelid, k.place";

/// What of a table is known before it is looked at.
pub(super) struct Known<'a> {
    pub(super) name: &'a TableName,
    pub(super) types: &'a Types,
    pub(super) store: &'a str,
    pub(super) sums: Option<&'static str>,
}

/// What came of reading an answer.
pub(super) enum Read {
    /// There is no such table.
    Missing,
    /// This is it.
    Relation(Box<Relation>),
    /// A column has a type that is newer than the list of types.
    NewType,
}

/// The table that the rows tell of; none if they are the answer to something else.
pub(super) fn read(known: &Known<'_>, rows: &[Cells]) -> Option<Read> {
    let of = |kind: &'static str| {
        rows.iter().filter(move |row| row.first().is_some_and(|it| it.as_deref() == Some(kind)))
    };
    let Some(table) = of("table").next() else { return Some(Read::Missing) };
    let [_, Some(relkind), Some(columns_ever), Some(has_versions)] = &table[..] else {
        return None;
    };
    let (mut columns, mut looked, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for row in of("column") {
        let line = Line(row);
        let Some(kind) = known.types.get(line.read(2)?) else { return Some(Read::NewType) };
        let held = held(&line, kind.form.clone())?;
        let facts = facts(&line)?;
        let texts = texts(&line);
        looked.push(LookedColumn {
            written: words::written(&held),
            sorted: words::sorted(&held, texts.as_deref()),
            is_single: held.form == crate::postgres::types::Form::Float4,
            is_padded: held.base.system == "bpchar",
            unreadable: match line.is(11)? {
                true => None,
                false => Some((Code::PostgresPrivilege, "the role may not read it".to_owned())),
            },
        });
        all.push(Column {
            name: Arc::clone(&held.name),
            kind: held.form.kind(),
            declared: facts.declared.as_str().into(),
            nullable: held.nullable,
            compares: schema::compares(&facts, &held.form),
        });
        columns.push(held);
    }
    let (unique, primary) = unique(of("key"), &all)?;
    let version = schema::version(columns_ever.parse().ok()?, &all, &primary);
    let table = Table { name: known.name.clone(), version, columns: all, key: primary };
    let (schema, name) = known.name.as_str().split_once('.')?;
    let only = if relkind == "r" { "only " } else { "" };
    Some(Read::Relation(Box::new(Relation {
        looked: Looked {
            table,
            columns: looked,
            unique,
            sums: known.sums,
            rows: None,
            store: known.store.to_owned(),
        },
        columns,
        only: format!("{only}{}.{}", quote::name(schema), quote::name(name)),
        name: quote::name(name),
        has_versions: truth(has_versions)?,
    })))
}

fn held(line: &Line<'_>, form: crate::postgres::types::Form) -> Option<Held> {
    let name = line.text(1)?;
    Some(Held {
        name: name.into(),
        sql: quote::name(name),
        nullable: !line.is(3)?,
        form,
        base: Base {
            system: line.text(7).unwrap_or_default().to_owned(),
            cast: line.text(8)?.to_owned(),
            is_enumeration: line.is(9)?,
            operators: line.text(10).map(quote::name),
        },
    })
}

fn facts(line: &Line<'_>) -> Option<ColumnFacts> {
    let collation = match line.text(12) {
        Some(name) => Some(CollationFacts {
            name: name.to_owned(),
            is_deterministic: line.is(16)?,
            is_by_bytes: is_by_bytes(line),
        }),
        None => None,
    };
    Some(ColumnFacts {
        name: line.text(1)?.to_owned(),
        kind: line.read(2)?,
        modifier: line.read(6)?,
        is_not_null: line.is(3)?,
        is_generated: false,
        declared: line.text(4)?.to_owned(),
        output: line.text(5)?.to_owned(),
        collation,
    })
}

/// The server's own provider sorts by code points, which is by bytes in UTF-8.
fn is_by_bytes(line: &Line<'_>) -> bool {
    match line.text(13) {
        Some("b") => true,
        Some("c") => matches!(line.text(14), Some("C" | "POSIX")),
        _ => false,
    }
}

/// The name of the order of a column's texts. Without its version it says nothing.
fn texts(line: &Line<'_>) -> Option<String> {
    if is_by_bytes(line) {
        return Some("bytes".to_owned());
    }
    let provider = match line.text(13)? {
        "c" => "libc",
        "i" => "icu",
        _ => return None,
    };
    Some(format!("{provider} {} {}", line.text(14)?, line.text(15)?))
}

type Unique = (Vec<Vec<Arc<str>>>, Vec<usize>);

/// The columns of each index that tells all rows apart; and the places of those of the primary key.
fn unique<'a>(rows: impl Iterator<Item = &'a Cells>, columns: &[Column]) -> Option<Unique> {
    let mut indexes: Vec<(&str, bool, Vec<Option<usize>>)> = Vec::new();
    for row in rows {
        let [_, Some(index), Some(is_primary), column] = &row[..] else { return None };
        let place = columns.iter().position(|it| Some(&*it.name) == column.as_deref());
        match indexes.last_mut() {
            Some((last, _, places)) if *last == index => places.push(place),
            _ => indexes.push((index, truth(is_primary)?, vec![place])),
        }
    }
    let (mut unique, mut primary) = (Vec::new(), Vec::new());
    for (_, is_primary, places) in indexes {
        let Some(places) = places.into_iter().collect::<Option<Vec<_>>>() else { continue };
        unique.push(places.iter().map(|&place| Arc::clone(&columns[place].name)).collect());
        if is_primary {
            primary = places;
        }
    }
    Some((unique, primary))
}

struct Line<'a>(&'a [Option<String>]);

impl<'a> Line<'a> {
    fn text(&self, place: usize) -> Option<&'a str> {
        self.0.get(place)?.as_deref()
    }

    fn read<T: FromStr>(&self, place: usize) -> Option<T> {
        self.text(place)?.parse().ok()
    }

    fn is(&self, place: usize) -> Option<bool> {
        truth(self.text(place)?)
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "t" => Some(true),
        "f" => Some(false),
        _ => None,
    }
}
