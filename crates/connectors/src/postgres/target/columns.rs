//! Which columns of their source the rows of a copy were written with.
//!
//! A column that is added to a source with a default, or to the table of a copy afterwards, touches no
//! row: those from before lack its values, and nothing that comes over the log would bring them. So a
//! copy that has more columns now than it was written with is compared with its source again.

use super::layout::Layout;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{CopyName, Lane};
use std::collections::BTreeSet;

/// Notes what rows are written with from now on; the columns that those from before were not.
pub(super) async fn gained(
    session: &Session,
    lane: &Lane,
    copy: &CopyName,
    layout: &Layout,
) -> Result<Vec<String>, Trouble> {
    let now: BTreeSet<&str> = layout.written().map(|(_, held)| held.bare.as_str()).collect();
    let of = [Some(lane.as_str()), Some(copy.as_str())];
    let ask = "select name from instep.columns where lane = $1 and copy = $2";
    let noted = session.ask(ask, &of).await?;
    let noted: BTreeSet<String> = noted.into_iter().flatten().flatten().collect();
    let gained: Vec<_> = now.iter().filter(|name| !noted.contains(**name)).collect();
    if !noted.is_empty() && !gained.is_empty() {
        return Ok(gained.into_iter().map(|name| (*name).to_owned()).collect());
    }
    let note = "insert into instep.columns (lane, copy, name) values ($1, $2, $3)";
    for name in gained {
        session.ask(note, &[of[0], of[1], Some(name)]).await?;
    }
    let forget = "delete from instep.columns where lane = $1 and copy = $2 and name = $3";
    for name in noted.iter().filter(|name| !now.contains(name.as_str())) {
        session.ask(forget, &[of[0], of[1], Some(name)]).await?;
    }
    Ok(Vec::new())
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
