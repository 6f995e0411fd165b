//! To which table the rows of a copy were written, and with which columns of their source.
//!
//! A column that is added to a source with a default, or to the table of a copy afterwards, touches no
//! row: those from before lack its values, and nothing that comes over the log would bring them. The
//! same holds for all rows if the table was dropped and made again. So a copy that has another table
//! now, or more columns than it was written with, is compared with its source again.

use super::layout::Layout;
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use model::{CopyName, Lane};
use std::collections::BTreeSet;

/// What the rows from before were not written with.
pub(super) enum Lack {
    Nothing,
    /// These columns.
    Columns(Vec<String>),
    /// The table: they were written to another one.
    Table,
}

/// Notes what rows are written with from now on; what those from before were not.
pub(super) async fn note(
    session: &Session,
    lane: &Lane,
    copy: &CopyName,
    layout: &Layout,
) -> Result<Lack, Trouble> {
    let now: BTreeSet<&str> = layout.written().map(|(_, held)| held.bare.as_str()).collect();
    let relation = layout.relation.to_string();
    let of = [Some(lane.as_str()), Some(copy.as_str())];
    let ask = "select name, relation::text from instep.columns where lane = $1 and copy = $2";
    let rows = session.ask(ask, &of).await?;
    let is_other = |row: &Cells| row.get(1).is_none_or(|it| it.as_deref() != Some(&*relation));
    if rows.iter().any(is_other) {
        return Ok(Lack::Table);
    }
    let names = rows.into_iter().filter_map(|row| row.into_iter().next()?);
    let noted: BTreeSet<String> = names.collect();
    let gained: Vec<_> = now.iter().filter(|name| !noted.contains(**name)).collect();
    if !noted.is_empty() && !gained.is_empty() {
        return Ok(Lack::Columns(gained.into_iter().map(|name| (*name).to_owned()).collect()));
    }
    let note =
        "insert into instep.columns (lane, copy, name, relation) values ($1, $2, $3, $4::oid)";
    for name in gained {
        session.ask(note, &[of[0], of[1], Some(name), Some(&relation)]).await?;
    }
    let forget = "delete from instep.columns where lane = $1 and copy = $2 and name = $3";
    for name in noted.iter().filter(|name| !now.contains(name.as_str())) {
        session.ask(forget, &[of[0], of[1], Some(name)]).await?;
    }
    Ok(Lack::Nothing)
}

/// Notes that the copy is to be compared with its source from its beginning, and what its rows are
/// written with is not known before that.
pub(super) async fn compare_again(
    session: &Session,
    lane: &Lane,
    copy: &CopyName,
) -> Result<(), Trouble> {
    const PASS: &str = "
        update instep.passes set purpose = 'bridge', began = w.watermark, upto = null, deleted = 0,
            shown = 'under way'
        from instep.watermarks w
        where passes.lane = $1 and copy = $2 and w.lane = $1";
    let of = [Some(lane.as_str()), Some(copy.as_str())];
    session.ask(PASS, &of).await?;
    let forget = "delete from instep.columns where lane = $1 and copy = $2";
    session.ask(forget, &of).await.map(drop)
}
