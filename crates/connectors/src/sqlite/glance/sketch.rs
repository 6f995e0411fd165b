//! Reads what a sketch says: of each table so many rows at most, so that a large file takes no
//! longer than a small one.

use crate::sketch::{Sketch, SketchBounds, SketchedColumn, SketchedTable};
use crate::sqlite::source::followable;
use crate::sqlite::trouble::Trouble;
use crate::sqlite::{quote, source};
use model::Table;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Longer values are told by their length alone, which SQLite knows without reading them: nobody
/// counts by them.
const VALUE_BYTES_MAX: u32 = 100;

/// The tables of the file.
pub(super) fn sketch(connection: &Connection, bounds: &SketchBounds) -> Result<Sketch, Trouble> {
    let names = "select name from pragma_table_list where schema = 'main' and type <> 'shadow'
                 and name not like 'sqlite\\_%' escape '\\'
                 and lower(substr(name, 1, length(?1))) <> ?1 order by name";
    let mut names = connection.prepare(names)?;
    let names = names.query_map([source::PREFIX], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let more = names.len().saturating_sub(bounds.tables_max);
    let mut tables = Vec::new();
    for name in names.into_iter().take(bounds.tables_max) {
        tables.push(table(connection, name, bounds)?);
    }
    Ok(Sketch { tables, more: u64::try_from(more).unwrap_or(u64::MAX) })
}

fn table(
    connection: &Connection,
    name: String,
    bounds: &SketchBounds,
) -> Result<SketchedTable, Trouble> {
    let followed = match followable(connection, &name.as_str().into()) {
        Ok(table) => Ok(table),
        Err(Trouble::Judged(why)) => Err(why),
        Err(Trouble::Sqlite(error)) => return Err(error.into()),
    };
    let Ok(table) = &followed else {
        return Ok(SketchedTable {
            name,
            followed,
            rows: 0,
            has_more_rows: false,
            columns: Vec::new(),
        });
    };
    let columns = columns(connection, table, bounds.sample_rows_max)?;
    let (rows, has_more_rows) = rows(connection, table, bounds.counted_rows_max)?;
    Ok(SketchedTable { name, followed, rows, has_more_rows, columns })
}

fn rows(connection: &Connection, table: &Table, max: u32) -> rusqlite::Result<(u32, bool)> {
    let name = quote::name(table.name.as_str());
    let count = format!("select count(*) from (select 1 from main.{name} limit ?1)");
    let found: u32 = connection.query_row(&count, [i64::from(max) + 1], |row| row.get(0))?;
    Ok((found.min(max), found > max))
}

fn columns(
    connection: &Connection,
    table: &Table,
    rows_max: u32,
) -> rusqlite::Result<Vec<SketchedColumn>> {
    let refers = "select lower(\"from\") from pragma_foreign_key_list(?1, 'main')";
    let mut refers = connection.prepare_cached(refers)?;
    let refers = refers.query_map([table.name.as_str()], |row| row.get::<_, String>(0))?;
    let refers: BTreeSet<String> = refers.collect::<rusqlite::Result<_>>()?;
    let mut columns = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        let is_key = table.key.contains(&place);
        let (quoted, name) = (quote::name(&column.name), quote::name(table.name.as_str()));
        let ask = format!(
            "select count(distinct it), coalesce(sum(bytes is null), 0),
                coalesce(sum(bytes > {VALUE_BYTES_MAX}), 0), count(*)
             from (select case when octet_length({quoted}) <= {VALUE_BYTES_MAX} then {quoted} end
                as it, octet_length({quoted}) as bytes from main.{name} limit ?1)"
        );
        let (distinct, nulls, large, sampled) = connection.query_row(&ask, [rows_max], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        columns.push(SketchedColumn {
            name: column.name.to_string(),
            refers: refers.contains(&column.name.to_lowercase()),
            is_key,
            distinct,
            nulls,
            large,
            sampled,
        });
    }
    Ok(columns)
}
