//! What a table of a SQLite file looks like.

use super::affinity::{self, Affinity};
use model::{Collation, Column, Compares, Kind, Table, TableName};
use rusqlite::Connection;
use std::sync::Arc;

/// The table as it looks now, stored and generated columns alike; none if there is no such table.
/// Columns are of any kind unless the table is STRICT, for SQLite decides value by value.
pub(super) fn table(
    connection: &Connection,
    name: &TableName,
) -> rusqlite::Result<Option<Arc<Table>>> {
    let relation = relation(connection, name)?;
    Ok(relation.and_then(|(is_table, table)| is_table.then_some(table)))
}

/// The same of whatever can be read as a table is, a view above all; and whether it is one.
pub(super) fn relation(
    connection: &Connection,
    name: &TableName,
) -> rusqlite::Result<Option<(bool, Arc<Table>)>> {
    let is_strict = "select strict, type = 'table' from pragma_table_list
        where schema = 'main' and name = ?1";
    let mut is_strict = connection.prepare_cached(is_strict)?;
    let mut found = is_strict.query([name.as_str()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let (is_strict, is_table): (bool, bool) = (row.get(0)?, row.get(1)?);
    let columns =
        "select name, type, \"notnull\", pk from pragma_table_xinfo(?1, 'main') where hidden <> 1";
    let mut columns = connection.prepare_cached(columns)?;
    let mut found = columns.query([name.as_str()])?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let declared: String = row.get(1)?;
        let place: u32 = row.get(3)?;
        if place > 0 {
            key.push((place, columns.len()));
        }
        let column: String = row.get(0)?;
        let compares = Compares {
            collation: if is_table { collation(connection, name, &column)? } else { None },
            affinity: Some(affinity(&declared, is_strict)),
        };
        columns.push(Column {
            name: column.as_str().into(),
            kind: if is_strict { kind(&declared) } else { Kind::Any },
            nullable: !row.get::<_, bool>(2)?,
            declared: declared.as_str().into(),
            compares,
        });
    }
    key.sort_unstable();
    let key = key.into_iter().map(|(_, column)| column).collect();
    let mut table = Table { name: name.clone(), version: 1, columns, key };
    if is_table && key_is_row_number(connection, &table)? {
        let column = &mut table.columns[table.key[0]];
        (column.kind, column.nullable) = (Kind::Int, false);
    }
    Ok(Some((is_table, Arc::new(table))))
}

/// Whether the key is SQLite's own number of the row, which is always whole and never NULL:
/// `integer primary key`, but not every such column. The key has no index of its own then.
pub(super) fn key_is_row_number(connection: &Connection, table: &Table) -> rusqlite::Result<bool> {
    let is_indexed =
        "select exists (select 1 from pragma_index_list(?1, 'main') where origin = 'pk')";
    let mut is_indexed = connection.prepare_cached(is_indexed)?;
    let is_indexed: bool = is_indexed.query_row([table.name.as_str()], |row| row.get(0))?;
    Ok(table.key.len() == 1 && !is_indexed)
}

/// How a column's texts compare, unless byte by byte. What a collation does is known to whoever
/// registered it, so all others are taken for one that tells equal texts apart by more than bytes.
fn collation(
    connection: &Connection,
    table: &TableName,
    column: &str,
) -> rusqlite::Result<Option<Collation>> {
    let (_, name, ..) = connection.column_metadata(Some("main"), table.as_str(), column)?;
    let name = name.map_or("BINARY".into(), |name| name.to_string_lossy());
    let is_binary = name.eq_ignore_ascii_case("binary");
    Ok((!is_binary).then(|| Collation { name: name.as_ref().into(), equal_by_bytes: false }))
}

/// What SQLite makes of a value before it compares it with a column.
fn affinity(declared: &str, is_strict: bool) -> model::Affinity {
    match affinity::of(declared) {
        // The one declared type whose meaning is another in STRICT tables.
        _ if is_strict && declared.eq_ignore_ascii_case("any") => model::Affinity::Blob,
        Affinity::Blob => model::Affinity::Blob,
        Affinity::Text => model::Affinity::Text,
        Affinity::Integer | Affinity::Real | Affinity::Numeric => model::Affinity::Numeric,
    }
}

/// What a column of a STRICT table holds.
fn kind(declared: &str) -> Kind {
    match declared.to_ascii_uppercase().as_str() {
        "INT" | "INTEGER" => Kind::Int,
        "REAL" => Kind::Float,
        "TEXT" => Kind::Text,
        "BLOB" => Kind::Bytes,
        _ => Kind::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use model::Affinity::{Blob, Numeric, Text};
    use rusqlite::Connection;

    #[test]
    fn columns_say_how_sqlite_compares_them() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "create table loose (id integer primary key, a, b varchar(9), c real, d any,
                    e text collate NoCase, f text collate Binary, g text collate \"nocase\",
                    h text collate rtrim as (b), i \"\" as (c) stored);
                 create table tight (id integer primary key, a any, b text, c blob, d int) strict;
                 pragma writable_schema = on;
                 -- One that only another program has.
                 update sqlite_master set sql = replace(sql, '\"nocase\"', 'own');
                 pragma writable_schema = reset;",
            )
            .unwrap();
        let compares = |name: &str| -> Vec<_> {
            let table = table(&connection, &name.into()).unwrap().unwrap();
            let columns = table.columns.iter().map(|column| {
                let collation = column.compares.collation.as_ref();
                assert!(collation.is_none_or(|it| !it.equal_by_bytes));
                (column.compares.affinity.unwrap(), collation.map(|it| it.name.to_lowercase()))
            });
            columns.collect()
        };
        let plain = |affinity| (affinity, None);
        let collated = |name: &str| (Text, Some(name.to_owned()));
        assert_eq!(
            compares("loose"),
            [
                plain(Numeric),
                plain(Blob),
                plain(Text),
                plain(Numeric),
                plain(Numeric),
                collated("nocase"),
                plain(Text),
                collated("own"),
                collated("rtrim"),
                plain(Blob),
            ]
        );
        let tight = [Numeric, Blob, Text, Blob, Numeric];
        assert_eq!(compares("tight"), tight.map(plain));
    }
}
