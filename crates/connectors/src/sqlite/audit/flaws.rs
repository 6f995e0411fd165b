//! Keys that tell nothing apart, and rows that refer to none.

use super::asked::Asked;
use super::rows::{Selected, listed};
use crate::pieces::list;
use crate::sqlite::quote;
use crate::sqlite::trouble::Trouble;
use model::{Flaw, Listed, Reference, Selection};
use rusqlite::params_from_iter;

/// What makes the selected rows' keys useless, if anything does. Rows with NULL in their key are in no
/// stretch, and counted if nothing is selected.
pub(super) fn flaw(asked: &Asked<'_>, of: &Selection) -> Result<Option<Flaw>, Trouble> {
    if *of == Selection::Nothing {
        let all = asked.all().and(asked.keyless());
        let sql = format!("select count(*) from {} where {}", asked.table, all.sql());
        let mut statement = asked.snapshot.prepare_cached(&sql)?;
        let rows: i64 = statement.query_row(params_from_iter(&all.bound), |row| row.get(0))?;
        return Ok((rows > 0).then_some(Flaw::Null(rows.unsigned_abs())));
    }
    // Equal is what is equal byte by byte, and numbers that are worth the same.
    let by = list(asked.key_names().map(|name| format!("{name} collate binary")));
    for part in asked.parts(of)? {
        let (names, within) = (list(asked.key_names()), part.within.sql());
        let sql = format!(
            "select {names} from {} where {within} group by {by} having count(*) > 1",
            asked.table
        );
        let mut statement = asked.snapshot.prepare_cached(&sql)?;
        let mut twice = statement.query(params_from_iter(&part.within.bound))?;
        while let Some(row) = twice.next()? {
            let key = asked.key_of(row)?;
            if part.only.as_ref().is_none_or(|only| *only == key) {
                return Ok(Some(Flaw::Twice(key)));
            }
        }
    }
    Ok(None)
}

/// Among the selected rows the first so many that refer to a row which is not there.
pub(super) fn orphans(
    asked: &Asked<'_>,
    refers: &Reference,
    of: &Selection,
    rows_max: usize,
) -> Result<Listed<()>, Trouble> {
    // The other table may be the same one, so it goes under a name that this one does not have.
    let there = quote::name(&format!("{} there", asked.ask.table.as_str()));
    let (table, key) = (quote::name(refers.table.as_str()), quote::name(&refers.key));
    let column = format!("{}.{}", asked.table, quote::name(&refers.column));
    let is_orphan = format!(
        "{column} is not null and not exists
            (select 1 from main.{table} as {there} where {there}.{key} = {column})"
    );
    let names = list(asked.key_names());
    let selected = Selected { of, also: Some(&is_orphan), names: &names, rows_max };
    listed(asked, selected, |_| Ok((0, ())))
}
