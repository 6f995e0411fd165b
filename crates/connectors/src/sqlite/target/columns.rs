//! Which columns of their source the rows of a copy were written with.
//!
//! A column that is added to a source with a default, or to the table of a copy afterwards, touches no
//! row: those from before lack its values, and nothing that comes over the log would bring them. So a
//! copy that has more columns now than it was written with is compared with its source again.

use super::layout::Layout;
use model::{CopyName, Lane};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::BTreeSet;

/// Notes what rows are written with from now on; the columns that those from before were not.
pub(super) fn gained(
    connection: &Connection,
    lane: &Lane,
    copy: &CopyName,
    layout: &Layout,
) -> Result<Vec<String>> {
    let (lane, copy) = (lane.as_str(), copy.as_str());
    let now: BTreeSet<&str> = layout.written().map(|(_, held)| held.bare.as_str()).collect();
    let ask = "select name from instep_columns where lane = ?1 and copy = ?2";
    let mut ask = connection.prepare_cached(ask)?;
    let noted = ask.query_map([lane, copy], |row| row.get::<_, String>(0))?;
    let noted: BTreeSet<String> = noted.collect::<Result<_>>()?;
    let gained: Vec<_> = now.iter().filter(|name| !noted.contains(**name)).collect();
    if !noted.is_empty() && !gained.is_empty() {
        return Ok(gained.into_iter().map(|name| (*name).to_owned()).collect());
    }
    let note = "insert into instep_columns (lane, copy, name) values (?1, ?2, ?3)";
    for name in gained {
        connection.prepare_cached(note)?.execute([lane, copy, name])?;
    }
    let forget = "delete from instep_columns where lane = ?1 and copy = ?2 and name = ?3";
    for name in noted.iter().filter(|name| !now.contains(name.as_str())) {
        connection.prepare_cached(forget)?.execute([lane, copy, name])?;
    }
    Ok(Vec::new())
}

/// Notes that the copy is to be compared with its source from its beginning, and what its rows are
/// written with is not known before that.
pub(super) fn compare_again(connection: &Connection, lane: &Lane, copy: &CopyName) -> Result<()> {
    let (lane, copy) = (lane.as_str(), copy.as_str());
    let ask = "select watermark from instep_watermarks where lane = ?1";
    let watermark: Option<Vec<u8>> =
        connection.query_row(ask, [lane], |row| row.get(0)).optional()?;
    const PASS: &str = "update instep_passes
        set purpose = 'bridge', began = ?3, upto = null, deleted = 0, shown = 'under way'
        where lane = ?1 and copy = ?2";
    if let Some(watermark) = watermark {
        connection.execute(PASS, params![lane, copy, watermark])?;
    }
    let forget = "delete from instep_columns where lane = ?1 and copy = ?2";
    connection.execute(forget, [lane, copy])?;
    Ok(())
}
