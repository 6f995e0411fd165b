//! How the rows of a source's table fit into the table of a copy.

use crate::copy::{CopyTo, Fit};
use crate::sqlite::target::look_at;
use crate::sqlite::trouble::Trouble;
use model::Table;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;

/// How the rows of this table fit; a fault says why they do not.
pub(super) fn fit(
    connection: &Connection,
    path: &Path,
    copy: &CopyTo,
    table: &Arc<Table>,
) -> Result<Fit, Trouble> {
    let Some(places) = look_at(connection, path, copy, table)? else {
        let columns = table.columns.len();
        return Ok(Fit { is_there: false, columns, left_out: Vec::new(), refers: Vec::new() });
    };
    let left_out = table.columns.iter().enumerate().filter(|(place, _)| !places.contains(place));
    let left_out = left_out.map(|(_, column)| column.name.to_string()).collect();
    Ok(Fit { is_there: true, columns: places.len(), left_out, refers: refers(connection, copy)? })
}

fn refers(connection: &Connection, copy: &CopyTo) -> rusqlite::Result<Vec<String>> {
    let ask = "select distinct \"table\" from pragma_foreign_key_list(?1) \
               where \"table\" <> ?1 collate nocase order by 1";
    let mut refers = connection.prepare(ask)?;
    refers.query_map([&*copy.table], |row| row.get(0))?.collect()
}
