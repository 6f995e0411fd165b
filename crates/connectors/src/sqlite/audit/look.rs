//! The table as it is: columns, what tells its rows apart, how they are sorted.

use crate::sqlite::{quote, schema, source};
use model::{Affinity, Column, Looked, LookedColumn, Table, TableName};
use rusqlite::{Connection, Result};
use std::sync::Arc;

/// The table or view of this name, if there is one.
pub(super) fn look(connection: &Connection, name: &TableName) -> Result<Option<Looked>> {
    let Some((is_table, table)) = schema::relation(connection, name)? else { return Ok(None) };
    let columns = table.columns.iter().map(|column| LookedColumn {
        written: None,
        // The columns of a view are sorted as those that they come from.
        sorted: is_table.then(|| sorted(column)),
        is_single: false,
        is_padded: false,
        unreadable: None,
    });
    Ok(Some(Looked {
        columns: columns.collect(),
        unique: if is_table { unique(connection, &table)? } else { Vec::new() },
        sums: None,
        rows: source::estimated_rows(connection, name)?,
        store: format!("SQLite {}", rusqlite::version()),
        table: Arc::unwrap_or_clone(table),
    }))
}

/// What sorts a column. One that holds numbers may hold other things as well, which come behind them.
fn sorted(column: &Column) -> Arc<str> {
    match (&column.compares.collation, column.compares.affinity) {
        (_, Some(Affinity::Numeric)) => "number".into(),
        (Some(collation), _) => collation.name.to_ascii_lowercase().into(),
        (None, _) => "bytes".into(),
    }
}

/// The lists of columns whose values are never twice and never NULL. Which collation tells them apart
/// does not matter: what is equal byte by byte is equal in each.
fn unique(connection: &Connection, table: &Table) -> Result<Vec<Vec<Arc<str>>>> {
    let mut unique: Vec<Vec<Arc<str>>> = Vec::new();
    if schema::key_is_row_number(connection, table)? {
        unique.push(vec![Arc::clone(&table.columns[table.key[0]].name)]);
    }
    let indexes = "select name from pragma_index_list(?1, 'main') where \"unique\" and not partial
        order by origin = 'pk' desc, seq desc";
    let mut indexes = connection.prepare(indexes)?;
    let indexes = indexes.query_map([table.name.as_str()], |row| row.get::<_, String>(0))?;
    for index in indexes {
        let columns = format!(
            "select name from pragma_index_xinfo({}, 'main') where key order by seqno",
            quote::text(&index?)
        );
        let mut columns = connection.prepare(&columns)?;
        let names = columns.query_map([], |row| row.get::<_, Option<String>>(0))?;
        let names: Vec<Option<String>> = names.collect::<Result<_>>()?;
        let named = |name: &Option<String>| {
            let of = |it: &&Column| !it.nullable && Some(&*it.name) == name.as_deref();
            table.columns.iter().find(of).map(|column| Arc::clone(&column.name))
        };
        let columns: Option<Vec<Arc<str>>> = names.iter().map(named).collect();
        unique.extend(columns.filter(|it| !it.is_empty() && !unique.contains(it)));
    }
    Ok(unique)
}
