//! Files as other programs see them.

use model::Offset;
use model::codec::memo::read_offset;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

/// A connection with patience.
pub(crate) fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection
}

/// What a query says, a line a row.
pub(crate) fn lines(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare_cached(sql)?;
    let columns = query.column_count();
    let mut rows = query.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(columns);
        for column in 0..columns {
            cells.push(match row.get_ref(column)? {
                ValueRef::Null => "null".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => format!("{number:?}"),
                ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
            });
        }
        lines.push(cells.join("|"));
    }
    Ok(lines)
}

/// A number that other answers to a query do not have; the same in every process of this program.
pub(crate) fn digest(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    let mut hasher = DefaultHasher::new();
    lines(connection, sql)?.hash(&mut hasher);
    Ok(hasher.finish().cast_signed())
}

/// How far a lane of a target has come, if it has begun.
pub(crate) fn watermark(connection: &Connection, lane: &str) -> rusqlite::Result<Option<Offset>> {
    let ask = "select watermark from instep_watermarks where lane = ?1";
    let bytes: Option<Vec<u8>> =
        connection.prepare_cached(ask)?.query_row([lane], |row| row.get(0)).optional()?;
    Ok(bytes.map(|bytes| read_offset(&bytes).unwrap()))
}
