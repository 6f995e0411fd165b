//! What Instep noted in a target's file, seen without changing anything.

use super::books;
use super::lease;
use model::Lane;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What Instep noted in a target's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notes {
    /// Whether it is of a format that this version does not know.
    pub is_of_other_format: bool,
    /// How far each lane has come, as people read it.
    pub lanes: BTreeMap<Lane, String>,
    /// Which instances may write now.
    pub leaders: Vec<String>,
    /// How many keys are held.
    pub holds: u32,
}

/// What stands there; none if Instep never wrote to the file.
pub(in crate::sqlite) fn notes(connection: &Connection) -> rusqlite::Result<Option<Notes>> {
    if !books::are_there(connection)? {
        return Ok(None);
    }
    if !books::is_known(connection)? {
        return Ok(Some(Notes {
            is_of_other_format: true,
            lanes: BTreeMap::new(),
            leaders: Vec::new(),
            holds: 0,
        }));
    }
    let mut lanes = connection.prepare("select lane, position from instep_watermarks")?;
    let lanes = lanes.query_map([], |row| {
        let lane: String = row.get(0)?;
        Ok((lane.as_str().into(), row.get(1)?))
    })?;
    let lanes = lanes.collect::<rusqlite::Result<_>>()?;
    let holds = "select count(*) from instep_holds";
    let holds = connection.query_row(holds, [], |row| row.get(0))?;
    Ok(Some(Notes {
        is_of_other_format: false,
        lanes,
        leaders: lease::leaders(connection)?,
        holds,
    }))
}
