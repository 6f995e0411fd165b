//! Reads what a sketch says: of each table so many rows at most, so that a large database takes no
//! longer than a small one.

use super::cells::number;
use crate::postgres::quote;
use crate::postgres::schema::{Described, describe};
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Types;
use crate::sketch::{Sketch, SketchBounds, SketchedColumn, SketchedTable};
use model::{Fault, TableName};
use std::collections::BTreeSet;

/// Longer values are told by their size alone, which the server knows without reading them: nobody
/// counts by them.
const VALUE_BYTES_MAX: u32 = 100;

/// A table may have more columns than an answer, in which each takes three.
const COLUMNS_MAX: usize = 500;

/// What users made, in their schemas; what belongs to an extension, to another table or to Instep is
/// none of it.
const TABLES: &str = "select n.nspname || '.' || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
        and n.nspname not in ('information_schema', 'instep') and not starts_with(n.nspname, 'pg_')
        and not starts_with(c.relname, 'instep_')
        and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass
            and d.objid = c.oid and d.deptype = 'e')
    order by 1";

/// The columns of a table that refer to another one, by their names.
const REFERS: &str = "select distinct a.attname::text
    from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
    where k.contype = 'f' and k.conrelid = $1::oid";

/// The tables of the database.
pub(super) async fn sketch(session: &Session, bounds: &SketchBounds) -> Result<Sketch, Trouble> {
    let rows = session.query(TABLES).await?;
    let mut names = rows.iter().filter_map(|row| Some(TableName::from(row.first()?.as_deref()?)));
    let looked_at: Vec<_> = names.by_ref().take(bounds.tables_max).collect();
    let more = u64::try_from(names.count()).unwrap_or(u64::MAX);
    let types = Types::read(&session.query(Types::QUERY).await?).ok_or_else(odd)?;
    let mut tables = Vec::new();
    for (name, described) in looked_at.iter().zip(describe(session, &types, &looked_at).await?) {
        let name = name.as_str().to_owned();
        tables.push(match described {
            Ok(described) => table(session, name, &described, bounds).await?,
            Err(unfit) => unread(name, unfit.into()),
        });
    }
    Ok(Sketch { tables, more })
}

fn unread(name: String, why: Fault) -> SketchedTable {
    SketchedTable { name, followed: Err(why), rows: 0, has_more_rows: false, columns: Vec::new() }
}

async fn table(
    session: &Session,
    name: String,
    described: &Described,
    bounds: &SketchBounds,
) -> Result<SketchedTable, Trouble> {
    let read = async {
        let counted = session.query(&count(described, bounds.counted_rows_max)).await?;
        let sampled = session.query(&sample(described, bounds.sample_rows_max)).await?;
        let refers = session.ask(REFERS, &[Some(&described.oid.to_string())]).await?;
        Ok((counted, sampled, refers))
    };
    let (counted, sampled, refers) = match read.await {
        Ok(read) => read,
        // One that we may not read, or that holds up whoever reads it, is one of those left out.
        Err(trouble @ Trouble::Refused(_)) => {
            let at = format!("the table {name}");
            return Ok(unread(
                name,
                crate::postgres::judge(crate::postgres::Side::Source, &at, trouble),
            ));
        }
        Err(trouble) => return Err(trouble),
    };
    let rows: u32 = counted.first().and_then(|row| number(row.first()?)).ok_or_else(odd)?;
    let refers: BTreeSet<String> = refers.into_iter().flatten().flatten().collect();
    let sampled = sampled.first().ok_or_else(odd)?;
    Ok(SketchedTable {
        name,
        followed: Ok(described.table.clone()),
        rows: rows.min(bounds.counted_rows_max),
        has_more_rows: rows > bounds.counted_rows_max,
        columns: columns(described, sampled, &refers).ok_or_else(odd)?,
    })
}

fn count(described: &Described, rows_max: u32) -> String {
    format!("select count(*) from (select 1 from {} limit {}) it", described.only(), rows_max + 1)
}

/// How many rows there are, and of each column how many different values, NULLs and long values.
fn sample(described: &Described, rows_max: u32) -> String {
    let table = &described.table;
    let columns = table.columns.iter().take(COLUMNS_MAX).enumerate().map(|(place, column)| {
        let column = quote::name(&column.name);
        format!(
            "pg_column_size({column}) as b{place}, case when pg_column_size({column}) <= \
             {VALUE_BYTES_MAX} then {column}::text end as v{place}"
        )
    });
    let asked = (0..table.columns.len().min(COLUMNS_MAX)).map(|place| {
        format!(
            ", count(distinct v{place}), count(*) - count(b{place}), \
             count(*) filter (where b{place} > {VALUE_BYTES_MAX})"
        )
    });
    let (columns, asked): (Vec<_>, String) = (columns.collect(), asked.collect());
    format!(
        "select count(*){asked} from (select {} from {} limit {rows_max}) it",
        columns.join(", "),
        described.only()
    )
}

fn columns(
    described: &Described,
    sampled: &Cells,
    refers: &BTreeSet<String>,
) -> Option<Vec<SketchedColumn>> {
    let rows = number(sampled.first()?)?;
    let table = &described.table;
    let column = |(place, cells): (usize, &[Option<String>])| {
        let name = table.columns.get(place)?.name.to_string();
        Some(SketchedColumn {
            refers: refers.contains(&name),
            name,
            is_key: table.key.contains(&place),
            distinct: number(cells.first()?)?,
            nulls: number(cells.get(1)?)?,
            large: number(cells.get(2)?)?,
            sampled: rows,
        })
    };
    sampled.get(1..)?.chunks(3).enumerate().map(column).collect()
}

fn odd() -> Trouble {
    Trouble::malformed("the server describes its tables in a way that is not known")
}
